//! The size of encoded pictures.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Scales `source` down so that its shorter side has at most `max_height` pixels: a phone held upright keeps its detail.
/// The aspect ratio stays; both sides become even, because chroma is stored at half the resolution.
#[must_use]
pub fn fit(source: Size, max_height: u32) -> Size {
    let short = source.width.min(source.height).max(1);
    let target = short.min(max_height);
    let scale = |side: u32| {
        let scaled = u64::from(side) * u64::from(target) / u64::from(short);
        u32::try_from(scaled).unwrap_or(u32::MAX).max(2) & !1
    };
    Size {
        width: scale(source.width),
        height: scale(source.height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit() {
        let cases = [
            ((1280, 720), 720, (1280, 720)),
            ((1920, 1080), 720, (1280, 720)),
            ((720, 1280), 720, (720, 1280)),
            ((1080, 1920), 720, (720, 1280)),
            ((640, 480), 720, (640, 480)),
            ((1367, 769), 1080, (1366, 768)),
            ((3440, 1440), 1080, (2580, 1080)),
            ((1, 1), 720, (2, 2)),
            ((0, 0), 720, (2, 2)),
        ];
        for ((width, height), max, (w, h)) in cases {
            assert_eq!(
                fit(Size { width, height }, max),
                Size {
                    width: w,
                    height: h
                },
                "{width}x{height} in {max}"
            );
        }
    }
}
