//! Which pictures of others are worth receiving: those on the screen.

use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{Track, Wishes};

use super::layout::Rect;
use super::tiles::{TileKey, Tiling};

/// The video tracks that have a tile, on a screen with `pixel_ratio` pixels per CSS pixel; none while the page is `hidden`.
/// While everybody has one, so will who comes next: their pictures are wished for before it is there.
#[must_use]
pub fn wishes(tiling: &Tiling, pixel_ratio: f64, hidden: bool) -> Wishes {
    if hidden {
        return Wishes::nothing();
    }
    let wish = |(key, rect): &(TileKey, Rect)| match *key {
        TileKey::Own => None,
        TileKey::Remote { session, track } => {
            Some(((session, track), rows(track, rect, pixel_ratio)))
        }
    };
    Wishes {
        shown: tiling.tiles.iter().filter_map(wish).collect(),
        others: tiling.more.is_none(),
    }
}

/// Rows of pixels of a tile. Text on a screen shall be sharp, whatever its size.
fn rows(track: Track, rect: &Rect, pixel_ratio: f64) -> u32 {
    if track == Track::Screen {
        FULL_HEIGHT
    } else {
        (rect.size.height * pixel_ratio).ceil() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::state::layout::Size;
    use crate::state::tiles::More;
    use videocall_types::SessionId;

    const ADA: SessionId = SessionId::new(2).unwrap();

    fn tiling(more: bool) -> Tiling {
        let rect = Rect {
            size: Size {
                width: 300.0,
                height: 168.75,
            },
            ..Rect::default()
        };
        let remote = |track| TileKey::Remote {
            session: ADA,
            track,
        };
        let keys = [remote(Track::Screen), remote(Track::Camera), TileKey::Own];
        Tiling {
            tiles: keys.map(|key| (key, rect)).into(),
            more: more.then(More::default),
        }
    }

    #[test]
    fn tiles_are_wished_for_in_pixels_of_the_screen() {
        for (pixel_ratio, rows) in [(1.0, 169), (2.0, 338)] {
            let wishes = wishes(&tiling(false), pixel_ratio, false);
            let shown = [
                ((ADA, Track::Camera), rows),
                ((ADA, Track::Screen), FULL_HEIGHT),
            ];
            assert_eq!(wishes.shown, BTreeMap::from(shown));
        }
    }

    #[test]
    fn who_comes_is_wished_for_while_there_is_room() {
        assert!(wishes(&tiling(false), 1.0, false).others);
        assert!(!wishes(&tiling(true), 1.0, false).others);
    }

    #[test]
    fn a_hidden_page_wishes_for_nothing() {
        assert_eq!(wishes(&tiling(false), 1.0, true), Wishes::nothing());
    }
}
