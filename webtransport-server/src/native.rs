//! Native framing: long-lived unidirectional streams, each a sequence of length-prefixed packets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use relay::transport::{
    Channel, Lane, Outgoing, PacketReader, PacketWriter, ReadError, Received, WriteError,
};
use tokio::time::{Instant, timeout, timeout_at};
use videocall_types::framing::Deframer;
use videocall_types::{CloseCode, SessionId, Track};
use wtransport::quinn::{self, SendStream};
use wtransport::{Connection, RecvStream};

use crate::datagrams::Datagrams;
use crate::drops::{self, Reason};
use crate::streams::{
    Arrival, MAX_CHUNK, PACKET_DEADLINE, Share, StreamError, Waiting, next_arrival, priority,
    stream_head,
};

/// How long a client that is told to move may take to read it.
const FAREWELL: Duration = Duration::from_millis(500);

/// Reads all streams of a session at once; the order within each is kept.
pub(crate) struct NativeReader {
    connection: Connection,
    streams: SelectAll<BoxStream<'static, Result<Bytes, StreamError>>>,
    waiting: Waiting,
}

impl NativeReader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            streams: SelectAll::new(),
            waiting: Waiting::default(),
        }
    }
}

impl PacketReader for NativeReader {
    async fn recv(&mut self) -> Result<Option<Received>, ReadError> {
        loop {
            tokio::select! {
                arrival = next_arrival(&self.connection) => match arrival? {
                    Arrival::Stream(stream) => {
                        let track = TrackStream::new(stream, self.waiting.share());
                        self.streams.push(stream::unfold(track, TrackStream::next).boxed());
                    }
                    Arrival::Datagram(bytes) => return Ok(Some(Received { bytes, channel: Channel::Datagram })),
                    Arrival::Closed => return Ok(None),
                },
                Some(read) = self.streams.next() => match read {
                    Ok(bytes) => return Ok(Some(Received { bytes, channel: Channel::Stream })),
                    Err(StreamError::TooLarge) => return Err(ReadError::TooLarge),
                    Err(StreamError::Gone) => drops::count(Reason::StreamReset),
                },
            }
        }
    }
}

/// One stream of packets.
struct TrackStream {
    stream: RecvStream,
    deframer: Deframer,
    share: Share,
    /// When the packet that is not complete yet must be.
    deadline: Option<Instant>,
    failed: bool,
}

impl TrackStream {
    fn new(stream: RecvStream, share: Share) -> Self {
        Self {
            stream,
            deframer: Deframer::default(),
            share,
            deadline: None,
            failed: false,
        }
    }

    /// Dropping `self` tells the peer to stop sending.
    async fn next(mut self) -> Option<(Result<Bytes, StreamError>, Self)> {
        if self.failed {
            return None;
        }
        let packet = self.read_packet().await.transpose()?;
        self.failed = packet.is_err();
        Some((packet, self))
    }

    async fn read_packet(&mut self) -> Result<Option<Bytes>, StreamError> {
        loop {
            let packet = self
                .deframer
                .next_packet()
                .map_err(|_| StreamError::TooLarge)?;
            self.share.set(self.deframer.pending())?;
            if packet.is_some() {
                self.deadline = None;
                return Ok(packet);
            }
            if self.deframer.pending() > 0 && self.deadline.is_none() {
                self.deadline = Some(Instant::now() + PACKET_DEADLINE);
            }
            let Some(chunk) = self.read_chunk().await? else {
                return if self.deframer.pending() > 0 {
                    Err(StreamError::Gone)
                } else {
                    Ok(None)
                };
            };
            self.deframer.push(&chunk);
        }
    }

    async fn read_chunk(&mut self) -> Result<Option<Bytes>, StreamError> {
        let read = self.stream.quic_stream_mut().read_chunk(MAX_CHUNK, true);
        let chunk = match self.deadline {
            Some(deadline) => timeout_at(deadline, read)
                .await
                .map_err(|_| StreamError::Gone)?,
            None => read.await,
        };
        Ok(chunk
            .map_err(|_| StreamError::Gone)?
            .map(|chunk| chunk.bytes))
    }
}

/// Writes one stream of control packets and one per track of each source.
pub(crate) struct NativeWriter {
    connection: Connection,
    head: Bytes,
    control: Option<SendStream>,
    tracks: HashMap<(SessionId, Track), Slot>,
    /// For the tracks that found no stream left: packets name their track.
    shared: Option<SendStream>,
}

enum Slot {
    Own(SendStream),
    Shared,
}

impl NativeWriter {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            head: stream_head(&connection),
            connection,
            control: None,
            tracks: HashMap::new(),
            shared: None,
        }
    }

    async fn stream_for(&mut self, lane: Lane) -> Result<&mut SendStream, WriteError> {
        let open = Open {
            connection: self.connection.quic_connection(),
            head: &self.head,
            lane,
        };
        let key = match lane {
            Lane::Control | Lane::Datagram => return open.once(&mut self.control).await,
            Lane::Track { session, track } | Lane::TrackDatagram { session, track } => {
                (session, track)
            }
        };
        if self.shared.is_none() {
            // Taken before the tracks take all.
            open.once(&mut self.shared).await?;
        }
        let slot = match self.tracks.entry(key) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(place) => {
                let own = open.now().await?;
                place.insert(own.map_or(Slot::Shared, Slot::Own))
            }
        };
        match slot {
            Slot::Own(stream) => Ok(stream),
            Slot::Shared => self.shared.as_mut().ok_or(WriteError),
        }
    }

    /// The client does not want the stream of `lane` any more: the next packet gets a new one.
    fn forget(&mut self, lane: Lane) {
        match lane {
            Lane::Control | Lane::Datagram => self.control = None,
            Lane::Track { session, track } | Lane::TrackDatagram { session, track } => {
                if matches!(self.tracks.remove(&(session, track)), Some(Slot::Shared)) {
                    self.shared = None;
                }
            }
        }
    }
}

/// How a stream is opened.
struct Open<'a> {
    connection: &'a quinn::Connection,
    head: &'a Bytes,
    lane: Lane,
}

impl Open<'_> {
    /// Waits for a stream if `stream` is none.
    async fn once<'s>(
        &self,
        stream: &'s mut Option<SendStream>,
    ) -> Result<&'s mut SendStream, WriteError> {
        if stream.is_none() {
            let opened = self.connection.open_uni().await.map_err(|_| WriteError)?;
            *stream = Some(self.begin(opened).await?);
        }
        stream.as_mut().ok_or(WriteError)
    }

    /// `None` if the client allows no further stream at the moment.
    async fn now(&self) -> Result<Option<SendStream>, WriteError> {
        match self.connection.open_uni().now_or_never() {
            Some(opened) => Ok(Some(self.begin(opened.map_err(|_| WriteError)?).await?)),
            None => Ok(None),
        }
    }

    async fn begin(&self, mut stream: SendStream) -> Result<SendStream, WriteError> {
        let _ = stream.set_priority(priority(self.lane));
        match stream.write_chunk(self.head.clone()).await {
            // The first packet finds out that the client does not want it.
            Ok(()) | Err(quinn::WriteError::Stopped(_)) => Ok(stream),
            Err(_) => Err(WriteError),
        }
    }
}

impl PacketWriter for NativeWriter {
    type Datagrams = Datagrams;

    fn datagrams(&self) -> Datagrams {
        Datagrams::new(self.connection.clone())
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), WriteError> {
        let stream = self.stream_for(out.lane).await?;
        match stream.write_all_chunks(&mut out.packet.framed()).await {
            Ok(()) => Ok(()),
            Err(quinn::WriteError::Stopped(_)) => {
                self.forget(out.lane);
                Ok(())
            }
            Err(_) => Err(WriteError),
        }
    }

    fn close_tracks(&mut self, source: SessionId) {
        // Dropping a stream ends it in order.
        self.tracks.retain(|(session, _), _| *session != source);
    }

    async fn close(self, code: CloseCode) {
        if code == CloseCode::Draining {
            // Closing throws away what the client has received and not read yet, such as why. It may leave first.
            drop(self.control);
            let _ = timeout(FAREWELL, self.connection.closed()).await;
        }
        self.connection
            .close(u32::from(code.code()).into(), code.reason().as_bytes());
    }
}
