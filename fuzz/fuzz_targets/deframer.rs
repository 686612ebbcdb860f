//! Where a stream is cut does not change what is on it. The first byte is the length of a cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use videocall_types::Bytes;
use videocall_types::framing::{Deframer, FramingError};

fuzz_target!(|bytes: &[u8]| {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    let whole = read([stream].into_iter());
    assert_eq!(read(stream.chunks(usize::from(*cut).max(1))), whole);
});

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, Result<(), FramingError>) {
    let mut deframer = Deframer::default();
    let mut packets = Vec::new();
    for chunk in chunks {
        deframer.push(chunk);
        loop {
            match deframer.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Err(error)),
            }
        }
    }
    (packets, Ok(()))
}
