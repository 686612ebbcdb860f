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
    /// Those who have no tile, if somebody has none.
    pub more: Option<More>,
}

/// People are shown in pages when not all fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct More {
    /// How many people have no tile on this page.
    pub count: usize,
    /// The page that is shown, from 0.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
    /// The place to say so.
    pub rect: Rect,
}

impl More {
    /// The page after this one; the first one follows the last.
    #[must_use]
    pub const fn next(&self) -> usize {
        if self.page + 1 < self.pages {
            self.page + 1
        } else {
            0
        }
    }

    /// The page before this one; the last one precedes the first.
    #[must_use]
    pub const fn previous(&self) -> usize {
        match self.page.checked_sub(1) {
            Some(page) => page,
            None => self.pages.saturating_sub(1),
        }
    }
}

/// Places the screens that are shared, and who is `pinned`, on stage and people around them. When not all fit, this is a
/// `page` of them, or the last one if there are not so many; who spoke last is on page 0.
#[must_use]
pub fn place(people: &[Person], pinned: Option<SessionId>, container: Size, page: usize) -> Tiling {
    let (on_stage, people): (Vec<&Person>, Vec<&Person>) = people
        .iter()
        .partition(|person| Some(person.info.session) == pinned);
    let all = on_stage.iter().chain(&people);
    let screens = sessions(all.copied().filter(|person| person.info.screen));
    let pinned = sessions(on_stage.into_iter());
    let arrangement = arrange(container, screens.len() + pinned.len(), people.len() + 1);

    let seats = arrangement.people.len().saturating_sub(1);
    let pages = match seats {
        0 => 1,
        seats => people.len().div_ceil(seats).max(1),
    };
    let page = page.min(pages - 1);
    let seated = seated(&people, seats, page);
    let camera = |session: &SessionId| TileKey::Remote {
        session: *session,
        track: Track::Camera,
    };
    let people_tiles = seated.iter().map(camera);
    let screen_tiles = screens.iter().map(|session| TileKey::Remote {
        session: *session,
        track: Track::Screen,
    });

    Tiling {
        tiles: screen_tiles
            .chain(pinned.iter().map(camera))
            .zip(arrangement.stage)
            .chain(people_tiles.chain([TileKey::Own]).zip(arrangement.people))
            .collect(),
        more: arrangement.more.map(|rect| More {
            count: people.len() - seated.len(),
            page,
            pages,
            rect,
        }),
    }
}

/// Those who get a tile, in the order in which they came, except that people who share a screen come first: beside it.
/// Everybody is on one page.
fn seated(people: &[&Person], seats: usize, page: usize) -> Vec<SessionId> {
    let mut order = people.to_vec();
    order.sort_by_key(|person| (!person.info.screen, Reverse(person.spoke)));
    order.truncate(seats);
    let first = sessions(order.into_iter());

    let (first, others): (Vec<&Person>, Vec<&Person>) = people
        .iter()
        .copied()
        .partition(|person| first.contains(&person.info.session));
    let mut seated = match page.checked_sub(1) {
        None => first,
        Some(page) => others.into_iter().skip(page * seats).take(seats).collect(),
    };
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
    use proptest::prelude::*;

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
        };
        Person { info, spoke }
    }

    /// The last one speaks.
    fn nine() -> Vec<Person> {
        (1..=9)
            .map(|raw| person(raw, false, if raw == 9 { 1 } else { 0 }))
            .collect()
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
        assert_eq!(shown(&place(&[], None, LAPTOP, 0)), ["own"]);
    }

    #[test]
    fn a_screen_is_on_stage_and_its_person_is_the_first_beside_it() {
        let tiling = place(&[person(1, false, 0), person(2, true, 0)], None, LAPTOP, 0);
        assert_eq!(shown(&tiling), ["screen 2", "2", "1", "own"]);
        let area = |at: usize| tiling.tiles[at].1.size.width * tiling.tiles[at].1.size.height;
        assert!((1..4).all(|at| area(0) > 4.0 * area(at)));
    }

    #[test]
    fn who_is_pinned_is_on_stage_whatever_the_page() {
        let pinned = SessionId::new(5);
        for page in 0..4 {
            let tiling = place(&nine(), pinned, LAPTOP, page);
            assert_eq!(shown(&tiling)[0], "5");
            assert!(!shown(&tiling)[1..].contains(&"5".to_owned()));
        }
        let screen = place(
            &[person(1, true, 0), person(5, false, 0)],
            pinned,
            LAPTOP,
            0,
        );
        assert_eq!(shown(&screen), ["screen 1", "5", "1", "own"]);
        let gone = place(&[person(1, false, 0)], pinned, LAPTOP, 0);
        assert_eq!(shown(&gone), ["1", "own"]);
    }

    #[test]
    fn who_spoke_last_has_a_tile() {
        let tiling = place(&nine(), None, TINY, 0);
        assert_eq!(shown(&tiling), ["1", "9", "own"]);
        let more = tiling.more.unwrap();
        assert_eq!((more.count, more.page, more.pages), (7, 0, 5));
    }

    #[test]
    fn the_others_are_on_further_pages() {
        let page = |page| shown(&place(&nine(), None, TINY, page));
        assert_eq!(page(1), ["2", "3", "own"]);
        assert_eq!(page(3), ["6", "7", "own"]);
        assert_eq!(page(4), ["8", "own"]);
        assert_eq!(page(99), page(4), "there are not so many");
        assert_eq!(
            place(&nine(), None, TINY, 0).more.map(|more| more.rect),
            place(&nine(), None, TINY, 4).more.map(|more| more.rect),
            "the buttons stay where they are"
        );
    }

    #[test]
    fn pages_go_round() {
        let at = |page| place(&nine(), None, TINY, page).more.unwrap();
        assert_eq!((at(0).previous(), at(0).next()), (4, 1));
        assert_eq!((at(4).previous(), at(4).next()), (3, 0));
    }

    #[test]
    fn a_place_for_nobody_else_has_one_page() {
        let tiling = place(&nine(), None, Size::default(), 3);
        let more = tiling.more.unwrap();
        assert_eq!((more.count, more.page, more.pages), (9, 0, 1));
        assert_eq!((more.previous(), more.next()), (0, 0));
    }

    proptest! {
        #[test]
        fn everybody_is_on_one_page(
            people in prop::collection::vec((prop::bool::weighted(0.1), 0..4u64), 0..60),
            width in 0.0..1500.0_f64,
            height in 0.0..1000.0_f64,
        ) {
            let people: Vec<Person> = people
                .into_iter()
                .zip(1..)
                .map(|((screen, spoke), raw)| person(raw, screen, spoke))
                .collect();
            let page = |page| place(&people, None, Size { width, height }, page);
            let pages = page(0).more.map_or(1, |more| more.pages);
            let mut seen: Vec<TileKey> = (0..pages)
                .flat_map(|at| page(at).tiles)
                .map(|(key, _)| key)
                .filter(|key| matches!(key, TileKey::Remote { track: Track::Camera, .. }))
                .collect();
            let shown = seen.len();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), shown, "somebody is on two pages");
            prop_assert!(shown == people.len() || pages == 1);
        }
    }
}
