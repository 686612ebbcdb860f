//! Moving to another relay because one stops.

use std::time::Duration;

use testkit::{Client, Kind, NatsServer, Seen, TestServer};
use tokio::time::{Instant, timeout};
use videocall_types::{PacketKind, SessionId, Track};

const PACE: Duration = Duration::from_millis(20);
const LONGEST_GAP: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_receiver_misses_less_than_a_second_of_somebody_who_moves() {
    let nats = NatsServer::start().await;
    for kind in [Kind::WtNative, Kind::WsNative] {
        let (one, two) = TestServer::pair(&nats.url()).await;
        let mut ada = Client::join(&one, kind, "ada", "team").await;
        let mut bob = Client::join(&two, Kind::WsNative, "bob", "team").await;
        ada.wait_for(|seen| mentions(seen, bob.session())).await;
        bob.wait_for(|seen| mentions(seen, ada.session())).await;

        let listening = tokio::spawn(longest_gap(bob));
        let mut sequence = 0;
        // The notice comes in the midst of it.
        loop {
            assert!(send(&mut ada, sequence).await, "it is closed too early");
            sequence += 1;
            if sequence == 50 {
                one.begin_stop();
            }
            if let Ok(seen) = timeout(PACE, ada.next()).await
                && seen.expect("it is closed too early").is(PacketKind::NOTICE)
            {
                break;
            }
        }
        let mut moved = Client::enter(&two, kind, "/lobby/ada/team", Some(&ada.resume()))
            .await
            .unwrap();
        // The old connection has worked so far.
        ada.fence().await;
        assert_ne!(moved.session(), ada.session());
        let leaving = tokio::spawn(ada.leave());
        for sequence in 0..50 {
            send(&mut moved, sequence).await;
            tokio::time::sleep(PACE).await;
        }
        moved
            .send_frame(Track::Microphone, 50, true, b"the end")
            .await;
        leaving.await.unwrap();
        let gap = listening.await.unwrap();
        assert!(gap < LONGEST_GAP, "{kind:?}: {gap:?}");
        one.stop().await;
    }
}

async fn send(client: &mut Client, sequence: u64) -> bool {
    let sound = [sequence as u8; 80];
    client
        .send_frame(Track::Microphone, sequence, true, &sound)
        .await
}

/// Until `the end`.
async fn longest_gap(mut receiver: Client) -> Duration {
    let mut last = None;
    let mut longest = Duration::ZERO;
    loop {
        let seen = receiver.wait_for(|seen| seen.media().is_some()).await;
        let now = Instant::now();
        if let Some(last) = last.replace(now) {
            longest = longest.max(now - last);
        }
        if seen.media().is_some_and(|media| media.data == "the end") {
            return longest;
        }
    }
}

fn mentions(seen: &Seen, session: SessionId) -> bool {
    seen.presence().is_some_and(|presence| {
        let mut there = presence.participants.iter();
        there.any(|who| who.session_id == session.get())
    })
}
