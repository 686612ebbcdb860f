//! WebSocket messages as packets.

use std::time::Duration;

use actix_ws::{CloseReason, Item, Message, MessageStream, ProtocolError, Session};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _};
use metrics::counter;
use relay::transport::{Channel, PacketReader, ReadError, Received};
use relay::wakeups;
use tokio::time::{Interval, interval};
use videocall_types::CloseCode;
use videocall_types::limits::MAX_PACKET_BYTES;

use super::guard::is_too_large;

/// A client that has nothing to say shows with its pongs that it lives.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Stands for what can't be a packet, so that it counts against the client's limits: a tag of a wire type that there
/// isn't.
const NO_PACKET: Bytes = Bytes::from_static(b"\x07");

/// Reads one packet per binary message.
pub(crate) struct WsReader {
    messages: MessageStream,
    sender: Session,
    fragments: Fragments,
    ping: Interval,
}

impl WsReader {
    pub(crate) fn new(messages: MessageStream, sender: Session) -> Self {
        Self {
            messages: messages.max_frame_size(MAX_PACKET_BYTES),
            sender,
            fragments: Fragments::default(),
            ping: interval(PING_EVERY),
        }
    }

    /// What `message` brings; `Ok(None)` if nothing yet.
    fn take(&mut self, message: Message) -> Result<Option<Bytes>, ReadError> {
        match message {
            Message::Binary(bytes) => Ok(Some(bytes)),
            Message::Continuation(item) => self.fragments.push(item),
            Message::Ping(bytes) => {
                // A client that takes nothing gets no pong either.
                let _ = self.sender.pong(&bytes).now_or_never();
                Ok(Some(Bytes::new()))
            }
            Message::Pong(_) => Ok(Some(Bytes::new())),
            Message::Text(_) => {
                counter!("websocket_drops_total", "reason" => "text").increment(1);
                Ok(Some(NO_PACKET))
            }
            Message::Close(_) | Message::Nop => Ok(None),
        }
    }
}

impl PacketReader for WsReader {
    async fn recv(&mut self) -> Result<Option<Received>, ReadError> {
        loop {
            tokio::select! {
                message = self.messages.next() => match message {
                    None => return Err(ReadError::Lost),
                    Some(Ok(Message::Close(reason))) if is_lost(reason.as_ref()) => return Err(ReadError::Lost),
                    Some(Ok(Message::Close(_))) => return Ok(None),
                    Some(Ok(message)) => {
                        if let Some(bytes) = self.take(message)? {
                            wakeups::woke();
                            return Ok(Some(Received { bytes, channel: Channel::Stream }));
                        }
                    }
                    Some(Err(ProtocolError::Overflow)) => return Err(ReadError::TooLarge),
                    Some(Err(ProtocolError::Io(error))) if is_too_large(&error) => return Err(ReadError::TooLarge),
                    Some(Err(ProtocolError::Io(_))) => return Err(ReadError::Lost),
                    Some(Err(_)) => return Err(ReadError::Malformed),
                },
                _ = self.ping.tick() => {
                    let _ = self.sender.ping(b"").now_or_never();
                }
            }
        }
    }
}

/// Whether a client closes the connection without leaving.
fn is_lost(reason: Option<&CloseReason>) -> bool {
    reason.is_some_and(|reason| u16::from(reason.code) == CloseCode::Idle.code())
}

/// A message that comes in several frames.
#[derive(Debug, Default)]
struct Fragments {
    bytes: BytesMut,
    text: bool,
}

impl Fragments {
    /// The whole message after its last fragment.
    fn push(&mut self, item: Item) -> Result<Option<Bytes>, ReadError> {
        let (bytes, last) = match item {
            Item::FirstText(_) => {
                self.text = true;
                counter!("websocket_drops_total", "reason" => "text").increment(1);
                return Ok(None);
            }
            Item::FirstBinary(bytes) => {
                self.text = false;
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        if self.text {
            return Ok(None);
        }
        if self.bytes.len() + bytes.len() > MAX_PACKET_BYTES {
            return Err(ReadError::TooLarge);
        }
        self.bytes.extend_from_slice(&bytes);
        Ok(last.then(|| self.bytes.split().freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_make_one_message() {
        let mut fragments = Fragments::default();
        assert_eq!(
            fragments.push(Item::FirstBinary(Bytes::from_static(b"ab"))),
            Ok(None)
        );
        assert_eq!(
            fragments.push(Item::Continue(Bytes::from_static(b"c"))),
            Ok(None)
        );
        assert_eq!(
            fragments.push(Item::Last(Bytes::from_static(b"d"))),
            Ok(Some(Bytes::from_static(b"abcd")))
        );
        assert_eq!(
            fragments.push(Item::FirstText(Bytes::from_static(b"x"))),
            Ok(None)
        );
        assert_eq!(
            fragments.push(Item::Last(Bytes::from_static(b"y"))),
            Ok(None)
        );
        assert_eq!(
            fragments.push(Item::FirstBinary(Bytes::from_static(b"e"))),
            Ok(None)
        );
        assert_eq!(
            fragments.push(Item::Last(Bytes::new())),
            Ok(Some(Bytes::from_static(b"e")))
        );
    }

    #[test]
    fn fragments_are_limited_together() {
        let mut fragments = Fragments::default();
        let half = Bytes::from(vec![0; MAX_PACKET_BYTES / 2]);
        assert_eq!(fragments.push(Item::FirstBinary(half.clone())), Ok(None));
        assert_eq!(fragments.push(Item::Continue(half)), Ok(None));
        assert_eq!(
            fragments.push(Item::Last(Bytes::from_static(b"x"))),
            Err(ReadError::TooLarge)
        );
    }
}
