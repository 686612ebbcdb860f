//! One stream in each direction of travel.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt as _;
use js_sys::Uint8Array;
use videocall_types::framing::{Deframer, FramingError};
use videocall_types::{Packet, Track};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStream, WebTransport, WritableStream};

use super::super::super::reader::Reader;
use crate::error::Exception;
use crate::js;

/// An outgoing stream. It ends when this is dropped and all packets are written.
pub(super) struct Lane {
    packets: UnboundedSender<Packet>,
    waiting: Rc<Cell<u64>>,
}

impl Lane {
    /// Opens a stream as soon as the session is ready; packets wait until then.
    pub(super) fn open(session: &WebTransport, track: Option<Track>) -> Self {
        let (sender, packets) = unbounded();
        let lane = Self {
            packets: sender,
            waiting: Rc::default(),
        };
        let (session, waiting) = (session.clone(), lane.waiting.clone());
        spawn_local(async move {
            if let Err(error) = write(&session, packets, &waiting).await {
                tracing::debug!(%error, ?track, "outgoing stream ended");
            }
            // What a broken stream did not take waits no longer: it must not hold up what comes next.
            waiting.set(0);
        });
        lane
    }

    /// False if the stream has ended.
    pub(super) fn send(&self, packet: &Packet) -> bool {
        let sent = self.packets.unbounded_send(packet.clone()).is_ok();
        if sent {
            self.waiting.set(self.waiting.get() + packet.len() as u64);
        }
        sent
    }

    /// Bytes that the browser has not taken over yet.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.get()
    }
}

async fn write(
    session: &WebTransport,
    mut packets: UnboundedReceiver<Packet>,
    waiting: &Cell<u64>,
) -> Result<(), Exception> {
    JsFuture::from(session.ready()).await?;
    let stream: WritableStream = JsFuture::from(session.create_unidirectional_stream())
        .await?
        .unchecked_into();
    let writer = stream.get_writer()?;
    while let Some(packet) = packets.next().await {
        JsFuture::from(writer.write_with_chunk(&joined(&packet.framed()))).await?;
        waiting.set(waiting.get().saturating_sub(packet.len() as u64));
    }
    js::ignore(writer.close());
    Ok(())
}

/// Why an incoming stream was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The stream or its session broke.
    #[error(transparent)]
    Broken(#[from] Exception),
    /// It does not carry what we understand.
    #[error(transparent)]
    Framing(#[from] FramingError),
}

/// Hands over the packets of an incoming stream, in order.
pub(super) async fn read(
    stream: &ReadableStream,
    received: impl Fn(Bytes),
) -> Result<(), ReadError> {
    let reader = Reader::new(stream)?;
    let mut packets = Deframer::default();
    while let Some(chunk) = reader.next::<Uint8Array>().await? {
        packets.push(&chunk.to_vec());
        while let Some(packet) = packets.next_packet()? {
            received(packet);
        }
    }
    Ok(())
}

/// One JavaScript buffer with both chunks. It can't be a view of our memory, because it is read later.
pub(super) fn joined([head, payload]: &[Bytes; 2]) -> Uint8Array {
    let whole = Uint8Array::new_with_length((head.len() + payload.len()) as u32);
    whole.subarray(0, head.len() as u32).copy_from(head);
    whole
        .subarray(head.len() as u32, whole.length())
        .copy_from(payload);
    whole
}
