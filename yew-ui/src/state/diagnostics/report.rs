//! A bug report's numbers as JSON. It has neither names nor tokens: sessions stand for people.

use std::collections::BTreeMap;

use media_core::command::TransportKind;
use media_core::event::{Output, TrackStats};
use serde::Serialize;
use videocall_types::{Codec, Track};

use super::history::{History, Point};
use super::measure::Reading;

/// Grows when a reader must be changed.
const VERSION: u32 = 1;

/// What a report tells beside the numbers.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The version of this web app.
    pub app: &'static str,
    /// The browser, as it names itself.
    pub browser: String,
    /// What the browser has, by name.
    pub features: BTreeMap<String, bool>,
    /// State of the connection.
    pub connection: &'static str,
    /// How packets travel, or travelled before the connection was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<TransportKind>,
    /// Our own session while connected, as logs show it: JSON readers lose digits of large numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

#[derive(Serialize)]
struct Report {
    version: u32,
    #[serde(flatten)]
    about: About,
    /// When the numbers of each `minute` were taken.
    seconds_ago: Vec<f64>,
    own: Numbers,
    tracks: Vec<TrackReport>,
}

#[derive(Serialize)]
struct TrackReport {
    session: String,
    track: Track,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<Codec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    numbers: Numbers,
}

type Numbers = BTreeMap<&'static str, Series>;

#[derive(Serialize)]
struct Series {
    /// The present value; of things that happen now and then, the sum of the last minute.
    now: f64,
    minute: Vec<Option<f64>>,
}

/// The report of a call at this moment.
#[must_use]
pub fn json(history: &History, about: About) -> String {
    let seconds_ago: Vec<f64> = history.seconds_ago().collect();
    let tracks = history.newest().map_or(&[][..], |stats| &stats.tracks);
    let report = Report {
        version: VERSION,
        about,
        own: numbers(history.own(), &seconds_ago),
        tracks: tracks
            .iter()
            .map(|track| track_report(history, track, &seconds_ago))
            .collect(),
        seconds_ago: seconds_ago.iter().copied().map(round).collect(),
    };
    // Its only maps have strings as keys, so that an error can't happen.
    serde_json::to_string(&report).unwrap_or_default()
}

fn track_report(history: &History, stats: &TrackStats, seconds_ago: &[f64]) -> TrackReport {
    let size = match stats.output {
        Some(Output::Pictures { width, height, .. }) => Some((width, height)),
        _ => None,
    };
    let mut readings = history.track(stats.session, stats.track);
    readings.extend(history.drops(stats.session, stats.track));
    TrackReport {
        session: stats.session.to_string(),
        track: stats.track,
        layer: stats.layer,
        codec: stats.codec,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        numbers: numbers(readings, seconds_ago),
    }
}

fn numbers(readings: Vec<Reading>, seconds_ago: &[f64]) -> Numbers {
    readings
        .into_iter()
        .map(|reading| {
            let series = Series {
                now: round(reading.value),
                minute: column(&reading.points, seconds_ago),
            };
            (reading.key, series)
        })
        .collect()
}

/// The numbers of each moment; `None` where it is not known.
fn column(points: &[Point], seconds_ago: &[f64]) -> Vec<Option<f64>> {
    let at = |moment: &f64| points.iter().find(|point| point.seconds_ago == *moment);
    seconds_ago
        .iter()
        .map(|moment| at(moment).map(|point| round(point.value)))
        .collect()
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use media_core::event::{Drops, Stats};
    use serde_json::{Value, json};
    use videocall_types::SessionId;

    use super::*;

    fn about() -> About {
        About {
            app: "0.1.0",
            browser: "Browser/1".to_owned(),
            features: BTreeMap::from([("web_transport".to_owned(), true)]),
            connection: "connected",
            transport: Some(TransportKind::WebTransport),
            session: Some("0000000000000001".to_owned()),
        }
    }

    fn stats(rtt_ms: Option<f64>, output: Option<Output>) -> Stats {
        Stats {
            interval_ms: 1000.0,
            rtt_ms,
            sent_bps: 1000,
            received_bps: 2000,
            uplink_bps: None,
            downlink_bps: None,
            tracks: vec![TrackStats {
                session: SessionId::new(u64::MAX).unwrap(),
                track: Track::Camera,
                layer: Some(2),
                codec: Some(Codec::Vp9),
                frames: 30,
                drops: Drops {
                    lost: 1,
                    late: 2,
                    no_keyframe: 3,
                    undecodable: 4,
                    left_out: 5,
                },
                bps: 800_000,
                jitter_ms: 2.345,
                output,
            }],
        }
    }

    fn report(history: &History) -> Value {
        serde_json::from_str(&json(history, about())).unwrap()
    }

    #[test]
    fn a_report_has_the_numbers_of_the_minute() {
        let pictures = Output::Pictures {
            count: 15,
            width: 640,
            height: 360,
        };
        let mut history = History::default();
        history.push(stats(None, None), 1000.0);
        history.push(stats(Some(12.34), Some(pictures)), 2000.0);
        let expected = json!({
            "version": 1,
            "app": "0.1.0",
            "browser": "Browser/1",
            "features": { "web_transport": true },
            "connection": "connected",
            "transport": "web_transport",
            "session": "0000000000000001",
            "seconds_ago": [1.0, 0.0],
            "own": {
                "rtt_ms": { "now": 12.3, "minute": [null, 12.3] },
                "sent_bps": { "now": 1000.0, "minute": [1000.0, 1000.0] },
                "received_bps": { "now": 2000.0, "minute": [2000.0, 2000.0] },
            },
            "tracks": [{
                "session": "ffffffffffffffff",
                "track": "camera",
                "layer": 2,
                "codec": "vp9",
                "width": 640,
                "height": 360,
                "numbers": {
                    "fps": { "now": 15.0, "minute": [null, 15.0] },
                    "bps": { "now": 800_000.0, "minute": [800_000.0, 800_000.0] },
                    "jitter_ms": { "now": 2.3, "minute": [2.3, 2.3] },
                    "lost": { "now": 2.0, "minute": [1.0, 1.0] },
                    "late": { "now": 4.0, "minute": [2.0, 2.0] },
                    "no_keyframe": { "now": 6.0, "minute": [3.0, 3.0] },
                    "undecodable": { "now": 8.0, "minute": [4.0, 4.0] },
                    "left_out": { "now": 10.0, "minute": [5.0, 5.0] },
                },
            }],
        });
        assert_eq!(report(&history), expected);
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let mut history = History::default();
        history.push(stats(None, None), 1000.0);
        let report = report(&history);
        assert!(report["own"].get("rtt_ms").is_none());
        assert!(report["tracks"][0].get("width").is_none());
        assert!(report["tracks"][0]["numbers"].get("fps").is_none());
    }

    #[test]
    fn before_the_first_numbers_there_is_a_report() {
        let report = report(&History::default());
        assert_eq!(report["version"], 1);
        assert_eq!(report["tracks"], json!([]));
    }
}
