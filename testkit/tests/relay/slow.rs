//! Receivers that do not read.

use std::time::Duration;

use relay::Policy;
use testkit::{Client, Kind, Seen, TestServer};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{CloseCode, Track};

const PACE: Duration = Duration::from_millis(10);
static FRAME: [u8; 20_000] = [7; 20_000];
const TOO_SLOW: &str = "relay_sessions_closed_total{reason=\"receiver too slow\"}";

#[tokio::test]
async fn a_receiver_that_stops_reading_is_closed_and_the_others_miss_nothing() {
    let mut policy = patient();
    policy.session.write_stall = Duration::from_secs(2);
    let server = TestServer::start_with(&[], policy).await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let before = server.metric(TOO_SLOW).await;
        let mut good = Client::join(&server, Kind::WtNative, "good", &meeting).await;
        let mut stalled = Client::join(&server, kind, "stalled", &meeting).await;
        let mut speaker = Client::join(&server, Kind::WsNative, "speaker", &meeting).await;
        let mut pace = tokio::time::interval(PACE);
        let session = stalled.session().get();
        let has_left = |seen: &Seen| {
            seen.presence()
                .is_some_and(|presence| presence.left.contains(&session))
        };
        let mut left = false;
        let mut sequence = 0;
        while server.metric(TOO_SLOW).await == before {
            for _ in 0..10 {
                pace.tick().await;
                speaker
                    .send_frame(Track::Camera, sequence, sequence % 50 == 0, &FRAME)
                    .await;
                let seen = good
                    .until(|seen| seen.media_of(MediaType::VIDEO).is_some())
                    .await;
                left |= seen.iter().any(has_left);
                assert_eq!(
                    seen.last().unwrap().routing().unwrap().sequence,
                    sequence,
                    "{meeting}"
                );
                sequence += 1;
            }
        }
        if !left {
            good.wait_for(has_left).await;
        }
        let code = stalled.closed().await;
        // A WebSocket that takes nothing can't be told why.
        assert!(
            code == Some(CloseCode::TooSlow.code()) || code.is_none(),
            "{meeting} {code:?}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_reads_again_goes_on_with_a_keyframe() {
    let server = TestServer::start_with(&[], patient()).await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut good = Client::join(&server, Kind::WtNative, "good", &meeting).await;
        let mut stalled = Client::join(&server, kind, "stalled", &meeting).await;
        let mut speaker = Client::join(&server, Kind::WsNative, "speaker", &meeting).await;
        let mut pace = tokio::time::interval(PACE);
        let mut sequence = 0;
        // More than any buffer takes, and for longer than a frame is worth sending.
        while sequence < 200 {
            pace.tick().await;
            speaker
                .send_frame(Track::Camera, sequence, sequence == 0, &FRAME)
                .await;
            good.wait_for(|seen| seen.media_of(MediaType::VIDEO).is_some())
                .await;
            sequence += 1;
        }
        let mut seen = stalled.fence().await;
        // The relay has asked for the keyframe by itself.
        speaker
            .wait_for(|seen| seen.keyframe_request().is_some())
            .await;
        speaker
            .send_frame(Track::Camera, sequence, true, b"fresh")
            .await;
        speaker
            .send_frame(Track::Camera, sequence + 1, false, b"last")
            .await;
        seen.extend(
            stalled
                .until(|seen| seen.media().is_some_and(|media| media.data == "last"))
                .await,
        );
        assert_no_delta_without_its_reference(&seen);
    }
}

/// Lets sessions live that have nothing to say.
fn patient() -> Policy {
    let mut policy = Policy::default();
    policy.session.idle = 2 * testkit::PATIENCE;
    policy
}

fn assert_no_delta_without_its_reference(seen: &[Seen]) {
    let mut previous = None;
    let mut gaps = 0;
    for routing in seen
        .iter()
        .filter(|seen| seen.media_of(MediaType::VIDEO).is_some())
        .filter_map(Seen::routing)
    {
        let follows = previous.map(|sequence: u64| sequence + 1) == Some(routing.sequence);
        assert!(
            follows || routing.keyframe,
            "{routing:?} after {previous:?}"
        );
        gaps += u32::from(!follows && previous.is_some());
        previous = Some(routing.sequence);
    }
    assert_eq!(gaps, 1, "it missed something, once");
}
