//! How the published video tracks are encoded.

use videocall_types::Track;

use crate::command::VideoEncoding;

/// The steps of a camera, smallest first.
const CAMERA: [VideoEncoding; 3] = [
    VideoEncoding {
        max_height: 180,
        max_fps: 15,
        bitrate: 150_000,
    },
    VideoEncoding {
        max_height: 360,
        max_fps: 30,
        bitrate: 500_000,
    },
    VideoEncoding {
        max_height: 720,
        max_fps: 30,
        bitrate: 1_500_000,
    },
];
/// Text must stay readable, so that a screen is never scaled down to what is shown of it.
const SCREEN: VideoEncoding = VideoEncoding {
    max_height: 1080,
    max_fps: 15,
    bitrate: 2_000_000,
};

/// The smallest step of a camera that has `height` rows of pixels; `None`: none has so many.
pub(super) fn camera_step(height: u32) -> Option<&'static VideoEncoding> {
    CAMERA.iter().find(|step| height <= step.max_height)
}

/// The encoding of a video track of which somebody shows `height` rows of pixels; `None` for sound.
pub(super) fn video_encoding(track: Track, height: u32) -> Option<VideoEncoding> {
    match track {
        Track::Camera => camera_step(height).or(CAMERA.last()).copied(),
        Track::Screen => Some(SCREEN),
        Track::Microphone | Track::ScreenAudio => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::wishes::FULL_HEIGHT;

    #[test]
    fn a_camera_is_encoded_as_large_as_it_is_shown() {
        for (height, encoded) in [
            (1, 180),
            (180, 180),
            (181, 360),
            (360, 360),
            (361, 720),
            (FULL_HEIGHT, 720),
        ] {
            let encoding = video_encoding(Track::Camera, height).unwrap();
            assert_eq!(encoding.max_height, encoded, "{height}");
        }
    }

    #[test]
    fn a_screen_stays_readable() {
        assert_eq!(video_encoding(Track::Screen, 1), Some(SCREEN));
        assert_eq!(video_encoding(Track::Microphone, FULL_HEIGHT), None);
    }
}
