//! What can happen in a room.

/// What happens next. Every value of every field means something: members are named by their position among all, modulo
/// their number, sets by bits.
#[derive(Clone, Debug)]
#[cfg_attr(fuzzing, derive(arbitrary::Arbitrary))]
pub(crate) enum Operation {
    Join {
        relay: u8,
        stock: bool,
        receives: bool,
        publishes: bool,
        /// The largest layer that it can encode.
        largest: u8,
    },
    /// On purpose.
    Leave {
        member: u8,
    },
    /// The connection is lost; it was heard so long ago.
    Lose {
        member: u8,
        heard_ms: u16,
    },
    /// Comes back over another connection, whether the relay knows that the old one is lost or not.
    Resume {
        member: u8,
    },
    /// Somebody else wants to come back in its place.
    Forge {
        member: u8,
        forgery: Forgery,
    },
    /// A frame in each layer of `frames`, of those that are `sent`.
    Video {
        member: u8,
        screen: bool,
        sent: u8,
        frames: u8,
        keyframes: u8,
        temporal: u8,
        bytes: u16,
    },
    Sound {
        member: u8,
        of_screen: bool,
        level: u8,
    },
    /// Everybody who is connected to a relay says something.
    Chorus {
        relay: u8,
        level: u8,
    },
    /// Says whether it publishes.
    Heartbeat {
        member: u8,
        camera: bool,
        screen: bool,
    },
    AskKeyframe {
        member: u8,
        of: u8,
        screen: bool,
    },
    Wish {
        member: u8,
        others: bool,
        shown: Vec<Shown>,
    },
    /// Says how many earlier frames it lacks of a sound.
    Lack {
        member: u8,
        of: u8,
        of_screen: bool,
        frames: u8,
    },
    /// What its connection carries was measured; `None`: all.
    Limit {
        member: u8,
        bps: Option<u32>,
    },
    /// Somebody sends packets to a relay that it is no member of.
    Stray {
        member: u8,
    },
    /// The load of a relay changes.
    Load {
        relay: u8,
        level: u8,
    },
    Wait {
        millis: u16,
    },
    /// The bus fails.
    Cut,
    /// It works again.
    Mend,
}

/// A picture that somebody shows.
#[derive(Clone, Debug)]
#[cfg_attr(fuzzing, derive(arbitrary::Arbitrary))]
pub(crate) struct Shown {
    pub(crate) of: u8,
    pub(crate) screen: bool,
    pub(crate) height: u16,
}

/// What is wrong with somebody who wants to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(fuzzing, derive(arbitrary::Arbitrary))]
pub(crate) enum Forgery {
    Secret,
    User,
    Session,
}
