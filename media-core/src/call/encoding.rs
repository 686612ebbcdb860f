//! How the published video tracks are encoded.

use videocall_types::Track;

use crate::command::VideoEncoding;

const CAMERA: VideoEncoding = VideoEncoding {
    max_height: 720,
    max_fps: 30,
    bitrate: 1_500_000,
};
const SCREEN: VideoEncoding = VideoEncoding {
    max_height: 1080,
    max_fps: 15,
    bitrate: 2_000_000,
};

/// The encoding of a video track; `None` for sound.
pub(super) const fn video_encoding(track: Track) -> Option<VideoEncoding> {
    match track {
        Track::Camera => Some(CAMERA),
        Track::Screen => Some(SCREEN),
        Track::Microphone | Track::ScreenAudio => None,
    }
}
