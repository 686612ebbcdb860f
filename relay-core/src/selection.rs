//! How much of each video track one receiver gets, from what it shows and what its connection carries.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use videocall_types::layers::layer_for;
use videocall_types::{LayerSet, Routing, Timestamp, Track};

use crate::forward::TrackId;
use crate::layers::{MAX_TEMPORAL, TrackLayers, planned};

/// What sound takes of one voice, with what it is wrapped in, in bits per second.
const VOICE: u64 = 50_000;
/// What a receiver has already is kept until it takes this much more than there is, in percent; what it does not have must fit
/// with as much to spare.
const SLACK_PERCENT: u64 = 10;

/// What fills `height` rows of pixels of a track.
pub(crate) fn filling(track: Track, height: u32) -> Grade {
    Grade {
        layer: layer_for(track, height),
        temporal: MAX_TEMPORAL,
    }
}

/// How much of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grade {
    pub(crate) layer: u8,
    /// Frames above this temporal layer are left out.
    pub(crate) temporal: u8,
}

impl Grade {
    /// As little as moves.
    const LOWEST: Self = Self {
        layer: 0,
        temporal: 0,
    };
}

/// A track that a receiver shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) track: TrackId,
    /// In so many rows of pixels.
    pub(crate) height: u32,
    /// One that is not takes nothing until it begins.
    pub(crate) is_live: bool,
    /// `None` before its first packet.
    pub(crate) layers: Option<&'a TrackLayers>,
    /// What the receiver gets at present.
    pub(crate) present: Option<Grade>,
}

/// What a receiver gets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// By track; `None`: its connection does not carry it.
    pub(crate) grades: BTreeMap<TrackId, Option<Grade>>,
    /// Bits per second that would allow for the next step; `None`: it gets all that it shows.
    pub(crate) wanted: Option<u64>,
}

/// Chooses for a receiver whose connection carries `limit` bits per second in all, `voices` people's sound included.
///
/// Every track first gets as little as moves, screens before cameras and large pictures before small ones. What is left goes to
/// the first of them up to what it fills, then to the next; those of one size grow together, step by step.
pub(crate) fn select(
    limit: Option<u64>,
    voices: u64,
    mut shown: Vec<Shown<'_>>,
    now: Timestamp,
) -> Selection {
    let Some(limit) = limit else {
        let all = shown.iter().map(|shown| (shown.track, Some(shown.full())));
        return Selection {
            grades: all.collect(),
            wanted: None,
        };
    };
    shown.sort_by_key(|shown| (shown.rank(), shown.track));
    let mut left = limit.saturating_sub(voices.saturating_mul(VOICE));
    let mut missing = None;
    let mut chosen: Vec<(Shown<'_>, Option<(Grade, u64)>)> = Vec::with_capacity(shown.len());
    for track in shown {
        let cost = track.cost(Grade::LOWEST, now);
        let fits = track.fits(Grade::LOWEST, cost, left);
        if fits {
            left = left.saturating_sub(cost);
        } else {
            missing.get_or_insert(cost.saturating_sub(left));
        }
        chosen.push((track, fits.then_some((Grade::LOWEST, cost))));
    }
    for equals in chosen.chunk_by_mut(|(one, _), (other, _)| one.rank() == other.rank()) {
        let grows = equals.iter_mut().filter_map(|(track, choice)| {
            let choice = choice.as_mut()?;
            Some((*track, choice, track.grades().skip(1)))
        });
        let mut growing: VecDeque<_> = grows.collect();
        while let Some((track, choice, mut steps)) = growing.pop_front() {
            let Some(grade) = steps.next() else {
                continue;
            };
            let room = left.saturating_add(choice.1);
            let cost = track.cost(grade, now);
            if track.fits(grade, cost, room) {
                *choice = (grade, cost);
                left = room.saturating_sub(cost);
            } else {
                missing.get_or_insert(cost.saturating_sub(room));
            }
            // A larger layer that is sent may take less than a smaller one that is not.
            growing.push_back((track, choice, steps));
        }
    }
    let wanted = missing.map(|missing| with_slack(limit.saturating_add(missing)));
    Selection {
        grades: chosen
            .into_iter()
            .map(|(shown, choice)| (shown.track, choice.map(|(grade, _)| grade)))
            .collect(),
        wanted,
    }
}

impl Shown<'_> {
    /// The lower, the more important.
    fn rank(&self) -> (bool, Reverse<u32>) {
        let is_camera = self.track.track != Track::Screen;
        (is_camera, Reverse(self.height))
    }

    fn grades(&self) -> Grades {
        Grades {
            next: Some(Grade::LOWEST),
            full: self.full(),
        }
    }

    fn full(&self) -> Grade {
        filling(self.track.track, self.height)
    }

    /// What a grade takes: of the layer that is sent in the place of one that is not.
    fn cost(&self, grade: Grade, now: Timestamp) -> u64 {
        if !self.is_live {
            return 0;
        }
        let track = self.track.track;
        let Some(layers) = self.layers else {
            return planned(track, grade.layer);
        };
        // A layer that is not sent will be when it is wanted, unless its publisher has no other than this one.
        let layer = if layers.is_single() { 0 } else { grade.layer };
        layers.rate(track, layer, grade.temporal, now)
    }

    fn fits(&self, grade: Grade, cost: u64, room: u64) -> bool {
        if self.present.is_some_and(|present| grade <= present) {
            cost <= with_slack(room)
        } else {
            with_slack(cost) <= room
        }
    }
}

fn with_slack(rate: u64) -> u64 {
    rate.saturating_add(rate / (100 / SLACK_PERCENT))
}

/// The steps of a track up to what it fills, smallest first: of the lowest layer every temporal layer, of others all of it.
#[derive(Clone, Copy, Debug)]
struct Grades {
    next: Option<Grade>,
    full: Grade,
}

impl Iterator for Grades {
    type Item = Grade;

    fn next(&mut self) -> Option<Grade> {
        let grade = self.next?;
        let next = if grade.temporal < MAX_TEMPORAL {
            Grade {
                temporal: grade.temporal + 1,
                ..grade
            }
        } else {
            Grade {
                layer: grade.layer + 1,
                ..grade
            }
        };
        self.next = (grade < self.full).then_some(next);
        Some(grade)
    }
}

/// What one receiver gets of one track: what was chosen, and what comes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pick {
    /// `None`: its connection does not carry the track.
    grade: Option<Grade>,
    /// The layer to go over to with its next keyframe.
    target: Option<u8>,
    /// The layer that it gets; `None` before its first keyframe.
    present: Option<u8>,
}

impl Pick {
    pub(crate) const fn grade(&self) -> Option<Grade> {
        self.grade
    }

    /// The layer that it gets or waits for.
    pub(crate) const fn target(&self) -> Option<u8> {
        self.target
    }

    /// Aims at what was chosen, of the layers that are `sent`. `limited`: more than that is too much. True if it goes on only
    /// with a keyframe of another layer than it did before.
    pub(crate) fn aim(&mut self, grade: Option<Grade>, sent: LayerSet, limited: bool) -> bool {
        let target = grade.and_then(|grade| {
            if sent.is_empty() {
                // It may be still, or not on its way yet.
                Some(grade.layer)
            } else if limited {
                sent.at_most(grade.layer)
            } else {
                sent.serving(grade.layer)
            }
        });
        let before = self.target;
        (self.grade, self.target) = (grade, target);
        if grade.is_none() {
            self.present = None;
        }
        target.is_some() && target != self.present && target != before
    }

    /// Whether it waits for a keyframe.
    pub(crate) fn is_waiting(&self) -> bool {
        self.target.is_some() && self.target != self.present
    }

    /// A keyframe of `layer` comes.
    pub(crate) fn keyframe(&mut self, layer: u8) {
        if self.target == Some(layer) {
            self.present = Some(layer);
        }
    }

    /// Whether the receiver gets a frame.
    pub(crate) fn passes(&self, frame: &Routing) -> bool {
        self.present == Some(frame.spatial_layer)
            && self
                .grade
                .is_some_and(|grade| frame.temporal_layer.min(MAX_TEMPORAL) <= grade.temporal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use videocall_types::{SessionId, Timestamp};

    /// When `temporal_layers_are_left_out_before_the_picture_is` has measured.
    const NOW: Timestamp = Timestamp::from_millis(7_600);

    const fn camera(id: u64) -> TrackId {
        TrackId {
            session: SessionId::new(id).unwrap(),
            track: Track::Camera,
        }
    }

    const fn shown(track: TrackId, height: u32) -> Shown<'static> {
        Shown {
            track,
            height,
            is_live: true,
            layers: None,
            present: None,
        }
    }

    /// `layer.temporal` of each track, `-` for nothing; and what is wanted.
    fn choose(limit: Option<u64>, tracks: &[Shown<'_>]) -> (String, Option<u64>) {
        let selection = select(limit, 1, tracks.to_vec(), NOW);
        let grades = selection.grades.values().map(|grade| {
            grade.map_or_else(
                || "-".to_owned(),
                |grade| format!("{}.{}", grade.layer, grade.temporal),
            )
        });
        (grades.collect::<Vec<_>>().join(" "), selection.wanted)
    }

    #[test]
    fn without_a_limit_each_picture_is_as_large_as_it_is_shown() {
        let tracks = [
            shown(camera(1), 1080),
            shown(camera(2), 720),
            shown(camera(3), 90),
        ];
        assert_eq!(choose(None, &tracks), ("3.2 2.2 0.2".into(), None));
    }

    #[test]
    fn every_picture_moves_before_one_of_them_gets_large() {
        let tracks = [
            shown(camera(1), 180),
            shown(camera(2), 720),
            shown(camera(3), 180),
        ];
        // Sound takes 50,000; the smallest step of a camera 150,000 before its temporal layers are known to be apart.
        let (grades, wanted) = choose(Some(300_000), &tracks);
        assert_eq!(grades, "- 0.2 -");
        assert!(wanted.is_some_and(|wanted| wanted > 300_000));
        assert_eq!(choose(Some(560_000), &tracks).0, "0.2 0.2 0.2");
        assert_eq!(choose(Some(1_000_000), &tracks).0, "0.2 1.2 0.2");
        assert_eq!(
            choose(Some(3_000_000), &tracks),
            ("0.2 2.2 0.2".into(), None)
        );
        assert_eq!(choose(Some(10_000), &tracks).0, "- - -");
    }

    #[test]
    fn pictures_of_one_size_grow_together() {
        let tracks = [1, 2, 3].map(|id| shown(camera(id), if id == 1 { 90 } else { 720 }));
        assert_eq!(choose(Some(600_000), &tracks).0, "0.2 0.2 0.2");
        assert_eq!(choose(Some(950_000), &tracks).0, "0.2 1.2 0.2");
        assert_eq!(choose(Some(1_400_000), &tracks).0, "0.2 1.2 1.2");
        assert_eq!(choose(Some(2_400_000), &tracks).0, "0.2 2.2 1.2");
        assert_eq!(
            choose(Some(3_500_000), &tracks),
            ("0.2 2.2 2.2".into(), None)
        );
    }

    #[test]
    fn a_screen_comes_first() {
        let screen = TrackId {
            track: Track::Screen,
            ..camera(3)
        };
        let tracks = [shown(camera(1), 720), shown(screen, 720)];
        assert_eq!(choose(Some(450_000), &tracks).0, "- 0.2");
        assert_eq!(choose(Some(3_550_000), &tracks).0, "0.2 1.2");
    }

    #[test]
    fn what_is_there_stays_and_what_is_not_must_fit_well() {
        let present = |layer| Shown {
            present: Some(Grade { layer, temporal: 2 }),
            ..shown(camera(1), 720)
        };
        let fits = |limit, layer| choose(Some(limit), &[present(layer)]).0;
        assert_eq!(
            (fits(600_000, 0), fits(600_000, 1)),
            ("1.2".into(), "1.2".into())
        );
        assert_eq!(
            (fits(530_000, 0), fits(530_000, 1)),
            ("0.2".into(), "1.2".into())
        );
        assert_eq!(
            (fits(450_000, 0), fits(450_000, 1)),
            ("0.2".into(), "0.2".into())
        );
    }

    #[test]
    fn temporal_layers_are_left_out_before_the_picture_is() {
        let mut layers = TrackLayers::default();
        let frame = |temporal_layer| Routing {
            temporal_layer,
            layers: LayerSet::from_bits(0b11),
            ..Routing::new(Track::Camera, 0, false)
        };
        for (n, temporal) in (0..40).zip([0, 2, 1, 2].into_iter().cycle()) {
            let now = Timestamp::from_millis(5_000 + n * 66);
            layers.note(&frame(temporal), 1_250, Duration::MAX, now);
        }
        let track = Shown {
            layers: Some(&layers),
            ..shown(camera(1), 720)
        };
        for (limit, grade) in [
            (130_000, "-"),
            (165_000, "0.0"),
            (200_000, "0.1"),
            (240_000, "0.2"),
        ] {
            assert_eq!(choose(Some(limit), &[track]).0, grade, "{limit}");
        }
    }

    #[test]
    fn a_large_layer_that_takes_little_comes_before_a_small_one_that_is_not_sent() {
        let mut layers = TrackLayers::default();
        let frame = Routing {
            spatial_layer: 2,
            layers: LayerSet::from_bits(0b101),
            ..Routing::new(Track::Camera, 0, false)
        };
        for n in 0..40 {
            let now = Timestamp::from_millis(5_000 + n * 66);
            layers.note(&frame, 3_000, Duration::MAX, now);
        }
        let track = Shown {
            layers: Some(&layers),
            ..shown(camera(1), 720)
        };
        // 364,000 in place of 500,000.
        assert_eq!(choose(Some(500_000), &[track]).0, "2.2");
    }

    #[test]
    fn a_picture_goes_over_to_another_layer_with_its_keyframe() {
        let grade = |layer, temporal| Some(Grade { layer, temporal });
        let sent = LayerSet::from_bits(0b101);
        let frame = |spatial_layer, temporal_layer| Routing {
            spatial_layer,
            temporal_layer,
            ..Routing::new(Track::Camera, 0, false)
        };
        let mut pick = Pick::default();
        assert!(pick.aim(grade(2, 2), sent, false));
        assert!(pick.is_waiting() && !pick.passes(&frame(2, 0)));
        pick.keyframe(0);
        assert!(pick.is_waiting(), "of another layer");
        pick.keyframe(2);
        assert!(pick.passes(&frame(2, 2)) && !pick.passes(&frame(0, 0)));
        assert!(pick.passes(&frame(2, 3)), "it is not told apart from 2");

        // It goes on in the large one, with fewer frames, until the small one begins.
        assert!(pick.aim(grade(1, 0), sent, true));
        assert!(pick.passes(&frame(2, 0)) && !pick.passes(&frame(2, 1)));
        assert!(!pick.aim(grade(1, 0), sent, true), "it was asked for");
        pick.keyframe(0);
        assert!(pick.passes(&frame(0, 0)) && !pick.passes(&frame(2, 0)));

        pick.aim(None, sent, true);
        assert!(!pick.passes(&frame(0, 0)));
        assert!(pick.aim(grade(0, 0), sent, true), "it begins anew");
        assert!(!pick.passes(&frame(0, 0)));
        // Only what is too large is sent.
        assert!(!pick.aim(grade(0, 0), LayerSet::only(2), true));
        assert_eq!(pick.target(), None);
        assert!(pick.aim(grade(0, 0), LayerSet::only(2), false));
    }
}
