//! A room: input, exact output.

use crate::support::{
    OTHER, SERVER, TestRoom, forwarded, heartbeat, layer, media, packet, session, stock, user,
    video_packet,
};
use relay_core::messages;
use relay_core::policy::RoomPolicy;
use relay_core::{Dialect, DropReason, JoinError, MediaState, Profile};
use videocall_types::claims::Capabilities;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{Bytes, DisplayName, PacketKind, ServerId, SessionId, Track};

use Dialect::{Native, Stock};

const NOTHING: [&str; 0] = [];

fn profile(id: u64, camera: bool) -> (SessionId, Profile) {
    let state = MediaState {
        camera,
        ..MediaState::default()
    };
    (
        session(id),
        Profile {
            user: user(id).parse().unwrap(),
            name: DisplayName::new(&user(id)),
            state,
        },
    )
}

/// What another relay says of its members.
fn members(server: ServerId, snapshot: bool, ids: &[(u64, bool)], left: &[u64]) -> Bytes {
    let profiles: Vec<_> = ids
        .iter()
        .map(|(id, camera)| profile(*id, *camera))
        .collect();
    let people = profiles.iter().map(|(id, profile)| (*id, profile));
    messages::members(server, snapshot, people, left.iter().map(|id| session(*id)))
}

fn keyframes(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| line.contains("keyframe"))
        .collect()
}

/// A native and a stock member, told of each other.
fn pair() -> TestRoom {
    let mut room = TestRoom::default();
    room.join(1, Native);
    room.pass(100);
    room.join(2, Stock);
    room.pass(100);
    room
}

#[test]
fn a_newcomer_is_told_who_is_there_and_the_others_of_the_newcomer() {
    let mut room = TestRoom::default();
    assert_eq!(
        room.join(1, Native),
        ["[1] assigned 1", "[1] presence all=[] left=[]"]
    );
    room.pass(100);
    assert_eq!(
        room.join(2, Stock),
        [
            "[2] assigned 2",
            "[2] meeting started at 1000",
            "[2] joined 1",
            "[1] presence news=[2] left=[]"
        ],
    );
    room.pass(100);
    assert_eq!(
        room.join(3, Native),
        [
            "[3] assigned 3",
            "[3] presence all=[1 2] left=[]",
            "[1] presence news=[3] left=[]",
            "[2] joined 3"
        ],
    );
}

#[test]
fn leaving_is_told_once() {
    let mut room = pair();
    room.join(3, Stock);
    room.pass(100);
    assert_eq!(
        room.leave(3),
        ["forget 3", "[1] presence news=[] left=[3]", "[2] left 3"]
    );
    assert_eq!(room.leave(3), NOTHING);
    assert_eq!(room.pass(1000), NOTHING);
    assert!(!room.room.is_empty());
    room.leave(1);
    room.leave(2);
    assert!(room.room.is_empty());
}

#[test]
fn what_happens_at_once_is_told_together() {
    let mut room = pair();
    assert_eq!(
        room.join(3, Native),
        [
            "[3] assigned 3",
            "[3] presence all=[1 2] left=[]",
            "[1] presence news=[3] left=[]",
            "[2] joined 3"
        ],
    );
    assert_eq!(
        room.join(4, Native),
        ["[4] assigned 4", "[4] presence all=[1 2 3] left=[]"]
    );
    assert_eq!(
        room.join(5, Stock)[..3],
        [
            "[5] assigned 5",
            "[5] meeting started at 1000",
            "[5] joined 1"
        ]
    );
    assert_eq!(room.leave(2), ["forget 2"]);
    assert_eq!(
        room.pass(50),
        [
            "[4] presence news=[5] left=[2]",
            "[1, 3] presence news=[4 5] left=[2]",
            // 5 was shown 2 and hears that it is gone.
            "[5] left 2",
            "[5] joined 4",
        ],
    );
}

#[test]
fn a_visitor_of_a_moment_is_not_told_of() {
    let mut room = pair();
    room.join(3, Native);
    room.join(4, Native);
    room.leave(4);
    assert_eq!(room.pass(1000), NOTHING);
}

#[test]
fn a_full_room_takes_nobody() {
    let mut room = TestRoom::new(RoomPolicy {
        max_members: 1,
        ..RoomPolicy::default()
    });
    room.join(1, Native);
    assert_eq!(
        room.join_with(2, Native, Capabilities::default()),
        Err(JoinError::Full)
    );
    assert_eq!(room.commands(), NOTHING);
    room.leave(1);
    assert!(room.join_with(2, Native, Capabilities::default()).is_ok());
}

#[test]
fn media_goes_to_all_others_and_not_to_the_bus() {
    let mut room = pair();
    room.join(3, Native);
    assert_eq!(
        room.route(&media(1, Track::Camera, 0, true)),
        Ok((vec![2, 3], false))
    );
    assert_eq!(
        room.route(&media(3, Track::Microphone, 0, false)),
        Ok((vec![1, 2], false))
    );
    assert_eq!(
        room.route(&media(9, Track::Camera, 0, true)),
        Err(DropReason::NotMember)
    );
}

#[test]
fn stock_members_get_heartbeats_and_native_ones_presence() {
    let mut room = pair();
    assert_eq!(room.route(&heartbeat(1, true, false)), Ok((vec![2], false)));
    // 1 does not hear of itself.
    assert_eq!(room.commands(), NOTHING);
    room.pass(100);
    assert_eq!(room.route(&heartbeat(2, true, true)), Ok((vec![], false)));
    assert_eq!(room.commands(), ["[1] presence news=[2+cam] left=[]"]);
    room.pass(100);
    assert_eq!(room.route(&heartbeat(2, true, true)), Ok((vec![], false)));
    assert_eq!(room.commands(), NOTHING);
}

#[test]
fn only_stock_members_get_what_only_they_can_read() {
    let mut room = pair();
    room.join(3, Stock);
    assert_eq!(
        room.route(&media(1, Track::ScreenAudio, 0, false)),
        Ok((vec![], false))
    );
    room.join(4, Native);
    assert_eq!(
        room.route(&media(1, Track::ScreenAudio, 0, false)),
        Ok((vec![4], false))
    );
    for kind in [
        PacketKind::RSA_PUB_KEY,
        PacketKind::AES_KEY,
        PacketKind::CONNECTION,
        PacketKind::DIAGNOSTICS,
    ] {
        let forward = forwarded(&packet(kind, Bytes::from_static(b"x")), 2);
        assert_eq!(room.route(&forward), Ok((vec![3], false)), "{kind:?}");
    }
    let opaque = forwarded(
        &packet(PacketKind::MEDIA, Bytes::from_static(b"\xff\xff")),
        2,
    );
    assert_eq!(room.route(&opaque), Ok((vec![3], false)));
}

#[test]
fn capabilities_are_kept() {
    let none = Capabilities {
        publish_audio: false,
        publish_video: false,
        publish_screen: false,
        receive_media: false,
        receive_events: false,
        moderate: false,
    };
    let mut room = pair();
    // In the waiting room: events only.
    let waiting = Capabilities {
        receive_events: true,
        ..none
    };
    assert_eq!(
        room.join_with(3, Native, waiting).unwrap()[..2],
        ["[3] assigned 3", "[3] presence all=[1 2] left=[]"]
    );
    room.pass(100);
    assert_eq!(
        room.join_with(4, Native, none).unwrap()[0],
        "[4] assigned 4"
    );
    room.pass(100);
    assert_eq!(room.join(5, Stock).last().unwrap(), "[2] joined 5");

    for track in Track::ALL {
        assert_eq!(
            room.route(&media(3, track, 0, true)),
            Err(DropReason::NotAllowed),
            "{track:?}"
        );
    }
    assert_eq!(
        room.route(&media(1, Track::Camera, 0, true)),
        Ok((vec![2, 5], false))
    );
    assert_eq!(room.ask(3, 1, Track::Camera), Err(DropReason::NotAllowed));
    let opaque = forwarded(
        &packet(PacketKind::MEDIA, Bytes::from_static(b"\xff\xff")),
        3,
    );
    assert_eq!(room.route(&opaque), Err(DropReason::NotAllowed));

    let audio_only = Capabilities {
        publish_audio: true,
        ..none
    };
    room.join_with(6, Native, audio_only).unwrap();
    assert_eq!(
        room.route(&media(6, Track::Microphone, 0, true)),
        Ok((vec![1, 2, 5], false))
    );
    assert_eq!(
        room.route(&media(6, Track::ScreenAudio, 0, true)),
        Ok((vec![1], false))
    );
    assert_eq!(
        room.route(&media(6, Track::Screen, 0, true)),
        Err(DropReason::NotAllowed)
    );
}

#[test]
fn a_late_joiner_gets_keyframes_of_live_video() {
    let mut room = pair();
    room.route(&media(1, Track::Camera, 0, true)).unwrap();
    room.route(&media(1, Track::Microphone, 0, true)).unwrap();
    // A still screen sends nothing, but the heartbeat tells of it.
    room.route(&forwarded(
        &stock(&video_packet(MediaType::SCREEN, 0, true)),
        2,
    ))
    .unwrap();
    room.pass(200);
    let told = room.join(3, Native);
    // To a stock client it comes from somebody, for it takes session 0 for nobody.
    assert!(
        told.contains(&"[1] keyframe of 1 CAMERA 0".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"[2] keyframe of u2 SCREEN for 1".to_owned()),
        "{told:?}"
    );
    assert_eq!(keyframes(told).len(), 2);

    // Long silent, and no heartbeat says otherwise.
    room.pass(10_000);
    let told = room.join(4, Native);
    assert_eq!(keyframes(told), NOTHING);
    room.pass(100);
    room.route(&heartbeat(1, true, false)).unwrap();
    room.commands();
    assert!(
        room.join(5, Native)
            .contains(&"[1] keyframe of 1 CAMERA 0".to_owned())
    );
}

#[test]
fn somebody_who_may_not_receive_media_needs_no_keyframe() {
    let mut room = pair();
    room.route(&media(1, Track::Camera, 0, true)).unwrap();
    let deaf = Capabilities {
        receive_media: false,
        ..Capabilities::default()
    };
    let told = room.join_with(3, Native, deaf).unwrap();
    assert_eq!(keyframes(told), NOTHING);
}

#[test]
fn keyframe_requests_are_merged_and_none_is_lost() {
    let mut room = pair();
    room.join(3, Native);
    room.route(&media(1, Track::Camera, 0, true)).unwrap();
    room.route(&media(1, Track::Screen, 0, true)).unwrap();
    room.pass(100);
    assert_eq!(
        room.ask(2, 1, Track::Camera).unwrap(),
        ["[1] keyframe of 1 CAMERA 0"]
    );
    assert_eq!(room.ask(3, 1, Track::Camera).unwrap(), NOTHING);
    assert_eq!(
        room.ask(3, 1, Track::Screen).unwrap(),
        ["[1] keyframe of 1 SCREEN 0"]
    );
    assert_eq!(keyframes(room.pass(299)), NOTHING);
    assert_eq!(keyframes(room.pass(1)), ["[1] keyframe of 1 CAMERA 0"]);
    assert_eq!(keyframes(room.pass(1000)), NOTHING);

    // A keyframe that passes settles what is held back.
    assert_eq!(room.ask(2, 1, Track::Camera).unwrap().len(), 1);
    assert_eq!(room.ask(3, 1, Track::Camera).unwrap(), NOTHING);
    room.route(&media(1, Track::Camera, 7, true)).unwrap();
    assert_eq!(keyframes(room.pass(1000)), NOTHING);

    // Nobody is asked for oneself's, and nobody unknown.
    assert_eq!(room.ask(1, 1, Track::Camera).unwrap(), NOTHING);
    assert_eq!(room.ask(1, 9, Track::Camera).unwrap(), NOTHING);
}

#[test]
fn relays_tell_each_other_of_their_members() {
    assert_eq!(TestRoom::default().bus_up(), ["bus hello"]);
    let mut room = pair();
    assert_eq!(
        room.bus_up(),
        ["bus hello", "bus members all=[1 2] left=[]"]
    );
    assert_eq!(
        room.bus(messages::hello(OTHER)),
        ["bus members all=[1 2] left=[]"]
    );
    assert_eq!(
        room.bus(members(OTHER, true, &[(8, false), (9, true)], &[])),
        [
            "[1] presence news=[8 9+cam] left=[]",
            "[2] joined 8",
            "[2] joined 9"
        ],
    );
    room.pass(100);
    assert_eq!(
        room.join(3, Native),
        [
            "[3] assigned 3",
            "[3] presence all=[1 2 8 9+cam] left=[]",
            "bus keyframe of 9 CAMERA 3",
            "[1] presence news=[3] left=[]",
            "[2] joined 3",
            "bus members news=[3] left=[]",
        ],
    );
    room.pass(100);
    // A snapshot that says nothing new is not passed on; one that lacks somebody is a leave.
    assert_eq!(
        room.bus(members(OTHER, true, &[(8, false), (9, true)], &[])),
        NOTHING
    );
    assert_eq!(
        room.bus(members(OTHER, true, &[(9, true)], &[])),
        ["forget 8", "[1, 3] presence news=[] left=[8]", "[2] left 8"],
    );
    room.pass(100);
    assert_eq!(
        room.bus(members(OTHER, false, &[], &[9])),
        ["forget 9", "[1, 3] presence news=[] left=[9]", "[2] left 9"],
    );
    room.pass(100);
    assert_eq!(
        room.leave(3),
        [
            "forget 3",
            "[1] presence news=[] left=[3]",
            "[2] left 3",
            "bus members news=[] left=[3]"
        ]
    );
}

#[test]
fn a_relay_that_was_not_heard_before_is_told_everything() {
    let mut room = pair();
    let told = room.bus(members(OTHER, true, &[], &[]));
    assert_eq!(told, ["bus members all=[1 2] left=[]"]);
    assert_eq!(room.bus(members(OTHER, true, &[], &[])), NOTHING);
    // Its own voice is no other relay.
    assert_eq!(room.bus(messages::hello(SERVER)), NOTHING);
    assert!(
        room.room
            .handle_bus_event(
                &Bytes::from_static(b"\xff"),
                videocall_types::Timestamp::ZERO
            )
            .is_err()
    );
}

#[test]
fn packets_go_to_the_bus_while_another_relay_has_members() {
    let mut room = pair();
    assert_eq!(
        room.route(&media(1, Track::Camera, 0, true)),
        Ok((vec![2], false))
    );
    room.bus(messages::hello(OTHER));
    assert_eq!(
        room.route(&media(1, Track::Camera, 1, false)),
        Ok((vec![2], false))
    );
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    assert_eq!(
        room.route(&media(1, Track::Camera, 2, false)),
        Ok((vec![2], true))
    );
    room.bus(messages::bye(OTHER));
    assert_eq!(
        room.route(&media(1, Track::Camera, 3, false)),
        Ok((vec![2], false))
    );
}

#[test]
fn packets_from_the_bus_go_to_local_members_only() {
    let mut room = pair();
    let forward = media(9, Track::Camera, 0, true);
    assert_eq!(room.route_from_relay(&forward), Err(DropReason::NotMember));
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    assert_eq!(room.route_from_relay(&forward), Ok((vec![1, 2], false)));
    assert_eq!(
        room.route_from_relay(&heartbeat(9, true, false)),
        Ok((vec![2], false))
    );
    assert_eq!(
        room.route_from_relay(&media(9, Track::ScreenAudio, 0, true)),
        Ok((vec![1], false))
    );
    // A member of ours can't be spoken for.
    assert_eq!(
        room.route_from_relay(&media(2, Track::Camera, 0, true)),
        Err(DropReason::NotMember)
    );
}

#[test]
fn a_silent_relay_is_gone_with_its_members() {
    let mut room = pair();
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    let lines = room.pass(5_900);
    assert!(
        lines
            .iter()
            .all(|line| line == "bus members all=[1 2] left=[]"),
        "{lines:?}"
    );
    // Still there: it was heard again.
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    let quiet = room.pass(5_999);
    assert!(
        !quiet.iter().any(|line| line.contains("left=[9]")),
        "{quiet:?}"
    );
    let lines = room.pass(1);
    assert!(
        lines.contains(&"[1] presence news=[] left=[9]".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"[2] left 9".to_owned()), "{lines:?}");
}

#[test]
fn keyframes_of_remote_members_are_asked_over_the_bus() {
    let mut room = pair();
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    assert_eq!(
        room.ask(1, 9, Track::Camera).unwrap(),
        ["bus keyframe of 9 CAMERA 3"]
    );
    assert_eq!(room.ask(2, 9, Track::Camera).unwrap(), NOTHING);
    room.route_from_relay(&media(9, Track::Camera, 4, true))
        .unwrap();
    let lines = room.pass(1000);
    assert!(
        !lines.iter().any(|line| line.contains("keyframe")),
        "{lines:?}"
    );

    // The other way round.
    let request = messages::remote_keyframe_request(OTHER, layer(1, Track::Screen));
    assert_eq!(room.bus(request), ["[1] keyframe of 1 SCREEN 0"]);
    let unknown = layer(77, Track::Screen);
    assert_eq!(
        room.bus(messages::remote_keyframe_request(OTHER, unknown)),
        NOTHING
    );
}

#[test]
fn a_relay_can_not_report_the_members_of_others() {
    let mut room = pair();
    assert_eq!(
        room.bus(members(OTHER, true, &[(1, true)], &[])),
        ["bus members all=[1 2] left=[]"]
    );
    room.bus(members(OTHER, true, &[(9, false)], &[]));
    room.pass(100);
    room.bus(members(ServerId(3), true, &[(9, true)], &[]));
    assert_eq!(room.bus(members(ServerId(3), false, &[], &[1, 9])), NOTHING);
    assert_eq!(room.pass(100), NOTHING);
    assert_eq!(room.bus(messages::bye(ServerId(3))), NOTHING);
    assert_eq!(
        room.route(&media(1, Track::Camera, 0, true)),
        Ok((vec![2], true))
    );
}

#[test]
fn an_empty_room_says_bye() {
    let mut room = pair();
    room.room.close();
    assert_eq!(room.commands(), ["bus bye"]);
}
