//! What a synthetic publisher publishes.
//!
//! The file is one line of JSON, then all chunks one after the other in the order in which the line counts their bytes:
//!
//! ```text
//! {"codec": "vp9", "fps": 15, "layers": [[{"keyframe": true, "temporal_layer": 0, "bytes": 1234}, ..], ..], "sound": [80, ..]}
//! ```

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use videocall_types::Codec;

/// A few seconds of a camera, in layers, and of a microphone.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Of the pictures.
    pub codec: Codec,
    /// From one picture to the next.
    pub interval: Duration,
    /// The spatial layers, smallest first; each begins with a keyframe.
    pub layers: Vec<Vec<Frame>>,
    /// Opus packets of 20 ms, at least one.
    sound: Vec<Bytes>,
}

/// One encoded picture.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Decodable on its own.
    pub keyframe: bool,
    /// 0 is the base.
    pub temporal_layer: u8,
    /// The chunk.
    pub data: Bytes,
}

#[derive(Deserialize)]
struct Contents {
    codec: Codec,
    fps: u32,
    layers: Vec<Vec<FrameContents>>,
    sound: Vec<usize>,
}

#[derive(Deserialize)]
struct FrameContents {
    keyframe: bool,
    temporal_layer: u8,
    bytes: usize,
}

impl Clip {
    /// Reads a file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        Self::parse(file.into())
    }

    fn parse(mut file: Bytes) -> Self {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap();
        let contents: Contents = serde_json::from_slice(&file.split_to(end + 1)).unwrap();
        let mut layers = Vec::new();
        for frames in contents.layers {
            let frame = |frame: FrameContents| Frame {
                keyframe: frame.keyframe,
                temporal_layer: frame.temporal_layer,
                data: file.split_to(frame.bytes),
            };
            layers.push(frames.into_iter().map(frame).collect());
        }
        let sound = contents.sound.into_iter();
        let sound = sound.map(|bytes| file.split_to(bytes)).collect();
        assert!(file.is_empty(), "nothing comes after the last chunk");
        let clip = Self {
            codec: contents.codec,
            interval: Duration::from_secs(1) / contents.fps,
            layers,
            sound,
        };
        assert!(
            clip.layers
                .iter()
                .all(|frames| frames.first().is_some_and(|first| first.keyframe)),
            "each layer begins with a keyframe"
        );
        assert!(!clip.sound.is_empty(), "there is sound");
        clip
    }

    /// The frames of a layer.
    #[must_use]
    pub fn layer(&self, layer: u8) -> &[Frame] {
        self.layers.get(usize::from(layer)).unwrap()
    }

    /// A packet of the sound, which is repeated without end.
    #[must_use]
    pub fn sound(&self, number: usize) -> Bytes {
        let place = number % self.sound.len();
        self.sound.get(place).unwrap().clone()
    }

    /// The place of the first keyframe of a layer that is not before `place`; both in the loop.
    #[must_use]
    pub fn keyframe_from(&self, layer: u8, place: usize) -> usize {
        let later = self
            .layer(layer)
            .iter()
            .skip(place)
            .position(|frame| frame.keyframe);
        later.map_or(0, |ahead| place + ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_follow_the_line() {
        let line = r#"{"codec": "vp8", "fps": 10, "sound": [2], "layers": [[
            {"keyframe": true, "temporal_layer": 0, "bytes": 3}, {"keyframe": false, "temporal_layer": 2, "bytes": 1},
            {"keyframe": true, "temporal_layer": 0, "bytes": 1}, {"keyframe": false, "temporal_layer": 2, "bytes": 1}]]}"#;
        let file = format!("{}\nabcdefgh", line.replace('\n', ""));
        let clip = Clip::parse(file.into());
        assert_eq!(
            (clip.codec, clip.interval),
            (Codec::Vp8, Duration::from_millis(100))
        );
        let data: Vec<_> = clip.layers[0].iter().map(|frame| &frame.data[..]).collect();
        assert_eq!(data, [&b"abc"[..], b"d", b"e", b"f"]);
        assert_eq!(clip.layers[0][1].temporal_layer, 2);
        assert_eq!(clip.sound, [&b"gh"[..]]);
        let keyframes: Vec<_> = (0..=4).map(|place| clip.keyframe_from(0, place)).collect();
        assert_eq!(keyframes, [0, 2, 2, 0, 0]);
    }
}
