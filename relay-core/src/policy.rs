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
}

/// Rules of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPolicy {
    /// Most sessions that one relay hosts in one room.
    pub max_members: usize,
    /// What comes within this time after packets were forwarded goes out together: a receiver is woken, and its
    /// connection written to, once for all of it. What comes into a quiet room does not wait.
    pub gather: Duration,
    /// Shortest time between two presence messages; what happens meanwhile goes into the next one.
    pub presence_interval: Duration,
    /// Shortest time between two keyframe requests to one track.
    pub keyframe_interval: Duration,
    /// A video track without a packet for this long is not live.
    pub track_timeout: Duration,
    /// Time between two snapshots of the own members on the bus.
    pub snapshot_interval: Duration,
    /// A relay that was not heard for this many snapshot intervals is gone, and its members with it.
    pub missed_snapshots: u32,
}

impl Default for RoomPolicy {
    fn default() -> Self {
        Self {
            max_members: 2000,
            gather: Duration::from_millis(2),
            presence_interval: Duration::from_millis(50),
            keyframe_interval: Duration::from_millis(300),
            track_timeout: Duration::from_secs(5),
            snapshot_interval: Duration::from_secs(2),
            missed_snapshots: 3,
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
            drain: Duration::from_secs(10),
            max_sessions: 10_000,
        }
    }
}
