//! Which tiles there are.

use std::cmp::Reverse;

use videocall_types::{SessionId, Track};

use super::call::Person;
use super::layout::{Rect, Size, arrange};

/// What a tile shows. It stays the same tile wherever it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKey {
    /// Our own camera.
    Own,
    /// A track of somebody else.
    Remote {
        /// Whose.
        session: SessionId,
        /// The camera or the screen.
        track: Track,
    },
}

/// All tiles with their places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tiling {
    /// In the order in which people came, ourselves last.
    pub tiles: Vec<(TileKey, Rect)>,
    /// How many people have no tile, and the place to say so.
    pub more: Option<(usize, Rect)>,
}

/// Places the screens that are shared on stage and people around them. Who spoke last has a tile when not all fit.
#[must_use]
pub fn place(people: &[Person], container: Size) -> Tiling {
    let screens: Vec<SessionId> = sessions(people.iter().filter(|person| person.info.screen));
    let arrangement = arrange(container, screens.len(), people.len() + 1);

    let seats = arrangement.people.len().saturating_sub(1);
    let seated = seated(people, seats);
    let people_tiles = seated.iter().map(|session| TileKey::Remote {
        session: *session,
        track: Track::Camera,
    });
    let screen_tiles = screens.iter().map(|session| TileKey::Remote {
        session: *session,
        track: Track::Screen,
    });

    Tiling {
        tiles: screen_tiles
            .zip(arrangement.stage)
            .chain(people_tiles.chain([TileKey::Own]).zip(arrangement.people))
            .collect(),
        more: arrangement
            .more
            .map(|rect| (people.len() - seated.len(), rect)),
    }
}

/// Those who get a tile, in the order in which they came, except that people who share a screen come first: beside it.
fn seated(people: &[Person], seats: usize) -> Vec<SessionId> {
    let mut order: Vec<&Person> = people.iter().collect();
    order.sort_by_key(|person| (!person.info.screen, Reverse(person.spoke)));
    order.truncate(seats);
    let chosen = sessions(order.into_iter());

    let mut seated: Vec<&Person> = people
        .iter()
        .filter(|person| chosen.contains(&person.info.session))
        .collect();
    seated.sort_by_key(|person| !person.info.screen);
    sessions(seated.into_iter())
}

fn sessions<'a>(people: impl Iterator<Item = &'a Person>) -> Vec<SessionId> {
    people.map(|person| person.info.session).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_core::event::Participant;

    const LAPTOP: Size = Size {
        width: 1280.0,
        height: 640.0,
    };
    const TINY: Size = Size {
        width: 260.0,
        height: 200.0,
    };

    fn person(raw: u64, screen: bool, spoke: u64) -> Person {
        let info = Participant {
            session: SessionId::new(raw).unwrap(),
            user_id: raw.to_string(),
            display_name: raw.to_string(),
            camera: true,
            microphone: true,
            screen,
            speaking: false,
        };
        Person { info, spoke }
    }

    fn shown(tiling: &Tiling) -> Vec<String> {
        let name = |key: &TileKey| match key {
            TileKey::Own => "own".to_owned(),
            TileKey::Remote {
                session,
                track: Track::Screen,
            } => format!("screen {}", session.get()),
            TileKey::Remote { session, .. } => session.get().to_string(),
        };
        tiling.tiles.iter().map(|(key, _)| name(key)).collect()
    }

    #[test]
    fn alone_there_is_one_tile() {
        assert_eq!(shown(&place(&[], LAPTOP)), ["own"]);
    }

    #[test]
    fn a_screen_is_on_stage_and_its_person_is_the_first_beside_it() {
        let tiling = place(&[person(1, false, 0), person(2, true, 0)], LAPTOP);
        assert_eq!(shown(&tiling), ["screen 2", "2", "1", "own"]);
        let area = |at: usize| tiling.tiles[at].1.size.width * tiling.tiles[at].1.size.height;
        assert!((1..4).all(|at| area(0) > 4.0 * area(at)));
    }

    #[test]
    fn who_spoke_last_has_a_tile() {
        let people: Vec<Person> = (1..=9)
            .map(|raw| person(raw, false, if raw == 9 { 1 } else { 0 }))
            .collect();
        let tiling = place(&people, TINY);
        assert_eq!(shown(&tiling), ["1", "9", "own"]);
        assert_eq!(tiling.more.map(|(count, _)| count), Some(7));
    }
}
