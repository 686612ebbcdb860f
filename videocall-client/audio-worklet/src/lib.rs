//! The mixer of `media-core` behind a C ABI, for `processor.js`.
//!
//! A module for the AudioWorklet may import nothing: its global scope can neither fetch nor decode text, so there is no
//! generated glue. JavaScript writes into and reads from three buffers at fixed places; a call is made between render
//! quanta or for one, always on the audio thread, and never while another one runs.

use std::cell::RefCell;

use media_core::playout::{MAX_CHUNK, MAX_STREAMS, Mixer, Packet, Stats, StreamId};

/// Everything there is.
struct Worklet {
    mixer: Mixer,
    /// The packet that is about to be pushed.
    input: [f32; MAX_CHUNK],
    /// What was rendered.
    output: [f32; MAX_QUANTUM],
    stats: [Record; MAX_STREAMS],
}

/// What `processor.js` reads about a stream, in the order of its `STATS`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    session: u64,
    numbers: [f64; 14],
}

impl Record {
    const EMPTY: Self = Self {
        session: 0,
        numbers: [0.0; 14],
    };

    fn new(id: StreamId, stats: &Stats) -> Self {
        let operations = stats.operations;
        Self {
            session: id.session,
            numbers: [
                f64::from(id.track),
                f64::from(stats.level),
                f64::from(stats.delay_ms),
                f64::from(stats.target_ms),
                stats.sequence as f64,
                stats.lost as f64,
                stats.late as f64,
                stats.dropped as f64,
                operations.normal as f64,
                operations.accelerate as f64,
                operations.preemptive as f64,
                operations.expand as f64,
                operations.merge as f64,
                stats.heard_us.map_or(f64::NAN, |micros| micros as f64),
            ],
        }
    }
}

impl Worklet {
    fn new() -> Self {
        Self {
            mixer: Mixer::default(),
            input: [0.0; MAX_CHUNK],
            output: [0.0; MAX_QUANTUM],
            stats: [Record::EMPTY; MAX_STREAMS],
        }
    }

    fn push(
        &mut self,
        id: StreamId,
        sequence: u64,
        capture_time_us: f64,
        repeats: u32,
        len: usize,
    ) {
        let packet = Packet {
            sequence,
            capture_time_us: capture_time_us as u64,
            repeats: u8::try_from(repeats).unwrap_or(u8::MAX),
            samples: self.input.get(..len).unwrap_or(&self.input),
        };
        self.mixer.push(id, packet);
    }

    fn render(&mut self, len: usize) -> *const f32 {
        let len = len.min(MAX_QUANTUM);
        self.mixer
            .render(self.output.get_mut(..len).unwrap_or_default());
        self.output.as_ptr()
    }

    fn update_stats(&mut self) -> usize {
        let mut count = 0;
        for (record, (id, stats)) in self.stats.iter_mut().zip(self.mixer.stats()) {
            *record = Record::new(id, &stats);
            count += 1;
        }
        count
    }
}

thread_local! {
    static WORKLET: RefCell<Box<Worklet>> = RefCell::new(Box::new(Worklet::new()));
}

fn with<T>(use_it: impl FnOnce(&mut Worklet) -> T) -> T {
    WORKLET.with_borrow_mut(|worklet| use_it(worklet))
}

/// Longest render quantum, in samples: more than any browser has.
const MAX_QUANTUM: usize = 4096;

/// The functions that JavaScript sees. Pointers are offsets in the module's memory and stay the same.
#[expect(
    unsafe_code,
    reason = "only an unsafe attribute exports a function by its name"
)]
mod exports {
    use super::{MAX_CHUNK, StreamId, with};

    /// Where [`push`] expects samples.
    #[unsafe(no_mangle)]
    extern "C" fn input() -> *mut f32 {
        with(|worklet| worklet.input.as_mut_ptr())
    }

    /// Room at [`input`], in samples.
    #[unsafe(no_mangle)]
    extern "C" fn input_len() -> usize {
        MAX_CHUNK
    }

    /// Takes the first `len` samples of the input as a packet.
    #[unsafe(no_mangle)]
    extern "C" fn push(
        session: u64,
        track: u32,
        sequence: u64,
        capture_time_us: f64,
        repeats: u32,
        len: usize,
    ) {
        let id = StreamId { session, track };
        with(|worklet| worklet.push(id, sequence, capture_time_us, repeats, len));
    }

    /// Renders at most 4096 samples. Returns where they are.
    #[unsafe(no_mangle)]
    extern "C" fn render(len: usize) -> *const f32 {
        with(|worklet| worklet.render(len))
    }

    /// Forgets a stream.
    #[unsafe(no_mangle)]
    extern "C" fn remove(session: u64, track: u32) {
        with(|worklet| worklet.mixer.remove(StreamId { session, track }));
    }

    /// Forgets all streams of a session.
    #[unsafe(no_mangle)]
    extern "C" fn remove_session(session: u64) {
        with(|worklet| worklet.mixer.remove_session(session));
    }

    /// Writes the statistics. Returns the number of records.
    #[unsafe(no_mangle)]
    extern "C" fn update_stats() -> usize {
        with(|worklet| worklet.update_stats())
    }

    /// Where the statistics are.
    #[unsafe(no_mangle)]
    extern "C" fn stats() -> *const u64 {
        with(|worklet| worklet.stats.as_ptr().cast())
    }
}
