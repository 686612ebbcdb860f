//! How much a connection carries in one direction, as its sender finds out.
//!
//! A connection has no limit until it shows one: what waits on the way, or in front of it, for longer than a moment is more
//! than it takes, and the limit is a little less than what arrived meanwhile. From there only a probe leads up: when more is
//! wanted and nothing has waited for a while, padding is sent beside the media, and only if nothing waits for that either, the
//! limit rises. Delay says more than loss, which QUIC and TCP repair; the idea is that of Google Congestion Control
//! (draft-ietf-rmcat-gcc-02) without its filter, because reports come seldom and the queues of interest are long.

use std::collections::VecDeque;
use std::time::Duration;

use crate::report::{Feedback, REPORT_INTERVAL};
use crate::time::Timestamp;

/// Media that waits longer than this, several reports in a row, waits because there is too much of it. A keyframe alone
/// delays others for a moment.
const TOO_LONG: Duration = Duration::from_millis(120);
/// The same for what is on the way once there is a limit, which would explain the delay. It may be losses that are repaired.
const TOO_LONG_LIMITED: Duration = Duration::from_millis(360);
/// Longer than this no repair takes.
const TOO_LONG_TO_REPAIR: Duration = Duration::from_secs(1);
/// Padding must not delay anybody: the first report that says so ends a probe.
const TOO_LONG_PROBING: Duration = Duration::from_millis(60);
/// So many reports in a row: a queue stands, while a loss that is repaired delays for a moment. CoDel (RFC 8289) tells them
/// apart like that.
const IN_A_ROW: usize = 3;
/// So much of what arrived is taken for what the connection carries.
const CAUTION_PERCENT: u64 = 85;
/// A step down leaves at least so much: of a connection that stalls little arrives, whatever it carries.
const AT_ONCE_PERCENT: u64 = 50;
/// What waits grows if less of what is sent than this arrives meanwhile.
const ARRIVES_PERCENT: u64 = 92;
/// The first limit is no smaller than this. Where little is sent, little arrives, and a loss that is repaired, which delays all
/// that follows it on TCP, looks like too much; a connection that is really narrower shows it again.
const FIRST_FLOOR: u64 = 150_000;
/// Less than this is never assumed: sound must go on.
const FLOOR: u64 = 60_000;
/// What arrives is measured over at least this time.
const RATE_WINDOW: Duration = Duration::from_millis(600);
/// After a step down, what waited before it needs time to go.
const SETTLE: Duration = Duration::from_millis(1200);
/// How long nothing must have waited before the first probe, and before the next one after a success.
const PROBE_AFTER: Duration = Duration::from_secs(3);
const PROBE_AGAIN_AFTER: Duration = Duration::from_millis(800);
/// After a probe that failed, the next one waits twice as long as this one did, up to this time.
const PROBE_AFTER_AT_MOST: Duration = Duration::from_secs(48);
/// Where losses delay something all the time, a probe comes although something waits, if no queue has stood for so many times
/// as long.
const RESTLESS: u32 = 3;
const PROBE_TIME: Duration = Duration::from_secs(1);
/// A probe asks for at most so much more than the limit.
const PROBE_PERCENT: u64 = 125;
/// Padding is sent so often.
const TICK: Duration = Duration::from_millis(40);
/// A limit that has limited nothing for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(20);
/// The fastest is looked for in the last one to two windows, so that clocks that drift apart do not add up.
const FASTEST_WINDOW: Duration = Duration::from_secs(20);

/// Finds out what a connection carries from what the other end reports.
#[derive(Debug)]
pub struct Bandwidth {
    limit: Option<u64>,
    /// Bits per second that would be sent if there were no limit, where that is more than the limit.
    wanted: Option<u64>,
    transit: Fastest,
    /// From when a report leaves until one comes that was sent after it arrived.
    turn: Fastest,
    arrivals: VecDeque<Arrival>,
    /// How long media waited, as of the last reports, newest last.
    waits: VecDeque<Wait>,
    /// Since when nothing has waited, nor the limit changed.
    calm_since: Timestamp,
    /// Since when no queue has stood, nor the limit changed.
    drained_since: Timestamp,
    /// Since when the limit limits nothing.
    idle_since: Option<Timestamp>,
    /// No step down before this moment.
    settled_at: Timestamp,
    probe_after: Duration,
    probe: Option<Probe>,
    /// Bytes sent in all.
    sent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    counted_us: u64,
    bytes: u64,
    /// What had been sent when the report came.
    sent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    /// In front of the connection and on the way.
    delay: Duration,
    /// In front of the connection, which does not take more.
    backlog: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    /// Bits per second in all.
    target: u64,
    until: Timestamp,
    /// The last tick, and what had been sent by then.
    ticked: Timestamp,
    sent: u64,
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self {
            limit: None,
            wanted: None,
            transit: Fastest::default(),
            turn: Fastest::default(),
            arrivals: VecDeque::new(),
            waits: VecDeque::new(),
            calm_since: Timestamp::ZERO,
            drained_since: Timestamp::ZERO,
            idle_since: None,
            settled_at: Timestamp::ZERO,
            probe_after: PROBE_AFTER,
            probe: None,
            sent: 0,
        }
    }
}

impl Bandwidth {
    /// Bits per second that the connection carries; `None` while it carries all.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Bits per second that would be of use, where the limit keeps that from being sent; `None`: it keeps nothing.
    pub fn want(&mut self, wanted: Option<u64>, now: Timestamp) {
        self.wanted = wanted.filter(|wanted| self.limit.is_some_and(|limit| *wanted > limit));
        if self.wanted.is_some() {
            self.idle_since = None;
        } else {
            self.idle_since.get_or_insert(now);
            self.probe = None;
        }
    }

    /// Something was sent, padding included.
    pub const fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// The other end reports; `backlog` is how long the oldest media has waited on this end. True if the limit has changed.
    pub fn handle(&mut self, feedback: &Feedback, backlog: Duration, now: Timestamp) -> bool {
        let before = self.limit;
        self.note(feedback, backlog, now);
        if self.is_too_much() {
            self.step_down(now);
        } else if self.probe.is_none() {
            self.step_up(now);
        }
        before != self.limit
    }

    /// When to call [`padding`](Self::padding).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.probe
            .map(|probe| (probe.ticked + TICK).min(probe.until))
    }

    /// Bytes of padding to send now. A probe that has gone well ends here; then the limit has changed.
    pub fn padding(&mut self, now: Timestamp) -> usize {
        let Some(probe) = &mut self.probe else {
            return 0;
        };
        if now >= probe.until {
            self.limit = Some(probe.target);
            self.probe = None;
            self.restart(now);
            self.probe_after = PROBE_AGAIN_AFTER;
            return 0;
        }
        let elapsed = (now - probe.ticked).as_micros() as u64;
        let due = (probe.target.saturating_mul(elapsed)) / 8_000_000;
        let media = self.sent - probe.sent;
        (probe.ticked, probe.sent) = (now, self.sent);
        let padding = due.saturating_sub(media);
        // The padding itself must not count against the next tick.
        probe.sent = probe.sent.saturating_add(padding);
        usize::try_from(padding).unwrap_or(usize::MAX)
    }

    fn note(&mut self, feedback: &Feedback, backlog: Duration, now: Timestamp) {
        // The clocks have nothing in common, so that only differences of transits mean something.
        let transit = feedback.arrived_us.wrapping_sub(feedback.sent.as_micros()) as i64;
        let turn = (now - feedback.sent).as_micros() as i64;
        // A report that is still under way tells by that.
        let missing = self
            .turn
            .slower_by(turn, now)
            .saturating_sub(REPORT_INTERVAL);
        let delay = self.transit.slower_by(transit, now).max(missing);
        let delay = delay.max(backlog);
        push_bounded(&mut self.waits, Wait { delay, backlog }, IN_A_ROW);
        let arrival = Arrival {
            counted_us: feedback.counted_us,
            bytes: feedback.received_bytes,
            sent: self.sent,
        };
        self.arrivals.push_back(arrival);
        // One that is as old as the window stays.
        while self
            .arrivals
            .get(1)
            .is_some_and(|next| arrival.counted_us.saturating_sub(next.counted_us) >= window_us())
        {
            self.arrivals.pop_front();
        }
    }

    /// How long media have waited at least, in each of the last `reports`.
    fn standing(&self, reports: usize, wait: fn(&Wait) -> Duration) -> Duration {
        let enough = self.waits.len() >= reports;
        let least = self.waits.iter().rev().take(reports).map(wait).min();
        least.filter(|_| enough).unwrap_or_default()
    }

    fn is_too_much(&self) -> bool {
        if self.probe.is_some() {
            return self.standing(1, |wait| wait.delay) > TOO_LONG_PROBING;
        }
        let backlog = self.standing(IN_A_ROW, |wait| wait.backlog);
        let delay = self.standing(IN_A_ROW, |wait| wait.delay);
        let too_long = if self.limit.is_some() {
            TOO_LONG_LIMITED
        } else {
            TOO_LONG
        };
        backlog > TOO_LONG
            || delay > TOO_LONG_TO_REPAIR
            || (delay > too_long && self.less_arrives_than_is_sent())
    }

    /// Where as much arrives as is sent, delay has another reason than that, such as losses that are repaired.
    fn less_arrives_than_is_sent(&self) -> bool {
        let (Some(first), Some(last)) = (self.arrivals.front(), self.arrivals.back()) else {
            return false;
        };
        let arrived = last.bytes.saturating_sub(first.bytes);
        let sent = last.sent.saturating_sub(first.sent);
        arrived.saturating_mul(100) < sent.saturating_mul(ARRIVES_PERCENT)
    }

    fn step_down(&mut self, now: Timestamp) {
        if self.probe.take().is_some() {
            self.probe_after = (2 * self.probe_after.max(PROBE_AFTER)).min(PROBE_AFTER_AT_MOST);
            // What the media took before the probe still fits.
            self.settled_at = now + SETTLE;
            self.restart(now);
            return;
        }
        self.restart(now);
        if now < self.settled_at {
            return;
        }
        let Some(arrived) = self.arrival_rate() else {
            return;
        };
        let carries = arrived.saturating_mul(CAUTION_PERCENT) / 100;
        self.limit = Some(match self.limit {
            None => carries.max(FIRST_FLOOR),
            // Delay while less than the limit arrives: something else takes its part of the connection.
            Some(limit) => carries
                .clamp(limit * AT_ONCE_PERCENT / 100, limit)
                .max(FLOOR),
        });
        self.idle_since = None;
        self.settled_at = now + SETTLE;
        self.probe_after = self.probe_after.max(PROBE_AFTER);
    }

    /// The next probe waits as long as it must.
    const fn restart(&mut self, now: Timestamp) {
        (self.calm_since, self.drained_since) = (now, now);
    }

    fn step_up(&mut self, now: Timestamp) {
        if self.standing(1, |wait| wait.delay) > TOO_LONG_PROBING {
            self.calm_since = now;
        }
        if self.standing(IN_A_ROW, |wait| wait.delay) > TOO_LONG_PROBING {
            self.drained_since = now;
        }
        let Some(limit) = self.limit else {
            return;
        };
        if self
            .idle_since
            .is_some_and(|since| now - since >= FORGET_AFTER)
        {
            self.limit = None;
            self.probe_after = PROBE_AFTER;
        } else if let Some(wanted) = self.wanted
            && (now - self.calm_since >= self.probe_after
                || now - self.drained_since >= RESTLESS * self.probe_after)
        {
            self.probe = Some(Probe {
                target: wanted.min(limit.saturating_mul(PROBE_PERCENT) / 100),
                until: now + PROBE_TIME,
                ticked: now,
                sent: self.sent,
            });
        }
    }

    /// Bits per second that have arrived lately.
    fn arrival_rate(&self) -> Option<u64> {
        let (first, last) = (self.arrivals.front()?, self.arrivals.back()?);
        let elapsed = last.counted_us.checked_sub(first.counted_us)?;
        let bits = last.bytes.saturating_sub(first.bytes).saturating_mul(8);
        bits.saturating_mul(1_000_000).checked_div(elapsed)
    }
}

/// The fastest of late.
#[derive(Debug, Default)]
struct Fastest {
    present: Option<i64>,
    before: Option<i64>,
    window_start: Timestamp,
}

impl Fastest {
    /// How much slower `micros` is.
    fn slower_by(&mut self, micros: i64, now: Timestamp) -> Duration {
        if now - self.window_start >= FASTEST_WINDOW {
            (self.before, self.present) = (self.present, None);
            self.window_start = now;
        }
        let fastest = |other: Option<i64>| other.map_or(micros, |other| other.min(micros));
        self.present = Some(fastest(self.present));
        let fastest = fastest(self.before).min(fastest(self.present));
        Duration::from_micros(u64::try_from(micros.saturating_sub(fastest)).unwrap_or(0))
    }
}

const fn window_us() -> u64 {
    RATE_WINDOW.as_micros() as u64
}

fn push_bounded<T>(queue: &mut VecDeque<T>, value: T, most: usize) {
    queue.push_back(value);
    while queue.len() > most {
        queue.pop_front();
    }
}
