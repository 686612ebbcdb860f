//! The state of one call.

use std::collections::BTreeMap;

use media_core::command::TransportKind;
use media_core::event::{Connection, EndReason, Event, Participant, Picture};
use videocall_types::{SessionId, Track};

/// Notices on screen at the same time; the oldest goes first.
const MAX_NOTICES: usize = 4;
/// In larger meetings nobody is told who comes and goes.
const MAX_ANNOUNCED_PEOPLE: usize = 20;

/// All that the call page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct CallState {
    /// The connection.
    pub connection: Connection,
    /// How packets travel, or travelled before the connection was lost.
    pub transport: Option<TransportKind>,
    /// Our own session while connected.
    pub session: Option<SessionId>,
    /// The others, in the order in which they came.
    pub people: Vec<Person>,
    /// Tracks of which there is something to see or to say.
    pub pictures: BTreeMap<(SessionId, Track), Picture>,
    /// Short messages, oldest first.
    pub notices: Vec<Notice>,
    /// The browser plays no sound until the person does something.
    pub audio_blocked: bool,
    /// What ended the call, if it was no decision of the server.
    pub failure: Option<Failure>,
    /// The room has told who was there before us; who comes now is news.
    settled: bool,
    turns: u64,
    next_notice: u32,
}

/// Somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What the room tells.
    pub info: Participant,
    /// The larger, the later they spoke last, or the more they lead; 0: has not spoken.
    pub spoke: u64,
}

/// A short message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Unique in this call.
    pub id: u32,
    /// How it looks.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// How serious a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Something did not work.
    Problem,
}

/// Why there is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server does not answer.
    Unreachable,
    /// The media engine stopped.
    Engine(String),
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The client says something.
    Event(Event),
    /// The first moments of a connection are over.
    Settled,
    /// Show a notice.
    Notify(Tone, String),
    /// A notice has been read.
    Dismiss(u32),
    /// The browser plays no sound until the person does something.
    AudioBlocked(bool),
    /// There is no call any more.
    Failed(Failure),
}

impl Default for CallState {
    fn default() -> Self {
        Self {
            connection: Connection::Connecting,
            transport: None,
            session: None,
            people: Vec::new(),
            pictures: BTreeMap::new(),
            notices: Vec::new(),
            audio_blocked: false,
            failure: None,
            settled: false,
            turns: 0,
            next_notice: 0,
        }
    }
}

impl CallState {
    /// The state after `action`.
    #[must_use]
    pub fn after(mut self, action: Action) -> Self {
        match action {
            Action::Event(event) => self.take(event),
            Action::Settled => self.settled = self.session.is_some(),
            Action::Notify(tone, text) => self.notify(tone, text),
            Action::Dismiss(id) => self.notices.retain(|notice| notice.id != id),
            Action::AudioBlocked(blocked) => self.audio_blocked = blocked,
            Action::Failed(failure) => self.failure = Some(failure),
        }
        self
    }

    /// Why the call is over, if the server or the person ended it.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        match self.connection {
            Connection::Ended { reason } => Some(reason),
            _ => None,
        }
    }

    /// What there is to see of `track` of `session`.
    #[must_use]
    pub fn picture(&self, session: SessionId, track: Track) -> Picture {
        let picture = self.pictures.get(&(session, track));
        picture.copied().unwrap_or_default()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Connection(connection) => self.connected(connection),
            Event::Participant(info) => self.participant(info),
            Event::Left { session } => self.left(session),
            Event::Speakers { sessions } => self.speakers(&sessions),
            Event::Picture {
                session,
                track,
                picture,
            } if picture == Picture::default() => {
                self.pictures.remove(&(session, track));
            }
            Event::Picture {
                session,
                track,
                picture,
            } => {
                self.pictures.insert((session, track), picture);
            }
            // They come every second and go past the state, to `diagnostics::history`.
            Event::Stats(_) => {}
        }
    }

    fn connected(&mut self, connection: Connection) {
        if let Connection::Connected { transport, session } = connection {
            self.transport = Some(transport);
            self.session = Some(session);
        } else {
            self.session = None;
            self.settled = false;
        }
        self.connection = connection;
    }

    fn participant(&mut self, info: Participant) {
        let known = self
            .people
            .iter_mut()
            .find(|person| person.info.session == info.session);
        match known {
            Some(person) => person.info = info,
            None => {
                if self.announces() {
                    self.notify(Tone::Info, format!("{} joined", info.display_name));
                }
                self.people.push(Person { info, spoke: 0 });
            }
        }
    }

    /// These speak, whoever leads first.
    fn speakers(&mut self, sessions: &[SessionId]) {
        for session in sessions.iter().rev() {
            let known = self.people.iter_mut();
            if let Some(person) = known.into_iter().find(|p| p.info.session == *session) {
                self.turns += 1;
                person.spoke = self.turns;
            }
        }
    }

    fn left(&mut self, session: SessionId) {
        let Some(at) = self
            .people
            .iter()
            .position(|person| person.info.session == session)
        else {
            return;
        };
        let person = self.people.remove(at);
        self.pictures.retain(|(of, _), _| *of != session);
        if self.announces() {
            self.notify(Tone::Info, format!("{} left", person.info.display_name));
        }
    }

    fn announces(&self) -> bool {
        self.settled && self.people.len() < MAX_ANNOUNCED_PEOPLE
    }

    fn notify(&mut self, tone: Tone, text: String) {
        if self.notices.len() == MAX_NOTICES {
            self.notices.remove(0);
        }
        self.notices.push(Notice {
            id: self.next_notice,
            tone,
            text,
        });
        self.next_notice += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(raw: u64) -> SessionId {
        SessionId::new(raw).unwrap()
    }

    fn person(raw: u64, name: &str) -> Participant {
        Participant {
            session: session(raw),
            user_id: name.to_lowercase(),
            display_name: name.to_owned(),
            camera: true,
            microphone: true,
            screen: false,
        }
    }

    fn joins(raw: u64, name: &str) -> Action {
        Action::Event(Event::Participant(person(raw, name)))
    }

    fn leaves(raw: u64) -> Action {
        Action::Event(Event::Left {
            session: session(raw),
        })
    }

    fn speak(sessions: &[u64]) -> Action {
        Action::Event(Event::Speakers {
            sessions: sessions.iter().map(|raw| session(*raw)).collect(),
        })
    }

    fn picture(raw: u64, track: Track, shown: bool) -> Action {
        Action::Event(Event::Picture {
            session: session(raw),
            track,
            picture: Picture {
                shown,
                trouble: None,
            },
        })
    }

    fn connects() -> Action {
        let connected = Connection::Connected {
            transport: TransportKind::WebTransport,
            session: session(1),
        };
        Action::Event(Event::Connection(connected))
    }

    fn loses() -> Action {
        Action::Event(Event::Connection(Connection::Reconnecting {
            attempt: 1,
            retry_in_ms: 0,
        }))
    }

    fn play(actions: impl IntoIterator<Item = Action>) -> CallState {
        actions
            .into_iter()
            .fold(CallState::default(), CallState::after)
    }

    fn texts(state: &CallState) -> Vec<&str> {
        state
            .notices
            .iter()
            .map(|notice| notice.text.as_str())
            .collect()
    }

    fn names(state: &CallState) -> Vec<&str> {
        state
            .people
            .iter()
            .map(|person| person.info.display_name.as_str())
            .collect()
    }

    #[test]
    fn only_who_comes_after_the_first_moments_is_announced() {
        let state = play([
            connects(),
            joins(2, "Ada"),
            Action::Settled,
            joins(3, "Bob"),
            leaves(2),
        ]);
        assert_eq!(texts(&state), ["Bob joined", "Ada left"]);
        assert_eq!(names(&state), ["Bob"]);
    }

    #[test]
    fn a_reconnect_announces_nobody_until_it_has_settled_again() {
        let reconnect = [loses(), leaves(2), connects(), joins(4, "Ada")];
        let state = play(
            [connects(), joins(2, "Ada"), Action::Settled]
                .into_iter()
                .chain(reconnect),
        );
        assert!(texts(&state).is_empty());
        assert_eq!(names(&state), ["Ada"]);
    }

    #[test]
    fn settling_after_the_connection_is_lost_again_counts_for_nothing() {
        let state = play([connects(), loses(), Action::Settled, joins(2, "Ada")]);
        assert!(texts(&state).is_empty());
    }

    #[test]
    fn a_large_meeting_announces_nobody() {
        let crowd = (2..30).map(|raw| joins(raw, "Somebody"));
        let state = play([connects(), Action::Settled].into_iter().chain(crowd)).after(leaves(29));
        assert_eq!(state.people.len(), 27);
        assert_eq!(state.next_notice as usize, MAX_ANNOUNCED_PEOPLE);
    }

    #[test]
    fn a_change_keeps_the_place_of_a_person() {
        let muted = Participant {
            microphone: false,
            ..person(2, "Ada")
        };
        let state = play([
            joins(2, "Ada"),
            joins(3, "Bob"),
            Action::Event(Event::Participant(muted.clone())),
        ]);
        assert_eq!(names(&state), ["Ada", "Bob"]);
        assert_eq!(state.people[0].info, muted);
    }

    #[test]
    fn pictures_may_come_before_their_person_and_go_with_them() {
        let state = play([
            picture(2, Track::Camera, true),
            picture(3, Track::Screen, true),
            joins(2, "Ada"),
        ]);
        assert!(state.picture(session(2), Track::Camera).shown);
        let state = state
            .after(leaves(2))
            .after(picture(3, Track::Screen, false));
        assert!(state.pictures.is_empty());
    }

    #[test]
    fn who_leads_is_before_who_joins_in_and_before_who_spoke_earlier() {
        let spoke = |speakers: &[&[u64]]| -> Vec<u64> {
            let people = [joins(2, "Ada"), joins(3, "Bob"), joins(4, "Eve")];
            let speak = speakers.iter().map(|sessions| speak(sessions));
            let state = play(people.into_iter().chain(speak));
            state.people.iter().map(|person| person.spoke).collect()
        };
        assert_eq!(spoke(&[]), [0, 0, 0]);
        assert_eq!(spoke(&[&[3], &[3, 2]]), [2, 3, 0]);
        // Nobody of that name is here, and we are not among the others.
        assert_eq!(spoke(&[&[3], &[3, 2], &[2, 9, 1], &[]]), [4, 3, 0]);
    }

    #[test]
    fn the_transport_stays_known_while_reconnecting_and_the_session_does_not() {
        let state = play([connects(), loses()]);
        assert_eq!(state.transport, Some(TransportKind::WebTransport));
        assert_eq!(state.session, None);
    }

    #[test]
    fn the_oldest_notice_makes_room() {
        let state = play((0..5).map(|n| Action::Notify(Tone::Problem, n.to_string())));
        assert_eq!(texts(&state), ["1", "2", "3", "4"]);
        assert_eq!(texts(&state.after(Action::Dismiss(2))), ["1", "3", "4"]);
    }
}
