//! What the driver tells a [`Call`](crate::call::Call).

use bytes::Bytes;
use videocall_types::api::ServerConfig;
use videocall_types::{SessionId, Track, Wishes};

use crate::command::TransportId;
use crate::frame::LocalFrame;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Enter the meeting: open transports.
    Join,
    /// Leave the meeting for good.
    Leave,
    /// What the server says about itself now; `None` if it can't be asked.
    ConfigFetched(Option<ServerConfig>),
    /// The transport is open.
    TransportOpened(TransportId),
    /// The transport has closed or could not be opened. `code` is the close code where one came.
    TransportClosed {
        /// Which one.
        id: TransportId,
        /// Its close code, see [`CloseCode`](videocall_types::CloseCode).
        code: Option<u16>,
    },
    /// A serialized `PacketWrapper` arrived.
    PacketReceived {
        /// On which transport.
        id: TransportId,
        /// The bytes.
        packet: Bytes,
    },
    /// A local track is captured from now on, or no longer: what others are told.
    Publishing {
        /// Which one.
        track: Track,
        /// Captured or not.
        on: bool,
    },
    /// Pictures of a captured video track have so many rows of pixels; if they are higher than wide, so many columns.
    PictureSize {
        /// Which track.
        track: Track,
        /// In pixels.
        height: u32,
    },
    /// The encoders of a track are too slow for the layers that they make.
    EncodersTooSlow(Track),
    /// So many bytes wait to be taken by the network.
    Waiting(u64),
    /// A local encoder made a frame.
    FrameEncoded(LocalFrame),
    /// The page shows these video tracks from now on. Until it says so for the first time, every track counts as shown.
    Wishes(Wishes),
    /// Whether the person speaks.
    Speaking(bool),
    /// A decoder gave up; it must start again from a keyframe.
    DecoderFailed {
        /// Whose track.
        session: SessionId,
        /// Which one.
        track: Track,
    },
    /// A decoder's output was shown.
    FrameShown {
        /// Whose track.
        session: SessionId,
        /// Which one.
        track: Track,
    },
    /// The browser says that the network is there again.
    NetworkBack,
}
