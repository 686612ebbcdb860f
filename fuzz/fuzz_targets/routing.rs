//! A routing header that can be read is written the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protobuf::Message as _;
use videocall_types::Routing;

fuzz_target!(|bytes: &[u8]| {
    if let Some(routing) = Routing::parse(bytes) {
        let written = routing.to_wire().write_to_bytes().expect("it is small");
        assert_eq!(Routing::parse(&written), Some(routing));
    }
});
