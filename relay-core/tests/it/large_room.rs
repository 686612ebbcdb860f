//! What a thousand people in one room cost each of them.

use std::collections::BTreeSet;

use relay_core::Dialect;
use relay_core::policy::RoomPolicy;
use videocall_types::Track;

use crate::support::{TestRoom, heartbeat, simulcast, sound};

const PEOPLE: u64 = 1_000;

/// How many of these messages the first member gets.
fn to_the_first(lines: &[String]) -> usize {
    lines
        .iter()
        .filter(|line| line.starts_with("[1,") || line.starts_with("[1]"))
        .count()
}

#[test]
fn joins_and_leaves_are_told_together() {
    let mut room = TestRoom::default();
    room.join(1, Dialect::Native);
    let interval = RoomPolicy::default().presence_interval.as_millis() as u64;
    let mut told = 0;
    for id in 2..=PEOPLE {
        told += to_the_first(&room.join(id, Dialect::Native));
        told += to_the_first(&room.pass(5));
    }
    let joining = 5 * (PEOPLE - 1);
    assert!(told as u64 <= joining / interval + 1, "{told}");

    // All at once: one message now, one for the rest.
    let mut told = to_the_first(&room.pass(interval));
    for id in 2..=PEOPLE {
        told += to_the_first(&room.leave(id));
    }
    told += to_the_first(&room.pass(interval));
    assert!(told <= 3, "{told}");
}

#[test]
fn each_gets_three_voices_however_many_speak() {
    let mut room = TestRoom::default();
    for id in 1..=PEOPLE {
        room.join(id, Dialect::Native);
    }
    let mut received = vec![0; PEOPLE as usize + 1];
    // Everybody's microphone is open for a second, and every tenth speaks.
    for _ in 0..50 {
        for id in 1..=PEOPLE {
            let level = if id % 10 == 0 { 30 } else { 80 };
            if let Ok((to, _)) = room.route(&sound(id, Track::Microphone, level)) {
                for receiver in to {
                    received[receiver as usize] += 1;
                }
            }
        }
        room.pass(20);
    }
    // Nobody hears themselves. A place changes hands once within the second.
    let most = 3 * 50 + 3;
    assert!(
        received.iter().all(|packets| *packets <= most),
        "{received:?}"
    );
    assert!(received.iter().skip(1).all(|packets| *packets >= 2 * 50));
}

#[test]
fn each_gets_the_video_that_fits_a_screen_however_many_cameras_there_are() {
    const CAMERAS: u64 = 25;
    const SPEAKERS: u64 = 3;
    let mut room = TestRoom::default();
    for id in 1..=PEOPLE {
        room.join(id, Dialect::Native);
    }
    for id in 1..=CAMERAS {
        room.route(&heartbeat(id, true, id <= SPEAKERS)).unwrap();
    }
    // Everybody shows the first one large, and as many others as there is place for.
    let page = |id: u64| {
        let others = (2..=CAMERAS).filter(move |camera| *camera != id);
        let small = others.map(|camera| (camera, 120));
        std::iter::once((1, 720)).chain(small).collect::<Vec<_>>()
    };
    for id in 1..=PEOPLE {
        room.wish(id, false, &page(id));
    }
    room.pass(1_000);
    let mut video = vec![BTreeSet::new(); PEOPLE as usize + 1];
    let mut frames = vec![0; PEOPLE as usize + 1];
    for keyframe in [true, false, false] {
        for id in 1..=CAMERAS {
            for layer in [0, 1, 2] {
                let (to, _) = room.route(&simulcast(id, layer, 0b111, keyframe)).unwrap();
                for receiver in to {
                    video[receiver as usize].insert((id, layer));
                    frames[receiver as usize] += 1;
                }
            }
        }
        room.pass(33);
    }
    for id in 1..=PEOPLE {
        let wished = page(id).into_iter();
        let expected = wished
            .filter(|(camera, _)| *camera != id)
            .map(|(camera, height)| (camera, if height == 720 { 2 } else { 0 }));
        assert_eq!(video[id as usize], expected.collect(), "what {id} gets");
        assert!(frames[id as usize] <= 3 * CAMERAS);
    }
    // Somebody turns the page: nothing comes of what is not shown any more.
    room.wish(PEOPLE, false, &[(2, 720)]);
    let (to, _) = room.route(&simulcast(1, 2, 0b111, false)).unwrap();
    assert!(!to.contains(&PEOPLE) && to.contains(&(PEOPLE - 1)));

    let mut heard = vec![BTreeSet::new(); PEOPLE as usize + 1];
    for _ in 0..50 {
        for id in 1..=SPEAKERS {
            for receiver in room.route(&sound(id, Track::Microphone, 30)).unwrap().0 {
                heard[receiver as usize].insert(id);
            }
        }
        room.pass(20);
    }
    assert!(heard.iter().all(|voices| voices.len() <= 3));
    assert_eq!(heard[PEOPLE as usize].len(), 3);
}
