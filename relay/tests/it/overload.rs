//! A process that has too much to do: what it refuses and drops, and how it comes back.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use relay::overload::Sampler;
use relay::{
    Bus, Dialect, Hub, HubConfig, JoinError, Level, Policy, Sample, Status, duplex, metrics,
    session,
};
use relay_core::policy::OverloadPolicy;
use tokio::time::{advance, sleep};
use videocall_types::Track;

use crate::support::{Client, Got, admission, hub, probe, sized_media};
use Dialect::Native;

/// What the process sends, in percent of what it may.
#[derive(Clone, Default)]
struct Load(Arc<AtomicU64>);

impl Load {
    fn set(&self, percent: u64) {
        self.0.store(percent, Ordering::Relaxed);
    }
}

impl Sampler for Load {
    fn sample(&mut self) -> Sample {
        Sample {
            egress: self.0.load(Ordering::Relaxed),
            ..Sample::default()
        }
    }
}

/// Two cameras at most and at least, and all so fast that no session is idle meanwhile.
fn policy() -> Policy {
    let overload = OverloadPolicy {
        egress: Some(100),
        worsen_after: Duration::from_secs(1),
        audio_only_after: Duration::from_secs(2),
        recover_after: Duration::from_secs(1),
        most_videos: 2,
        fewest_videos: 2,
        ..OverloadPolicy::default()
    };
    Policy {
        overload,
        ..Policy::default()
    }
}

async fn loaded_hub() -> (Hub, Load) {
    let load = Load::default();
    let bus = Bus::connect(None, std::num::NonZeroU8::MIN).await.unwrap();
    let hub = Hub::with_sampler(HubConfig::default(), bus, policy(), load.clone());
    (hub, load)
}

async fn reach(hub: &Hub, level: Level) {
    let mut levels = hub.level();
    levels.wait_for(|reached| *reached == level).await.unwrap();
}

fn dropped(text: &str) -> u64 {
    let value = |line: &str| {
        line.strip_prefix("relay_packets_dropped_total{reason=\"overload\"} ")?
            .parse()
            .ok()
    };
    text.lines().find_map(value).unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn new_rooms_are_refused_and_open_ones_take_newcomers() {
    let (hub, load) = loaded_hub().await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    assert_eq!(hub.status(), Status::Ready);
    load.set(105);
    reach(&hub, Level::NoNewRooms).await;
    assert_eq!(hub.status(), Status::Overloaded);
    let refused = hub.join(admission("retro", "eve", Native)).await;
    assert_eq!(refused.unwrap_err(), JoinError::Full);
    let bob = Client::join(&hub, "standup", "bob", Native).await;
    ada.until_joined("bob").await;

    // A room that has ended is a new one.
    bob.leave().await;
    ada.leave().await;
    while Client::join_as(&hub, admission("standup", "ada", Native))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }

    load.set(50);
    reach(&hub, Level::Normal).await;
    assert_eq!(hub.status(), Status::Ready);
    Client::join(&hub, "retro", "eve", Native).await;
}

#[tokio::test(start_paused = true)]
async fn video_is_dropped_sound_flows_and_video_comes_back_with_a_keyframe() {
    let handle = metrics::install();
    let (hub, load) = loaded_hub().await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    let _eve = Client::join(&hub, "standup", "eve", Native).await;
    ada.until_joined("eve").await;
    ada.send_media(Track::Camera, 0, true).await;
    bob.until_got(&Got::Media(ada.session, Track::Camera, 0))
        .await;

    load.set(150);
    reach(&hub, Level::AudioOnly).await;
    let before = dropped(&handle.render());
    ada.send_media(Track::Camera, 1, false).await;
    ada.send_media(Track::Screen, 0, true).await;
    ada.send_media(Track::Microphone, 0, true).await;
    assert_eq!(
        bob.next().await,
        Got::Media(ada.session, Track::Microphone, 0)
    );
    let text = handle.render();
    assert_eq!(dropped(&text) - before, 2);
    assert!(text.contains("relay_overload_level 3\n"), "{text}");
    assert!(text.contains("relay_overload_stress 1.5\n"), "{text}");

    load.set(50);
    reach(&hub, Level::FewerVideos { last_n: 2 }).await;
    ada.drain();
    // No frame comes that Bob could miss the one before of: the room asks by itself.
    ada.send_media(Track::Microphone, 1, true).await;
    ada.until_got(&Got::KeyframeRequest(Track::Camera)).await;
    ada.send_media(Track::Camera, 3, true).await;
    bob.until(|got| match got {
        Got::Media(_, Track::Camera, 3) => Some(()),
        Got::Media(_, Track::Camera | Track::Screen, _) => panic!("{got:?}"),
        _ => None,
    })
    .await;
    reach(&hub, Level::Normal).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_read_is_no_overload() {
    let handle = metrics::install();
    let hub = hub_that_measures_waits().await;
    let ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    let _sleeper = Client::join_with_capacity(&hub, admission("standup", "eve", Native), 4)
        .await
        .unwrap();
    bob.until_joined("eve").await;
    for sequence in 0..100 {
        advance(Duration::from_millis(33)).await;
        ada.send(sized_media(Track::Camera, sequence, true, 6000))
            .await;
        bob.until_got(&Got::Media(ada.session, Track::Camera, sequence))
            .await;
        assert_eq!(*hub.level().borrow(), Level::Normal);
    }
    assert!(handle.render().contains("relay_overload_stress 0\n"));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_woken_in_time_is_overload() {
    let hub = hub_that_measures_waits().await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let membership = hub.join(admission("standup", "bob", Native)).await.unwrap();
    let (reader, writer, _peer) = duplex::pair(1000);
    let mut session = pin!(session::run(reader, writer, membership));
    // What came before the session began does not count.
    ada.send_media(Track::Microphone, 0, true).await;
    ada.send(probe(0.0)).await;
    ada.until_got(&Got::Probe(probe(0.0))).await;
    advance(Duration::from_millis(1000)).await;
    let mut run_once = async || {
        tokio::select! {
            biased;
            code = &mut session => panic!("{code:?}"),
            () = ready(()) => {}
        }
    };
    run_once().await;
    sleep(OverloadPolicy::default().interval * 2).await;
    assert_eq!(*hub.level().borrow(), Level::Normal);
    ada.send_media(Track::Microphone, 1, true).await;
    // The answer shows that the audio has come in.
    ada.send(probe(1.0)).await;
    ada.until_got(&Got::Probe(probe(1.0))).await;
    advance(Duration::from_millis(200)).await;
    assert_eq!(*hub.level().borrow(), Level::Normal);
    run_once().await;
    reach(&hub, Level::FewerVideos { last_n: 16 }).await;
}

/// At once at the level that the waiting alone asks for.
async fn hub_that_measures_waits() -> Hub {
    let overload = OverloadPolicy {
        cpu_percent: None,
        worsen_after: Duration::ZERO,
        ..OverloadPolicy::default()
    };
    let policy = Policy {
        overload,
        ..Policy::default()
    };
    Hub::new(
        HubConfig::default(),
        Bus::connect(None, std::num::NonZeroU8::MIN).await.unwrap(),
        policy,
    )
}

#[tokio::test(start_paused = true)]
async fn the_controller_ends_with_the_hub() {
    let stopped = hub(Policy::default()).await;
    let mut level = stopped.level();
    stopped.shutdown().await;
    assert!(level.changed().await.is_err());

    let (dropped, load) = loaded_hub().await;
    assert_eq!(Arc::strong_count(&load.0), 2);
    drop(dropped);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&load.0), 1);
}
