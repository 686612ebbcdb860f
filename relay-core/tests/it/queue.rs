//! The queue in front of a receiver: what goes next and what is dropped.

use std::time::Duration;

use relay_core::policy::QueuePolicy;
use relay_core::queue::{Label, QueueDrops, SendQueue, TooSlow};
use relay_core::{Content, TrackId};
use videocall_types::{Routing, SessionId, Timestamp, Track};

const NOTHING: [&str; 0] = [];

struct TestQueue {
    queue: SendQueue<String>,
    now: Timestamp,
}

impl TestQueue {
    fn new(policy: QueuePolicy) -> Self {
        Self {
            queue: SendQueue::new(policy),
            now: Timestamp::from_millis(1000),
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    fn push(&mut self, name: &str, content: Content, len: usize) -> Result<(), TooSlow> {
        let label = Label {
            source: Some(session(1)),
            content,
            len,
        };
        self.queue.push(name.to_owned(), &label, self.now)
    }

    /// Frames of the camera of session 1, 100 bytes each.
    fn frames(&mut self, names: &[&str]) {
        for name in names {
            self.push(name, frame(Track::Camera, name), 100).unwrap();
        }
    }

    fn pop_all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.queue.pop(self.now)).collect()
    }

    fn wanted(&mut self) -> Vec<TrackId> {
        std::iter::from_fn(|| self.queue.poll_keyframe_request()).collect()
    }

    fn drops(&mut self) -> QueueDrops {
        self.queue.take_drops()
    }
}

/// `K7`: keyframe 7. `d8`: delta 8, which refers to frame 7. `d8<2`: which refers to frame 6. `D9`: discardable delta 9.
/// `t10.2`: delta 10 of temporal layer 2.
fn frame(track: Track, name: &str) -> Content {
    let (numbers, reference) = name[1..].split_once('<').unwrap_or((&name[1..], "1"));
    let (sequence, temporal_layer) = numbers.split_once('.').unwrap_or((numbers, "0"));
    Content::Media(Routing {
        temporal_layer: temporal_layer.parse().unwrap(),
        discardable: name.starts_with('D'),
        reference: reference.parse().unwrap(),
        ..Routing::new(track, sequence.parse().unwrap(), name.starts_with('K'))
    })
}

fn session(id: u64) -> SessionId {
    SessionId::new(id).unwrap()
}

fn camera() -> TrackId {
    TrackId {
        session: session(1),
        track: Track::Camera,
    }
}

fn small() -> QueuePolicy {
    QueuePolicy {
        max_bytes: 1000,
        max_control_bytes: 500,
        ..QueuePolicy::default()
    }
}

#[test]
fn the_most_urgent_goes_first_and_tracks_stay_in_order() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.push("stock", Content::StockOnly, 1).unwrap();
    queue.frames(&["K0", "d1"]);
    queue.push("screen", frame(Track::Screen, "K0"), 1).unwrap();
    queue
        .push("voice 0", frame(Track::Microphone, "d0"), 1)
        .unwrap();
    queue
        .push("voice 1", frame(Track::Microphone, "d1"), 1)
        .unwrap();
    queue
        .push("screen voice", frame(Track::ScreenAudio, "d0"), 1)
        .unwrap();
    queue.push("presence", Content::Control, 1).unwrap();
    assert_eq!((queue.queue.len(), queue.queue.bytes()), (8, 206));
    assert_eq!(
        queue.pop_all(),
        [
            "presence",
            "voice 0",
            "voice 1",
            "screen voice",
            "screen",
            "K0",
            "d1",
            "stock"
        ],
    );
    assert_eq!((queue.queue.len(), queue.queue.bytes()), (0, 0));
    assert_eq!(queue.drops(), QueueDrops::default());
}

#[test]
fn a_track_starts_with_a_keyframe() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["d5", "d6"]);
    assert_eq!(queue.wanted(), [camera()]);
    queue.frames(&["d7"]);
    assert_eq!(queue.wanted(), []);
    queue.pass(500);
    queue.frames(&["d8"]);
    assert_eq!(queue.wanted(), [camera()]);
    queue.frames(&["K9", "d10"]);
    assert_eq!(queue.pop_all(), ["K9", "d10"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            no_reference: 4,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn a_keyframe_that_comes_by_itself_settles_the_request() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["d5", "K6"]);
    assert_eq!(queue.wanted(), []);
}

#[test]
fn what_was_lost_on_the_way_closes_the_track() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K0", "d1", "d3", "d4", "K5", "d6"]);
    assert_eq!(queue.pop_all(), ["K0", "d1", "K5", "d6"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            no_reference: 2,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn what_comes_late_is_dropped_and_a_restart_is_not_late() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K5", "d6", "d6", "d4", "d7", "K0", "d1"]);
    assert_eq!(queue.pop_all(), ["K5", "d6", "d7", "K0", "d1"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            late: 2,
            ..QueueDrops::default()
        }
    );
    assert_eq!(queue.wanted(), []);
}

#[test]
fn old_frames_are_not_sent_and_neither_is_what_needs_them() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K0", "d1"]);
    queue.pass(300);
    queue.frames(&["d2"]);
    queue.pass(101);
    assert_eq!(queue.pop_all(), NOTHING);
    assert_eq!(queue.wanted(), [camera()]);
    queue.frames(&["d3", "K4"]);
    assert_eq!(queue.pop_all(), ["K4"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            expired: 3,
            no_reference: 1,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn a_group_of_pictures_that_is_whole_survives_an_expired_one() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K0", "d1"]);
    queue.pass(300);
    queue.frames(&["d2", "K3", "d4"]);
    queue.pass(101);
    assert_eq!(queue.pop_all(), ["K3", "d4"]);
    assert_eq!(queue.wanted(), []);
    queue.frames(&["d5"]);
    assert_eq!(queue.pop_all(), ["d5"]);
}

#[test]
fn each_kind_has_its_age() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    let fill = |queue: &mut TestQueue| {
        queue.push("control", Content::Control, 1).unwrap();
        queue
            .push("voice", frame(Track::Microphone, "d0"), 1)
            .unwrap();
        queue.push("screen", frame(Track::Screen, "K0"), 1).unwrap();
        queue.push("camera", frame(Track::Camera, "K0"), 1).unwrap();
        queue.push("stock", Content::StockOnly, 1).unwrap();
    };
    for (millis, left) in [
        (200, vec!["control", "voice", "screen", "camera", "stock"]),
        (201, vec!["control", "screen", "camera", "stock"]),
        (401, vec!["control", "screen", "stock"]),
        (1001, vec!["control", "stock"]),
        (60_000, vec!["control"]),
    ] {
        fill(&mut queue);
        queue.pass(millis);
        assert_eq!(queue.pop_all(), left, "{millis}");
    }
}

#[test]
fn overflow_drops_what_stock_clients_alone_read_first() {
    let mut queue = TestQueue::new(small());
    queue.push("stock", Content::StockOnly, 500).unwrap();
    queue.frames(&["K0", "d1", "d2", "d3", "d4", "d5"]);
    assert_eq!(queue.pop_all(), ["K0", "d1", "d2", "d3", "d4", "d5"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            overflow: 1,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn overflow_then_drops_enhancement() {
    let mut queue = TestQueue::new(small());
    queue.frames(&[
        "K0", "t1.1", "d2<2", "t3.1", "d4<2", "D5", "d6<2", "t7.1", "d8<2", "t9.2", "t10.1<2",
    ]);
    assert_eq!(queue.queue.bytes(), 500);
    // Frames that refer to dropped ones stay away.
    queue.frames(&["t11.2", "d12<4", "t13.1"]);
    assert_eq!(
        queue.pop_all(),
        ["K0", "d2<2", "d4<2", "d6<2", "d8<2", "d12<4", "t13.1"]
    );
    assert_eq!(
        queue.drops(),
        QueueDrops {
            overflow: 6,
            no_reference: 1,
            ..QueueDrops::default()
        }
    );
    assert_eq!(queue.wanted(), []);
}

#[test]
fn frames_that_were_left_out_on_the_way_are_missed_only_by_those_that_refer_to_them() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K0", "t2.1<2", "t3.2", "d4<4", "t7.2<1", "d8<4", "t10.2<2"]);
    assert_eq!(
        queue.pop_all(),
        ["K0", "t2.1<2", "t3.2", "d4<4", "d8<4", "t10.2<2"]
    );
    assert_eq!(queue.drops().no_reference, 1);
    assert_eq!(queue.wanted(), []);
    queue.frames(&["d13"]);
    assert_eq!(queue.wanted(), [camera()]);
}

#[test]
fn a_frame_that_is_too_old_takes_along_what_refers_to_it_and_no_more() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["K0", "t1.2"]);
    assert_eq!(queue.queue.pop(queue.now).unwrap(), "K0");
    queue.pass(300);
    queue.frames(&["t2.2", "d3<3", "t4.2"]);
    queue.pass(101);
    assert_eq!(queue.pop_all(), ["d3<3", "t4.2"]);
    assert_eq!(queue.drops().expired, 2);
    assert_eq!(queue.wanted(), []);
}

#[test]
fn numbers_and_references_without_sense_break_nothing() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    let (high, max) = (format!("d{}", 1_u64 << 63), format!("K{}", u64::MAX));
    queue.frames(&["K5", "d6<4000000000", "d7<100", &high, &max, "d0"]);
    assert_eq!(queue.pop_all(), ["K5".to_owned(), max]);
    assert_eq!(queue.drops().no_reference, 3);
    assert_eq!(queue.drops().late, 0);
}

#[test]
fn overflow_then_drops_a_group_of_pictures_of_the_camera() {
    let mut queue = TestQueue::new(small());
    queue.push("S0", frame(Track::Screen, "K0"), 500).unwrap();
    queue.frames(&["K0", "d1", "d2", "d3", "d4"]);
    assert_eq!(queue.drops(), QueueDrops::default());
    queue
        .push("voice", frame(Track::Microphone, "d0"), 10)
        .unwrap();
    assert_eq!(queue.wanted(), [camera()]);
    assert_eq!(queue.pop_all(), ["voice", "S0"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            overflow: 5,
            ..QueueDrops::default()
        }
    );
    queue.frames(&["d5", "K6"]);
    assert_eq!(queue.pop_all(), ["K6"]);
}

#[test]
fn overflow_drops_from_the_camera_with_the_most_bytes() {
    let mut queue = TestQueue::new(small());
    let other = |queue: &mut TestQueue, name: &str| {
        let label = Label {
            source: Some(session(2)),
            content: frame(Track::Camera, name),
            len: 100,
        };
        queue
            .queue
            .push(format!("other {name}"), &label, queue.now)
            .unwrap();
    };
    other(&mut queue, "K0");
    queue.frames(&["K0", "d1", "d2", "K3", "d4", "d5", "d6", "d7", "d8"]);
    other(&mut queue, "d1");
    // Its oldest group of pictures goes, up to its next keyframe: nobody has to be asked for one.
    assert_eq!(
        queue.pop_all(),
        ["other K0", "K3", "d4", "d5", "d6", "d7", "d8", "other d1"]
    );
    assert_eq!(queue.wanted(), []);
}

#[test]
fn overflow_drops_screen_after_camera_and_audio_last() {
    let mut queue = TestQueue::new(QueuePolicy {
        max_bytes: 300,
        ..QueuePolicy::default()
    });
    queue.frames(&["K0"]);
    queue.push("S0", frame(Track::Screen, "K0"), 100).unwrap();
    for (sequence, expected) in [("d0", 300), ("d1", 300), ("d2", 300), ("d3", 300)] {
        queue
            .push(sequence, frame(Track::Microphone, sequence), 100)
            .unwrap();
        assert_eq!(queue.queue.bytes(), expected);
    }
    assert_eq!(queue.pop_all(), ["d1", "d2", "d3"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            overflow: 3,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn too_much_control_is_an_error() {
    let mut queue = TestQueue::new(small());
    queue.push("a", Content::Control, 300).unwrap();
    queue.push("b", Content::Control, 200).unwrap();
    assert_eq!(queue.push("c", Content::Control, 1), Err(TooSlow));
    assert_eq!(queue.pop_all(), ["a", "b"]);
}

#[test]
fn control_takes_room_from_media() {
    let mut queue = TestQueue::new(small());
    queue.frames(&["K0", "d1", "d2", "d3", "d4", "d5"]);
    queue.push("control", Content::Control, 500).unwrap();
    assert_eq!(queue.pop_all(), ["control"]);
    assert_eq!(
        queue.drops(),
        QueueDrops {
            overflow: 6,
            ..QueueDrops::default()
        }
    );
}

#[test]
fn an_impatient_receiver_asks_seldom() {
    let mut queue = TestQueue::new(small());
    queue.frames(&["d0"]);
    assert_eq!(queue.wanted(), [camera()]);
    queue.frames(&["K1"]);
    queue.pass(401);
    // The keyframe it asked for was too late: the next one is asked for when it is time.
    assert_eq!(queue.pop_all(), NOTHING);
    assert_eq!(queue.wanted(), []);
    queue.pass(99);
    queue.frames(&["d2"]);
    assert_eq!(queue.wanted(), [camera()]);
}

#[test]
fn simulcast_layers_have_their_own_references() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    let layer = |name: &str| match frame(Track::Camera, name) {
        Content::Media(routing) => Content::Media(Routing {
            spatial_layer: 1,
            ..routing
        }),
        other => other,
    };
    queue.frames(&["K0", "d1"]);
    queue.push("h0", layer("K0"), 1).unwrap();
    queue.frames(&["d2"]);
    queue.push("h1", layer("d1"), 1).unwrap();
    queue.push("h3", layer("d3"), 1).unwrap();
    assert_eq!(queue.pop_all(), ["K0", "d1", "h0", "d2", "h1"]);
}

#[test]
fn who_has_left_is_forgotten() {
    let mut queue = TestQueue::new(QueuePolicy::default());
    queue.frames(&["d0"]);
    queue.queue.forget(session(1));
    assert_eq!(queue.wanted(), []);
    queue.frames(&["K0"]);
    queue.queue.forget(session(1));
    queue.frames(&["d1"]);
    // What was accepted is still sent, and the next one of that name starts anew.
    assert_eq!(queue.pop_all(), ["K0"]);
    assert_eq!(queue.wanted(), [camera()]);
}
