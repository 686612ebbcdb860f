//! Who gets which video, and what its publisher hears.

use relay_core::ingress::from_relay;
use relay_core::{Dialect, DropReason, Profile, messages};
use videocall_types::claims::Capabilities;
use videocall_types::{DisplayName, Interest, LayerSet, Track};

use crate::support::{OTHER, TestRoom, film, filmed_room, media, session, simulcast, user, wishes};

const NOTHING: [&str; 0] = [];
/// What the hold time is over after.
const HELD: u64 = 1_000;

/// Who gets the camera of member 1 from a keyframe on.
fn viewers(room: &mut TestRoom) -> Vec<u64> {
    film(room, true);
    let mut viewers = film(room, false).concat();
    viewers.sort_unstable();
    viewers
}

fn demands(lines: Vec<String>) -> Vec<String> {
    let is_demand = |line: &String| line.contains("demand") || line.contains("keyframe");
    lines.into_iter().filter(is_demand).collect()
}

#[test]
fn video_goes_to_those_who_show_it_and_sound_to_all() {
    let mut room = filmed_room(4);
    assert_eq!(viewers(&mut room), [2, 3, 4]);
    room.wish(2, false, &[]);
    room.wish(3, false, &[(1, 180)]);
    room.wish(4, true, &[(2, 180)]);
    assert_eq!(viewers(&mut room), [3, 4]);
    assert_eq!(film(&mut room, false), [vec![3], vec![], vec![4]]);
    let (hearers, _) = room.route(&media(1, Track::Microphone, 0, true)).unwrap();
    assert_eq!(hearers, [2, 3, 4]);
    assert_eq!(
        room.route(&media(1, Track::Screen, 0, true)).unwrap().0,
        [4]
    );
}

#[test]
fn a_publisher_hears_after_a_while_that_less_is_shown() {
    let mut room = filmed_room(3);
    assert_eq!(
        room.wish(2, true, &[(1, 180)]),
        ["[1] demand Camera 0+3", "[1] keyframe of 1 CAMERA 0"]
    );
    assert_eq!(demands(room.pass(HELD)), NOTHING, "3 has said nothing");
    room.wish(3, true, &[(1, 360)]);
    film(&mut room, true);
    assert_eq!(demands(room.pass(HELD - 1)), NOTHING);
    assert_eq!(demands(room.pass(1)), ["[1] demand Camera 0+1"]);
    room.leave(3);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera 0"]);
    room.wish(2, false, &[]);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);
    assert_eq!(viewers(&mut room), []);
}

#[test]
fn a_picture_that_is_hidden_for_a_moment_goes_on() {
    let mut room = filmed_room(2);
    room.wish(2, false, &[(1, 180)]);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera 0"]);
    film(&mut room, true);
    room.wish(2, false, &[]);
    room.pass(HELD / 2);
    assert_eq!(
        room.wish(2, false, &[(1, 180)]),
        ["[1] keyframe of 1 CAMERA 0"]
    );
    film(&mut room, true);
    assert_eq!(demands(room.pass(3 * HELD)), NOTHING);
}

#[test]
fn more_is_told_at_once_and_a_picture_that_was_hidden_begins_with_a_keyframe() {
    let mut room = filmed_room(3);
    room.wish(2, false, &[]);
    room.wish(3, false, &[(1, 180)]);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera 0"]);
    film(&mut room, true);
    assert_eq!(
        room.wish(3, false, &[(1, 720)]),
        ["[1] demand Camera 0+2", "[1] keyframe of 1 CAMERA 2"]
    );
    film(&mut room, true);
    assert_eq!(
        room.wish(2, false, &[(1, 180)]),
        ["[1] keyframe of 1 CAMERA 0"]
    );
    room.wish(2, false, &[]);
    room.wish(3, false, &[]);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);
    assert_eq!(
        room.wish(2, false, &[(1, 360)]),
        ["[1] demand Camera 1", "[1] keyframe of 1 CAMERA 1"]
    );
}

#[test]
fn whoever_is_alone_pauses_until_somebody_comes() {
    let mut room = filmed_room(1);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);
    let lines = demands(room.join(2, Dialect::Native));
    assert_eq!(lines, ["[1] demand Camera 3", "[1] keyframe of 1 CAMERA 2"]);
}

#[test]
fn a_stock_member_shows_everything_and_is_told_nothing() {
    let mut room = filmed_room(1);
    room.join(2, Dialect::Stock);
    room.route(&media(2, Track::Camera, 0, true)).unwrap();
    room.commands();
    room.wish(1, false, &[]);
    assert_eq!(viewers(&mut room), [2]);
    assert_eq!(demands(room.pass(3 * HELD)), NOTHING);
    assert_eq!(
        room.route(&media(2, Track::Camera, 1, false)).unwrap().0,
        []
    );
}

#[test]
fn who_may_not_receive_can_wish_nothing_and_does_not_count() {
    let mut room = filmed_room(1);
    let blind = Capabilities {
        receive_media: false,
        ..Capabilities::default()
    };
    room.join_with(2, Dialect::Native, blind).unwrap();
    let wished = room.room.wish(session(2), wishes(true, &[]), room.now());
    assert_eq!(wished, Err(DropReason::NotAllowed));
    let wished = room.room.wish(session(9), wishes(true, &[]), room.now());
    assert_eq!(wished, Err(DropReason::NotMember));
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);
}

#[test]
fn in_a_large_room_video_comes_when_it_is_wished_for() {
    let mut room = filmed_room(24);
    room.join(25, Dialect::Native);
    room.join(26, Dialect::Stock);
    let seen = viewers(&mut room);
    assert!(seen.contains(&24) && !seen.contains(&25) && seen.contains(&26));
    room.wish(25, false, &[(1, 180)]);
    assert!(viewers(&mut room).contains(&25));
}

/// Of another relay whose members get a layer of each of these cameras.
fn interest(cameras: &[(u64, u8)]) -> Interest {
    let cameras = cameras.iter();
    Interest {
        tracks: cameras
            .map(|(id, layer)| ((session(*id), Track::Camera), LayerSet::only(*layer)))
            .collect(),
        others: false,
    }
}

/// Another relay reports member 9, with its camera on.
fn with_relay(mut room: TestRoom) -> TestRoom {
    let profile = Profile {
        user: user(9).parse().unwrap(),
        name: DisplayName::new(&user(9)),
        state: relay_core::MediaState {
            camera: true,
            ..Default::default()
        },
    };
    let members = [(session(9), &profile)].into_iter();
    room.bus(messages::members(OTHER, true, members, std::iter::empty()));
    room
}

fn interest_lines(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| line.starts_with("bus interest"))
        .collect()
}

#[test]
fn other_relays_hear_what_the_members_of_this_one_show_together() {
    let mut room = with_relay(filmed_room(2));
    room.wish(1, false, &[(9, 180), (2, 720)]);
    assert_eq!(
        interest_lines(room.pass(HELD)),
        NOTHING,
        "2 wants everything, and 1 has said at once what it wants"
    );
    room.wish(2, false, &[]);
    assert_eq!(
        interest_lines(room.pass(HELD)).last().unwrap(),
        "bus interest [9:0]"
    );
    let raised = room.wish(2, false, &[(9, 360)]);
    assert_eq!(
        raised,
        ["bus interest [9:0+1]", "bus keyframe of 9 CAMERA 1"]
    );
    assert!(
        !interest_lines(room.pass(2 * HELD)).is_empty(),
        "with each snapshot"
    );
    let all = room.join(3, Dialect::Native);
    assert_eq!(interest_lines(all), ["bus interest [9:0+1+3] and others"]);
}

#[test]
fn what_other_relays_show_counts_and_the_bus_carries_only_that() {
    let mut room = with_relay(filmed_room(2));
    let carries = |room: &mut TestRoom| {
        let layer = |layer| room.route(&simulcast(1, layer, 0b111, false)).unwrap().1;
        [0, 1, 2].map(layer)
    };
    assert_eq!(carries(&mut room), [false, false, true]);
    room.wish(2, false, &[]);
    assert_eq!(
        demands(room.pass(HELD)),
        NOTHING,
        "the other relay has said nothing"
    );

    room.bus(messages::interest(OTHER, &interest(&[])));
    assert_eq!(carries(&mut room), [false; 3]);
    assert!(room.route(&media(1, Track::Microphone, 0, true)).unwrap().1);
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);

    let raised = room.bus(messages::interest(OTHER, &interest(&[(1, 0)])));
    assert_eq!(raised, ["[1] demand Camera 0"]);
    assert_eq!(carries(&mut room), [true, false, false]);
    room.bus(messages::bye(OTHER));
    assert_eq!(demands(room.pass(HELD)), ["[1] demand Camera paused"]);
}

#[test]
fn a_relay_that_comes_back_does_not_hear_what_was_shown_before() {
    let mut room = with_relay(filmed_room(2));
    room.wish(1, false, &[]);
    room.wish(2, false, &[]);
    let told = interest_lines(room.pass(HELD));
    assert_eq!(told.last().unwrap(), "bus interest []");
    room.bus(messages::bye(OTHER));
    room.wish(2, true, &[]);
    let told = room.bus(messages::hello(OTHER));
    assert_eq!(interest_lines(told), NOTHING, "it sends everything");
}

#[test]
fn video_of_other_relays_goes_to_those_who_show_it() {
    let mut room = with_relay(filmed_room(2));
    room.wish(2, false, &[(9, 180)]);
    room.wish(1, false, &[]);
    let frame = media(9, Track::Camera, 0, true);
    let frame = from_relay(frame.packet.to_bytes()).unwrap();
    assert_eq!(room.route_from_relay(&frame).unwrap().0, [2]);
}
