//! Adaptive playout of sound: decoded packets in, an endless stream of samples out.
//!
//! [`Playout`] is the jitter buffer of one stream and [`Mixer`] holds one per stream. Everything is 48 kHz mono, and
//! time is counted in samples played: there is no other clock. [`Mixer::render`] allocates nothing.
//!
//! The steps, each in its own module, and where their ideas come from:
//!
//! * `chunks`: order by sequence number, loss, duplicates, restarts.
//! * `delay`: how much the arrival varies, and from that the delay to aim at. The relative transit time is that of
//!   RFC 3550, section 6.4.1; a histogram with a forgetting factor and a high quantile of it, as in the NetEQ buffer
//!   of WebRTC, replace its mean.
//! * `stretch`: shorter or longer without a change of pitch, by overlap-add where the waveform is most similar
//!   (WSOLA: W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity for high quality
//!   time-scale modification of speech", ICASSP 1993).
//! * `conceal`: the last pitch periods repeated and faded where nothing arrived (in the manner of ITU-T G.711,
//!   Appendix I), then `noise`, comfort noise (the purpose of ITU-T G.711, Appendix II).

mod chunks;
mod conceal;
mod delay;
mod mixer;
mod noise;
mod packet;
mod signal;
mod stats;
mod stream;
mod stretch;
mod tape;

pub use mixer::{MAX_STREAMS, Mixer, StreamId};
pub use packet::Packet;
pub use stats::{Operations, Stats};
pub use stream::Playout;

/// Samples per second.
pub const SAMPLE_RATE: usize = 48_000;
/// Longest packet, in samples (120 ms, the longest of Opus); what is beyond is cut off.
pub const MAX_CHUNK: usize = 120 * MS;
/// Most sound that a stream holds, in samples (2 s).
pub const CAPACITY: usize = 2 * SAMPLE_RATE;

/// Samples per millisecond.
const MS: usize = SAMPLE_RATE / 1000;
