//! Sizes and counts that a client and a relay must agree on.

/// Largest serialized `PacketWrapper`, in bytes.
pub const MAX_PACKET_BYTES: usize = 1_000_000;
/// Largest packet of any other kind than media, in bytes.
pub const MAX_CONTROL_BYTES: usize = 64 * 1024;
/// Longest meeting or user id, in characters of `[A-Za-z0-9_-]`.
pub const MAX_ID_CHARS: usize = 64;
/// Longest display name, in characters after cleaning.
pub const MAX_DISPLAY_NAME_CHARS: usize = 64;
/// Largest packet that is tried as a datagram, in bytes: what fits a QUIC packet at the minimum MTU of 1200
/// beside its own header, the authentication tag and the session prefix.
pub const MAX_DATAGRAM_PACKET_BYTES: usize = 1_100;
/// Most concurrent unidirectional streams that a relay accepts from one client.
pub const MAX_CLIENT_STREAMS: u32 = 64;
/// Most earlier frames that a packet of sound repeats.
pub const MAX_REDUNDANCY: u8 = 2;
/// Most tracks that a client names in its wishes, or whose losses it reports.
pub const MAX_WISHES: usize = 64;
