//! A participant that publishes a clip over WebSocket and watches nobody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use media_core::call::{Call, Config};
use media_core::command::{TransportId, TransportKind};
use media_core::event::{Connection, Event};
use media_core::frame::LocalFrame;
use media_core::{Command, Input};
use relay::Clock;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use videocall_types::api::{Access, ServerConfig};
use videocall_types::layers::ladder;
use videocall_types::{DisplayName, MeetingId, Timestamp, Track, UserId, Wishes};

use super::clip::Clip;

/// Of an Opus packet.
const SOUND_INTERVAL: Duration = Duration::from_millis(20);
/// As loud as somebody who speaks.
const VOICE_LEVEL: u8 = 25;
/// A source encodes at most three layers at once on so many cores; a clip has all of its layers.
const CORES: u32 = 8;

/// Who takes part, and where.
#[derive(Clone, Debug)]
pub struct Setup {
    /// HTTP and WebSocket of the server.
    pub server: SocketAddr,
    /// The meeting.
    pub meeting: MeetingId,
    /// The participant.
    pub user: UserId,
    /// What they publish.
    pub clip: Arc<Clip>,
    /// Whether the sound of the clip is sent. Otherwise the microphone is on and silent, as with DTX.
    pub speaks: bool,
    /// Who shares a screen at the moment, by user id. It shows the larger layers of the clip.
    pub sharing: watch::Receiver<String>,
    /// Part of the interval between two pictures by which these come later, so that not everybody's come at once.
    pub phase: f64,
}

/// What a publisher does at the moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// Who it is.
    pub user: String,
    /// Whether it has joined.
    pub joined: bool,
    /// The layers of the camera that it sends, because somebody gets them.
    pub layers: Vec<u8>,
    /// The same of the screen.
    pub screen: Vec<u8>,
    /// Frames of either that it has sent.
    pub frames: u64,
}

type Socket = WebSocketStream<TcpStream>;

/// See the module.
pub struct Publisher {
    setup: Setup,
    clock: Clock,
    call: Call,
    connection: Option<(TransportId, Socket)>,
    /// Where each layer that is sent is in the clip.
    places: BTreeMap<(Track, u8), usize>,
    pictures: u32,
    sounds: u32,
    status: watch::Sender<Status>,
}

impl Publisher {
    /// Somebody who is not there yet. Give also what they will do.
    #[must_use]
    pub fn new(setup: Setup) -> (Self, watch::Receiver<Status>) {
        let (status, told) = watch::channel(Status {
            user: setup.user.as_str().to_owned(),
            ..Status::default()
        });
        let publisher = Self {
            call: Call::new(config(&setup), 1),
            setup,
            clock: Clock::start(),
            connection: None,
            places: BTreeMap::new(),
            pictures: 0,
            sounds: 0,
            status,
        };
        (publisher, told)
    }

    /// Takes part until it is dropped.
    pub async fn run(mut self) {
        for track in [Track::Camera, Track::Microphone] {
            self.publish(track, true).await;
        }
        self.input(Input::Speaking(self.setup.speaks)).await;
        self.input(Input::Wishes(Wishes::nothing())).await;
        self.input(Input::Join).await;
        loop {
            self.step().await;
        }
    }

    /// Waits for what comes next, and does it.
    async fn step(&mut self) {
        let (picture, sound) = (self.next_picture(), self.next_sound());
        let timeout = self.call.poll_timeout();
        let due = timeout.map_or(picture.min(sound), |at| at.min(picture).min(sound));
        tokio::select! {
            input = receive(&mut self.connection) => {
                if matches!(input, Input::TransportClosed { .. }) {
                    self.connection = None;
                }
                self.input(input).await;
            }
            Ok(()) = self.setup.sharing.changed() => {
                let on = *self.setup.sharing.borrow_and_update() == self.setup.user.as_str();
                self.publish(Track::Screen, on).await;
            }
            () = sleep_until(self.clock.instant(due)) => {}
        }
        let now = self.clock.now();
        if timeout.is_some_and(|at| at <= now) {
            self.call.handle_timeout(now);
            self.carry_out().await;
        }
        if picture <= now {
            self.publish_picture().await;
            self.pictures += 1;
        }
        if sound <= now {
            self.publish_sound().await;
            self.sounds += 1;
        }
    }

    async fn publish(&mut self, track: Track, on: bool) {
        self.input(Input::Publishing { track, on }).await;
        if on && !track.is_audio() {
            let layers = ladder(Track::Camera).iter();
            let mut layers = layers.take(self.setup.clip.layers.len());
            let height = layers.next_back().expect("a clip has layers").max_height;
            self.input(Input::PictureSize { track, height }).await;
        }
    }

    fn next_picture(&self) -> Timestamp {
        let interval = self.setup.clip.interval;
        Timestamp::ZERO + interval.mul_f64(self.setup.phase) + interval * self.pictures
    }

    fn next_sound(&self) -> Timestamp {
        Timestamp::ZERO + SOUND_INTERVAL * self.sounds
    }

    async fn publish_picture(&mut self) {
        let clip = Arc::clone(&self.setup.clip);
        let capture_time_us = self.next_picture().as_micros();
        let mut frames = Vec::new();
        for ((track, layer), place) in &mut self.places {
            let layer_frames = clip.layer(layer_of_clip(*track, *layer));
            let frame = layer_frames.get(*place).unwrap();
            *place = (*place + 1) % layer_frames.len();
            frames.push(LocalFrame {
                track: *track,
                codec: clip.codec,
                keyframe: frame.keyframe,
                spatial_layer: *layer,
                temporal_layer: frame.temporal_layer,
                capture_time_us,
                duration_us: u64::try_from(clip.interval.as_micros()).unwrap(),
                audio_level: 127,
                data: frame.data.clone(),
            });
        }
        let count = frames.len() as u64;
        self.status.send_modify(|status| status.frames += count);
        for frame in frames {
            self.input(Input::FrameEncoded(frame)).await;
        }
    }

    async fn publish_sound(&mut self) {
        if !self.setup.speaks {
            return;
        }
        let data = self.setup.clip.sound(self.sounds as usize);
        let frame = LocalFrame::sound(
            Track::Microphone,
            self.next_sound().as_micros(),
            u64::try_from(SOUND_INTERVAL.as_micros()).unwrap(),
            VOICE_LEVEL,
            data,
        );
        self.input(Input::FrameEncoded(frame)).await;
    }

    async fn input(&mut self, input: Input) {
        self.call.handle(input, self.clock.now());
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        while let Some(command) = self.call.poll_command() {
            match command {
                Command::FetchConfig => {
                    let config = config(&self.setup).server;
                    Box::pin(self.input(Input::ConfigFetched(Some(config)))).await;
                }
                Command::OpenTransport { id, url, .. } => {
                    let socket = connect(self.setup.server, &url).await;
                    let input = match socket {
                        Some(socket) => {
                            self.connection = Some((id, socket));
                            Input::TransportOpened(id)
                        }
                        None => Input::TransportClosed { id, code: None },
                    };
                    Box::pin(self.input(input)).await;
                }
                Command::CloseTransport { id, .. } => {
                    self.connection.take_if(|(own, _)| *own == id);
                }
                Command::Send { id, packet, .. } => {
                    if let Some((own, socket)) = &mut self.connection
                        && *own == id
                    {
                        // A connection that is lost is noticed where it is read.
                        let _ = socket.send(Message::Binary(packet.to_bytes())).await;
                    }
                }
                Command::Encode { track, layers } => {
                    let layers: Vec<u8> = layers.iter().map(|layer| layer.spatial_layer).collect();
                    self.places
                        .retain(|(own, layer), _| *own != track || layers.contains(layer));
                    for layer in &layers {
                        self.places.entry((track, *layer)).or_default();
                    }
                    self.status.send_modify(|status| match track {
                        Track::Screen => status.screen = layers,
                        _ => status.layers = layers,
                    });
                }
                Command::ForceKeyframe {
                    track,
                    spatial_layer,
                } => {
                    if let Some(place) = self.places.get_mut(&(track, spatial_layer)) {
                        let layer = layer_of_clip(track, spatial_layer);
                        *place = self.setup.clip.keyframe_from(layer, *place);
                    }
                }
                Command::Emit(Event::Connection(connection)) => {
                    let joined = matches!(connection, Connection::Connected { .. });
                    self.status.send_modify(|status| status.joined = joined);
                }
                Command::Decode(_)
                | Command::RestartDecoder { .. }
                | Command::CloseDecoder { .. }
                | Command::Emit(_) => {}
            }
        }
    }
}

/// A screen has two layers, for which the larger ones of a clip stand.
fn layer_of_clip(track: Track, layer: u8) -> u8 {
    layer + u8::from(track == Track::Screen)
}

async fn connect(server: SocketAddr, url: &str) -> Option<Socket> {
    let stream = TcpStream::connect(server).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (socket, _) = client_async(url, stream).await.ok()?;
    Some(socket)
}

/// The next packet, or the end of the connection.
async fn receive(connection: &mut Option<(TransportId, Socket)>) -> Input {
    let Some((id, socket)) = connection else {
        return std::future::pending().await;
    };
    let id = *id;
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(packet))) => return Input::PacketReceived { id, packet },
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map(|frame| frame.code.into());
                return Input::TransportClosed { id, code };
            }
            Some(Ok(_)) => {}
            None | Some(Err(_)) => return Input::TransportClosed { id, code: None },
        }
    }
}

fn config(setup: &Setup) -> Config {
    Config {
        user: setup.user.clone(),
        meeting: setup.meeting.clone(),
        name: DisplayName::new(setup.user.as_str()),
        server: ServerConfig {
            version: String::new(),
            access: Access::Open,
            websocket_url: format!("ws://{}/lobby", setup.server),
            webtransport: None,
            relay_urls: Vec::new(),
        },
        prefer: Some(TransportKind::WebSocket),
        cores: CORES,
        token: None,
    }
}
