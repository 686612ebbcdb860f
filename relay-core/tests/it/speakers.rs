//! Who is told who speaks.

use relay_core::Dialect;
use relay_core::ingress::from_relay;
use videocall_types::Track;

use crate::support::{TestRoom, heartbeat, media, remote_members, sound};

const NOTHING: [&str; 0] = [];

/// Native members 1 to 4, who have said nothing.
fn room() -> TestRoom {
    let mut room = TestRoom::default();
    for id in 1..=4 {
        room.join(id, Dialect::Native);
    }
    room.commands();
    room
}

/// These (session, level) sound for so many milliseconds. Who is told meanwhile that who speaks, and when.
fn talk(room: &mut TestRoom, millis: u64, voices: &[(u64, u8)]) -> Vec<String> {
    let mut told = Vec::new();
    for at in (0..millis).step_by(20) {
        for (id, level) in voices {
            room.route(&sound(*id, Track::Microphone, *level)).unwrap();
        }
        let said = [room.commands(), room.pass(20)].concat();
        let of_speakers = said.iter().filter(|said| said.contains("speakers"));
        told.extend(of_speakers.map(|said| format!("{at} {said}")));
    }
    told
}

#[test]
fn everybody_hears_who_begins_and_who_ends() {
    let mut room = room();
    assert_eq!(
        talk(&mut room, 200, &[(2, 30)]),
        ["60 [1, 2, 3, 4] speakers [2]"]
    );
    // Others join in, and are told of together if they begin together.
    assert_eq!(
        talk(&mut room, 200, &[(2, 30), (4, 30), (1, 30)]),
        [
            "60 [1, 2, 3, 4] speakers [2, 4]",
            "140 [1, 2, 3, 4] speakers [2, 4, 1]"
        ]
    );
    // Frames that are no speech, and none at all, are both silence.
    assert_eq!(
        talk(&mut room, 2000, &[(1, 30), (4, 80)]),
        ["960 [1, 2, 3, 4] speakers [1]"]
    );
    assert_eq!(talk(&mut room, 2000, &[]), ["960 [1, 2, 3, 4] speakers []"]);
}

#[test]
fn a_click_and_a_breath_are_neither_speech_nor_its_end() {
    let mut room = room();
    assert_eq!(talk(&mut room, 60, &[(2, 20)]), NOTHING);
    assert_eq!(talk(&mut room, 40, &[(2, 90)]), NOTHING);
    assert_eq!(talk(&mut room, 60, &[(2, 20)]), NOTHING);
    assert_eq!(talk(&mut room, 40, &[(2, 20)]).len(), 1);
    assert_eq!(talk(&mut room, 960, &[(2, 90)]), NOTHING);
    assert_eq!(talk(&mut room, 200, &[(2, 20)]), NOTHING);
}

#[test]
fn who_is_much_louder_leads_and_who_pauses_goes_on_leading() {
    let mut room = room();
    talk(&mut room, 200, &[(1, 38)]);
    assert_eq!(
        talk(&mut room, 500, &[(1, 38), (2, 29)]),
        ["60 [1, 2, 3, 4] speakers [1, 2]"],
        "9 dB are not much"
    );
    assert_eq!(
        talk(&mut room, 500, &[(1, 38), (3, 28)]),
        ["60 [1, 2, 3, 4] speakers [3, 1, 2]"]
    );
    assert_eq!(
        talk(&mut room, 400, &[(1, 38), (2, 29), (3, 127)]),
        NOTHING,
        "a pause makes nobody quieter"
    );
}

#[test]
fn who_leaves_speaks_no_more_and_a_newcomer_hears_who_does() {
    let mut room = room();
    talk(&mut room, 400, &[(1, 30), (2, 30)]);
    room.leave(1);
    room.commands();
    assert_eq!(talk(&mut room, 20, &[]), ["0 [2, 3, 4] speakers [2]"]);
    let said = [room.join(5, Dialect::Native), room.join(6, Dialect::Stock)].concat();
    let told: Vec<&String> = said
        .iter()
        .filter(|said| said.contains("speakers"))
        .collect();
    assert_eq!(told, ["[5] speakers [2]"]);
}

#[test]
fn the_heartbeat_speaks_for_those_whose_sound_was_not_measured() {
    let mut room = room();
    room.join(5, Dialect::Stock);
    room.commands();
    assert_eq!(talk(&mut room, 200, &[(5, 0)]), NOTHING);
    room.route(&heartbeat(5, false, true)).unwrap();
    assert_eq!(
        talk(&mut room, 200, &[(5, 0)]),
        ["60 [1, 2, 3, 4] speakers [5]"]
    );
    room.route(&heartbeat(5, false, false)).unwrap();
    assert_eq!(
        talk(&mut room, 1200, &[(5, 0)]),
        ["960 [1, 2, 3, 4] speakers []"]
    );
    // What a member says whose sound is measured does not matter.
    room.route(&heartbeat(2, false, true)).unwrap();
    assert_eq!(talk(&mut room, 200, &[(2, 90)]), NOTHING);
}

#[test]
fn members_of_other_relays_are_told_of_as_well() {
    let mut room = room();
    remote_members(&mut room, &[9]);
    room.commands();
    let mut told = Vec::new();
    for _ in 0..10 {
        let frame = sound(9, Track::Microphone, 30).packet.to_bytes();
        room.route_from_relay(&from_relay(frame).unwrap()).unwrap();
        told.extend(talk(&mut room, 20, &[]));
    }
    assert_eq!(told, ["0 [1, 2, 3, 4] speakers [9]"]);
}

#[test]
fn three_are_named_at_most_and_the_sound_of_a_screen_is_nobody_who_speaks() {
    let mut room = room();
    let all = talk(&mut room, 1000, &[(1, 30), (2, 30), (3, 30), (4, 30)]);
    assert_eq!(
        all.last().unwrap().split_once(' ').unwrap().1,
        "[1, 2, 3, 4] speakers [1, 2, 3]"
    );
    let mut room = self::room();
    for _ in 0..20 {
        room.route(&sound(1, Track::ScreenAudio, 20)).unwrap();
        room.route(&media(1, Track::Camera, 0, true)).unwrap();
        room.pass(20);
    }
    let said = room.commands();
    assert!(
        !said.iter().any(|said| said.contains("speakers")),
        "{said:?}"
    );
}

/// However wildly somebody's level jumps.
#[test]
fn messages_keep_their_distance() {
    let mut room = room();
    let mut times = Vec::new();
    for at in (0..4000).step_by(5) {
        let (loud, quiet) = if at / 50 % 2 == 0 { (10, 40) } else { (40, 10) };
        for (id, level) in [(1, loud), (2, quiet)] {
            room.route(&sound(id, Track::Microphone, level)).unwrap();
        }
        let said = [room.commands(), room.pass(5)].concat();
        if said.iter().any(|said| said.contains("speakers")) {
            times.push(at);
        }
    }
    assert!(times.len() > 10, "{times:?}");
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] >= 95),
        "{times:?}"
    );
}
