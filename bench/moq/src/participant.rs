//! One participant: a broadcast of its own, and subscriptions to those of the others in its room.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bench::client::{self, ConnectError, Guard, Outgoing, Sink};
use bench::load::{Joining, Network};
use bench::measure::{Framing, Kind};
use moq_tokio::moq_net::{self, Timestamp, broadcast, group, origin, track};
use moq_tokio::{Client, Connection};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

const TRACKS: [(Kind, &str); 2] = [(Kind::Video, "video"), (Kind::Audio, "audio")];
/// How old a group may get before it is dropped. No scenario may lose packets, so that a whole second is better than
/// [`track::Subscription`]'s default, which drops a group as soon as a newer one has overtaken it.
const MAX_AGE: Duration = Duration::from_secs(1);

/// A `moq-relay`. The path of the URL is the room, all connections share a socket.
#[derive(Clone)]
pub(crate) struct MoqRelay {
    address: SocketAddr,
    client: Client,
}

impl MoqRelay {
    /// That which listens at `address`.
    pub(crate) fn new(address: SocketAddr) -> moq_tokio::Result<Self> {
        let mut config = moq_tokio::connect::Config::default();
        config.bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        // The relay's certificate is its own.
        config.tls.insecure = Some(true);
        config.once = Some(true);
        Ok(Self {
            address,
            client: config.init(moq_tokio::quic::Config::default())?,
        })
    }
}

impl Network for MoqRelay {
    /// A frame is the very packet that our relay gets, so that both deliver the same bytes.
    fn framing(&self, _client: usize) -> Framing {
        Framing::Native
    }

    /// Each group has a stream of its own.
    fn keeps_order(&self, _client: usize) -> bool {
        false
    }

    async fn connect<S: Sink>(self, joining: Joining<S>) -> Result<Guard, ConnectError> {
        let url = format!("https://{}/bench{}", self.address, joining.room);
        let url: Url = url.parse().map_err(io::Error::other)?;
        let (published, received) = (moq_tokio::origin::spawn(), moq_tokio::origin::spawn());
        let broadcast = if joining.sends {
            Some(Broadcast::new(&published, joining.index).map_err(io::Error::other)?)
        } else {
            None
        };
        let client = self.client.with_publisher(&published);
        let connection = client.with_subscriber(received.clone()).connect(url);
        let connection = connection.established().await.map_err(io::Error::other)?;
        Ok(client::guard(run(
            connection, broadcast, published, received, joining,
        )))
    }
}

async fn run<S: Sink>(
    connection: Connection,
    mut broadcast: Option<Broadcast>,
    _published: origin::Producer,
    received: origin::Producer,
    joining: Joining<S>,
) {
    let Joining {
        index,
        senders,
        sink,
        mut outgoing,
        ..
    } = joining;
    let mut subscriptions = JoinSet::new();
    for sender in senders.filter(|sender| *sender != index) {
        for (_, name) in TRACKS {
            subscriptions.spawn(receive(received.consume(), sender, name, sink.clone()));
        }
    }
    tokio::select! {
        _ = connection.closed() => {}
        () = send(&mut broadcast, &mut outgoing) => {}
    }
    sink.closed();
}

/// Ends only when packets can't be written any more.
async fn send(broadcast: &mut Option<Broadcast>, outgoing: &mut mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(out) = outgoing.recv().await {
        let written = broadcast.as_mut().map(|broadcast| broadcast.write(out));
        if matches!(written, Some(Err(_))) {
            return;
        }
    }
    std::future::pending().await
}

/// What a participant publishes.
struct Broadcast {
    /// It is announced as long as this is held.
    _producer: broadcast::Producer,
    video: track::Producer,
    audio: track::Producer,
    /// The group of the latest keyframe.
    group: Option<group::Producer>,
}

impl Broadcast {
    fn new(origin: &origin::Producer, index: usize) -> moq_net::Result<Self> {
        let producer = origin.create_broadcast(path(index))?;
        let [video, audio] = TRACKS.map(|(_, name)| producer.create_track(name, None));
        let (video, audio) = (video?, audio?);
        producer.announce(Default::default())?;
        Ok(Self {
            _producer: producer,
            video,
            audio,
            group: None,
        })
    }

    /// As moq's own importers have it: a group of video begins with a keyframe, each packet of audio is a group.
    fn write(&mut self, out: Outgoing) -> moq_net::Result<()> {
        let now = Timestamp::now();
        match out.kind {
            Kind::Audio => self.audio.write_frame(now, out.packet),
            Kind::Video => {
                if out.key || self.group.is_none() {
                    if let Some(finished) = self.group.take() {
                        finished.finish()?;
                    }
                    self.group = Some(self.video.append_group()?);
                }
                match &mut self.group {
                    Some(group) => group.write_frame(now, out.packet),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Reads a track of another participant to its end.
async fn receive<S: Sink>(
    origin: origin::Consumer,
    sender: usize,
    name: &'static str,
    sink: Arc<S>,
) -> moq_net::Result<()> {
    let broadcast = origin.routed_broadcast(path(sender)).await?;
    let wanted = track::Subscription::default().with_max_age(MAX_AGE);
    let mut track = broadcast.track(name)?.subscribe(wanted).await?;
    // A group may come before the one before it has ended.
    let mut groups = JoinSet::new();
    while let Some(group) = track.recv_group().await? {
        while groups.try_join_next().is_some() {}
        groups.spawn(read_group(group, sink.clone()));
    }
    Ok(())
}

async fn read_group<S: Sink>(mut group: group::Consumer, sink: Arc<S>) {
    while let Ok(Some(frame)) = group.read_frame().await {
        sink.packet(frame.payload);
    }
}

fn path(participant: usize) -> String {
    format!("participant{participant}")
}
