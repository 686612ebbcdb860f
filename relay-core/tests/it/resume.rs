//! Losing a connection and coming back.

use crate::support::{TestRoom, heartbeat, media, session};
use relay_core::{Dialect, DropReason};
use videocall_types::Track;

use Dialect::{Native, Stock};

const NOTHING: [&str; 0] = [];
const ABSENCE: u64 = 9000;

/// Two native members and a stock one, told of each other.
fn three() -> TestRoom {
    let mut room = TestRoom::default();
    for (id, dialect) in [(1, Native), (2, Native), (3, Stock)] {
        room.join(id, dialect);
        room.pass(100);
    }
    room
}

/// Time passes; what members are told meanwhile.
fn pass(room: &mut TestRoom, millis: u64) -> Vec<String> {
    let mut told = room.pass(millis);
    told.retain(|line| !line.starts_with("bus members all"));
    told
}

#[test]
fn nobody_notices_that_somebody_was_away() {
    let mut room = three();
    assert_eq!(room.lose(1, 0), NOTHING);
    assert_eq!(pass(&mut room, ABSENCE - 100), NOTHING);
    let told = room.resume(11, 1, 1, 1).unwrap();
    assert_eq!(told, ["[1] assigned 1", "[1] presence all=[2 3] left=[]"]);
    assert_eq!(pass(&mut room, 2 * ABSENCE), NOTHING);
    assert_eq!(room.room.handle(session(1)), Some(&session(11)));
    // Its packets are those of the session.
    let (receivers, _) = room.route(&media(1, Track::Camera, 0, true)).unwrap();
    assert_eq!(receivers, [2, 3]);
    // And it may be lost again, by what carries it now.
    room.lose(11, 0);
    assert!(room.resume(12, 1, 1, 1).is_some());
    let left = room.leave(12);
    assert_eq!(
        left,
        ["forget 1", "[2] presence news=[] left=[1]", "[3] left 1"]
    );
}

#[test]
fn whoever_does_not_come_back_has_left_once() {
    let mut room = three();
    room.lose(1, 200);
    assert_eq!(pass(&mut room, ABSENCE - 201), NOTHING);
    assert_eq!(
        pass(&mut room, 1),
        ["forget 1", "[2] presence news=[] left=[1]", "[3] left 1"]
    );
    assert_eq!(room.resume(11, 1, 1, 1), None);
    assert_eq!(pass(&mut room, 2 * ABSENCE), NOTHING);
}

#[test]
fn whoever_was_silent_for_long_before_the_loss_has_left_at_once() {
    let mut room = three();
    pass(&mut room, 20_000);
    assert_eq!(room.lose(1, ABSENCE)[0], "forget 1");
}

#[test]
fn a_new_connection_replaces_one_that_seems_to_live() {
    let mut room = three();
    assert!(room.resume(11, 1, 1, 1).is_some());
    // The end of the old one means nothing any more.
    assert_eq!(room.leave(1), NOTHING);
    assert_eq!(room.lose(1, 0), NOTHING);
    assert_eq!(pass(&mut room, 2 * ABSENCE), NOTHING);
    assert_eq!(room.leave(11)[0], "forget 1");
}

#[test]
fn only_the_secret_of_the_session_and_its_own_user_resume_it() {
    let mut room = three();
    room.lose(1, 0);
    assert_eq!(room.resume(11, 1, 2, 1), None, "another secret");
    assert_eq!(room.resume(11, 1, 1, 2), None, "another user");
    assert_eq!(room.resume(11, 7, 1, 1), None, "no such session");
    assert_eq!(room.resume(11, 3, 3, 3), None, "a stock session");
    assert!(room.resume(11, 1, 1, 1).is_some());
}

#[test]
fn stock_sessions_do_not_come_back() {
    let mut room = three();
    assert_eq!(room.lose(3, 0)[0], "forget 3");
}

#[test]
fn a_relay_that_stops_waits_for_nobody() {
    let mut room = three();
    room.lose(1, 0);
    assert_eq!(room.end_waiting()[0], "forget 1");
    assert_eq!(room.lose(2, 0)[0], "forget 2");
    room.leave(3);
    assert!(room.room.is_empty());
}

#[test]
fn a_room_is_there_for_those_who_are_away() {
    let mut room = TestRoom::default();
    room.join(1, Native);
    room.lose(1, 0);
    assert!(!room.room.is_empty());
    pass(&mut room, ABSENCE);
    assert!(room.room.is_empty());
    assert_eq!(
        room.route(&media(1, Track::Camera, 0, true)),
        Err(DropReason::NotMember)
    );
}

#[test]
fn pictures_begin_with_a_keyframe_after_the_return() {
    let mut room = three();
    room.route(&heartbeat(2, true, false)).unwrap();
    room.route(&media(2, Track::Camera, 0, true)).unwrap();
    pass(&mut room, 1000);
    room.lose(1, 0);
    let told = room.resume(11, 1, 1, 1).unwrap();
    assert!(
        told.iter().any(|line| line.starts_with("[2] keyframe")),
        "{told:?}"
    );
}
