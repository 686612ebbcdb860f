//! The connection to the relay over all its losses: which transport is in use, and when the next attempt is made.

use std::time::Duration;

use videocall_types::api::ServerConfig;
use videocall_types::{CloseCode, Resume, ResumeSecret, SessionId, Timestamp};

use super::config::Config;
use super::outbox::Outbox;
use super::race::{Race, Round};
use super::reconnect::Reconnect;
use crate::command::{Command, TransportId, TransportKind};
use crate::event::{Connection, EndReason, Event};

/// How long a new round waits for the server's configuration before it makes do with what is known.
const CONFIG_TIMEOUT: Duration = Duration::from_secs(2);

/// Time between two rounds while the relay stops.
const MOVE_RETRY: Duration = Duration::from_millis(300);

/// State machine of the connection.
pub(super) struct Link {
    config: Config,
    race: Race,
    policy: Reconnect,
    state: State,
    /// Why there is, or is to be, a race while we are connected.
    spare: Spare,
    /// The last connection went over WebTransport and fell silent.
    distrust: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spare {
    None,
    /// The connection in use seems to deliver nothing.
    Doubt,
    /// The relay stops. The next round starts at a moment, unless one is under way.
    Move(Option<Timestamp>),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not joined yet.
    Idle,
    Connecting(Step),
    Connected(TransportId, TransportKind),
    Ended,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Attempts are under way.
    Race,
    /// The next round starts at a moment.
    Wait { until: Timestamp, attempt: u32 },
    /// The server is asked for its configuration first: since it was started again, it may have another certificate.
    FetchConfig { until: Timestamp },
}

/// How the connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) kind: TransportKind,
    /// The session is that of the connection before.
    pub(super) resumed: bool,
}

/// What a change of the transports means for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Change {
    None,
    /// The connection in use is gone.
    Lost,
    /// Trying again would not help: the call must [`end`](Link::end).
    Refused(EndReason),
}

impl Link {
    pub(super) fn new(config: Config, seed: u64) -> Self {
        Self {
            race: Race::new(config.endpoints(), config.prefer),
            config,
            policy: Reconnect::new(seed),
            state: State::Idle,
            spare: Spare::None,
            distrust: false,
        }
    }

    pub(super) fn join(&mut self, now: Timestamp, out: &mut Outbox) {
        if matches!(self.state, State::Idle) {
            out.emit(Event::Connection(Connection::Connecting));
            self.start_race(now, out);
        }
    }

    /// The answer to [`Command::FetchConfig`].
    pub(super) fn config_fetched(
        &mut self,
        server: Option<ServerConfig>,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        let is_awaited = matches!(self.state, State::Connecting(Step::FetchConfig { .. }));
        if let Some(server) = server {
            self.config.server = server;
            self.race.set_endpoints(self.config.endpoints());
            if is_awaited {
                // The server is there: an attempt from before may still wait for the one that is gone.
                self.race.abandon(out);
            }
        }
        if is_awaited {
            self.start_race(now, out);
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether packets of this transport are those of the meeting.
    pub(super) fn is_connected(&self, id: TransportId) -> bool {
        matches!(self.state, State::Connected(connected, _) if connected == id)
    }

    pub(super) fn opened(&mut self, id: TransportId, now: Timestamp, out: &mut Outbox) {
        self.race.opened(id, now, out);
    }

    /// The relay has named our session over `id`: that transport is in use from now on, and one that was no longer.
    pub(super) fn assigned(
        &mut self,
        id: TransportId,
        session: SessionId,
        secret: Option<ResumeSecret>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Option<Assigned> {
        let resumed = self
            .race
            .resume()
            .is_some_and(|resume| resume.session == session);
        let resume = secret.map(|secret| Resume { session, secret });
        let kind = self.race.won(id, resume, out)?;
        if let State::Connected(old, _) = self.state {
            let code = if resumed {
                CloseCode::Idle
            } else {
                CloseCode::Left
            };
            out.push(Command::CloseTransport { id: old, code });
        }
        self.policy.connected(now);
        self.state = State::Connected(id, kind);
        self.spare = Spare::None;
        self.distrust = false;
        Some(Assigned { kind, resumed })
    }

    /// A transport has closed.
    pub(super) fn closed(
        &mut self,
        id: TransportId,
        code: Option<u16>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Change {
        let round = self.race.failed(id, now, out);
        let was_connected = self.is_connected(id);
        let is_spare = matches!(self.state, State::Connected(..)) && !was_connected;
        if round.is_none() && !was_connected {
            return Change::None;
        }
        if is_spare {
            if round == Some(Round::Over) {
                self.spare_failed(now);
            }
            return Change::None;
        }
        if let Some(code) = code
            .and_then(CloseCode::from_code)
            .filter(|code| !code.may_retry())
        {
            self.state = State::Ended;
            return Change::Refused(end_reason(code));
        }
        if was_connected {
            self.lost(now, out);
            return Change::Lost;
        }
        if round == Some(Round::Over) {
            self.schedule(now, out);
        }
        Change::None
    }

    /// The connection in use is not alive any more.
    pub(super) fn silent(&mut self, now: Timestamp, out: &mut Outbox) {
        if let State::Connected(id, kind) = self.state {
            out.push(Command::CloseTransport {
                id,
                code: CloseCode::Idle,
            });
            self.distrust = kind == TransportKind::WebTransport;
            self.lost(now, out);
        }
    }

    /// The connection in use seems to deliver nothing: another one is tried for, and takes over when it works. TCP that
    /// repairs losses is silent for as long at times, and there is nothing that could do better.
    pub(super) fn doubt(&mut self, now: Timestamp, out: &mut Outbox) {
        if let State::Connected(_, TransportKind::WebTransport) = self.state
            && self.spare == Spare::None
            && self.race.resume().is_some()
        {
            self.spare = Spare::Doubt;
            self.race.start(true, now, out);
        }
    }

    /// Something came over the connection in use.
    pub(super) fn trust(&mut self, out: &mut Outbox) {
        if self.spare == Spare::Doubt && !self.race.is_entering() {
            self.spare = Spare::None;
            self.race.abandon(out);
        }
    }

    /// The relay stops: another connection, to another relay if there is one, takes over when it works.
    pub(super) fn move_after(&mut self, delay: Duration, now: Timestamp) {
        if matches!(self.state, State::Connected(..)) && !matches!(self.spare, Spare::Move(_)) {
            self.spare = Spare::Move(Some(now + delay));
        }
    }

    /// The network is there again: whatever is under way may hang in the old one.
    pub(super) fn network_back(&mut self, now: Timestamp, out: &mut Outbox) {
        self.race.forget_preference();
        self.distrust = false;
        if let State::Connecting(_) = self.state {
            self.race.abandon(out);
            self.policy.forget();
            self.fetch_config(now, out);
        }
    }

    /// Closes everything for good.
    pub(super) fn end(&mut self, out: &mut Outbox) {
        self.race.leave(out);
        if let State::Connected(id, _) = self.state {
            out.push(Command::CloseTransport {
                id,
                code: CloseCode::Left,
            });
        }
        self.state = State::Ended;
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.race.handle_timeout(now, out) == Round::Over {
            match self.state {
                State::Connected(..) => self.spare_failed(now),
                _ => self.schedule(now, out),
            }
        }
        match self.state {
            State::Connected(..) => {
                if let Spare::Move(Some(at)) = self.spare
                    && now >= at
                {
                    self.spare = Spare::Move(None);
                    self.race.start(false, now, out);
                }
            }
            State::Connecting(Step::Wait { until, attempt }) if now >= until => {
                emit_reconnecting(attempt, Duration::ZERO, out);
                self.fetch_config(now, out);
            }
            State::Connecting(Step::FetchConfig { until }) if now >= until => {
                self.start_race(now, out);
            }
            _ => {}
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let step = match self.state {
            State::Connecting(Step::Wait { until, .. } | Step::FetchConfig { until }) => {
                Some(until)
            }
            State::Connected(..) => match self.spare {
                Spare::Move(at) => at,
                Spare::None | Spare::Doubt => None,
            },
            State::Idle | State::Connecting(Step::Race) | State::Ended => None,
        };
        step.into_iter().chain(self.race.poll_timeout()).min()
    }

    fn fetch_config(&mut self, now: Timestamp, out: &mut Outbox) {
        let until = now + CONFIG_TIMEOUT;
        self.state = State::Connecting(Step::FetchConfig { until });
        out.push(Command::FetchConfig);
    }

    fn start_race(&mut self, now: Timestamp, out: &mut Outbox) {
        self.state = State::Connecting(Step::Race);
        self.race.start(self.distrust, now, out);
    }

    /// The connection in use is gone. What is tried already goes on.
    fn lost(&mut self, now: Timestamp, out: &mut Outbox) {
        self.spare = Spare::None;
        if self.race.is_running() {
            let (_, attempt) = self.policy.failed(now);
            self.state = State::Connecting(Step::Race);
            emit_reconnecting(attempt, Duration::ZERO, out);
        } else {
            self.schedule(now, out);
        }
    }

    /// There is no other connection to be had at the moment.
    fn spare_failed(&mut self, now: Timestamp) {
        self.spare = match self.spare {
            Spare::Move(_) => Spare::Move(Some(now + MOVE_RETRY)),
            Spare::None | Spare::Doubt => Spare::None,
        };
    }

    fn schedule(&mut self, now: Timestamp, out: &mut Outbox) {
        let (delay, attempt) = self.policy.failed(now);
        self.state = State::Connecting(Step::Wait {
            until: now + delay,
            attempt,
        });
        emit_reconnecting(attempt, delay, out);
    }
}

fn emit_reconnecting(attempt: u32, retry_in: Duration, out: &mut Outbox) {
    let retry_in_ms = u32::try_from(retry_in.as_millis()).unwrap_or(u32::MAX);
    out.emit(Event::Connection(Connection::Reconnecting {
        attempt,
        retry_in_ms,
    }));
}

/// For the codes that forbid a retry.
fn end_reason(code: CloseCode) -> EndReason {
    match code {
        CloseCode::Left => EndReason::Left,
        CloseCode::Unauthorized => EndReason::NotAllowed,
        CloseCode::BadRequest
        | CloseCode::TooLarge
        | CloseCode::Malformed
        | CloseCode::TooSlow
        | CloseCode::Draining
        | CloseCode::RateLimited
        | CloseCode::Full
        | CloseCode::Idle
        | CloseCode::Internal
        | CloseCode::Replaced => EndReason::Rejected,
    }
}
