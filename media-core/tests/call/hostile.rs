//! What peers may do to a call: anything but break it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use media_core::call::Call;
use media_core::command::TransportId;
use media_core::frame::RemoteFrame;
use media_core::{Command, Input};
use proptest::prelude::*;
use videocall_types::{SessionId, Timestamp, Track, Wishes};

use crate::relay;
use crate::rig::{Rig, config};
use crate::show;

/// A frame as it arrives: the sender's numbers and clocks may be anything.
fn any_frame() -> impl Strategy<Value = (u64, Track, u64, bool, u64)> {
    let sequence =
        prop_oneof![8 => 0..40u64, 1 => any::<u64>(), 1 => (1u64 << 63)..(1u64 << 63) + 40];
    let capture = prop_oneof![8 => 0..2_000_000u64, 1 => any::<u64>()];
    (
        2..5u64,
        prop::sample::select(&Track::ALL[..]),
        sequence,
        prop::bool::weighted(0.15),
        capture,
    )
}

/// What every decoder must be able to rely on.
#[derive(Default)]
struct Decoders {
    last: BTreeMap<(SessionId, Track), RemoteFrame>,
}

impl Decoders {
    fn check(&mut self, command: &Command) {
        match command {
            Command::Decode(frame) if !frame.track.is_audio() => {
                let key = (frame.session, frame.track);
                if !frame.keyframe {
                    let last = self
                        .last
                        .get(&key)
                        .expect("a delta without a frame before it");
                    assert_eq!(
                        frame.sequence,
                        last.sequence + 1,
                        "a delta without its reference"
                    );
                    assert_eq!(frame.codec, last.codec, "a delta of another codec");
                }
                self.last.insert(key, frame.clone());
            }
            Command::CloseDecoder { session, track }
            | Command::RestartDecoder { session, track } => {
                self.last.remove(&(*session, *track));
            }
            _ => {}
        }
    }
}

fn drain(call: &mut Call, mut each: impl FnMut(&Command)) {
    while let Some(command) = call.poll_command() {
        each(&command);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_delta_never_comes_without_its_reference(
        frames in prop::collection::vec(
            (any_frame(), 0..80u64, prop::option::weighted(0.05, any::<bool>())),
            1..300,
        ),
    ) {
        let mut rig = Rig::connected();
        let people = [2, 3].map(|session| relay::participant(session, "peer", &[Track::Camera]));
        rig.receive(relay::presence(true, people.to_vec(), &[]));
        let mut decoders = Decoders::default();
        let mut asked: BTreeMap<String, Timestamp> = BTreeMap::new();
        for ((session, track, sequence, keyframe, capture), pause, shows_all) in frames {
            if let Some(others) = shows_all {
                asked.clear();
                rig.call.handle(Input::Wishes(Wishes { others, ..Wishes::nothing() }), rig.now);
                drain(&mut rig.call, |command| decoders.check(command));
            }
            let mut check = |command: &Command, now: Timestamp| {
                decoders.check(command);
                let shown = show::command(command);
                if shown.contains("keyframe request")
                    && let Some(before) = asked.insert(shown, now)
                {
                    assert!(now - before >= Duration::from_millis(500), "asked too often");
                }
            };
            rig.now = rig.now + Duration::from_millis(pause);
            let (call, now) = (&mut rig.call, rig.now);
            call.handle_timeout(now);
            drain(call, |command| check(command, now));
            let packet = relay::frame_at(session, track, sequence, keyframe, capture);
            call.handle(Input::PacketReceived { id: TransportId(0), packet }, now);
            drain(call, |command| check(command, now));
            let next = call.poll_timeout().unwrap();
            prop_assert!(next > now, "wants to be woken at {:?}, now is {:?}", next, now);
        }
    }

    #[test]
    fn frames_in_any_order_come_out_in_order_and_complete(seed in prop::collection::vec(0..8u64, 1..100)) {
        // Each frame is overtaken by at most a few others, and nothing is lost.
        let mut order: Vec<(u64, u64)> = seed.iter().zip(0..).map(|(shift, n)| (n + shift, n)).collect();
        order.sort_unstable();
        let mut rig = Rig::with_ada();
        let mut decoded = Vec::new();
        for (_, sequence) in order {
            decoded.extend(rig.receive(relay::frame_at(2, Track::Camera, sequence, sequence == 0, 0)));
        }
        let kind = |n| if n == 0 { "key" } else { "delta" };
        let expected: Vec<String> = (0..seed.len()).map(|n| format!("decode 2 Camera {} {n}", kind(n))).collect();
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn arbitrary_bytes_and_times_do_not_panic(
        packets in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..60), 0..4000u64), 0..60),
    ) {
        let mut rig = Rig::new(config());
        rig.input(Input::Join);
        rig.connect(0, 1);
        for (bytes, pause) in packets {
            rig.pass(pause);
            rig.receive_on(0, Bytes::from(bytes));
        }
    }

    #[test]
    fn bent_packets_do_not_panic(
        flips in prop::collection::vec((0..7usize, 0..200usize, 0..8u32), 0..60),
    ) {
        let mut rig = Rig::connected();
        let samples = [
            relay::presence(true, vec![relay::participant(2, "ada", &Track::ALL)], &[9]),
            relay::frame(2, Track::Camera, 0, true),
            relay::frame(2, Track::Microphone, 0, true),
            relay::keyframe_wanted(Track::Camera, 2),
            relay::assigned(5),
            relay::presence(false, vec![], &[2]),
            relay::demand(&[(Track::Camera, 0b101), (Track::Screen, 0)]),
        ];
        for (sample, at, bit) in flips {
            let mut bytes = samples[sample].to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            rig.receive(bytes.into());
            rig.pass(10);
        }
    }

    #[test]
    fn inputs_in_any_order_do_not_panic(
        inputs in prop::collection::vec((0..14u8, 0..4u32, 0..700u64), 0..120),
    ) {
        let mut rig = Rig::new(config());
        for (kind, n, pause) in inputs {
            let (id, session) = (TransportId(n), SessionId::new(u64::from(n) + 1).unwrap());
            let track = Track::ALL[n as usize % 4];
            rig.input(match kind {
                0 | 1 => Input::Join,
                2 => Input::TransportOpened(id),
                3 => Input::TransportClosed { id, code: (n == 0).then_some(4006) },
                4 => Input::PacketReceived { id, packet: relay::assigned(u64::from(n)) },
                5 => Input::PacketReceived { id, packet: relay::frame(2, track, u64::from(n), n == 0) },
                6 => Input::Publishing { track, on: n % 2 == 0 },
                7 => Input::FrameEncoded(relay::local(track, n == 0, 0)),
                8 => Input::Speaking(n % 2 == 0),
                9 => Input::DecoderFailed { session, track },
                10 => Input::FrameShown { session, track },
                11 => Input::Wishes(Wishes { shown: [((session, track), n)].into(), others: n == 0 }),
                12 => Input::PacketReceived { id, packet: relay::demand(&[(track, n)]) },
                _ => Input::NetworkBack,
            });
            rig.pass(pause);
        }
    }
}

#[test]
fn a_flood_of_frames_without_a_keyframe_is_held_within_bounds() {
    let mut rig = Rig::with_ada();
    let size = 100_000;
    let big = |sequence: u64| {
        let packet = relay::frame(2, Track::Camera, sequence, false);
        let header = videocall_types::PacketHeader::parse(&packet).unwrap();
        let routing = videocall_types::Routing::parse(&header.routing).unwrap();
        let mut media = videocall_types::proto::media_packet::MediaPacket::new();
        media.media_type =
            videocall_types::proto::media_packet::media_packet::MediaType::VIDEO.into();
        media.data = vec![0; size].into();
        let payload = protobuf::Message::write_to_bytes(&media).unwrap();
        videocall_types::Packet::media(b"ada", SessionId::new(2), &routing, payload.into())
            .to_bytes()
    };
    // Bytes that share the memory of a packet tell whether the call still holds it.
    let mut packets = Vec::new();
    for sequence in 1..200 {
        let packet = big(sequence);
        packets.push(packet.clone());
        rig.receive(packet);
    }
    let held = packets.iter().filter(|packet| !packet.is_unique()).count();
    assert!(held * size <= 2_100_000, "{held} packets");
}

#[test]
fn a_flood_from_nobody_is_held_within_bounds() {
    let mut rig = Rig::connected();
    let packets: Vec<Bytes> = (0..1000)
        .map(|n| relay::frame(n + 50, Track::Camera, n, true))
        .collect();
    for packet in &packets {
        rig.receive(packet.clone());
    }
    let held = packets.iter().filter(|packet| !packet.is_unique()).count();
    assert!((1..=64).contains(&held), "{held} packets");
}
