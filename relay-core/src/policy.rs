//! Every duration and limit of the relay, as values.

use std::time::Duration;

/// What a relay allows and how long it waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Rules of a room.
    pub room: RoomPolicy,
    /// Bounds of the queue in front of each receiver.
    pub queue: QueuePolicy,
    /// What one session may send.
    pub rate: RatePolicy,
    /// Lifetime of a session.
    pub session: SessionPolicy,
    /// What the process shall carry, and what it gives up first.
    pub overload: OverloadPolicy,
}

/// Rules of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPolicy {
    /// Most sessions that one relay hosts in one room.
    pub max_members: usize,
    /// Shortest time between two presence messages; what happens meanwhile goes into the next one.
    pub presence_interval: Duration,
    /// Shortest time between two keyframe requests to one track.
    pub keyframe_interval: Duration,
    /// When less of a video track is shown than before, its publisher is told after this time.
    pub demand_hold: Duration,
    /// A video track without a packet for this long is not live.
    pub track_timeout: Duration,
    /// Time between two snapshots of the own members on the bus.
    pub snapshot_interval: Duration,
    /// A relay that was not heard for this many snapshot intervals is gone, and its members with it.
    pub missed_snapshots: u32,
    /// At [`Level::AudioOnly`](crate::overload::Level::AudioOnly), a room with more members than this, on all relays, has no
    /// video. A smaller one has too little of it to matter.
    pub audio_only_above: usize,
    /// Audio of this level or louder is somebody who speaks; as in RFC 6464, 0 is the loudest. 0 itself says nothing: it is
    /// what a sender writes that does not measure.
    pub voice_level: u8,
    /// A room with more members than this, on all relays, is large: only the loudest voices go on, and whoever joins gets no
    /// video before saying what it shows.
    pub large_above: usize,
    /// How many voices that are, and at most how many speakers members are told of.
    pub loudest: usize,
    /// Whoever has a voice's place and has been silent for this long speaks no more and makes place for whoever does; and
    /// whoever got one keeps it this long against somebody louder.
    pub voice_hold: Duration,
    /// Shortest time between two messages about who speaks.
    pub speakers_interval: Duration,
    /// Whoever lost the connection has not left before this time has passed since the last sign of life. Others see nothing
    /// of it meanwhile but a picture that stands still.
    pub absence: Duration,
    /// While cameras are limited: how often it is judged who speaks without being seen, and how long ago somebody who is seen
    /// must have spoken last to make place.
    pub speaker_interval: Duration,
}

impl Default for RoomPolicy {
    fn default() -> Self {
        Self {
            max_members: 4000,
            presence_interval: Duration::from_millis(50),
            keyframe_interval: Duration::from_millis(300),
            demand_hold: Duration::from_secs(1),
            track_timeout: Duration::from_secs(5),
            snapshot_interval: Duration::from_secs(2),
            missed_snapshots: 3,
            audio_only_above: 2,
            voice_level: 40,
            large_above: 24,
            loudest: 3,
            voice_hold: Duration::from_secs(1),
            speakers_interval: Duration::from_millis(100),
            absence: Duration::from_secs(9),
            speaker_interval: Duration::from_secs(3),
        }
    }
}

/// Bounds of the queue in front of each receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePolicy {
    /// Most bytes in the queue, control included.
    pub max_bytes: usize,
    /// Most bytes of control packets; a receiver that lets more pile up is closed.
    pub max_control_bytes: usize,
    /// An older audio packet is not worth sending.
    pub audio_age: Duration,
    /// An older camera frame is not worth sending.
    pub camera_age: Duration,
    /// An older screen frame is not worth sending.
    pub screen_age: Duration,
    /// An older packet of any other kind is not worth sending; control is, at any age.
    pub rest_age: Duration,
    /// Shortest time between two requests of one receiver for a keyframe of one track.
    pub keyframe_retry: Duration,
}

impl Default for QueuePolicy {
    fn default() -> Self {
        Self {
            max_bytes: 1_500_000,
            max_control_bytes: 1_000_000,
            audio_age: Duration::from_millis(200),
            camera_age: Duration::from_millis(400),
            screen_age: Duration::from_millis(1000),
            rest_age: Duration::from_secs(2),
            keyframe_retry: Duration::from_millis(500),
        }
    }
}

/// A token bucket's size and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Tokens per second.
    pub per_second: u32,
    /// Most tokens at once.
    pub burst: u32,
}

/// What one session may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatePolicy {
    /// Packets of any kind.
    pub packets: Budget,
    /// Bytes of all packets.
    pub bytes: Budget,
    /// Keyframe requests; those over it are dropped without further consequence.
    pub keyframe_requests: Budget,
    /// Packets that break the protocol; a session that sends more of them is closed.
    pub violations: Budget,
    /// A session that is still over its budget this long after the notice is closed.
    pub grace: Duration,
    /// After this long within its budget a session gets a new notice before it is closed.
    pub forgive: Duration,
}

impl Default for RatePolicy {
    fn default() -> Self {
        Self {
            packets: Budget {
                per_second: 1000,
                burst: 2000,
            },
            bytes: Budget {
                per_second: 4_000_000,
                burst: 8_000_000,
            },
            keyframe_requests: Budget {
                per_second: 20,
                burst: 100,
            },
            violations: Budget {
                per_second: 1,
                burst: 20,
            },
            grace: Duration::from_secs(5),
            forgive: Duration::from_secs(10),
        }
    }
}

/// Lifetime of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// A session from which nothing comes for this long is closed.
    pub idle: Duration,
    /// A session that does not finish taking one packet for this long is closed.
    pub write_stall: Duration,
    /// How long clients that are told to move may take to have another connection, before this one is closed.
    pub moving: Duration,
    /// How long a shutdown waits for sessions to end.
    pub drain: Duration,
    /// Sessions of one process at the same time.
    pub max_sessions: usize,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(8),
            write_stall: Duration::from_secs(15),
            moving: Duration::from_secs(3),
            drain: Duration::from_secs(10),
            max_sessions: 10_000,
        }
    }
}

/// What the process shall carry, and what it gives up when there is more.
///
/// Each measured value in percent of its limit is a stress, and the highest of them counts. A value without a limit does not
/// count. The thresholds leave a gap between getting worse and recovering, so that what a step relieves does not end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverloadPolicy {
    /// CPU time of the process, in percent of the time of all cores that it may use.
    pub cpu_percent: Option<u32>,
    /// Bytes per second that sessions send.
    pub egress: Option<u64>,
    /// Bytes of memory in use.
    pub memory: Option<u64>,
    /// How long media waits between the task that reads it and the task that sends it. What waits for a slow receiver does
    /// not count: that is not the relay's doing.
    pub queue_age: Option<Duration>,
    /// Time between two samples.
    pub interval: Duration,
    /// From this stress on, in percent, no new rooms are opened.
    pub refuse_at: u32,
    /// From this stress on, the number of cameras in each room goes down, step by step.
    pub fewer_videos_at: u32,
    /// From this stress on, large rooms go on without video, after [`audio_only_after`](Self::audio_only_after).
    pub audio_only_at: u32,
    /// Down from this stress, it gets better, step by step.
    pub recover_at: u32,
    /// How long the stress must last before each step for the worse.
    pub worsen_after: Duration,
    /// How long the stress must last before video ends, if fewer cameras have not helped.
    pub audio_only_after: Duration,
    /// How long the calm must last before each step for the better.
    pub recover_after: Duration,
    /// After a step for the better that did not hold, the next one waits twice as long as this one did, up to this time.
    pub recover_after_at_most: Duration,
    /// Cameras of a room at the first step.
    pub most_videos: usize,
    /// Cameras of a room at the last step; the next one ends video.
    pub fewest_videos: usize,
    /// Cameras after a step for the worse, in percent of those before.
    pub fewer_percent: usize,
    /// Cameras after a step for the better, in percent of those before.
    pub more_percent: usize,
}

impl Default for OverloadPolicy {
    fn default() -> Self {
        Self {
            cpu_percent: Some(85),
            egress: None,
            memory: None,
            queue_age: Some(Duration::from_millis(150)),
            interval: Duration::from_millis(500),
            refuse_at: 100,
            fewer_videos_at: 110,
            audio_only_at: 120,
            recover_at: 80,
            worsen_after: Duration::from_secs(2),
            audio_only_after: Duration::from_secs(6),
            recover_after: Duration::from_secs(5),
            recover_after_at_most: Duration::from_secs(40),
            most_videos: 16,
            fewest_videos: 2,
            fewer_percent: 75,
            more_percent: 125,
        }
    }
}
