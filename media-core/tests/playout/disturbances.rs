//! What senders and pages do: pauses, muting, restarts, rubbish, and a page that was suspended.

use media_core::playout;

use super::support::*;

/// Speech, ten seconds of pause with a refresh of the background every 400 ms, speech. Numbers count packets.
#[test]
fn a_pause_of_transmission_is_neither_loss_nor_jitter() {
    let (talk, refresh) = (2 * SECOND, 25);
    let mut packets = send(voice(), 2 * talk + refresh);
    for packet in &mut packets {
        let pauses = packet.sequence.saturating_sub(talk - 1).min(refresh + 1);
        packet.arrives += pauses * 380 * MS;
    }
    let end_of_pause = packets[(talk + refresh) as usize].arrives / MS;
    let end_of_talk = packets[packets.len() - 1].arrives / MS;
    let listener = Listener::hear(packets, end_of_talk * MS);
    let end = listener.last();
    assert_eq!((end.lost, end.late, end.dropped), (0, 0, 0));
    assert_eq!(end.target_ms, 20.0);
    let talked = talk * 20;
    for refresh in (talked + 400..end_of_pause - 400).step_by(400) {
        // After a refresh has been concealed there is comfort noise, neither speech nor dead silence.
        let noise = rms(listener.sound(refresh + 200, refresh + 380));
        assert!(noise > 0.0001 && noise < 0.05, "{noise} at {refresh} ms");
    }
    assert!(listener.longest_delay(1_000, 1_900) <= 25.0);
    assert!(listener.longest_delay(end_of_pause + 100, end_of_talk - 100) <= 40.0);
}

/// Words of 300 ms with pauses of 100 to 330 ms in between: what is said after any of them is heard as late as everything else,
/// also if what was said before has not faded yet.
#[test]
fn sound_after_a_short_pause_is_not_heard_earlier() {
    let mut listener = Listener::new();
    let (mut now, mut sequence) = (0, 0);
    for word in 0..100 {
        for _ in 0..15 {
            now += 20;
            listener.until(now * MS);
            let sound = [0.1; PACKET];
            listener.playout.push(playout::Packet {
                capture_time_us: (now - 20) * 1_000,
                repeats: 2,
                ..decoded(sequence, &sound)
            });
            sequence += 1;
        }
        now += 100 + 10 * (word % 24);
    }
    let heard = listener.stats.iter().enumerate().skip(400);
    let ages = heard.filter_map(|(quantum, stats)| {
        let at = ((quantum + 1) * QUANTUM) as u64 * 1_000 / MS;
        stats.heard_us.map(|heard| at.saturating_sub(heard) / 1_000)
    });
    let ages: Vec<u64> = ages.collect();
    // 20 ms to capture, 60 ms to wait for repetitions.
    let (earliest, latest) = (ages.iter().min().unwrap(), ages.iter().max().unwrap());
    assert!(
        *earliest >= 70 && *latest <= 105,
        "{earliest} to {latest} ms"
    );
}

#[test]
fn muting_in_the_middle_of_a_word_becomes_silence_and_unmuting_sound() {
    let mut packets = send(sine(440.0), 10 * SECOND);
    for packet in packets.iter_mut().skip(5 * SECOND as usize) {
        packet.arrives += 30_000 * MS;
    }
    let listener = Listener::hear(packets, 39_900 * MS);
    assert!(
        rms(listener.sound(5_000 + 150, 6_000)) < 0.006,
        "faded to background noise"
    );
    assert!(
        listener
            .sound(6_200, 35_000)
            .iter()
            .all(|sample| *sample == 0.0)
    );
    assert!(listener.at(8_000).level < 1e-6);
    assert!(rms(listener.sound(35_100, 39_900)) > 0.34);
    assert!((listener.at(39_000).level - 0.3535).abs() < 0.02);
    assert!(listener.longest_delay(35_100, 39_800) <= 40.0);
    assert_eq!(listener.last().lost, 0);
}

#[test]
fn a_sender_that_counts_anew_is_heard_again_at_once() {
    let restarts: [(u64, u64); 4] = [(1_000, 0), (0, 1_000_000), (u64::MAX - 300, 3), (100, 40)];
    for (before, after) in restarts {
        let mut packets = send(sine(440.0), 8 * SECOND);
        let half = 4 * SECOND;
        for packet in &mut packets {
            packet.sequence = match packet.sequence.checked_sub(half) {
                None => before + packet.sequence,
                Some(rest) => after + rest,
            };
        }
        let listener = Listener::hear(packets, 7_900 * MS);
        let end = listener.last();
        let label = format!("{before} and {after}");
        assert!(rms(listener.sound(4_300, 7_900)) > 0.34, "{label}");
        assert!(end.late <= 8 && end.lost == 0, "{label}: {end:?}");
        assert!(end.delay_ms <= 40.0, "{label}: {end:?}");
    }
}

#[test]
fn rubbish_from_a_decoder_becomes_silence_or_the_nearest_sound() {
    let mut packets = send(sine(440.0), 2 * SECOND);
    for packet in packets.iter_mut().skip(50).take(10) {
        packet
            .samples
            .fill([f32::NAN, f32::INFINITY][packet.sequence as usize % 2]);
    }
    packets[70].samples.fill(1e30);
    packets[71].samples.clear();
    let listener = Listener::hear(packets, 2 * 48_000);
    assert!(
        listener
            .heard
            .iter()
            .all(|sample| (-1.0..=1.0).contains(sample))
    );
    assert!(
        listener
            .sound(1_050, 1_200)
            .iter()
            .all(|sample| *sample == 0.0)
    );
    assert!(rms(listener.sound(1_800, 1_950)) > 0.34);
}

#[test]
fn packets_of_other_lengths_play_unchanged_too() {
    let sound = voice();
    for len in [120, 480, 2_880, 5_760] {
        let mut listener = Listener::new();
        let mut sent = Vec::new();
        for sequence in 0..240_000 / len {
            let samples: Vec<f32> = (sequence * len..(sequence + 1) * len).map(&sound).collect();
            listener.until((sequence + 1) * len);
            listener.playout.push(decoded(sequence, &samples));
            sent.extend(samples);
        }
        let delay = listener.heard.len() - 2_400;
        let tail = &listener.heard[delay..];
        assert!(
            sent.windows(tail.len()).any(|window| window == tail),
            "{len}"
        );
        assert_eq!(listener.last().lost, 0);
    }
}

/// A suspended page renders nothing while packets go on arriving.
#[test]
fn what_piles_up_is_bounded_and_caught_up_with() {
    let mut packets = send(voice(), 25 * SECOND);
    for packet in &mut packets {
        packet.arrives = packet.arrives.saturating_sub(5_000 * MS).max(48_000);
    }
    let listener = Listener::hear(packets, 20 * 48_000);
    let end = listener.last();
    // 6 s have arrived at once, of which 2 s fit.
    assert_eq!(end.dropped, 200);
    assert!(listener.longest_delay(0, 19_900) <= 2_050.0);
    assert!(listener.longest_delay(5_000, 19_900) <= 60.0, "{end:?}");
}
