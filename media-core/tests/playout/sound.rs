//! What operations do to the sound: pitch, clicks, loudness.

use super::support::*;

/// The steepest step of the sine itself is 0.0288.
const STEEPEST: f32 = 0.035;

/// Frequency from the upward zero crossings, in Hz.
fn pitch(samples: &[f32]) -> f32 {
    let crossings: Vec<f32> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(i, pair)| i as f32 - pair[0] / (pair[1] - pair[0]))
        .collect();
    (crossings.len() - 1) as f32 * 48_000.0 / (crossings[crossings.len() - 1] - crossings[0])
}

#[test]
fn a_sine_keeps_its_pitch_while_it_is_played_faster() {
    let mut packets = send(sine(440.0), 8 * SECOND);
    for packet in &mut packets {
        if (2_000 * MS..2_300 * MS).contains(&packet.arrives) {
            packet.arrives = 2_300 * MS;
        }
    }
    let listener = Listener::hear(packets, 7_000 * MS);
    let end = listener.last();
    assert!(end.operations.accelerate >= 250 * MS, "{end:?}");
    assert!((pitch(listener.sound(2_400, 6_900)) - 440.0).abs() < 1.0);
    assert!(largest_step(listener.sound(500, 6_900)) < STEEPEST);
    for piece in listener.sound(2_400, 6_900).chunks_exact(480) {
        assert!(rms(piece) > 0.3, "{}", rms(piece));
    }
}

#[test]
fn a_sine_keeps_its_pitch_while_it_is_played_slower() {
    let mut packets = send(sine(440.0), 20 * SECOND);
    // One packet in ten is late, but not so late that it misses its turn.
    for packet in packets.iter_mut().skip(200).step_by(10) {
        packet.arrives += 18 * MS;
    }
    let listener = Listener::hear(packets, 19_900 * MS);
    let end = listener.last();
    assert!(end.operations.preemptive >= 5 * MS, "{end:?}");
    assert_eq!(end.operations.expand, 0, "{end:?}");
    assert!((pitch(listener.sound(500, 19_900)) - 440.0).abs() < 1.0);
    assert!(largest_step(listener.sound(500, 19_900)) < STEEPEST);
}

#[test]
fn a_lost_packet_of_a_sine_is_not_heard() {
    let mut packets = send(sine(440.0), 4 * SECOND);
    packets.retain(|packet| packet.sequence < 50 || packet.sequence % 25 != 0);
    let listener = Listener::hear(packets, 3_900 * MS);
    assert_eq!(listener.last().lost, 6);
    assert!((pitch(listener.sound(500, 3_900)) - 440.0).abs() < 1.0);
    assert!(largest_step(listener.sound(500, 3_900)) < STEEPEST);
    for piece in listener.sound(500, 3_900).chunks_exact(480) {
        assert!(rms(piece) > 0.3, "{}", rms(piece));
    }
}

#[test]
fn a_stream_that_breaks_off_fades_without_a_click() {
    let listener = Listener::hear(send(sine(440.0), SECOND), 3 * 48_000);
    let broke_off = 1_000 + 42;
    assert!(largest_step(listener.sound(500, 3_000)) < STEEPEST);
    assert!(rms(listener.sound(broke_off, broke_off + 20)) > 0.3);
    assert!(rms(listener.sound(broke_off + 110, broke_off + 400)) < 0.006);
    assert!(
        listener
            .sound(broke_off + 1_010, 2_900)
            .iter()
            .all(|sample| *sample == 0.0)
    );
}

#[test]
fn a_voice_under_jitter_and_loss_has_no_steeper_steps_than_before() {
    let mut random = Random::new(3);
    let mut packets = send(voice(), 30 * SECOND);
    let natural = packets.iter().fold(0.0_f32, |largest, packet| {
        largest.max(largest_step(&packet.samples))
    });
    packets.retain(|_| random.below(50) > 0);
    for packet in &mut packets {
        packet.arrives += random.below(80 * MS);
    }
    let listener = Listener::hear(packets, 29_900 * MS);
    assert!(largest_step(&listener.heard) < natural * 1.5);
    let operations = listener.last().operations;
    assert!(operations.accelerate > 0 && operations.preemptive > 0 && operations.merge > 240);
}
