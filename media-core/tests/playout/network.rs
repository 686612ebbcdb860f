//! Delay variation, loss, reordering and clocks.

use media_core::playout::{self, Operations};

use super::support::*;

#[test]
fn a_steady_stream_passes_unchanged_after_20_ms() {
    let packets = send(voice(), 10 * SECOND);
    let sent: Vec<f32> = packets
        .iter()
        .flat_map(|packet| packet.samples.clone())
        .collect();
    let listener = Listener::hear(packets, 480_000);

    // The first packet arrives in the 8th render quantum and waits 20 ms, which end in the 15th. The first 5 ms of it
    // are faded in.
    let start = 15 * QUANTUM;
    let (silence, sound) = listener.heard.split_at(start);
    assert!(silence.iter().all(|sample| *sample == 0.0));
    assert!(sound[240..] == sent[240..sound.len()]);
    let stats = listener.last();
    assert_eq!(
        (stats.target_ms, stats.lost, stats.late, stats.dropped),
        (20.0, 0, 0, 0)
    );
    assert!((18.0..=24.0).contains(&stats.delay_ms), "{stats:?}");
    let operations = stats.operations;
    assert_eq!((operations.accelerate, operations.preemptive), (0, 0));
    assert_eq!((operations.expand, operations.merge), (0, 240));
    // The first sample was captured at 1 s of the sender's clock and is heard in the 15th quantum.
    let played = (listener.heard.len() - start) as u64 * 1_000 / MS;
    let heard = stats.heard_us.unwrap();
    assert!(
        heard.abs_diff(1_000_000 + played) <= 5_000,
        "{heard} {played}"
    );
}

/// Repetitions arrive 40 ms after what they repeat: that long is waited, as long as there are any.
#[test]
fn what_is_repeated_is_waited_for() {
    let mut random = Random::new(4);
    let mut listener = Listener::new();
    let sent = send(voice(), 40 * SECOND);
    for (n, packet) in sent.iter().enumerate() {
        listener.until(packet.arrives);
        let repeats = if n < 30 * SECOND as usize { 2 } else { 0 };
        if n < 2 || random.below(10) == 0 && repeats > 0 {
            continue;
        }
        for back in (0..=repeats).rev() {
            let frame = &sent[n - back];
            listener.playout.push(playout::Packet {
                repeats: repeats as u8,
                ..decoded(frame.sequence, &frame.samples)
            });
        }
    }
    let (adapted, repeated, end) = (listener.at(3_000), listener.at(29_900), listener.last());
    assert_eq!(repeated.target_ms, 60.0);
    let lost = repeated.lost - adapted.lost;
    assert!(lost <= 4, "{lost}: only three in a row are lost");
    assert_eq!(end.target_ms, 20.0);
    assert!(listener.longest_delay(38_000, 39_900) <= 40.0);
}

/// Up to 60 ms of extra delay per packet, in order (a stream) or not (datagrams).
#[test]
fn jitter_of_60_ms_is_covered_after_adapting() {
    for in_order in [true, false] {
        let mut random = Random::new(1);
        let mut packets = send(voice(), 60 * SECOND);
        let mut earliest = 0;
        for packet in &mut packets {
            packet.arrives += random.below(60 * MS);
            if in_order {
                packet.arrives = packet.arrives.max(earliest);
                earliest = packet.arrives;
            }
        }
        let listener = Listener::hear(packets, 59 * 48_000);
        let (adapted, end) = (listener.at(5_000), listener.last());
        assert_eq!(
            end.operations.expand, adapted.operations.expand,
            "in order: {in_order}"
        );
        assert_eq!((end.lost, end.late), (adapted.lost, adapted.late));
        assert!(listener.longest_delay(5_000, 58_900) <= 100.0);
    }
}

#[test]
fn an_outage_of_200_ms_costs_no_packet_and_its_delay_goes_away() {
    let mut packets = send(voice(), 20 * SECOND);
    for packet in &mut packets {
        if (5_000 * MS..5_200 * MS).contains(&packet.arrives) {
            packet.arrives = 5_200 * MS;
        }
    }
    let listener = Listener::hear(packets, 20 * 48_000);
    assert!(listener.longest_delay(1_000, 4_900) <= 25.0);
    assert!(listener.longest_delay(5_200, 5_300) >= 150.0);
    assert!(listener.longest_delay(8_000, 19_900) <= 40.0);
    let end = listener.last();
    assert_eq!((end.lost, end.late, end.dropped), (0, 0, 0));
    assert!(end.operations.accelerate >= 140 * MS);
}

#[test]
fn a_longer_path_is_followed_once() {
    let mut packets = send(voice(), 20 * SECOND);
    for packet in packets.iter_mut().skip(250) {
        packet.arrives += 100 * MS;
    }
    let listener = Listener::hear(packets, 20 * 48_000);
    let (settled, end) = (listener.at(8_000), listener.last());
    assert_eq!(end.operations.expand, settled.operations.expand);
    assert_eq!(end.target_ms, 20.0);
    assert!(listener.longest_delay(8_000, 19_900) <= 40.0);
}

#[test]
fn loss_of_2_percent_is_concealed_without_delay() {
    let mut random = Random::new(2);
    let mut packets = send(voice(), 60 * SECOND);
    let last = packets.len() as u64 - 1;
    packets
        .retain(|packet| packet.sequence == 0 || packet.sequence == last || random.below(50) > 0);
    let lost = 60 * SECOND - packets.len() as u64;
    assert!(lost > 40, "{lost}");
    let listener = Listener::hear(packets, 60 * 48_000 + 4_800);
    let end = listener.last();
    assert_eq!((end.lost, end.late), (lost, 0));
    assert!(listener.longest_delay(1_000, 59_900) <= 45.0);
    // The end of the stream is concealed as well.
    assert!(end.operations.expand <= (lost + 5) * PACKET as u64 * 5 / 4);
}

#[test]
fn reordering_costs_nothing_once_it_is_known() {
    let mut packets = send(voice(), 30 * SECOND);
    for packet in packets.iter_mut().step_by(3) {
        packet.arrives += 30 * MS;
    }
    let listener = Listener::hear(packets, 29 * 48_000);
    let (adapted, end) = (listener.at(3_000), listener.last());
    assert_eq!((end.lost, end.late), (adapted.lost, adapted.late));
    assert_eq!(end.operations.expand, adapted.operations.expand);
    assert!(listener.longest_delay(3_000, 28_900) <= 65.0);
}

#[test]
fn a_fast_sender_never_builds_up_delay() {
    let operations = ten_minutes_with_clock_off_by(-200);
    assert!(operations.accelerate >= 100 * MS && operations.preemptive == 0);
}

#[test]
fn a_slow_sender_never_runs_dry() {
    let operations = ten_minutes_with_clock_off_by(200);
    assert!(operations.preemptive >= 100 * MS && operations.accelerate == 0);
}

/// Packets of a sender whose second is longer by so many millionths: 120 ms in ten minutes with 200.
fn ten_minutes_with_clock_off_by(ppm: i64) -> Operations {
    let count = 600 * SECOND;
    let mut listener = Listener::new();
    for packet in packets(voice()).take(count as usize) {
        let drift = packet.arrives as i64 * ppm / 1_000_000;
        listener.until(packet.arrives.saturating_add_signed(drift));
        listener
            .playout
            .push(decoded(packet.sequence, &packet.samples));
    }
    let (settled, end) = (listener.at(2_000), listener.last());
    assert_eq!((end.lost, end.late, end.dropped), (0, 0, 0));
    assert_eq!(end.operations.expand, settled.operations.expand);
    assert!(listener.longest_delay(2_000, 599_000) <= 40.0);
    assert!(count - end.sequence <= 3, "{end:?}");
    end.operations
}
