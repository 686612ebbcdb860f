//! Which numbers are told, and how they read.

use media_core::event::{Output, Stats, TrackStats};
use videocall_types::Track;

use super::history::Point;

/// A kind of number that `S` has.
#[derive(Debug)]
pub struct Measure<S> {
    /// Its name in a report.
    pub key: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    unit: Unit,
    /// Of the numbers of a second that was so many seconds long; `None`: not known.
    value: fn(&S, f64) -> Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    BitsPerSecond,
    PerSecond,
    /// Things that happen now and then: those of the last minute are added up.
    Count,
}

/// A measure with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its name in a report.
    pub key: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// The present value, or the sum of the last minute.
    pub value: f64,
    /// The value with its unit.
    pub text: String,
    /// The least and the most of the last minute.
    pub range: String,
    /// The last minute, oldest first.
    pub points: Vec<Point>,
}

/// Of our own connection.
pub const OWN: [Measure<Stats>; 5] = [
    Measure {
        key: "rtt_ms",
        label: "Round trip",
        unit: Unit::Milliseconds,
        value: |stats, _| stats.rtt_ms,
    },
    Measure {
        key: "sent_bps",
        label: "Sent",
        unit: Unit::BitsPerSecond,
        value: |stats, _| Some(stats.sent_bps as f64),
    },
    Measure {
        key: "received_bps",
        label: "Received",
        unit: Unit::BitsPerSecond,
        value: |stats, _| Some(stats.received_bps as f64),
    },
    Measure {
        key: "uplink_bps",
        label: "Sending limit",
        unit: Unit::BitsPerSecond,
        value: |stats, _| stats.uplink_bps.map(|limit| limit as f64),
    },
    Measure {
        key: "downlink_bps",
        label: "Receiving limit",
        unit: Unit::BitsPerSecond,
        value: |stats, _| stats.downlink_bps.map(|limit| limit as f64),
    },
];

const BITRATE: Measure<TrackStats> = Measure {
    key: "bps",
    label: "Bit rate",
    unit: Unit::BitsPerSecond,
    value: |track, _| Some(track.bps as f64),
};
const JITTER: Measure<TrackStats> = Measure {
    key: "jitter_ms",
    label: "Jitter",
    unit: Unit::Milliseconds,
    value: |track, _| Some(track.jitter_ms),
};
const LOST: Measure<TrackStats> = Measure {
    key: "lost",
    label: "Lost",
    unit: Unit::Count,
    value: |track, _| Some(f64::from(track.drops.lost)),
};

const VIDEO: [Measure<TrackStats>; 4] = [
    Measure {
        key: "fps",
        label: "Frames/s",
        unit: Unit::PerSecond,
        value: |track, seconds| match track.output {
            Some(Output::Pictures { count, .. }) => Some(f64::from(count) / seconds),
            _ => None,
        },
    },
    BITRATE,
    JITTER,
    LOST,
];

const SOUND: [Measure<TrackStats>; 6] = [
    Measure {
        key: "delay_ms",
        label: "Playout delay",
        unit: Unit::Milliseconds,
        value: |track, _| match track.output {
            Some(Output::Sound { delay_ms, .. }) => Some(delay_ms),
            _ => None,
        },
    },
    BITRATE,
    JITTER,
    LOST,
    Measure {
        key: "late",
        label: "Too late",
        unit: Unit::Count,
        value: |track, _| match track.output {
            Some(Output::Sound { late, .. }) => Some(late as f64),
            _ => None,
        },
    },
    Measure {
        key: "dropped",
        label: "Dropped",
        unit: Unit::Count,
        value: |track, _| match track.output {
            Some(Output::Sound { dropped, .. }) => Some(dropped as f64),
            _ => None,
        },
    },
];

/// Why frames of a video track that came, or could have come, were not shown.
pub const DROPS: [Measure<TrackStats>; 4] = [
    Measure {
        key: "late",
        label: "too late",
        unit: Unit::Count,
        value: |track, _| Some(f64::from(track.drops.late)),
    },
    Measure {
        key: "no_keyframe",
        label: "without a keyframe",
        unit: Unit::Count,
        value: |track, _| Some(f64::from(track.drops.no_keyframe)),
    },
    Measure {
        key: "undecodable",
        label: "not decoded",
        unit: Unit::Count,
        value: |track, _| Some(f64::from(track.drops.undecodable)),
    },
    Measure {
        key: "left_out",
        label: "left out by the relay",
        unit: Unit::Count,
        value: |track, _| Some(f64::from(track.drops.left_out)),
    },
];

/// Of a received track of this kind.
#[must_use]
pub fn of_track(track: Track) -> &'static [Measure<TrackStats>] {
    if track.is_audio() { &SOUND } else { &VIDEO }
}

impl<S> Measure<S> {
    /// The number of a second that was `interval_ms` long.
    pub(super) fn of(&self, numbers: &S, interval_ms: f64) -> Option<f64> {
        (self.value)(numbers, interval_ms / 1000.0)
    }
}

impl Reading {
    /// `None` when the newest number is not known.
    pub(super) fn new<S>(measure: &Measure<S>, points: Vec<Point>) -> Option<Self> {
        let newest = points
            .last()
            .filter(|point| point.seconds_ago == 0.0)?
            .value;
        let unit = measure.unit;
        let values = || points.iter().map(|point| point.value);
        let value: f64 = match unit {
            Unit::Count => values().sum(),
            _ => newest,
        };
        let least = values().fold(newest, f64::min);
        let most = values().fold(newest, f64::max);
        Some(Self {
            key: measure.key,
            label: measure.label,
            value,
            text: unit.text(value),
            range: format!("{} to {}", unit.text(least), unit.text(most)),
            points,
        })
    }
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value < 9.95 => format!("{value:.1} ms"),
            Self::Milliseconds => format!("{value:.0} ms"),
            Self::BitsPerSecond if value < 999_500.0 => format!("{:.0} kbit/s", value / 1e3),
            Self::BitsPerSecond => format!("{:.1} Mbit/s", value / 1e6),
            Self::PerSecond | Self::Count => format!("{value:.0}"),
        }
    }
}
