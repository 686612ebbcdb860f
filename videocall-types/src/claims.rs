//! What a room token says. Signing and checking it is the relay's business.

use serde::{Deserialize, Serialize};

use crate::id::{DisplayName, MeetingId, UserId};

/// Claims of a room token: a JWT that admits one user to one meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomClaims {
    /// The user.
    pub sub: UserId,
    /// The meeting.
    pub meeting: MeetingId,
    /// The name that others see; the user id where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayName>,
    /// End of validity, in seconds since the Unix epoch. The session ends then, too.
    pub exp: u64,
    /// What the session may do; everything but moderating where it is absent.
    #[serde(default)]
    pub can: Capabilities,
}

/// What a session may do in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Send microphone and screen audio.
    pub publish_audio: bool,
    /// Send the camera.
    pub publish_video: bool,
    /// Send the screen.
    pub publish_screen: bool,
    /// Get others' media.
    pub receive_media: bool,
    /// Get presence and notices.
    pub receive_events: bool,
    /// Mute, remove and admit others.
    pub moderate: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            publish_audio: true,
            publish_video: true,
            publish_screen: true,
            receive_media: true,
            receive_events: true,
            moderate: false,
        }
    }
}
