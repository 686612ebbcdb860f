//! Ids. Parsing one is the only place where its alphabet is checked.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_DISPLAY_NAME_CHARS, MAX_ID_CHARS};

/// Why a text is not an id or a display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has more than {MAX_ID_CHARS} characters")]
    TooLong,
    /// Has a character outside of the alphabet.
    #[error("only letters a-z and A-Z, digits, '_' and '-' are allowed")]
    Alphabet,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check_id(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_id! {
    /// What people schedule and join. Case matters.
    MeetingId
}

text_id! {
    /// A person or a device. Two sessions may have the same one.
    UserId
}

fn check_id(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        return Err(IdError::Alphabet);
    }
    if text.len() > MAX_ID_CHARS {
        return Err(IdError::TooLong);
    }
    Ok(())
}

/// One connection of a participant, chosen at random by the relay. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(u64);

impl SessionId {
    /// `None` for 0, which means "nobody" on the wire.
    #[must_use]
    pub const fn new(raw: u64) -> Option<Self> {
        if raw == 0 { None } else { Some(Self(raw)) }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One relay process, chosen at random when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u64);

/// What others see: trimmed, one line, no control or text-direction characters, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DisplayName(Arc<str>);

impl DisplayName {
    /// Cleans `text`; what is left may be empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        let short: String = visible
            .trim()
            .chars()
            .take(MAX_DISPLAY_NAME_CHARS)
            .collect();
        Self(short.trim_end().into())
    }

    /// The name, or `fallback` where it is empty.
    #[must_use]
    pub fn or_user(self, fallback: &UserId) -> Self {
        if self.0.is_empty() {
            Self(fallback.as_str().into())
        } else {
            self
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for DisplayName {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters and the ones that reorder, join or hide text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_a_subject_or_a_path_could_misread() {
        for (text, error) in [
            ("", IdError::Empty),
            ("a b", IdError::Alphabet),
            ("*", IdError::Alphabet),
            (">", IdError::Alphabet),
            (".", IdError::Alphabet),
            ("a/b", IdError::Alphabet),
            ("é", IdError::Alphabet),
            ("a\n", IdError::Alphabet),
        ] {
            assert_eq!(text.parse::<MeetingId>(), Err(error), "{text:?}");
        }
        assert_eq!("x".repeat(65).parse::<UserId>(), Err(IdError::TooLong));
        assert!("x".repeat(64).parse::<UserId>().is_ok());
        assert_ne!("Team".parse::<MeetingId>(), "team".parse::<MeetingId>());
    }

    #[test]
    fn display_names_are_one_visible_line() {
        assert_eq!(
            DisplayName::new("  Ada\r\n\u{202E}Lovelace ").as_str(),
            "AdaLovelace"
        );
        assert_eq!(DisplayName::new(&"x".repeat(1000)).as_str().len(), 64);
        let user = "ada".parse().unwrap();
        assert_eq!(DisplayName::new("\u{200B} ").or_user(&user).as_str(), "ada");
    }

    proptest! {
        #[test]
        fn an_id_is_refused_or_round_trips(text: String) {
            if let Ok(id) = text.parse::<MeetingId>() {
                prop_assert_eq!(id.as_str(), text.as_str());
                prop_assert!(!text.contains(['.', '*', '>', ' ', '/']));
            }
        }

        #[test]
        fn cleaning_a_name_twice_changes_nothing(text: String) {
            let once = DisplayName::new(&text);
            prop_assert_eq!(DisplayName::new(once.as_str()), once);
        }
    }
}
