//! Two hubs on one bus.

use std::time::Duration;

use relay::bus::InProcessBus;
use relay::{Bus, Dialect, Hub, HubConfig, Policy, Status};
use relay_core::policy::RoomPolicy;
use videocall_types::Track;

use crate::support::{Client, Got, heartbeat, keyframe_request, probe};
use Dialect::{Native, Stock};

fn two_hubs() -> (InProcessBus, Hub, Hub) {
    two_hubs_with(Policy::default())
}

fn two_hubs_with(policy: Policy) -> (InProcessBus, Hub, Hub) {
    let bus = InProcessBus::default();
    let hub = || {
        Hub::new(
            HubConfig::default(),
            Bus::InProcess(bus.clone()),
            policy.clone(),
        )
    };
    let (one, other) = (hub(), hub());
    (bus, one, other)
}

#[tokio::test(start_paused = true)]
async fn members_of_both_are_in_one_room() {
    let (_bus, one, other) = two_hubs();
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    let mut eve = Client::join(&other, "standup", "eve", Stock).await;
    ada.until_joined("eve").await;
    bob.until_joined("ada").await;
    eve.until_got(&Got::Meeting("PARTICIPANT_JOINED ada".into()))
        .await;

    ada.send_media(Track::Camera, 0, true).await;
    bob.until_got(&Got::Media(ada.session, Track::Camera, 0))
        .await;
    eve.until_got(&Got::Media(ada.session, Track::Camera, 0))
        .await;
    bob.send_media(Track::Microphone, 5, true).await;
    ada.until_got(&Got::Media(bob.session, Track::Microphone, 5))
        .await;

    ada.send(heartbeat(true)).await;
    bob.until_joined("ada+cam").await;
    eve.until_got(&Got::Heartbeat(ada.session)).await;

    bob.send(keyframe_request(ada.session, Track::Screen)).await;
    ada.until_got(&Got::KeyframeRequest(Track::Screen)).await;

    let bobs = bob.session;
    bob.leave().await;
    ada.until_left(bobs).await;
    let eves = eve.session;
    eve.leave().await;
    ada.until_left(eves).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_round_to_the_sender() {
    let (_bus, one, other) = two_hubs();
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;
    for sequence in 0..5 {
        ada.send_media(Track::Microphone, sequence, true).await;
    }
    for sequence in 0..5 {
        assert_eq!(
            bob.next().await,
            Got::Media(ada.session, Track::Microphone, sequence)
        );
    }
    bob.send_media(Track::Microphone, 0, true).await;
    assert_eq!(
        ada.next().await,
        Got::Media(bob.session, Track::Microphone, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_bus_leaves_local_members_alone_and_comes_back() {
    let (bus, one, other) = two_hubs();
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut eve = Client::join(&one, "standup", "eve", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    bob.until_joined("eve").await;

    bus.set_connected(false);
    assert_eq!(
        (one.status(), other.status()),
        (Status::BusLost, Status::BusLost)
    );
    ada.send_media(Track::Microphone, 0, true).await;
    eve.until_got(&Got::Media(ada.session, Track::Microphone, 0))
        .await;
    // Everybody sends heartbeats while the silence of the other relay is noticed.
    let beat = heartbeat(false);
    loop {
        for client in [&ada, &eve, &bob] {
            client.send(beat.clone()).await;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        ada.send(probe(1.0)).await;
        let mut gone = false;
        ada.until(|got| {
            gone |= matches!(got, Got::News(_, left) if left.contains(&bob.session));
            matches!(got, Got::Probe(_)).then_some(())
        })
        .await;
        if gone {
            break;
        }
    }

    bus.set_connected(true);
    assert_eq!(one.status(), Status::Ready);
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;
    ada.send_media(Track::Microphone, 1, true).await;
    bob.until_got(&Got::Media(ada.session, Track::Microphone, 1))
        .await;
}

#[tokio::test(start_paused = true)]
async fn relays_do_not_wait_for_the_next_snapshot() {
    let snapshot_interval = Duration::from_secs(3600);
    let room = RoomPolicy {
        snapshot_interval,
        ..RoomPolicy::default()
    };
    let (bus, one, other) = two_hubs_with(Policy {
        room,
        ..Policy::default()
    });
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;

    bus.set_connected(false);
    let mut eve = Client::join(&one, "standup", "eve", Native).await;
    ada.until_joined("eve").await;
    bus.set_connected(true);
    bob.until_joined("eve").await;
    eve.send_media(Track::Microphone, 0, true).await;
    bob.until_got(&Got::Media(eve.session, Track::Microphone, 0))
        .await;
    bob.send_media(Track::Microphone, 0, true).await;
    eve.until_got(&Got::Media(bob.session, Track::Microphone, 0))
        .await;
}
