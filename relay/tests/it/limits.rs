//! Sessions that break a limit.

use std::time::Duration;

use relay::{Dialect, Policy};
use relay_core::policy::{Budget, RatePolicy, SessionPolicy};
use tokio::time::{Instant, advance};
use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::{Bytes, CloseCode, Track};

use crate::support::{Client, Got, heartbeat, hub, media, probe};
use Dialect::{Native, Stock};

#[tokio::test(start_paused = true)]
async fn a_silent_session_is_closed() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let start = Instant::now();
    advance(Duration::from_secs(5)).await;
    // A sign of life counts.
    ada.send(Bytes::new()).await;
    assert_eq!(ada.ended().await, CloseCode::Idle);
    let idle = SessionPolicy::default().idle;
    let lasted = start.elapsed();
    assert!(
        lasted >= Duration::from_secs(5) + idle && lasted < Duration::from_secs(6) + idle,
        "{lasted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_dropped_then_told_then_closed() {
    let rate = RatePolicy {
        packets: Budget {
            per_second: 10,
            burst: 10,
        },
        ..RatePolicy::default()
    };
    let hub = hub(Policy {
        rate,
        ..Policy::default()
    })
    .await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Stock).await;
    ada.until_joined("bob").await;
    let start = Instant::now();
    let mut sequence = 0;
    while ada.is_connected() {
        ada.send_media(Track::Microphone, sequence, true).await;
        sequence += 1;
        advance(Duration::from_millis(10)).await;
    }
    assert_eq!(ada.ended().await, CloseCode::RateLimited);
    assert!(start.elapsed() >= RatePolicy::default().grace);
    let notices = ada
        .drain()
        .into_iter()
        .filter(|got| matches!(got, Got::Notice(_)));
    assert_eq!(
        notices.collect::<Vec<_>>(),
        [Got::Notice("RATE_LIMITED".into())]
    );
    // 10 at once and 10 a second; the others never saw more.
    let delivered = bob
        .drain()
        .into_iter()
        .filter(|got| matches!(got, Got::Media(..)))
        .count();
    let allowed = 11 + 10 * start.elapsed().as_secs() as usize + 10;
    assert!(
        (10..=allowed).contains(&delivered),
        "{delivered} of {sequence}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_packet_is_dropped_and_many_close_the_session() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    bob.until_joined("ada").await;
    let whole = media(Track::Camera, 0, true);
    let malformed = (1..whole.len()).map(|cut| whole.slice(..cut)).find(|cut| {
        matches!(
            videocall_types::PacketHeader::parse(cut),
            Err(videocall_types::packet::PacketError::Malformed)
        )
    });
    let malformed = malformed.unwrap();
    ada.send(malformed.clone()).await;
    ada.send_media(Track::Camera, 0, true).await;
    assert_eq!(bob.next().await, Got::Media(ada.session, Track::Camera, 0));
    for _ in 0..RatePolicy::default().violations.burst {
        ada.send(malformed.clone()).await;
    }
    assert_eq!(ada.ended().await, CloseCode::Malformed);
    bob.until_left(ada.session).await;
}

#[tokio::test(start_paused = true)]
async fn every_cut_and_size_leaves_others_undisturbed() {
    let violations = Budget {
        per_second: 1,
        burst: 100_000,
    };
    let hub = hub(Policy {
        rate: RatePolicy {
            violations,
            ..RatePolicy::default()
        },
        ..Policy::default()
    })
    .await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    for whole in [media(Track::Camera, 0, true), heartbeat(true)] {
        for cut in 1..whole.len() {
            ada.send(whole.slice(..cut)).await;
        }
    }
    ada.send(vec![0; MAX_PACKET_BYTES + 1].into()).await;
    ada.send(probe(1.0)).await;
    ada.until_got(&Got::Probe(probe(1.0))).await;
    bob.send(probe(2.0)).await;
    bob.until_got(&Got::Probe(probe(2.0))).await;
}
