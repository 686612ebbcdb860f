//! Rendering happens on the audio thread of a browser, where waiting for an allocator is heard.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use media_core::playout::{Mixer, Packet, StreamId};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(
    unsafe_code,
    reason = "an allocator can only be replaced by unsafe code"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Steady, then an outage and its burst, a lost packet, and a pause: every operation takes place.
#[test]
fn rendering_never_allocates() {
    let mut mixer = Mixer::default();
    let sound = [0.0; 960].map(|_: f32| 0.1);
    let mut next = 0;
    for quantum in 0..4_000_u64 {
        let arrived = match quantum * 128 / 960 {
            packet @ 100..115 => packet.min(100),
            packet @ 300.. => packet.min(300),
            packet => packet,
        };
        while next < arrived {
            if next != 200 {
                for session in 1..4 {
                    let packet = Packet {
                        sequence: next,
                        capture_time_us: next * 20_000,
                        repeats: 0,
                        samples: &sound,
                    };
                    mixer.push(StreamId { session, track: 2 }, packet);
                }
            }
            next += 1;
        }
        let mut out = [0.0; 128];
        let before = ALLOCATIONS.get();
        mixer.render(&mut out);
        assert_eq!(ALLOCATIONS.get(), before, "in quantum {quantum}");
    }
    for (_, stats) in mixer.stats() {
        assert_eq!(stats.lost, 1);
        let operations = stats.operations;
        assert!(operations.accelerate > 0 && operations.expand > 0 && operations.merge > 0);
    }
}
