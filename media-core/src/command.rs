//! What a [`Call`](crate::call::Call) asks of its driver.

use serde::{Deserialize, Serialize};
use videocall_types::{CloseCode, Packet, SessionId, Track};

use crate::event::Event;
use crate::frame::RemoteFrame;

/// One connection attempt, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportId(pub u32);

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// QUIC: streams and datagrams.
    WebTransport,
    /// TCP.
    WebSocket,
}

/// How a packet shall travel where the transport has a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In order on the stream of this track.
    Track(Track),
    /// As a datagram if it fits, otherwise as `Track`.
    Datagram(Track),
    /// In order on the control stream.
    Control,
    /// As a datagram, in order where there are none, or not at all.
    Padding,
}

/// What a video encoder shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoEncoding {
    /// Longest side scaled down to at most this many pixels in height, keeping the aspect ratio.
    pub max_height: u32,
    /// Frames per second at most.
    pub max_fps: u32,
    /// Target in bits per second.
    pub bitrate: u32,
}

/// What the encoder of one simulcast layer shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerEncoding {
    /// Which layer, 0 is the smallest.
    pub spatial_layer: u8,
    /// How.
    pub encoding: VideoEncoding,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask the server for its configuration. Answer with `ConfigFetched`.
    FetchConfig,
    /// Connect. Answer with `TransportOpened` or `TransportClosed`.
    OpenTransport {
        /// The id to use in every later input about it.
        id: TransportId,
        /// How.
        kind: TransportKind,
        /// Complete URL with path and query.
        url: String,
        /// SHA-256 of acceptable certificates, lower-case hex; empty: public authorities. WebTransport only.
        certificate_hashes: Vec<String>,
    },
    /// Close; no answer is expected.
    CloseTransport {
        /// Which one.
        id: TransportId,
        /// Why.
        code: CloseCode,
    },
    /// Send a packet.
    Send {
        /// On which transport.
        id: TransportId,
        /// The packet.
        packet: Packet,
        /// How.
        lane: Lane,
    },
    /// Encode a video track from now on in these layers, also when it is captured anew.
    Encode {
        /// Which one.
        track: Track,
        /// Smallest first. Empty: nobody shows the track; it stays captured.
        layers: Vec<LayerEncoding>,
    },
    /// The next frame of this layer shall be a keyframe.
    ForceKeyframe {
        /// Which track.
        track: Track,
        /// Its layer.
        spatial_layer: u8,
    },
    /// Give a frame to the decoder of its session and track, making one if there is none.
    Decode(RemoteFrame),
    /// Drop the decoder and its queue; the next frame begins with another one. The picture stays until then.
    RestartDecoder {
        /// Whose track.
        session: SessionId,
        /// Which one.
        track: Track,
    },
    /// Drop the decoder, its queue and its picture.
    CloseDecoder {
        /// Whose track.
        session: SessionId,
        /// Which one.
        track: Track,
    },
    /// Tell the page.
    Emit(Event),
}
