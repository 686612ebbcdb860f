//! Codecs as WebCodecs names them.

use videocall_types::Codec;

/// The codec string for configurations.
pub(crate) const fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Vp8 => "vp8",
        Codec::Vp9 => "vp09.00.10.08",
        Codec::Av1 => "av01.0.08M.08",
        Codec::H264 => "avc1.42E01F",
        Codec::Opus => "opus",
    }
}
