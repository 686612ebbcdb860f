//! Ids and names made from what people type.

use videocall_types::id::IdError;
use videocall_types::limits::MAX_ID_CHARS;
use videocall_types::{DisplayName, MeetingId, UserId};

/// The random bytes that a new meeting id needs.
pub const MEETING_ID_BYTES: usize = 8;
/// The random bytes that a new user id needs.
pub const USER_ID_BYTES: usize = 4;

/// Digits without the ones that look like others.
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

const QUALITIES: [&str; 32] = [
    "amber", "bold", "brisk", "calm", "clear", "cosy", "crisp", "early", "fair", "fresh", "gentle",
    "glad", "golden", "green", "happy", "keen", "kind", "light", "lucky", "mellow", "merry",
    "neat", "noble", "open", "quick", "quiet", "silver", "sunny", "swift", "tidy", "warm", "wise",
];

const THINGS: [&str; 32] = [
    "acorn", "badger", "bay", "birch", "bridge", "brook", "cedar", "cloud", "comet", "falcon",
    "fern", "field", "forest", "garden", "harbor", "heron", "hill", "island", "lake", "lark",
    "maple", "meadow", "moss", "otter", "pine", "reef", "river", "robin", "stone", "thrush",
    "valley", "willow",
];

/// A meeting id that people can read out and nobody guesses: `calm-otter-7k2mxq`.
#[must_use]
pub fn new_meeting_id(random: [u8; MEETING_ID_BYTES]) -> Option<MeetingId> {
    let [quality, thing, digits @ ..] = random;
    format!(
        "{}-{}-{}",
        pick(&QUALITIES, quality),
        pick(&THINGS, thing),
        digits_of(&digits)
    )
    .parse()
    .ok()
}

/// The user id of somebody who says only a name: `ada-lovelace-7k2m`. The one that is `remembered` stays when it was made from the
/// same name.
#[must_use]
pub fn user_id(
    name: &DisplayName,
    remembered: Option<&UserId>,
    random: [u8; USER_ID_BYTES],
) -> Option<UserId> {
    let slug = slug(name.as_str());
    let same_name = |id: &&UserId| {
        id.as_str()
            .rsplit_once('-')
            .is_some_and(|(stem, _)| stem == slug)
    };
    match remembered.filter(same_name) {
        Some(id) => Some(id.clone()),
        None => format!("{slug}-{}", digits_of(&random)).parse().ok(),
    }
}

/// The meeting that somebody means who types its name or pastes its link.
///
/// # Errors
///
/// When the name has characters that no meeting id has.
pub fn meeting_of_input(text: &str) -> Result<MeetingId, IdError> {
    let text = text.trim();
    let name = match text.split_once("/meeting/") {
        Some((_, path)) => {
            let path = path
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .trim_end_matches('/');
            path.rsplit('/').next().unwrap_or_default()
        }
        None => text,
    };
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join("-")
        .parse()
}

/// One or two letters that stand for a person without a picture.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| c.is_whitespace() || "-_.".contains(c))
        .filter_map(|word| word.chars().next());
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A hue in degrees that stays the same for the same text.
#[must_use]
pub fn hue(text: &str) -> u32 {
    // FNV-1a: short, spreads similar names well.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % 360
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut slug = words.join("-");
    slug.truncate(MAX_ID_CHARS - USER_ID_BYTES - 1);
    if slug.is_empty() {
        "guest".to_owned()
    } else {
        slug
    }
}

fn digits_of(random: &[u8]) -> String {
    random
        .iter()
        .map(|byte| char::from(pick(DIGITS, *byte)))
        .collect()
}

/// Every list here has 32 entries, so that each is as likely as the others.
fn pick<T: Copy>(list: &[T; 32], random: u8) -> T {
    let [first, ..] = list;
    list.get(usize::from(random) % list.len())
        .copied()
        .unwrap_or(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_meeting_reads_well() {
        let id = new_meeting_id([3, 23, 0, 31, 24, 9, 10, 64]).unwrap();
        assert_eq!(id.as_str(), "calm-otter-a92jka");
    }

    #[test]
    fn a_user_id_is_made_of_the_name_and_kept_for_it() {
        let ada = DisplayName::new("Ada Lovelace");
        let first = user_id(&ada, None, [0, 1, 2, 3]).unwrap();
        assert_eq!(first.as_str(), "ada-lovelace-abcd");
        assert_eq!(user_id(&ada, Some(&first), [9; 4]), Some(first.clone()));
        let bob = user_id(&DisplayName::new("Bob"), Some(&first), [9; 4]).unwrap();
        assert_eq!(bob.as_str(), "bob-jjjj");
        assert_eq!(
            user_id(&DisplayName::new("阿明"), None, [0; 4])
                .unwrap()
                .as_str(),
            "guest-aaaa"
        );
    }

    #[test]
    fn a_meeting_is_typed_or_pasted() {
        for (text, id) in [
            (" Team_1 ", "Team_1"),
            ("weekly team sync", "weekly-team-sync"),
            ("https://meet.example.org/meeting/standup", "standup"),
            (
                "http://localhost:8080/meeting/ada/standup/?x=1#y",
                "standup",
            ),
            ("meet.example.org/meeting/ada/standup", "standup"),
        ] {
            assert_eq!(
                meeting_of_input(text).as_ref().map(MeetingId::as_str),
                Ok(id),
                "{text}"
            );
        }
        assert_eq!(meeting_of_input(" "), Err(IdError::Empty));
        assert_eq!(meeting_of_input("büro"), Err(IdError::Alphabet));
        assert_eq!(
            meeting_of_input("https://meet.example.org/meeting/"),
            Err(IdError::Empty)
        );
    }

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        for (name, expected) in [
            ("Ada", "A"),
            ("ada king lovelace", "AL"),
            ("Élan Ó", "ÉÓ"),
            ("ada_king", "AK"),
            ("", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_has_a_user_id(name: String, random: [u8; USER_ID_BYTES]) {
            let name = DisplayName::new(&name);
            let id = user_id(&name, None, random);
            prop_assert!(id.is_some());
            prop_assert_eq!(&user_id(&name, id.as_ref(), [0; USER_ID_BYTES]), &id);
        }

        #[test]
        fn any_bytes_make_a_meeting(random: [u8; MEETING_ID_BYTES]) {
            prop_assert!(new_meeting_id(random).is_some());
        }
    }
}
