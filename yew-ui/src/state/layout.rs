//! Where tiles go: rectangles in CSS pixels.
//!
//! Tiles are placed absolutely in one container, because a tile that moved to another parent would lose its canvas.

/// Between tiles.
const GAP: f64 = 8.0;
/// A tile is at least so wide; who does not fit is counted.
const MIN_TILE_WIDTH: f64 = 100.0;
/// Width by height of what cameras send. A tile is never wider.
const CAMERA_ASPECT: f64 = 16.0 / 9.0;
/// A tile is never narrower: in a wide room little of a picture is cut off, in an upright one more is.
const MIN_ASPECT_WIDE: f64 = 4.0 / 3.0;
const MIN_ASPECT_UPRIGHT: f64 = 3.0 / 4.0;
/// More pictures than this help nobody and cost every receiver.
const MAX_PLACES: usize = 25;
/// Part of the container that people keep when something is on stage.
const STRIP_SHARE: f64 = 0.22;
/// The strip in pixels: readable on a phone, not too wide on a large screen.
const STRIP_LIMITS: (f64, f64) = (120.0, 320.0);

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// To the right.
    pub width: f64,
    /// Down.
    pub height: f64,
}

/// A place in the container.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// From the left edge.
    pub x: f64,
    /// From the top edge.
    pub y: f64,
    /// Its extent.
    pub size: Size,
}

/// Places for everybody who fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrangement {
    /// Of what is on stage.
    pub stage: Vec<Rect>,
    /// Of people. Fewer than asked for when some do not fit.
    pub people: Vec<Rect>,
    /// Of the number of those who do not fit.
    pub more: Option<Rect>,
}

/// Arranges `on_stage` large tiles and `people` tiles in a container.
#[must_use]
pub fn arrange(container: Size, on_stage: usize, people: usize) -> Arrangement {
    let whole = Rect {
        x: 0.0,
        y: 0.0,
        size: container,
    };
    if on_stage == 0 {
        return seat(Vec::new(), whole, people);
    }
    let (stage, strip) = if people == 0 {
        (whole, Rect::default())
    } else {
        split(container)
    };
    let cells = shape(stage.size, on_stage);
    let places = (0..on_stage).map(|at| cells.cell(stage, at)).collect();
    seat(places, strip, people)
}

/// Seats `people` in `room`; when some do not fit, the last place is for their number.
fn seat(stage: Vec<Rect>, room: Rect, people: usize) -> Arrangement {
    let fit = (1..=people.min(MAX_PLACES))
        .rev()
        .find(|count| shape(room.size, *count).tile(room.size).width >= MIN_TILE_WIDTH);
    // A container too small for anybody still has one place.
    let places = fit.unwrap_or(people.min(1));
    let grid = shape(room.size, places);
    let mut rects: Vec<Rect> = (0..places).map(|at| grid.person(room, at)).collect();
    let more = if places < people { rects.pop() } else { None };
    Arrangement {
        stage,
        people: rects,
        more,
    }
}

/// The stage beside or above the strip of people.
fn split(container: Size) -> (Rect, Rect) {
    let Size { width, height } = container;
    let (least, most) = STRIP_LIMITS;
    let part = |whole: f64| (whole * STRIP_SHARE).clamp(least, most);
    if width > height {
        let strip = part(width);
        let stage = Size {
            width: width - strip - GAP,
            height,
        };
        (
            Rect {
                x: 0.0,
                y: 0.0,
                size: stage,
            },
            Rect {
                x: stage.width + GAP,
                y: 0.0,
                size: Size {
                    width: strip,
                    height,
                },
            },
        )
    } else {
        let strip = part(height);
        let stage = Size {
            width,
            height: height - strip - GAP,
        };
        (
            Rect {
                x: 0.0,
                y: 0.0,
                size: stage,
            },
            Rect {
                x: 0.0,
                y: stage.height + GAP,
                size: Size {
                    width,
                    height: strip,
                },
            },
        )
    }
}

/// The grid for `count` tiles that shows pictures largest: in a wide room as cameras send them, in an upright one squarer.
fn shape(room: Size, count: usize) -> Grid {
    let wish = (room.width / room.height.max(1.0)).clamp(1.0, CAMERA_ASPECT);
    let picture_width = |grid: &Grid| {
        let cell = grid.cell_size(room);
        cell.width.min(cell.height * wish)
    };
    let grids = (1..=count.max(1)).map(|columns| Grid {
        columns,
        rows: count.div_ceil(columns).max(1),
        count,
    });
    let best = grids.max_by(|a, b| picture_width(a).total_cmp(&picture_width(b)));
    best.unwrap_or(Grid {
        columns: 1,
        rows: 1,
        count,
    })
}

#[derive(Clone, Copy, Debug)]
struct Grid {
    columns: usize,
    rows: usize,
    count: usize,
}

impl Grid {
    fn cell_size(&self, room: Size) -> Size {
        let part = |whole: f64, count: usize| ((whole + GAP) / count as f64 - GAP).max(0.0);
        Size {
            width: part(room.width, self.columns),
            height: part(room.height, self.rows),
        }
    }

    /// A person's tile: as large as the cell allows without becoming a tower or a slit.
    fn tile(&self, room: Size) -> Size {
        let cell = self.cell_size(room);
        let min_aspect = if room.width > room.height {
            MIN_ASPECT_WIDE
        } else {
            MIN_ASPECT_UPRIGHT
        };
        Size {
            width: cell.width.min(cell.height * CAMERA_ASPECT),
            height: cell.height.min(cell.width / min_aspect),
        }
    }

    /// The whole cell number `at`; an incomplete last row is centred.
    fn cell(&self, room: Rect, at: usize) -> Rect {
        let size = self.cell_size(room.size);
        self.centred(room, at, size)
    }

    fn person(&self, room: Rect, at: usize) -> Rect {
        let size = self.tile(room.size);
        self.centred(room, at, size)
    }

    /// Tiles of `size` stand together in the middle of the room.
    fn centred(&self, room: Rect, at: usize, size: Size) -> Rect {
        let (row, column) = (at / self.columns, at % self.columns);
        let in_row = (self.count - row * self.columns).min(self.columns);
        let extent = |count: usize, one: f64| count as f64 * (one + GAP) - GAP;
        let left = (room.size.width - extent(in_row, size.width)) / 2.0;
        let top = (room.size.height - extent(self.rows, size.height)) / 2.0;
        Rect {
            x: room.x + left + column as f64 * (size.width + GAP),
            y: room.y + top + row as f64 * (size.height + GAP),
            size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAPTOP: Size = Size {
        width: 1280.0,
        height: 640.0,
    };
    const PHONE: Size = Size {
        width: 344.0,
        height: 560.0,
    };

    fn rows_of(arrangement: &Arrangement) -> Vec<usize> {
        let mut rows: Vec<(f64, usize)> = Vec::new();
        for rect in &arrangement.people {
            match rows.iter_mut().find(|(y, _)| *y == rect.y) {
                Some((_, count)) => *count += 1,
                None => rows.push((rect.y, 1)),
            }
        }
        rows.into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn rows_follow_the_shape_of_the_screen() {
        for (container, people, rows) in [
            (LAPTOP, 1, vec![1]),
            (LAPTOP, 2, vec![2]),
            (LAPTOP, 5, vec![3, 2]),
            (LAPTOP, 9, vec![3, 3, 3]),
            (PHONE, 2, vec![1, 1]),
            (PHONE, 4, vec![2, 2]),
            (PHONE, 5, vec![2, 2, 1]),
        ] {
            assert_eq!(
                rows_of(&arrange(container, 0, people)),
                rows,
                "{people} in {container:?}"
            );
        }
    }

    #[test]
    fn an_incomplete_row_is_centred() {
        let places = arrange(LAPTOP, 0, 5).people;
        let middle = |a: &Rect, b: &Rect| (a.x + b.x + b.size.width) / 2.0;
        assert_eq!(middle(&places[3], &places[4]), LAPTOP.width / 2.0);
    }

    #[test]
    fn the_stage_is_larger_than_everybody_and_people_stay_beside_it() {
        let wide = arrange(LAPTOP, 1, 3);
        assert!(
            wide.people
                .iter()
                .all(|person| person.x > wide.stage[0].size.width)
        );
        let tall = arrange(PHONE, 1, 3);
        assert!(
            tall.people
                .iter()
                .all(|person| person.y > tall.stage[0].size.height)
        );
        assert_eq!(arrange(LAPTOP, 1, 0).stage[0].size, LAPTOP);
    }

    #[test]
    fn who_does_not_fit_is_counted_in_the_last_place() {
        let crowd = arrange(PHONE, 0, 100);
        assert!(crowd.more.is_some());
        assert!(crowd.people.len() < 100);
        assert!(
            crowd
                .people
                .iter()
                .all(|person| person.size.width >= MIN_TILE_WIDTH)
        );
    }

    proptest! {
        #[test]
        fn tiles_stay_inside_and_never_overlap(
            width in 200.0..4000.0_f64,
            height in 200.0..3000.0_f64,
            on_stage in 0_usize..4,
            people in 0_usize..60,
        ) {
            let arrangement = arrange(Size { width, height }, on_stage, people);
            prop_assert_eq!(arrangement.stage.len(), on_stage);
            let all: Vec<Rect> =
                arrangement.stage.iter().chain(&arrangement.people).chain(&arrangement.more).copied().collect();
            let slack = 0.001;
            for (at, a) in all.iter().enumerate() {
                prop_assert!(a.x >= -slack && a.x + a.size.width <= width + slack, "{a:?}");
                prop_assert!(a.y >= -slack && a.y + a.size.height <= height + slack, "{a:?}");
                for b in &all[at + 1..] {
                    let apart = a.x + a.size.width <= b.x + slack
                        || b.x + b.size.width <= a.x + slack
                        || a.y + a.size.height <= b.y + slack
                        || b.y + b.size.height <= a.y + slack;
                    prop_assert!(apart, "{a:?} {b:?}");
                }
            }
        }
    }
}
