//! The numbers of the last minute.

use std::collections::VecDeque;

use media_core::event::{Participant, Stats, TrackStats};
use videocall_types::{SessionId, Track};

use super::measure::{DROPS, Measure, OWN, Reading, of_track};

/// How far back it goes, in seconds.
pub const SPAN_S: f64 = 60.0;

/// What the call told in the last minute, oldest first. A lost connection leaves a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    samples: VecDeque<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    at_ms: f64,
    stats: Stats,
}

/// A number at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Before the newest numbers.
    pub seconds_ago: f64,
    /// The number, in the unit of its measure.
    pub value: f64,
}

impl History {
    /// Takes in the numbers of the last second. `now_ms` may start anywhere and never goes back.
    pub fn push(&mut self, stats: Stats, now_ms: f64) {
        self.samples
            .retain(|sample| now_ms - sample.at_ms <= SPAN_S * 1000.0);
        self.samples.push_back(Sample {
            at_ms: now_ms,
            stats,
        });
    }

    /// The newest numbers.
    #[must_use]
    pub fn newest(&self) -> Option<&Stats> {
        self.samples.back().map(|sample| &sample.stats)
    }

    /// When the numbers came, oldest first, in seconds before the newest ones.
    pub fn seconds_ago(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().map(|sample| self.age_s(sample))
    }

    /// The numbers of our own connection.
    #[must_use]
    pub fn own(&self) -> Vec<Reading> {
        let points =
            |measure: &Measure<Stats>| self.points(|stats| measure.of(stats, stats.interval_ms));
        OWN.iter()
            .filter_map(|measure| Reading::new(measure, points(measure)))
            .collect()
    }

    /// The numbers of a received track.
    #[must_use]
    pub fn track(&self, session: SessionId, track: Track) -> Vec<Reading> {
        self.read(of_track(track), session, track)
    }

    /// Why frames of a received video track were not shown.
    #[must_use]
    pub fn drops(&self, session: SessionId, track: Track) -> Vec<Reading> {
        let measures = if track.is_audio() { &[][..] } else { &DROPS };
        self.read(measures, session, track)
    }

    fn read(
        &self,
        measures: &[Measure<TrackStats>],
        session: SessionId,
        track: Track,
    ) -> Vec<Reading> {
        let points = |measure: &Measure<TrackStats>| {
            self.points(|stats| measure.of(find(stats, session, track)?, stats.interval_ms))
        };
        measures
            .iter()
            .filter_map(|measure| Reading::new(measure, points(measure)))
            .collect()
    }

    /// The received tracks of somebody: those that they publish, and those that something came of in the last minute.
    #[must_use]
    pub fn tracks_of(&self, person: &Participant) -> Vec<&TrackStats> {
        let newest = self.newest().map_or(&[][..], |stats| &stats.tracks);
        newest
            .iter()
            .filter(|numbers| numbers.session == person.session)
            .filter(|numbers| publishes(person, numbers.track) || self.is_active(numbers))
            .collect()
    }

    fn is_active(&self, of: &TrackStats) -> bool {
        self.samples
            .iter()
            .filter_map(|sample| find(&sample.stats, of.session, of.track))
            .any(|numbers| numbers.bps > 0)
    }

    fn points(&self, value: impl Fn(&Stats) -> Option<f64>) -> Vec<Point> {
        self.samples
            .iter()
            .filter_map(|sample| {
                let value = value(&sample.stats).filter(|value| value.is_finite())?;
                Some(Point {
                    seconds_ago: self.age_s(sample),
                    value,
                })
            })
            .collect()
    }

    fn age_s(&self, sample: &Sample) -> f64 {
        let newest = self.samples.back().map_or(sample.at_ms, |last| last.at_ms);
        (newest - sample.at_ms) / 1000.0
    }
}

fn publishes(person: &Participant, track: Track) -> bool {
    match track {
        Track::Camera => person.camera,
        Track::Microphone => person.microphone,
        Track::Screen => person.screen,
        // Nobody says so.
        Track::ScreenAudio => false,
    }
}

fn find(stats: &Stats, session: SessionId, track: Track) -> Option<&TrackStats> {
    stats
        .tracks
        .iter()
        .find(|numbers| numbers.session == session && numbers.track == track)
}

#[cfg(test)]
mod tests {
    use media_core::event::{Drops, Output};

    use super::*;

    fn session(raw: u64) -> SessionId {
        SessionId::new(raw).unwrap()
    }

    fn camera(count: u32, bps: u64) -> TrackStats {
        TrackStats {
            session: session(2),
            track: Track::Camera,
            layer: Some(2),
            codec: None,
            frames: count,
            drops: Drops {
                lost: 1,
                left_out: count / 2,
                ..Drops::default()
            },
            bps,
            jitter_ms: 2.0,
            output: Some(Output::Pictures {
                count,
                width: 640,
                height: 360,
            }),
        }
    }

    fn microphone(output: Option<Output>) -> TrackStats {
        TrackStats {
            track: Track::Microphone,
            output,
            ..camera(50, 32_000)
        }
    }

    fn stats(tracks: Vec<TrackStats>) -> Stats {
        Stats {
            interval_ms: 1000.0,
            rtt_ms: Some(12.0),
            sent_bps: 1_500_000,
            received_bps: 64_000,
            uplink_bps: None,
            downlink_bps: None,
            tracks,
        }
    }

    fn history(seconds: impl IntoIterator<Item = Stats>) -> History {
        let mut history = History::default();
        for (at, stats) in seconds.into_iter().enumerate() {
            history.push(stats, 5000.0 + at as f64 * 1000.0);
        }
        history
    }

    fn texts(readings: &[Reading]) -> Vec<(&str, &str)> {
        readings
            .iter()
            .map(|reading| (reading.key, reading.text.as_str()))
            .collect()
    }

    fn ada() -> Participant {
        Participant {
            session: session(2),
            user_id: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            camera: false,
            microphone: false,
            screen: false,
        }
    }

    #[test]
    fn a_minute_is_kept() {
        let history = history((0..100).map(|_| stats(Vec::new())));
        let ages: Vec<f64> = history.seconds_ago().collect();
        assert_eq!(ages.len(), 61);
        assert_eq!((ages[0], ages[60]), (60.0, 0.0));
    }

    #[test]
    fn our_own_numbers_are_told_once_they_are_known() {
        let unknown = Stats {
            rtt_ms: None,
            ..stats(Vec::new())
        };
        let rates = [("sent_bps", "1.5 Mbit/s"), ("received_bps", "64 kbit/s")];
        assert!(History::default().own().is_empty());
        assert_eq!(texts(&history([unknown.clone()]).own()), rates);
        let known = history([unknown, stats(Vec::new())]).own();
        assert_eq!(known[0].text, "12 ms");
        assert_eq!(known[0].points.len(), 1);
        assert_eq!(texts(&known[1..]), rates);
    }

    #[test]
    fn a_camera_has_frames_by_the_true_length_of_the_second_and_losses_of_the_minute() {
        let slow = Stats {
            interval_ms: 2000.0,
            ..stats(vec![camera(30, 800_000)])
        };
        let history = history([stats(vec![camera(30, 800_000)]), slow]);
        let readings = history.track(session(2), Track::Camera);
        let expected = [
            ("fps", "15"),
            ("bps", "800 kbit/s"),
            ("jitter_ms", "2.0 ms"),
            ("lost", "2"),
        ];
        assert_eq!(texts(&readings), expected);
        assert_eq!(readings[0].range, "15 to 30");
        assert_eq!(readings[0].points[0].seconds_ago, 1.0);
    }

    #[test]
    fn sound_has_its_delay_only_while_it_is_known() {
        let played = Output::Sound {
            delay_ms: 60.0,
            late: 1,
            dropped: 0,
        };
        let seconds = [
            stats(vec![microphone(Some(played))]),
            stats(vec![microphone(Some(played))]),
        ];
        let readings = history(seconds.clone()).track(session(2), Track::Microphone);
        let expected = [
            ("delay_ms", "60 ms"),
            ("bps", "32 kbit/s"),
            ("jitter_ms", "2.0 ms"),
            ("lost", "2"),
            ("late", "2"),
            ("dropped", "0"),
        ];
        assert_eq!(texts(&readings), expected);

        let unplayed = seconds.into_iter().chain([stats(vec![microphone(None)])]);
        let readings = history(unplayed).track(session(2), Track::Microphone);
        assert_eq!(readings[0].key, "bps");
        assert_eq!(readings.len(), 3);
    }

    #[test]
    fn a_track_is_listed_while_it_is_published_or_something_came_of_it() {
        let quiet = || stats(vec![camera(0, 0)]);
        let publishing = Participant {
            camera: true,
            ..ada()
        };
        let before = history([stats(vec![camera(30, 800_000)]), quiet()]);
        assert_eq!(before.tracks_of(&ada()).len(), 1);
        let never = history([quiet(), quiet()]);
        assert!(never.tracks_of(&ada()).is_empty());
        assert_eq!(never.tracks_of(&publishing).len(), 1);
        let gone = history([quiet(), stats(Vec::new())]);
        assert!(gone.tracks_of(&publishing).is_empty());
    }
}
