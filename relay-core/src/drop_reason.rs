//! Why a packet does not go on.

/// Why a packet does not go on. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Can't be read.
    Malformed,
    /// Over the size limit of its kind, or over the limit of all once the sender is stamped on it.
    TooLarge,
    /// Only a relay may say this.
    ServerOnly,
    /// Of a kind that this version does not know.
    UnknownKind,
    /// The session may not publish this, or may not ask for it.
    NotAllowed,
    /// The sender is not in the room.
    NotMember,
    /// The session sends more than it may.
    RateLimited,
    /// The receiver's task did not take it in time.
    ChannelFull,
    /// Waited too long for the receiver.
    Expired,
    /// The receiver's queue was full.
    Overflow,
    /// Refers to a frame that the receiver did not get.
    NoReference,
    /// Came after a later frame of its track.
    Late,
    /// The session ended before it was sent.
    SessionEnded,
    /// The bus did not take it.
    BusFull,
    /// The bus is not connected.
    BusLost,
    /// Video that the relay has no capacity for at the moment.
    Overload,
    /// A voice that is not among the loudest of a large room.
    Quieter,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::TooLarge,
        Self::ServerOnly,
        Self::UnknownKind,
        Self::NotAllowed,
        Self::NotMember,
        Self::RateLimited,
        Self::ChannelFull,
        Self::Expired,
        Self::Overflow,
        Self::NoReference,
        Self::Late,
        Self::SessionEnded,
        Self::BusFull,
        Self::BusLost,
        Self::Overload,
        Self::Quieter,
    ];

    /// The reason as a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::ServerOnly => "server_only",
            Self::UnknownKind => "unknown_kind",
            Self::NotAllowed => "not_allowed",
            Self::NotMember => "not_member",
            Self::RateLimited => "rate_limited",
            Self::ChannelFull => "channel_full",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
            Self::NoReference => "no_reference",
            Self::Late => "late",
            Self::SessionEnded => "session_ended",
            Self::BusFull => "bus_full",
            Self::BusLost => "bus_lost",
            Self::Overload => "overload",
            Self::Quieter => "quieter",
        }
    }

    /// Whether the sender broke the protocol with it.
    #[must_use]
    pub const fn is_violation(self) -> bool {
        matches!(self, Self::Malformed | Self::TooLarge | Self::ServerOnly)
    }
}
