//! The networks, and what a call must be like on each.

use std::time::Duration;

use testkit::impaired::Conditions;

use crate::wire::Kind;
use crate::world::World;

const KINDS: [Kind; 2] = [Kind::WebTransport, Kind::WebSocket];
/// Of each direction: 80 ms there and back.
const DELAY_MS: f64 = 40.0;
/// From one participant to the other.
const FASTEST: Duration = Duration::from_millis(80);

/// Sound is played that comes so long after it was captured. Playout waits longer where packets are late in bursts: behind each
/// that TCP repeats.
fn audible(kind: Kind) -> Duration {
    let playout = match kind {
        Kind::WebTransport => 150,
        Kind::WebSocket => 500,
    };
    FASTEST + Duration::from_millis(playout)
}

fn clean() -> Conditions {
    Conditions {
        delay_ms: DELAY_MS,
        ..Conditions::default()
    }
}

fn lossy(loss_percent: f64, burst: f64) -> Conditions {
    Conditions {
        loss_percent,
        burst,
        ..clean()
    }
}

fn narrow(rate_kbps: f64, queue_bytes: usize) -> Conditions {
    Conditions {
        rate_kbps,
        queue_bytes,
        ..clean()
    }
}

/// One direction only loses packets; the numbers are of who is at its end.
struct Bounds {
    continuity: f64,
    on_time: f64,
    freeze_ms: u64,
    requests: usize,
}

async fn on_a_lossy_link(kind: Kind, conditions: Conditions, seed: u64, bounds: &Bounds) {
    let mut world = World::new(kind, seed).await;
    let speaker = world.join(clean(), clean(), true).await;
    let listener = world.join(clean(), conditions.clone(), false).await;
    world.run(3).await;
    let (from, to) = world.run(60).await;
    let seen = world.seen(listener, speaker);
    seen.assert_whole();
    let continuity = seen.continuity(from, to, audible(kind));
    let on_time = seen.on_time(from, to, 30, FASTEST + Duration::from_millis(200));
    let freeze = seen.longest_freeze(from, to);
    let requests = world.clients[listener].keyframe_requests;
    println!(
        "{kind:?} {} % loss: sound {continuity:.2} %, pictures on time {on_time:.2} %, longest freeze {freeze:?}, \
         {} switches, {requests} keyframe requests",
        conditions.loss_percent,
        seen.switches(),
    );
    assert!(continuity >= bounds.continuity, "{kind:?}: {continuity}");
    assert!(on_time >= bounds.on_time, "{kind:?}: {on_time}");
    assert!(
        freeze <= Duration::from_millis(bounds.freeze_ms),
        "{kind:?}: {freeze:?}"
    );
    assert!(requests <= bounds.requests, "{kind:?}: {requests}");
}

#[tokio::test(start_paused = true)]
async fn two_percent_loss() {
    for kind in KINDS {
        let bounds = Bounds {
            continuity: 99.5,
            on_time: 98.0,
            freeze_ms: 600,
            requests: 2,
        };
        on_a_lossy_link(kind, lossy(2.0, 0.0), 1, &bounds).await;
    }
}

/// What TCP loses holds up all that follows, so that there is a limit to what the fallback can do.
#[tokio::test(start_paused = true)]
async fn five_percent_loss() {
    let bounds = Bounds {
        continuity: 99.0,
        on_time: 98.0,
        freeze_ms: 500,
        requests: 2,
    };
    on_a_lossy_link(Kind::WebTransport, lossy(5.0, 0.0), 2, &bounds).await;
    let bounds = Bounds {
        continuity: 90.0,
        on_time: 75.0,
        freeze_ms: 1_000,
        requests: 2,
    };
    on_a_lossy_link(Kind::WebSocket, lossy(5.0, 0.0), 2, &bounds).await;
}

#[tokio::test(start_paused = true)]
async fn ten_percent_loss_in_bursts() {
    let bounds = Bounds {
        continuity: 97.0,
        on_time: 95.0,
        freeze_ms: 600,
        requests: 2,
    };
    on_a_lossy_link(Kind::WebTransport, lossy(10.0, 4.0), 3, &bounds).await;
    let bounds = Bounds {
        continuity: 60.0,
        on_time: 35.0,
        freeze_ms: 4_000,
        requests: 4,
    };
    on_a_lossy_link(Kind::WebSocket, lossy(10.0, 4.0), 3, &bounds).await;
}

#[tokio::test(start_paused = true)]
async fn two_megabits_and_a_short_queue() {
    for kind in KINDS {
        let mut world = World::new(kind, 4).await;
        let speaker = world.join(clean(), clean(), true).await;
        let other = world.join(clean(), clean(), true).await;
        let listener = world.join(clean(), narrow(2_000.0, 64_000), false).await;
        world.run(10).await;
        let (from, to) = world.run(60).await;
        for of in [speaker, other] {
            let seen = world.seen(listener, of);
            seen.assert_whole();
            let (continuity, freeze, switches) = (
                seen.continuity(from, to, audible(kind)),
                seen.longest_freeze(from, to),
                seen.since(from).switches(),
            );
            println!(
                "{kind:?} 2 Mbit/s: sound {continuity:.2} %, longest freeze {freeze:?}, {switches} switches, layer {:?}",
                seen.layer()
            );
            assert!(continuity >= 98.5, "{kind:?}: {continuity}");
            assert!(freeze <= Duration::from_millis(600), "{kind:?}: {freeze:?}");
            assert!(switches <= 4, "{kind:?}: {switches}");
        }
        let bits = world.bytes_down(listener) * 8 / 73;
        assert!(bits > 700_000, "{kind:?}: only {bits} bit/s are used");
    }
}

#[tokio::test(start_paused = true)]
async fn one_receiver_of_ten_has_300_kilobits() {
    for kind in KINDS {
        let mut world = World::new(kind, 5).await;
        for _ in 0..9 {
            let index = world.join(clean(), clean(), true).await;
            world.clients[index].speaks = index < 3;
        }
        let slow = world.join(clean(), narrow(300.0, 30_000), false).await;
        world.run(1).await;
        for client in 1..10 {
            world.focus(client, 0).await;
        }
        world.run(15).await;
        let (from, to) = world.run(60).await;
        let seen = world.seen(slow, 0);
        seen.assert_whole();
        let freeze = seen.longest_freeze(from, to);
        let sounds: Vec<f64> = (0..3)
            .map(|of| world.seen(slow, of).continuity(from, to, audible(kind)))
            .collect();
        println!(
            "{kind:?} 300 kbit/s: longest freeze {freeze:?}, layer {:?}, sounds {sounds:?}",
            seen.layer()
        );
        assert!(sounds.iter().all(|sound| *sound >= 99.0), "{kind:?}");
        assert!(
            freeze <= Duration::from_millis(1_000),
            "{kind:?}: {freeze:?}"
        );
        assert!(seen.since(from).in_layer(0) > 99.0, "{kind:?}");
        for client in 1..9 {
            let seen = world.seen(client, 0).since(from);
            assert!(seen.in_layer(2) > 99.0, "{kind:?}: {client} keeps 720 rows");
            assert!(world.seen(client, 0).on_time(from, to, 30, FASTEST * 2) > 99.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_without_a_network() {
    for kind in KINDS {
        let mut world = World::new(kind, 6).await;
        let speaker = world.join(clean(), clean(), true).await;
        let listener = world.join(clean(), clean(), false).await;
        world.run(5).await;
        for wires in [World::set_down, World::set_up] {
            wires(&world, listener, Conditions::black_hole());
        }
        world.run(10).await;
        for wires in [World::set_down, World::set_up] {
            wires(&world, listener, clean());
        }
        let (from, to) = world.run(20).await;
        let seen = world.seen(listener, speaker);
        let first = seen.since(from).pictures.first().map(|(at, _)| *at - from);
        println!("{kind:?} back after {first:?}");
        // Attempts come every few seconds by then.
        assert!(first.is_some_and(|first| first <= Duration::from_secs(5)));
        let later = from + Duration::from_secs(6);
        assert!(seen.continuity(later, to, audible(kind)) >= 99.0);
    }
}

#[tokio::test(start_paused = true)]
async fn from_five_megabits_to_half_of_one() {
    for kind in KINDS {
        let mut world = World::new(kind, 7).await;
        let speaker = world.join(clean(), clean(), true).await;
        let listener = world.join(clean(), narrow(5_000.0, 64_000), false).await;
        world.run(10).await;
        assert_eq!(world.seen(listener, speaker).layer(), Some(2));
        world.set_down(listener, narrow(500.0, 64_000));
        world.run(6).await;
        let (from, to) = world.run(40).await;
        let seen = world.seen(listener, speaker);
        seen.assert_whole();
        let (continuity, freeze, switches) = (
            seen.continuity(from, to, audible(kind)),
            seen.longest_freeze(from, to),
            seen.since(from).switches(),
        );
        println!(
            "{kind:?} 0.5 Mbit/s: sound {continuity:.2} %, freeze {freeze:?}, {switches} switches, layer {:?}",
            seen.layer()
        );
        assert!(continuity >= 99.0, "{kind:?}: {continuity}");
        assert!(
            freeze <= Duration::from_millis(1_000),
            "{kind:?}: {freeze:?}"
        );
        assert!(switches <= 6, "{kind:?}: {switches}");
        // And back.
        world.set_down(listener, narrow(5_000.0, 64_000));
        world.run(45).await;
        assert_eq!(world.seen(listener, speaker).layer(), Some(2), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_on_a_narrow_uplink_sends_what_fits() {
    for kind in KINDS {
        let mut world = World::new(kind, 8).await;
        let speaker = world.join(narrow(700.0, 48_000), clean(), true).await;
        let listener = world.join(clean(), clean(), false).await;
        let second = world.join(clean(), clean(), true).await;
        world.run(20).await;
        let (from, to) = world.run(40).await;
        let seen = world.seen(listener, speaker);
        seen.assert_whole();
        let (continuity, freeze) = (
            seen.continuity(from, to, audible(kind)),
            seen.longest_freeze(from, to),
        );
        println!(
            "{kind:?} 0.7 Mbit/s up: sound {continuity:.2} %, freeze {freeze:?}, layer {:?}, encoded {:?}",
            seen.layer(),
            world.clients[speaker].encoded
        );
        assert!(continuity >= 99.0, "{kind:?}: {continuity}");
        assert!(
            freeze <= Duration::from_millis(1_000),
            "{kind:?}: {freeze:?}"
        );
        // Nobody else is worse off.
        let other = world.seen(listener, second);
        assert!(other.on_time(from, to, 30, FASTEST * 2) > 99.0);
        assert_eq!(other.layer(), Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_nobody_shows_stops_and_is_back_with_a_keyframe() {
    for kind in KINDS {
        let mut world = World::new(kind, 9).await;
        let speaker = world.join(clean(), clean(), true).await;
        let listener = world.join(clean(), clean(), false).await;
        world.run(3).await;
        // So many rows are shown, and so the camera is sent in these layers.
        for (rows, layers) in [(0, &[][..]), (120, &[0]), (720, &[2])] {
            world.show(listener, speaker, rows).await;
            let (from, _) = world.run(2).await;
            let encoded = world.clients[speaker].encoded.last();
            assert_eq!(encoded.map(Vec::as_slice), Some(layers), "{kind:?}");
            let seen = world.seen(listener, speaker);
            seen.assert_whole();
            let settled = seen.since(from + Duration::from_secs(1));
            assert_eq!(settled.layers(), layers, "{kind:?}");
            let pictures = seen.since(from).pictures;
            let mut of_layer = pictures
                .iter()
                .filter(|(_, frame)| layers.contains(&frame.spatial_layer));
            if let Some((at, frame)) = of_layer.next() {
                println!("{kind:?} layer {layers:?} after {:?}", *at - from);
                assert!(*at - from <= Duration::from_millis(500), "{kind:?}");
                assert!(frame.keyframe, "{kind:?}: {frame:?}");
            }
        }
    }
}
