//! What somebody gets whose connection does not carry all.

use videocall_types::Track;

use crate::support::{TestRoom, film, filmed_room, session, simulcast, sound};

fn limit(room: &mut TestRoom, id: u64, limit: Option<u64>) -> Vec<String> {
    let now = room.now();
    room.room.limit_downlink(session(id), limit, now);
    room.commands()
}

#[test]
fn a_slow_receiver_gets_less_and_nobody_else_does() {
    let mut room = filmed_room(3);
    assert_eq!(film(&mut room, false), [vec![], vec![], vec![2, 3]]);
    let told = limit(&mut room, 3, Some(300_000));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("[3] wants Some("), "{told:?}");
    assert_eq!(
        told[1..],
        ["[1] demand Camera 0+3", "[1] keyframe of 1 CAMERA 0"]
    );
    // The picture goes on until the small one begins.
    assert_eq!(film(&mut room, false), [vec![], vec![], vec![2, 3]]);
    film(&mut room, true);
    assert_eq!(film(&mut room, false), [vec![3], vec![], vec![2]]);
    assert_eq!(
        room.route(&sound(1, Track::Microphone, 20)).unwrap().0,
        [2, 3]
    );

    room.pass(400);
    let told = limit(&mut room, 3, None);
    assert_eq!(told, ["[3] wants None", "[1] keyframe of 1 CAMERA 2"]);
    assert_eq!(film(&mut room, false), [vec![3], vec![], vec![2]]);
    film(&mut room, true);
    assert_eq!(film(&mut room, false), [vec![], vec![], vec![2, 3]]);
}

#[test]
fn what_does_not_fit_at_all_is_not_sent_and_comes_back_with_a_keyframe() {
    let mut room = filmed_room(3);
    let told = limit(&mut room, 3, Some(60_000));
    assert!(told[0].starts_with("[3] wants Some("), "{told:?}");
    assert_eq!(film(&mut room, false), [vec![], vec![], vec![2]]);
    let told = limit(&mut room, 3, Some(1_000_000));
    assert!(
        told.contains(&"[1] keyframe of 1 CAMERA 1".to_owned()),
        "{told:?}"
    );
    film(&mut room, true);
    assert_eq!(film(&mut room, false), [vec![], vec![3], vec![2]]);
}

#[test]
fn when_a_layer_ends_its_receivers_go_over_to_the_next_smaller_one() {
    let mut room = filmed_room(3);
    room.pass(400);
    let route = |room: &mut TestRoom, layer, sent, keyframe| {
        let frame = simulcast(1, layer, sent, keyframe);
        room.route(&frame).unwrap().0
    };
    assert_eq!(route(&mut room, 0, 0b011, false), []);
    assert_eq!(room.commands(), ["[1] keyframe of 1 CAMERA 1"]);
    assert_eq!(route(&mut room, 0, 0b001, false), []);
    assert_eq!(room.commands(), ["[1] keyframe of 1 CAMERA 0"]);
    assert_eq!(route(&mut room, 0, 0b001, true), [2, 3]);
    assert_eq!(route(&mut room, 0, 0b001, false), [2, 3]);
    // And back, when the large one begins again.
    assert_eq!(route(&mut room, 2, 0b101, true), [2, 3]);
    assert_eq!(route(&mut room, 0, 0b101, false), []);
}

#[test]
fn what_the_layers_take_is_looked_at_again_now_and_then() {
    let mut room = filmed_room(3);
    // A tenth of what was planned.
    limit(&mut room, 3, Some(300_000));
    for n in 0..40 {
        film(&mut room, n % 10 == 0);
        room.pass(100);
    }
    // A quarter of the plan is what a layer counts at least.
    assert_eq!(film(&mut room, false), [vec![], vec![3], vec![2]]);
}

#[test]
fn a_layer_that_is_not_sent_because_it_does_not_fit_is_not_asked_for_again() {
    let mut room = filmed_room(2);
    limit(&mut room, 2, Some(300_000));
    film(&mut room, true);
    let small = |room: &mut TestRoom| {
        let frame = simulcast(1, 0, 0b1, false);
        (room.route(&frame).unwrap().0, room.commands())
    };
    room.pass(1_000);
    for _ in 0..40 {
        assert_eq!(small(&mut room), (vec![2], vec![]));
        let told = room.pass(100);
        assert!(told.iter().all(|line| line.starts_with("bus")), "{told:?}");
    }
}

#[test]
fn cameras_that_are_off_take_nothing_of_a_connection() {
    let mut room = filmed_room(5);
    let tiles = [(1, 180), (3, 180), (4, 720), (5, 720)];
    room.wish(2, true, &tiles);
    film(&mut room, true);
    let told = limit(&mut room, 2, Some(400_000));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(film(&mut room, false)[0], [2]);
}
