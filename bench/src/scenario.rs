//! Who sends what to whom, as data.

use std::time::Duration;

/// A track that is sent at a steady pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Packets per second.
    pub per_second: u32,
    /// Bytes of each packet's innermost payload.
    pub bytes: usize,
}

/// How eagerly a receiver reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As fast as it can.
    Eager,
    /// So many bytes per second.
    Limited(u32),
    /// Not at all once the measured time has begun.
    Stalled,
}

/// Rooms of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name on the command line and in results.
    pub name: &'static str,
    /// How many rooms.
    pub rooms: usize,
    /// Participants of each room that send and receive.
    pub senders: usize,
    /// Participants of each room that only receive.
    pub listeners: usize,
    /// Of the listeners of each room, how many read this slowly; see [`Reading`].
    pub odd_listeners: &'static [Reading],
    /// What each sender's camera sends.
    pub video: Option<Pace>,
    /// What each sender's microphone sends.
    pub audio: Option<Pace>,
    /// Connections are spread over this time.
    pub ramp: Duration,
}

impl Scenario {
    /// All connections.
    #[must_use]
    pub const fn connections(&self) -> usize {
        self.rooms * (self.senders + self.listeners)
    }

    /// Deliveries per second that it calls for.
    #[must_use]
    pub fn deliveries_per_second(&self) -> u64 {
        let per_sender: u32 = [self.video, self.audio]
            .into_iter()
            .flatten()
            .map(|pace| pace.per_second)
            .sum();
        let receivers = self.senders + self.listeners - 1;
        (self.rooms * self.senders * receivers) as u64 * u64::from(per_sender)
    }
}

const fn pace(per_second: u32, bytes: usize) -> Option<Pace> {
    Some(Pace { per_second, bytes })
}

const BASE: Scenario = Scenario {
    name: "duo",
    rooms: 1,
    senders: 2,
    listeners: 0,
    odd_listeners: &[],
    video: pace(30, 4000),
    audio: pace(50, 120),
    ramp: Duration::from_millis(500),
};

/// Two people, both send and receive.
pub const DUO: Scenario = BASE;
/// Ten people, all send and receive.
pub const TEN: Scenario = Scenario {
    name: "ten",
    senders: 10,
    video: pace(15, 1500),
    audio: pace(50, 100),
    ..BASE
};
/// One person sends to two hundred.
pub const BROADCAST: Scenario = Scenario {
    name: "broadcast",
    senders: 1,
    listeners: 200,
    ramp: Duration::from_secs(2),
    ..BASE
};
/// Twenty meetings of five, all send and receive.
pub const ROOMS: Scenario = Scenario {
    name: "rooms",
    rooms: 20,
    senders: 5,
    video: pace(15, 1000),
    audio: pace(25, 100),
    ramp: Duration::from_secs(1),
    ..BASE
};
/// Ten speakers whom a hundred and fifty hear.
pub const AUDIO: Scenario = Scenario {
    name: "audio",
    senders: 10,
    listeners: 150,
    video: None,
    audio: pace(50, 120),
    ramp: Duration::from_secs(3),
    ..BASE
};
/// [`TEN`], among them one that reads slowly and one that does not read at all.
pub const SLOW: Scenario = Scenario {
    name: "slow",
    listeners: 2,
    odd_listeners: &[Reading::Limited(300_000 / 8), Reading::Stalled],
    ..TEN
};
/// [`SLOW`] without its trouble: as many listeners, all eager.
pub const TWELVE: Scenario = Scenario {
    name: "twelve",
    odd_listeners: &[],
    ..SLOW
};
/// Connections that say nothing.
pub const IDLE: Scenario = Scenario {
    name: "idle",
    rooms: 50,
    senders: 0,
    listeners: 20,
    video: None,
    audio: None,
    ramp: Duration::from_secs(4),
    ..BASE
};
/// Five hundred join one room within five seconds while somebody speaks.
pub const JOINS: Scenario = Scenario {
    name: "joins",
    senders: 1,
    listeners: 500,
    video: pace(15, 1000),
    audio: pace(50, 120),
    ramp: Duration::from_secs(5),
    ..BASE
};

/// Every scenario of a fixed size.
pub const ALL: [Scenario; 9] = [DUO, TEN, BROADCAST, ROOMS, AUDIO, SLOW, TWELVE, IDLE, JOINS];

/// [`BROADCAST`] to so many listeners.
#[must_use]
pub fn broadcast_to(listeners: usize) -> Scenario {
    Scenario {
        name: "capacity",
        listeners,
        ramp: Duration::from_millis(5 * listeners as u64),
        ..BROADCAST
    }
}

/// The scenario of that name; `capacity:500` is [`broadcast_to`] 500.
#[must_use]
pub fn by_name(name: &str) -> Option<Scenario> {
    if let Some(listeners) = name.strip_prefix("capacity:") {
        return listeners.parse().ok().map(broadcast_to);
    }
    ALL.into_iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for scenario in ALL {
            assert_eq!(by_name(scenario.name), Some(scenario));
        }
        assert_eq!(
            by_name("capacity:7").map(|scenario| scenario.listeners),
            Some(7)
        );
        assert_eq!(by_name("nothing"), None);
    }

    #[test]
    fn deliveries_are_those_to_everybody_else() {
        assert_eq!(DUO.deliveries_per_second(), 2 * 80);
        assert_eq!(TEN.deliveries_per_second(), 90 * 65);
        assert_eq!(BROADCAST.deliveries_per_second(), 200 * 80);
        assert_eq!(ROOMS.deliveries_per_second(), 20 * 20 * 40);
    }
}
