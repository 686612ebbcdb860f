//! Whatever a client sends, what goes on carries the identity that the relay gave it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relay_core::ingress::{Identity, Inbound, entry, from_client, from_relay};
use videocall_types::{Bytes, PacketHeader, SessionId};

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let session = SessionId::new(7).expect("not zero");
    let identity = Identity {
        session,
        user: "ada".parse().expect("an id"),
    };
    if let Ok(Inbound::Forward(forward)) = from_client(&bytes, &identity) {
        let stamped = forward.packet.to_bytes();
        // The stamp itself may carry a packet at the limit over it.
        if let Ok(header) = PacketHeader::parse(&stamped) {
            assert_eq!(header.session_id, Some(session));
            assert_eq!(header.user_id, "ada");
            from_relay(stamped).expect("another relay can read what this one sends");
        }
    }
    let _ = entry(&bytes);
    let _ = from_relay(bytes);
});
