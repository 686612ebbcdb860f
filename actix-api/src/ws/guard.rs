//! Looks at the frames of a WebSocket before actix-ws does, which would buffer a frame of any length before it says
//! that it is too large.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::FromRequest as _;
use actix_web::dev;
use actix_web::error::PayloadError;
use actix_web::{Error, HttpRequest, web};
use bytes::Bytes;
use futures_util::Stream;
use videocall_types::limits::MAX_PACKET_BYTES;

/// The payload of a WebSocket request without frames over [`MAX_PACKET_BYTES`]: it fails at the header of the first one.
pub(crate) async fn guard(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<web::Payload, Error> {
    let guarded = Guard {
        payload: payload.into_inner(),
        frames: Frames::default(),
    };
    // The one way to make a `web::Payload`.
    web::Payload::from_request(
        request,
        &mut dev::Payload::Stream {
            payload: Box::pin(guarded),
        },
    )
    .await
}

/// Whether `error` is that of a frame over the limit.
pub(crate) fn is_too_large(error: &io::Error) -> bool {
    matches!(
        error.get_ref().and_then(|inner| inner.downcast_ref()),
        Some(PayloadError::Overflow)
    )
}

struct Guard {
    payload: dev::Payload,
    frames: Frames,
}

impl Stream for Guard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(Pin::new(&mut self.payload).poll_next(context));
        Poll::Ready(chunk.map(|chunk| {
            let chunk = chunk?;
            if self.frames.follow(&chunk) {
                Ok(chunk)
            } else {
                Err(PayloadError::Overflow)
            }
        }))
    }
}

/// Where in the sequence of frames a connection is.
#[derive(Debug, Default)]
struct Frames {
    /// What has come of a frame's header.
    header: Vec<u8>,
    /// Bytes of the frame that are still to come after its header.
    rest: u64,
}

impl Frames {
    /// Follows `bytes`. False: a frame is too large.
    fn follow(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let skipped = bytes
                    .len()
                    .min(usize::try_from(self.rest).unwrap_or(usize::MAX));
                self.rest -= skipped as u64;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            self.header.push(*first);
            bytes = others;
            if let Some(len) = frame_len(&self.header) {
                if len > MAX_PACKET_BYTES as u64 {
                    return false;
                }
                self.rest = len;
                self.header.clear();
            }
        }
        true
    }
}

/// Length of a frame's payload, once `header` is a whole header of a client's frame (RFC 6455, section 5.2).
fn frame_len(header: &[u8]) -> Option<u64> {
    const MASK: usize = 4;
    let (length, masked) = (header.get(1)? & 0x7f, header.get(1)? & 0x80 != 0);
    let extended = match length {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if header.len() < 2 + extended + if masked { MASK } else { 0 } {
        return None;
    }
    let extension = header.get(2..2 + extended)?;
    let extended_len = extension
        .iter()
        .fold(0, |len, byte| len << 8 | u64::from(*byte));
    Some(if extended == 0 {
        length.into()
    } else {
        extended_len
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize, payload: usize) -> Vec<u8> {
        let mut frame = vec![0x82, 0x80 | 127];
        frame.extend_from_slice(&(len as u64).to_be_bytes());
        frame.extend_from_slice(&[1, 2, 3, 4]);
        frame.resize(frame.len() + payload, 0xff);
        frame
    }

    #[test]
    fn frames_are_followed_however_they_are_cut() {
        let small = [0x82, 0x80 | 3, 1, 2, 3, 4, 0xff, 0xff, 0xff];
        let medium = [&[0x82, 0x80 | 126, 0, 200, 1, 2, 3, 4][..], &[0xff; 200]].concat();
        let empty = [0x8a, 0x80, 1, 2, 3, 4];
        let stream = [&small[..], &medium, &empty, &frame(70_000, 70_000), &small].concat();
        for cut in [1, 2, 3, 7, 1000, stream.len()] {
            let mut frames = Frames::default();
            assert!(
                stream.chunks(cut).all(|chunk| frames.follow(chunk)),
                "{cut}"
            );
            assert_eq!((frames.rest, frames.header.len()), (0, 0), "{cut}");
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_at_its_header() {
        assert!(Frames::default().follow(&frame(MAX_PACKET_BYTES, 0)));
        assert!(!Frames::default().follow(&frame(MAX_PACKET_BYTES + 1, 0)));
        assert!(!Frames::default().follow(&frame(usize::MAX, 0)));
    }
}
