//! What a [`Call`](crate::call::Call) tells the people who look at it.

use serde::{Deserialize, Serialize};
use videocall_types::{Codec, SessionId, Track};

use crate::command::TransportKind;

/// Something that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The connection changed.
    Connection(Connection),
    /// Somebody joined or changed.
    Participant(Participant),
    /// Somebody left.
    Left {
        /// Who.
        session: SessionId,
    },
    /// Other people speak than before. When the connection changes, nobody does.
    Speakers {
        /// Who speaks, whoever leads first. It may name us.
        sessions: Vec<SessionId>,
    },
    /// There is something else to see, or to say, of a video track.
    Picture {
        /// Whose.
        session: SessionId,
        /// Which track.
        track: Track,
        /// What there is.
        picture: Picture,
    },
    /// Numbers, about once a second.
    Stats(Stats),
}

/// State of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connection {
    /// The first connection is being made.
    Connecting,
    /// In the meeting.
    Connected {
        /// How.
        transport: TransportKind,
        /// Our own session.
        session: SessionId,
    },
    /// Lost; the next attempt is made by itself.
    Reconnecting {
        /// Attempts since the loss, from 1.
        attempt: u32,
        /// Until the next attempt, in milliseconds; 0: under way.
        retry_in_ms: u32,
    },
    /// Over, and trying again would not help.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person left.
    Left,
    /// The server does not admit this person.
    NotAllowed,
    /// The server does not understand this client.
    Rejected,
}

/// What there is to see of a video track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// There is a picture, if only an old one.
    pub shown: bool,
    /// Why it does not move, or is not there; `None` as well while it is not known to last.
    pub trouble: Option<Trouble>,
}

/// Why the picture of a track that is published and looked at does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// What comes can't be decoded.
    Undecodable,
    /// Our connection does not carry it, so that the relay leaves it out.
    LeftOut,
    /// Nothing comes of it. Others and our connection are well.
    SenderStalled,
    /// Nothing comes at all.
    ConnectionStalled,
}

/// Somebody else in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The connection.
    pub session: SessionId,
    /// The user id.
    pub user_id: String,
    /// The name to show.
    pub display_name: String,
    /// Publishes the camera.
    pub camera: bool,
    /// Publishes the microphone.
    pub microphone: bool,
    /// Publishes a screen.
    pub screen: bool,
}

/// Numbers of the last second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// How long that second was, in milliseconds.
    pub interval_ms: f64,
    /// Round trip to the relay in milliseconds, smoothed; `None` before the first answer.
    pub rtt_ms: Option<f64>,
    /// Bits per second sent.
    pub sent_bps: u64,
    /// Bits per second received.
    pub received_bps: u64,
    /// Bits per second that the connection carries to the relay; `None`: it has shown no limit.
    pub uplink_bps: Option<u64>,
    /// The same from the relay.
    pub downlink_bps: Option<u64>,
    /// Per received track.
    pub tracks: Vec<TrackStats>,
}

/// Numbers of one received track in the last second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackStats {
    /// Whose.
    pub session: SessionId,
    /// Which.
    pub track: Track,
    /// Simulcast layer of the newest frame, 0 is the smallest; `None` for sound.
    pub layer: Option<u8>,
    /// How the newest frame is encoded.
    pub codec: Option<Codec>,
    /// Frames given to the decoder.
    pub frames: u32,
    /// Frames that were not shown.
    pub drops: Drops,
    /// Payload bits per second.
    pub bps: u64,
    /// Variation of the arrival interval (RFC 3550) in milliseconds.
    pub jitter_ms: f64,
    /// What comes out of the decoder. [`Outputs`](crate::outputs::Outputs) adds it, because the driver alone sees it;
    /// `None` before anything has come out.
    pub output: Option<Output>,
}

/// How many frames of the last second were not shown, by reason. Of sound, only what was lost is counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// They never came.
    pub lost: u32,
    /// They came when later ones had been decoded.
    pub late: u32,
    /// They came, and what they refer to did not: a keyframe went on without them.
    pub no_keyframe: u32,
    /// The decoder failed with them, was too slow, or there is none for their codec.
    pub undecodable: u32,
    /// The relay left them out, because our connection or tile needs no more.
    pub left_out: u32,
}

/// What comes out of the decoder of one track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Output {
    /// Pictures.
    Pictures {
        /// How many in the last second.
        count: u32,
        /// Of the newest one, in pixels.
        width: u32,
        /// Of the newest one, in pixels.
        height: u32,
    },
    /// Sound that is played.
    Sound {
        /// From the arrival of the most punctual packets until they are played, in milliseconds.
        delay_ms: f64,
        /// Packets of the last second that came after they were due, or twice.
        late: u64,
        /// Packets thrown away in the last second because too much sound was waiting.
        dropped: u64,
    },
}
