//! What lets a client come back into its session over another connection.

use std::fmt;

use bytes::Bytes;

use crate::id::SessionId;
use crate::proto::control::Enter;

const LEN: usize = 16;

/// Known to the relay and to one client only, and never shown.
#[derive(Clone, Copy)]
pub struct ResumeSecret([u8; LEN]);

impl ResumeSecret {
    /// `random` must not be guessable.
    #[must_use]
    pub const fn new(random: [u8; LEN]) -> Self {
        Self(random)
    }

    /// Reads what came over the wire. `None` if it is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// For the wire.
    #[must_use]
    pub fn to_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
}

/// How long it takes does not tell where they differ.
impl PartialEq for ResumeSecret {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(0, |differ, (one, two)| differ | (one ^ two)) == 0
    }
}

impl Eq for ResumeSecret {}

impl fmt::Debug for ResumeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeSecret(..)")
    }
}

/// The session to come back into, and the proof that it is one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// What the relay gave its client.
    pub secret: ResumeSecret,
}

impl Resume {
    /// What an `Enter` names; `None`: a new session.
    #[must_use]
    pub fn from_wire(enter: &Enter) -> Option<Self> {
        Some(Self {
            session: SessionId::new(enter.session_id)?,
            secret: ResumeSecret::from_bytes(&enter.secret)?,
        })
    }

    /// The message that a client enters with; `None`: as a new session.
    #[must_use]
    pub fn to_wire(resume: Option<&Self>) -> Enter {
        let mut enter = Enter::new();
        if let Some(resume) = resume {
            enter.session_id = resume.session.get();
            enter.secret = resume.secret.to_bytes();
        }
        enter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(first: u8) -> Resume {
        let mut random = [7; LEN];
        random[0] = first;
        Resume {
            session: SessionId::new(5).unwrap(),
            secret: ResumeSecret::new(random),
        }
    }

    #[test]
    fn it_is_read_back_and_compared() {
        let wire = Resume::to_wire(Some(&resume(1)));
        assert_eq!(Resume::from_wire(&wire), Some(resume(1)));
        assert_ne!(resume(1), resume(2));
        assert_eq!(Resume::from_wire(&Resume::to_wire(None)), None);
        let mut short = wire;
        short.secret = Bytes::from_static(b"short");
        assert_eq!(Resume::from_wire(&short), None);
    }

    #[test]
    fn it_is_not_shown() {
        assert!(!format!("{:?}", resume(1)).contains('7'));
    }
}
