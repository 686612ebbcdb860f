//! Listeners that lose sound are heard by those whom they hear.

use relay_core::{Dialect, DropReason, messages};
use videocall_types::claims::Capabilities;

use crate::support::{OTHER, TestRoom, lacks, remote_members, session};

const NOTHING: [&str; 0] = [];

fn room(count: u64) -> TestRoom {
    let mut room = TestRoom::default();
    for id in 1..=count {
        room.join(id, Dialect::Native);
    }
    room
}

#[test]
fn a_publisher_hears_what_its_worst_listener_lacks() {
    let mut room = room(3);
    assert_eq!(room.lack(2, &[(1, 1)]), ["[1] redundancy [1:1]"]);
    assert_eq!(
        room.lack(3, &[(1, 2), (2, 1)]),
        ["[1] redundancy [1:2]", "[2] redundancy [2:1]"]
    );
    assert_eq!(room.lack(2, &[]), NOTHING);
    assert_eq!(room.lack(1, &[(1, 2)]), NOTHING, "nobody hears oneself");
    assert_eq!(
        room.lack(3, &[(1, 1)]),
        ["[1] redundancy [1:1]", "[2] redundancy []"]
    );
    assert_eq!(room.leave(3), ["forget 3", "[1] redundancy []"]);
}

#[test]
fn stock_publishers_and_strangers_are_not_told() {
    let mut room = room(1);
    room.join(2, Dialect::Stock);
    assert_eq!(room.lack(1, &[(2, 2), (9, 2)]), NOTHING);
    let deaf = Capabilities {
        receive_media: false,
        ..Capabilities::default()
    };
    room.join_with(3, Dialect::Native, deaf).unwrap();
    let refused = room.room.lack(session(3), lacks(&[(1, 2)]));
    assert_eq!(refused, Err(DropReason::NotAllowed));
}

#[test]
fn relays_pass_on_what_their_members_lack() {
    let mut room = room(2);
    remote_members(&mut room, &[9]);
    room.pass(60);
    assert_eq!(
        room.lack(2, &[(1, 1), (9, 2)]),
        ["[1] redundancy [1:1]", "bus redundancy [9:2]"]
    );
    let others_lack = messages::remote_redundancy(OTHER, &lacks(&[(1, 2), (9, 2)]));
    assert_eq!(room.bus(others_lack), ["[1] redundancy [1:2]"]);
    let repeated = room.pass(2_000);
    assert!(
        repeated.contains(&"bus redundancy [9:2]".to_owned()),
        "{repeated:?}"
    );
    let told = room.bus(messages::bye(OTHER));
    assert!(
        told.contains(&"[1] redundancy [1:1]".to_owned()),
        "{told:?}"
    );
}

#[test]
fn a_relay_that_was_lost_hears_again_what_is_lacked() {
    let mut room = room(2);
    remote_members(&mut room, &[9]);
    assert_eq!(room.lack(2, &[(9, 2)]), ["bus redundancy [9:2]"]);
    let told = room.bus(messages::bye(OTHER));
    assert!(told.contains(&"bus redundancy []".to_owned()), "{told:?}");
    let told = remote_members(&mut room, &[9]);
    assert!(
        told.contains(&"bus redundancy [9:2]".to_owned()),
        "{told:?}"
    );
}
