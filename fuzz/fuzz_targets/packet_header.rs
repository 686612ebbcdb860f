//! A packet that can be read can be stamped, and reads the same afterwards.

#![no_main]

use libfuzzer_sys::fuzz_target;
use videocall_types::{Bytes, Packet, PacketHeader};

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = PacketHeader::parse(&Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let Ok(kind) = header.kind else { return };
    let stamped = Packet::new(
        kind,
        &header.user_id,
        header.session_id,
        &header.routing,
        header.data.clone(),
    );
    // The stamp itself may carry a packet at the limit over it.
    if let Ok(again) = PacketHeader::parse(&stamped.to_bytes()) {
        assert_eq!(again, header);
    }
});
