//! What happens to captured media before and while it is encoded. The edges ask these; a call doesn't.

mod cadence;
mod clock;
mod codec_choice;
mod content;
mod level;
mod size;
mod speaking;
mod still;
mod uplink;

pub use cadence::Cadence;
pub use clock::CaptureClock;
pub use codec_choice::{CodecChoice, Pace};
pub use content::ContentRate;
pub use level::audio_level;
pub use size::{Size, fit};
pub use speaking::SpeakingDetector;
pub use still::Still;
pub use uplink::is_backed_up;
