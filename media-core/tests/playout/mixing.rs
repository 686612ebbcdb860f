//! Many streams as one.

use media_core::playout::{MAX_STREAMS, Mixer, StreamId};

use super::support::*;

fn id(session: u64, track: u32) -> StreamId {
    StreamId { session, track }
}

/// Plays `seconds` of the same stream from every one of `ids`.
fn mix(mixer: &mut Mixer, ids: &[StreamId], sound: impl Fn(u64) -> f32, seconds: u64) -> Vec<f32> {
    let mut heard = Vec::new();
    for packet in send(sound, seconds * SECOND) {
        while heard.len() + QUANTUM <= packet.arrives as usize {
            let mut out = [0.0; QUANTUM];
            mixer.render(&mut out);
            heard.extend(out);
        }
        for id in ids {
            mixer.push(*id, decoded(packet.sequence, &packet.samples));
        }
    }
    heard
}

#[test]
fn nobody_is_silence() {
    let mut out = [1.0; 1_000];
    Mixer::default().render(&mut out);
    assert_eq!(out, [0.0; 1_000]);
}

#[test]
fn what_is_not_too_loud_is_the_exact_sum() {
    let one = mix(&mut Mixer::default(), &[id(1, 2)], sine(440.0), 1);
    let two = mix(&mut Mixer::default(), &[id(1, 2), id(1, 4)], sine(440.0), 1);
    assert!(one.iter().zip(&two).all(|(one, two)| one * 2.0 == *two));
}

#[test]
fn what_is_too_loud_is_turned_down_and_not_cut() {
    let ids = [id(1, 2), id(2, 2), id(3, 2), id(4, 2)];
    let mut mixer = Mixer::default();
    let heard = mix(&mut mixer, &ids, sine(440.0), 2);
    assert!(heard.iter().all(|sample| sample.abs() <= 1.0));
    // A sine again, as loud as possible: clipping would raise its RMS above 0.707.
    let level = rms(&heard[48_000..]);
    assert!((0.68..0.72).contains(&level), "{level}");

    for id in &ids[1..] {
        mixer.remove(*id);
    }
    let alone = mix(&mut mixer, &ids[..1], sine(440.0), 4);
    assert!(
        (rms(&alone[3 * 48_000..]) - 0.3535).abs() < 0.001,
        "and up again"
    );
}

#[test]
fn streams_are_removed_one_by_one_or_by_session() {
    let mut mixer = Mixer::default();
    for (session, track) in [(1, 2), (1, 4), (2, 2)] {
        mixer.push(id(session, track), decoded(0, &[0.1; PACKET]));
    }
    mixer.remove(id(2, 4));
    mixer.remove(id(1, 4));
    let left = |mixer: &Mixer| mixer.stats().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(left(&mixer), [id(1, 2), id(2, 2)]);
    mixer.remove_session(1);
    assert_eq!(left(&mixer), [id(2, 2)]);
}

#[test]
fn the_most_idle_stream_makes_room_for_a_new_one() {
    let mut mixer = Mixer::default();
    for session in 0..MAX_STREAMS as u64 {
        mixer.push(id(session, 2), decoded(0, &[0.1; PACKET]));
    }
    mixer.render(&mut [0.0; QUANTUM]);
    for session in (0..MAX_STREAMS as u64).filter(|session| *session != 77) {
        mixer.push(id(session, 2), decoded(1, &[0.1; PACKET]));
    }
    mixer.push(id(1_000, 2), decoded(0, &[0.1; PACKET]));
    assert_eq!(mixer.stats().count(), MAX_STREAMS);
    assert!(mixer.stats().all(|(id, _)| id.session != 77));
    assert!(mixer.stats().any(|(id, _)| id.session == 1_000));
}
