//! A receiver that does not read: closed in the end, resumed if it reads before, and nobody else's problem.

use std::time::Duration;

use relay::{Dialect, Hub, Policy};
use relay_core::policy::{RoomPolicy, SessionPolicy};
use tokio::time::{Instant, advance};
use videocall_types::{CloseCode, SessionId, Track};

use crate::support::{Client, Got, admission, heartbeat, hub, sized_media};
use Dialect::Native;

/// A publisher, a receiver that reads and one that does not.
struct Scene {
    publisher: Client,
    reader: Client,
    sleeper: Client,
    sequence: u64,
    keyframe_wanted: bool,
    /// The reader was told that the sleeper has left.
    sleeper_left: bool,
}

impl Scene {
    async fn new(hub: &Hub) -> Self {
        let publisher = Client::join(hub, "standup", "ada", Native).await;
        let mut reader = Client::join(hub, "standup", "bob", Native).await;
        let sleeper = Client::join_with_capacity(hub, admission("standup", "eve", Native), 4)
            .await
            .unwrap();
        reader.until_joined("eve").await;
        Self {
            publisher,
            reader,
            sleeper,
            sequence: 0,
            keyframe_wanted: true,
            sleeper_left: false,
        }
    }

    /// The publisher sends a frame of 6 kB and an audio packet, and a keyframe when it is asked for one.
    async fn tick(&mut self) {
        advance(Duration::from_millis(33)).await;
        let asked = self
            .publisher
            .drain()
            .into_iter()
            .any(|got| matches!(got, Got::KeyframeRequest(_)));
        self.keyframe_wanted |= asked;
        let frame = sized_media(Track::Camera, self.sequence, self.keyframe_wanted, 6000);
        self.keyframe_wanted = false;
        self.publisher.send(frame).await;
        self.publisher
            .send_media(Track::Microphone, self.sequence, true)
            .await;
        self.reader.send(heartbeat(false)).await;
        self.sleeper.send(heartbeat(false)).await;
        // The reader gets both at once, whatever the sleeper does.
        let sent_at = Instant::now();
        let media = |track| Got::Media(self.publisher.session, track, self.sequence);
        let mut missing = vec![media(Track::Camera), media(Track::Microphone)];
        while !missing.is_empty() {
            let got = self.reader.next().await;
            self.sleeper_left |=
                matches!(&got, Got::News(_, left) if left.contains(&self.sleeper.session));
            missing.retain(|wanted| *wanted != got);
        }
        assert_eq!(sent_at.elapsed(), Duration::ZERO);
        self.sequence += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_closed_and_the_others_do_not_notice() {
    let hub = hub(Policy::default()).await;
    let mut scene = Scene::new(&hub).await;
    let start = Instant::now();
    while scene.sleeper.is_connected() {
        scene.tick().await;
    }
    assert_eq!(scene.sleeper.ended().await, CloseCode::TooSlow);
    let stall = SessionPolicy::default().write_stall;
    assert!(
        start.elapsed() >= stall && start.elapsed() < stall + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    // It might have come back.
    let closed = Instant::now();
    while !scene.sleeper_left {
        scene.tick().await;
    }
    let absence = RoomPolicy::default().absence;
    assert!(closed.elapsed() < absence + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn when_it_reads_again_it_gets_fresh_media_from_a_keyframe() {
    let hub = hub(Policy::default()).await;
    let mut scene = Scene::new(&hub).await;
    for _ in 0..300 {
        scene.tick().await;
    }
    let asleep_until = scene.sequence;
    let source = scene.publisher.session;
    let mut got = Vec::new();
    for _ in 0..60 {
        got.extend(frames(&mut scene.sleeper, source));
        scene.tick().await;
    }
    // First what the connection held when it fell asleep, then nothing older than the queue allows, and the picture goes
    // on from the keyframe that the relay asked for without a gap.
    let stale: Vec<u64> = got
        .iter()
        .copied()
        .filter(|sequence| *sequence < 10)
        .collect();
    assert!(stale.len() <= 6, "{stale:?}");
    let fresh: Vec<u64> = got
        .iter()
        .copied()
        .filter(|sequence| *sequence >= 10)
        .collect();
    let first = *fresh.first().expect("no fresh video");
    assert!(
        first >= asleep_until,
        "{first} is from before it woke up at {asleep_until}"
    );
    assert!(first < asleep_until + 30, "{first} comes a second too late");
    assert_eq!(
        fresh,
        (first..first + fresh.len() as u64).collect::<Vec<_>>()
    );
}

/// Sequence numbers of the camera frames that are there.
fn frames(client: &mut Client, source: SessionId) -> Vec<u64> {
    let camera = |got| match got {
        Got::Media(session, Track::Camera, sequence) if session == source => Some(sequence),
        _ => None,
    };
    client.drain().into_iter().filter_map(camera).collect()
}
