//! Opus behind a C ABI, for `webcodecs.js`.
//!
//! An instance of this module is one encoder or one decoder of 48 kHz mono, so that one that breaks takes nothing with it.
//! JavaScript writes into and reads from two buffers at fixed places.

use std::cell::RefCell;

use ropus::{Application, Bitrate, Channels, DecodeMode, Decoder, Encoder, Signal};

const RATE: u32 = 48_000;
/// The longest packet lasts 120 ms.
const MAX_SAMPLES: usize = 5_760;
/// Three frames of the greatest size and what tells them apart.
const MAX_PACKET_BYTES: usize = 4_000;

/// Everything there is.
struct Opus {
    encoder: Option<Encoder>,
    decoder: Option<Decoder>,
    samples: [f32; MAX_SAMPLES],
    packet: [u8; MAX_PACKET_BYTES],
}

impl Opus {
    const fn new() -> Self {
        Self {
            encoder: None,
            decoder: None,
            samples: [0.0; MAX_SAMPLES],
            packet: [0; MAX_PACKET_BYTES],
        }
    }

    fn make_encoder(&mut self, bitrate: u32, voice: bool, dtx: bool) -> Option<()> {
        let (application, signal) = if voice {
            (Application::Voip, Signal::Voice)
        } else {
            (Application::Audio, Signal::Music)
        };
        let encoder = Encoder::builder(RATE, Channels::Mono, application)
            .bitrate(Bitrate::try_bits(bitrate).ok()?)
            .signal(signal)
            .dtx(dtx)
            .build();
        self.encoder = Some(encoder.ok()?);
        Some(())
    }

    fn encode(&mut self, samples: usize) -> Option<usize> {
        let samples = self.samples.get(..samples)?;
        let encoder = self.encoder.as_mut()?;
        encoder.encode_float(samples, &mut self.packet).ok()
    }

    fn make_decoder(&mut self) -> Option<()> {
        self.decoder = Some(Decoder::new(RATE, Channels::Mono).ok()?);
        Some(())
    }

    fn decode(&mut self, bytes: usize) -> Option<usize> {
        let packet = self.packet.get(..bytes)?;
        let decoder = self.decoder.as_mut()?;
        decoder
            .decode_float(packet, &mut self.samples, DecodeMode::Normal)
            .ok()
    }
}

thread_local! {
    static OPUS: RefCell<Box<Opus>> = RefCell::new(Box::new(Opus::new()));
}

fn with<T>(use_it: impl FnOnce(&mut Opus) -> T) -> T {
    OPUS.with_borrow_mut(|opus| use_it(opus))
}

/// The functions that JavaScript sees. Pointers are offsets in the module's memory and stay the same; results below zero
/// are failures.
#[expect(
    unsafe_code,
    reason = "only an unsafe attribute exports a function by its name"
)]
mod exports {
    use super::{MAX_PACKET_BYTES, MAX_SAMPLES, with};

    /// Samples to encode, or decoded ones.
    #[unsafe(no_mangle)]
    extern "C" fn samples() -> *mut f32 {
        with(|opus| opus.samples.as_mut_ptr())
    }

    /// Room at [`samples`].
    #[unsafe(no_mangle)]
    extern "C" fn samples_len() -> usize {
        MAX_SAMPLES
    }

    /// A packet to decode, or an encoded one.
    #[unsafe(no_mangle)]
    extern "C" fn packet() -> *mut u8 {
        with(|opus| opus.packet.as_mut_ptr())
    }

    /// Room at [`packet`], in bytes.
    #[unsafe(no_mangle)]
    extern "C" fn packet_len() -> usize {
        MAX_PACKET_BYTES
    }

    /// Makes this an encoder with a bitrate in bits per second, for a voice or anything else.
    #[unsafe(no_mangle)]
    extern "C" fn encoder(bitrate: u32, voice: bool, dtx: bool) -> i32 {
        result(with(|opus| opus.make_encoder(bitrate, voice, dtx)).map(|()| 0))
    }

    /// Encodes so many samples, which must be a length that Opus knows. Returns the bytes of the packet; with DTX, one of
    /// at most two bytes need not be sent.
    #[unsafe(no_mangle)]
    extern "C" fn encode(samples: usize) -> i32 {
        result(with(|opus| opus.encode(samples)))
    }

    /// Makes this a decoder.
    #[unsafe(no_mangle)]
    extern "C" fn decoder() -> i32 {
        result(with(|opus| opus.make_decoder()).map(|()| 0))
    }

    /// Decodes a packet of so many bytes. Returns the number of samples.
    #[unsafe(no_mangle)]
    extern "C" fn decode(bytes: usize) -> i32 {
        result(with(|opus| opus.decode(bytes)))
    }

    fn result(count: Option<usize>) -> i32 {
        count
            .and_then(|count| i32::try_from(count).ok())
            .unwrap_or(-1)
    }
}
