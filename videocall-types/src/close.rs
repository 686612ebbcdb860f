//! Why a session ended, as a number that both transports carry.

/// The reason of a close. On WebSocket it is the close code, on WebTransport the session's close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The client leaves, or the relay confirms that.
    Left = 4000,
    /// No valid credential, or it has expired.
    Unauthorized = 4001,
    /// The meeting or user id, or another part of the URL, is not valid.
    BadRequest = 4002,
    /// A packet was larger than the limit.
    TooLarge = 4003,
    /// What the client sent can't be read.
    Malformed = 4004,
    /// The client did not take what was sent to it.
    TooSlow = 4005,
    /// The server stops; connect again.
    Draining = 4006,
    /// The client sends more than it may.
    RateLimited = 4007,
    /// The room or the server is full.
    Full = 4008,
    /// Nothing is heard from the other side any more: the connection is given up, not the session.
    Idle = 4009,
    /// The server failed.
    Internal = 4010,
    /// The session goes on over another connection.
    Replaced = 4011,
}

impl CloseCode {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::Left,
        Self::Unauthorized,
        Self::BadRequest,
        Self::TooLarge,
        Self::Malformed,
        Self::TooSlow,
        Self::Draining,
        Self::RateLimited,
        Self::Full,
        Self::Idle,
        Self::Internal,
        Self::Replaced,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The close code with this number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code() == code)
    }

    /// Whether connecting again can help.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        match self {
            Self::TooSlow
            | Self::Draining
            | Self::RateLimited
            | Self::Full
            | Self::Idle
            | Self::Internal
            | Self::Replaced => true,
            Self::Left
            | Self::Unauthorized
            | Self::BadRequest
            | Self::TooLarge
            | Self::Malformed => false,
        }
    }

    /// A short reason for logs and for the close frame. Tells nothing of the server's inside.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Unauthorized => "not allowed",
            Self::BadRequest => "bad request",
            Self::TooLarge => "packet too large",
            Self::Malformed => "malformed packet",
            Self::TooSlow => "receiver too slow",
            Self::Draining => "server is stopping",
            Self::RateLimited => "too many packets",
            Self::Full => "full",
            Self::Idle => "idle",
            Self::Internal => "internal error",
            Self::Replaced => "replaced",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable() {
        let numbers: Vec<u16> = CloseCode::ALL.iter().map(|c| c.code()).collect();
        assert_eq!(numbers, (4000..=4011).collect::<Vec<u16>>());
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(code.code()), Some(code));
        }
        assert_eq!(CloseCode::from_code(1000), None);
    }
}
