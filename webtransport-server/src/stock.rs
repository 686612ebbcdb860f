//! Stock framing: one packet per unidirectional stream or per datagram, both ways.

use std::pin::Pin;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use relay::transport::{
    Channel, Outgoing, PacketReader, PacketWriter, ReadError, Received, WriteError,
};
use tokio::time::{sleep_until, timeout};
use videocall_types::CloseCode;
use videocall_types::limits::MAX_PACKET_BYTES;
use wtransport::{Connection, RecvStream};

use crate::datagrams::Datagrams;
use crate::drops::{self, Reason};
use crate::order::Order;
use crate::streams::{
    Arrival, MAX_CHUNK, PACKET_DEADLINE, Share, StreamError, Waiting, next_arrival, priority,
    stream_head,
};

/// What stock clients send by datagram to keep their connection alive.
const PING: &[u8] = b"ping";

type Reading = Pin<Box<dyn Future<Output = (u64, Result<Bytes, StreamError>)> + Send>>;

/// Reads all streams of a session at once and hands their packets on in the order of the streams.
pub(crate) struct StockReader {
    connection: Connection,
    reading: FuturesUnordered<Reading>,
    waiting: Waiting,
    order: Order,
}

impl StockReader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            reading: FuturesUnordered::new(),
            waiting: Waiting::default(),
            order: Order::default(),
        }
    }

    fn finished(&mut self, number: u64, read: Result<Bytes, StreamError>) -> Result<(), ReadError> {
        let packet = match read {
            Ok(packet) => Some(packet),
            Err(StreamError::Gone) => {
                drops::count(Reason::StreamReset);
                None
            }
            Err(StreamError::TooLarge) => return Err(ReadError::TooLarge),
        };
        self.order.insert(number, packet, Instant::now());
        Ok(())
    }
}

impl PacketReader for StockReader {
    async fn recv(&mut self) -> Result<Option<Received>, ReadError> {
        loop {
            if let Some(bytes) = self.order.pop(Instant::now()) {
                return Ok(Some(Received {
                    bytes,
                    channel: Channel::Stream,
                }));
            }
            let deadline = self.order.deadline();
            tokio::select! {
                arrival = next_arrival(&self.connection) => match arrival? {
                    Arrival::Stream(stream) => {
                        let number = number(&stream);
                        self.order.open(number);
                        let read = read_in_time(stream, self.waiting.share());
                        self.reading.push(Box::pin(read.map(move |read| (number, read))));
                    }
                    Arrival::Datagram(bytes) => {
                        let bytes = if bytes == PING { Bytes::new() } else { bytes };
                        return Ok(Some(Received { bytes, channel: Channel::Datagram }));
                    }
                    Arrival::Closed => return Ok(None),
                },
                Some((number, read)) = self.reading.next() => self.finished(number, read)?,
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {}
            }
        }
    }
}

/// The two lowest bits of a stream id tell its kind; above them streams of a kind are counted.
fn number(stream: &RecvStream) -> u64 {
    stream.id().into_u64() >> 2
}

async fn read_in_time(stream: RecvStream, share: Share) -> Result<Bytes, StreamError> {
    timeout(PACKET_DEADLINE, read_to_end(stream, share))
        .await
        .unwrap_or(Err(StreamError::Gone))
}

/// A packet in one piece of the received bytes is not copied.
async fn read_to_end(mut stream: RecvStream, mut share: Share) -> Result<Bytes, StreamError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = stream
        .quic_stream_mut()
        .read_chunk(MAX_CHUNK, true)
        .await
        .map_err(|_| StreamError::Gone)?
    {
        let len = first.len() + rest.len() + chunk.bytes.len();
        if len > MAX_PACKET_BYTES {
            return Err(StreamError::TooLarge);
        }
        share.set(len)?;
        if first.is_empty() && rest.is_empty() {
            first = chunk.bytes;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&chunk.bytes);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

/// Sends each packet on a stream of its own.
pub(crate) struct StockWriter {
    connection: Connection,
    head: Bytes,
}

impl StockWriter {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            head: stream_head(&connection),
            connection,
        }
    }

    /// Head, packet and end in one go: QUIC sees them together.
    async fn send_on_new_stream(&self, out: &Outgoing) -> Option<()> {
        let mut stream = self.connection.quic_connection().open_uni().await.ok()?;
        let _ = stream.set_priority(priority(out.lane));
        let [head, payload] = out.packet.chunks();
        stream
            .write_all_chunks(&mut [self.head.clone(), head, payload])
            .await
            .ok()?;
        // Its delivery is QUIC's business from here on.
        stream.finish().ok()
    }
}

impl PacketWriter for StockWriter {
    type Datagrams = Datagrams;

    fn datagrams(&self) -> Datagrams {
        Datagrams::new(self.connection.clone())
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), WriteError> {
        let sent = self.send_on_new_stream(out).await;
        // A client may refuse a stream; only a lost connection is the end.
        if sent.is_none() && self.connection.quic_connection().close_reason().is_some() {
            Err(WriteError)
        } else {
            Ok(())
        }
    }

    async fn close(self, code: CloseCode) {
        self.connection
            .close(u32::from(code.code()).into(), code.reason().as_bytes());
    }
}
