//! Small plots of the last minute.

use std::fmt::Write as _;

use super::history::{Point, SPAN_S};

/// Width of the drawing, to which [`SPAN_S`] seconds are scaled.
pub const WIDTH: f64 = 60.0;
/// Height of the drawing, to which the largest value is scaled; 0 is at the bottom.
pub const HEIGHT: f64 = 20.0;
/// Half of a line would lie outside.
const MARGIN: f64 = 1.0;
/// Numbers come every second. More than this without any, in seconds, is a gap.
const GAP_S: f64 = 3.0;

/// The `d` of an SVG path through `points`, oldest first; empty when there are none.
#[must_use]
pub fn path(points: &[Point]) -> String {
    let most = points.iter().map(|point| point.value).fold(0.0, f64::max);
    let mut path = String::new();
    let mut before: Option<&Point> = None;
    for point in points {
        let x = WIDTH * (1.0 - point.seconds_ago / SPAN_S).clamp(0.0, 1.0);
        let share = if most > 0.0 { point.value / most } else { 0.0 };
        let y = HEIGHT - MARGIN - share.clamp(0.0, 1.0) * (HEIGHT - 2.0 * MARGIN);
        let goes_on = before.is_some_and(|before| before.seconds_ago - point.seconds_ago <= GAP_S);
        // Without a length, a number between two gaps would leave no dot. Writing to a string can't fail.
        let _ = if goes_on {
            write!(path, "L{x:.1} {y:.1}")
        } else {
            write!(path, "M{x:.1} {y:.1}h0")
        };
        before = Some(point);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(f64, f64)]) -> Vec<Point> {
        values
            .iter()
            .map(|(seconds_ago, value)| Point {
                seconds_ago: *seconds_ago,
                value: *value,
            })
            .collect()
    }

    #[test]
    fn nothing_draws_nothing() {
        assert_eq!(path(&[]), "");
    }

    #[test]
    fn the_newest_is_at_the_right_and_the_largest_at_the_top() {
        let line = points(&[(60.0, 0.0), (59.0, 40.0), (58.0, 20.0)]);
        assert_eq!(path(&line), "M0.0 19.0h0L1.0 1.0L2.0 10.0");
        assert_eq!(path(&points(&[(0.0, 5.0)])), "M60.0 1.0h0");
    }

    #[test]
    fn a_lost_connection_leaves_a_gap() {
        let line = points(&[(10.0, 1.0), (9.0, 1.0), (1.0, 1.0), (0.0, 1.0)]);
        assert_eq!(path(&line), "M50.0 1.0h0L51.0 1.0M59.0 1.0h0L60.0 1.0");
    }

    #[test]
    fn zeros_lie_at_the_bottom() {
        assert_eq!(
            path(&points(&[(1.0, 0.0), (0.0, 0.0)])),
            "M59.0 19.0h0L60.0 19.0"
        );
    }
}
