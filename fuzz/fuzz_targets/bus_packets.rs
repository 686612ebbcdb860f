//! A message of several packets is read as a stream of the same bytes is, and whatever another relay writes into it is
//! read or dropped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relay_core::ingress::from_relay;
use videocall_types::Bytes;
use videocall_types::framing::{Deframer, Split};

fuzz_target!(|bytes: &[u8]| {
    let mut stream = Deframer::default();
    stream.push(bytes);
    let mut split = Split::new(Bytes::copy_from_slice(bytes));
    while let Ok(Some(packet)) = stream.next_packet() {
        assert_eq!(split.next(), Some(Ok(packet.clone())));
        let _ = from_relay(packet);
    }
    let fault = split.next();
    assert!(fault.is_none_or(|fault| fault.is_err()));
    assert_eq!(split.next(), None);
});
