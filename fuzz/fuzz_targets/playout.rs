//! Whatever packets come and whenever, what is played is finite and within the range.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use media_core::playout::{Mixer, Packet, StreamId};

#[derive(Arbitrary, Debug)]
enum Step {
    Packet {
        stream: u8,
        sequence: u64,
        samples: u16,
        amplitude: f32,
    },
    Next {
        stream: u8,
        samples: u16,
        amplitude: f32,
    },
    Render {
        samples: u16,
    },
    Remove {
        stream: u8,
    },
}

fuzz_target!(|steps: Vec<Step>| {
    let mut mixer = Mixer::default();
    let mut next = 0;
    for step in steps {
        match step {
            Step::Packet {
                stream,
                sequence,
                samples,
                amplitude,
            } => {
                next = sequence;
                push(&mut mixer, stream, next, samples, amplitude);
            }
            Step::Next {
                stream,
                samples,
                amplitude,
            } => {
                next = next.wrapping_add(1);
                push(&mut mixer, stream, next, samples, amplitude);
            }
            Step::Render { samples } => {
                let mut out = vec![0.0; usize::from(samples % 4096)];
                mixer.render(&mut out);
                assert!(
                    out.iter().all(|sample| (-1.0..=1.0).contains(sample)),
                    "{out:?}"
                );
            }
            Step::Remove { stream } => mixer.remove(id(stream)),
        }
    }
});

fn push(mixer: &mut Mixer, stream: u8, sequence: u64, samples: u16, amplitude: f32) {
    let wave = (0..samples % 6000).map(|n| (f32::from(n) * 0.05).sin() * amplitude);
    let packet = Packet {
        sequence,
        capture_time_us: sequence.rotate_left(7),
        repeats: stream,
        samples: &wave.collect::<Vec<f32>>(),
    };
    mixer.push(id(stream), packet);
}

fn id(stream: u8) -> StreamId {
    StreamId {
        session: u64::from(stream % 4),
        track: u32::from(stream / 128),
    }
}
