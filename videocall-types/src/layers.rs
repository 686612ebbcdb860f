//! The simulcast layers of video tracks: the same picture, encoded several times.

use crate::routing::Track;

/// What one layer looks like at most. A relay plans with it until it has measured the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Rows of pixels; of a picture that is higher than wide, columns.
    pub max_height: u32,
    /// Frames per second.
    pub max_fps: u32,
    /// Bits per second.
    pub bitrate: u32,
}

/// Number of layers of the track that has the most.
pub const MAX_LAYERS: usize = CAMERA.len();

const CAMERA: [Layer; 4] = [
    Layer {
        max_height: 180,
        max_fps: 15,
        bitrate: 150_000,
    },
    Layer {
        max_height: 360,
        max_fps: 30,
        bitrate: 500_000,
    },
    Layer {
        max_height: 720,
        max_fps: 30,
        bitrate: 1_500_000,
    },
    Layer {
        max_height: 1080,
        max_fps: 30,
        bitrate: 3_000_000,
    },
];
const SCREEN: [Layer; 2] = [
    Layer {
        max_height: 540,
        max_fps: 5,
        bitrate: 250_000,
    },
    Layer {
        max_height: 1080,
        max_fps: 30,
        bitrate: 3_000_000,
    },
];

/// The layers of a track, smallest first; none for sound. Their place in it is their `spatial_layer`.
#[must_use]
pub const fn ladder(track: Track) -> &'static [Layer] {
    match track {
        Track::Camera => &CAMERA,
        Track::Screen => &SCREEN,
        Track::Microphone | Track::ScreenAudio => &[],
    }
}

/// A screen that is shown smaller than this part of a layer is a thumbnail; above that its text must be readable.
const THUMBNAIL: u32 = 6;

/// The smallest layer of a video track that fills `height` rows of pixels, or the largest if none does.
#[must_use]
pub fn layer_for(track: Track, height: u32) -> u8 {
    let layers = ladder(track);
    let readable = if track == Track::Screen {
        height.saturating_mul(THUMBNAIL)
    } else {
        height
    };
    let fits = layers
        .iter()
        .position(|layer| readable <= layer.max_height)
        .unwrap_or(layers.len().saturating_sub(1));
    u8::try_from(fits).unwrap_or(u8::MAX)
}

/// Some layers of one track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerSet(u8);

impl LayerSet {
    /// No layer.
    pub const EMPTY: Self = Self(0);

    /// This one alone. What is no layer makes an empty set.
    #[must_use]
    pub const fn only(layer: u8) -> Self {
        if (layer as usize) < MAX_LAYERS {
            Self(1 << layer)
        } else {
            Self(0)
        }
    }

    /// The largest layer of a track.
    #[must_use]
    pub fn full(track: Track) -> Self {
        Self::only(layer_for(track, u32::MAX))
    }

    /// Reads bits, of which the lowest is layer 0. Bits of layers that this version does not know mean nothing.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits as u8 & ((1 << MAX_LAYERS) - 1))
    }

    /// As bits, of which the lowest is layer 0.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `layer` is in it.
    #[must_use]
    pub const fn contains(self, layer: u8) -> bool {
        Self::only(layer).0 & self.0 != 0
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The layers, smallest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..MAX_LAYERS as u8).filter(move |layer| self.contains(*layer))
    }

    /// The largest layer that is not above `layer`.
    #[must_use]
    pub fn at_most(self, layer: u8) -> Option<u8> {
        self.iter().rfind(|own| *own <= layer)
    }

    /// The layer to take from these for somebody who wants `layer`: the largest that is not above it, or else the smallest.
    #[must_use]
    pub fn serving(self, layer: u8) -> Option<u8> {
        self.at_most(layer).or_else(|| self.lowest())
    }

    /// The smallest layer.
    #[must_use]
    pub fn lowest(self) -> Option<u8> {
        self.iter().next()
    }
}

impl FromIterator<u8> for LayerSet {
    fn from_iter<I: IntoIterator<Item = u8>>(layers: I) -> Self {
        layers
            .into_iter()
            .fold(Self::EMPTY, |set, layer| set.union(Self::only(layer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_gets_the_smallest_layer_that_fills_it() {
        for (height, layer) in [
            (1, 0),
            (180, 0),
            (181, 1),
            (360, 1),
            (361, 2),
            (721, 3),
            (u32::MAX, 3),
        ] {
            assert_eq!(layer_for(Track::Camera, height), layer, "{height}");
        }
        assert_eq!(layer_for(Track::Screen, 90), 0);
        assert_eq!(layer_for(Track::Screen, 91), 1);
        assert_eq!(layer_for(Track::Screen, u32::MAX), 1);
    }

    #[test]
    fn ladders_rise() {
        for track in Track::ALL {
            let layers = ladder(track);
            assert!(layers.len() <= MAX_LAYERS);
            assert!(
                layers
                    .windows(2)
                    .all(|pair| pair[0].max_height < pair[1].max_height
                        && pair[0].bitrate < pair[1].bitrate)
            );
        }
    }

    #[test]
    fn sets_hold_layers() {
        let set: LayerSet = [0, 2].into_iter().collect();
        assert_eq!(set.bits(), 0b101);
        assert_eq!(LayerSet::from_bits(0xFFFF_FF05), set);
        assert!(set.contains(2) && !set.contains(1) && !set.contains(200));
        assert_eq!((set.at_most(1), set.at_most(3)), (Some(0), Some(2)));
        assert_eq!(
            (set.serving(1), LayerSet::only(2).serving(1)),
            (Some(0), Some(2))
        );
        assert_eq!((set.lowest(), LayerSet::EMPTY.lowest()), (Some(0), None));
        assert!(set.covers(LayerSet::only(2)) && !set.covers(LayerSet::only(1)));
        assert!(LayerSet::only(9).is_empty());
    }
}
