//! Drives the call: the queue's work becomes its inputs, its commands become actions of the edges.

use std::collections::BTreeMap;

use futures_channel::mpsc::UnboundedReceiver;
use futures_util::StreamExt as _;
use gloo::timers::callback::Timeout;
use media_core::Input;
use media_core::call::{Call, Config};
use media_core::command::Command;
use media_core::event::{Connection, Event};
use media_core::outputs::Outputs;
use media_core::sync::LipSync;
use videocall_types::{SessionId, Timestamp, Track, Wishes};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessagePort, VideoFrame};

use super::clock::now;
use super::decode::{self, Decoders};
use super::encode::Support;
use super::intake::Intake;
use super::page::Page;
use super::playout::{Played, Playout};
use super::render::Renderer;
use super::sources::Sources;
use super::transport::Transports;
use super::work::{Queue, Work};
use crate::config::fetch_config;
use crate::error::Exception;
use crate::protocol::{Level, Start, ToEngine};
use crate::support;

pub(super) struct Driver {
    call: Call,
    queue: Queue,
    page: Page,
    transports: Transports,
    decoders: Decoders,
    renderer: Renderer,
    playout: Option<Playout>,
    /// See [`ToEngine::SoundClock`].
    sound_clock_us: Option<f64>,
    sync: LipSync<VideoFrame>,
    outputs: Outputs,
    sources: Sources,
    /// Our own session while connected.
    session: Option<SessionId>,
    ended: bool,
    /// The timer that runs, and for when.
    timer: Option<(Timestamp, Timeout)>,
}

impl Driver {
    pub(super) fn new(start: Start, painter: MessagePort, support: Support, queue: Queue) -> Self {
        let config = Config {
            user: start.user,
            meeting: start.meeting,
            name: start.name,
            server: start.server,
            prefer: start.prefer,
            cores: support::cores(),
            token: start.token,
        };
        let seed = js_sys::Math::random().to_bits();
        Self {
            call: Call::new(config, seed),
            transports: Transports::new(queue.clone()),
            decoders: Decoders::new(queue.clone()),
            sources: Sources::new(support, queue.clone()),
            renderer: Renderer::new(painter, queue.clone()),
            queue,
            page: Page::new(),
            playout: None,
            sound_clock_us: None,
            sync: LipSync::default(),
            outputs: Outputs::default(),
            session: None,
            ended: false,
            timer: None,
        }
    }

    /// Works until the call has ended and its connections are closed.
    pub(super) async fn run(mut self, mut work: UnboundedReceiver<Work>) {
        self.input(Input::Join);
        self.rearm();
        while let Some(next) = work.next().await {
            if let Err(error) = self.handle(next) {
                tracing::warn!(%error, "the browser refused a step");
            }
            self.rearm();
            if self.ended && self.transports.is_empty() {
                return;
            }
        }
    }

    fn handle(&mut self, work: Work) -> Result<(), Exception> {
        match work {
            Work::Page(message, object) => self.page_says(message, object)?,
            Work::Call(input) => {
                if let Input::TransportClosed { id, .. } = input {
                    self.transports.closed(id);
                }
                self.input(input);
            }
            Work::Timer => {
                self.timer = None;
                self.call.handle_timeout(now());
                self.carry_out();
                self.show_due();
            }
            Work::Picture { track, frame } => {
                self.sources
                    .picture(track, &frame, self.transports.waiting());
            }
            Work::Still(track) => self.sources.still(track),
            Work::VideoChunk {
                track,
                origin,
                chunk,
            } => {
                self.input(Input::Waiting(self.transports.waiting()));
                self.sources.video_chunk(track, origin, &chunk)?;
            }
            Work::VideoEncoderFailed { track, codec } => {
                self.sources.video_encoder_failed(track, codec)
            }
            Work::Sound {
                track,
                samples,
                time_us,
                level,
            } => self.sources.sound(track, &samples, time_us, level)?,
            Work::AudioChunk { track, chunk } => self.sources.audio_chunk(track, &chunk)?,
            Work::SourceFailed(track) => self.page.source_failed(track),
            Work::VideoDecoded {
                session,
                track,
                frame,
            } => {
                // What comes out late, after its decoder was closed, must not bring the track back.
                if self.decoders.is_open(session, track) {
                    let size = (frame.display_width(), frame.display_height());
                    self.outputs.picture(session, track, size);
                    let captured_us = frame.timestamp() as u64;
                    self.sync.picture(session, track, captured_us, frame, now());
                    self.show_due();
                } else {
                    frame.close();
                }
            }
            Work::Drawn { session, track } => self.renderer.drawn(session, track)?,
            Work::AudioDecoded {
                session,
                track,
                place,
                data,
            } => {
                let samples = decode::samples(&data);
                data.close();
                if let Some(playout) = &self.playout
                    && self.decoders.is_open(session, track)
                {
                    playout.play(session, track, place, &samples?)?;
                }
            }
            Work::Played(played) => self.played(played),
        }
        Ok(())
    }

    fn page_says(&mut self, message: ToEngine, object: JsValue) -> Result<(), Exception> {
        match message {
            // It came first, and comes once.
            ToEngine::Start(_) => {}
            ToEngine::Wishes { shown, others } => {
                let shown = shown.into_iter();
                self.input(Input::Wishes(Wishes {
                    shown: shown
                        .map(|(session, track, height)| ((session, track), height))
                        .collect(),
                    others,
                }));
            }
            ToEngine::Playout => {
                self.playout = Some(Playout::new(object.unchecked_into(), self.queue.clone()))
            }
            ToEngine::SoundClock { offset_us } => self.sound_clock_us = Some(offset_us),
            ToEngine::VideoOn { track } => {
                self.sources
                    .video_on(track, Intake::new(track, object, &self.queue))?;
            }
            ToEngine::VideoOff { track } => self.sources.video_off(track),
            ToEngine::SoundOn { track } => self.sources.sound_on(track, object.unchecked_into())?,
            ToEngine::SoundOff { track } => self.sources.sound_off(track),
            ToEngine::NetworkBack => self.input(Input::NetworkBack),
            ToEngine::Leave => self.input(Input::Leave),
        }
        Ok(())
    }

    fn input(&mut self, input: Input) {
        self.call.handle(input, now());
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let mut failures = Vec::new();
        while let Some(command) = self.call.poll_command() {
            match command {
                Command::FetchConfig => self.fetch_config(),
                Command::OpenTransport {
                    id,
                    kind,
                    url,
                    certificate_hashes,
                } => {
                    self.transports.open(id, kind, &url, &certificate_hashes);
                }
                Command::CloseTransport { id, code } => self.transports.close(id, code),
                Command::Send { id, packet, lane } => self.transports.send(id, &packet, lane),
                Command::Encode { track, layers } => self.sources.configure(track, layers),
                Command::ForceKeyframe {
                    track,
                    spatial_layer,
                } => self.sources.force_keyframe(track, spatial_layer),
                Command::Decode(frame) => failures.extend(self.decoders.decode(&frame)),
                Command::RestartDecoder { session, track } => self.drop_decoder(session, track),
                Command::CloseDecoder { session, track } => self.close_decoder(session, track),
                Command::Emit(event) => self.emit(event),
            }
        }
        for failure in failures {
            self.input(failure);
        }
    }

    /// Draws the newest picture of each track whose time has come.
    fn show_due(&mut self) {
        let mut due = BTreeMap::new();
        while let Some((session, track, frame)) = self.sync.pop(now()) {
            if let Some(outdated) = due.insert((session, track), frame) {
                outdated.close();
            }
        }
        for ((session, track), frame) in due {
            if let Err(error) = self.renderer.draw(session, track, frame) {
                tracing::warn!(%error, "picture can't be drawn");
            }
            self.input(Input::FrameShown { session, track });
        }
    }

    fn fetch_config(&self) {
        let queue = self.queue.clone();
        spawn_local(async move {
            let server = fetch_config().await;
            queue.input(Input::ConfigFetched(server.ok()));
        });
    }

    /// What it has decoded and what is not shown yet goes with it.
    fn drop_decoder(&mut self, session: SessionId, track: Track) {
        self.decoders.close(session, track);
        self.sync
            .close(session, track)
            .for_each(|frame| frame.close());
    }

    fn close_decoder(&mut self, session: SessionId, track: Track) {
        self.drop_decoder(session, track);
        self.outputs.closed(session, track);
        if track.is_audio() {
            if let Some(playout) = &self.playout
                && let Err(error) = playout.remove(session, track)
            {
                tracing::warn!(%error, "playout can't be told");
            }
        } else if let Err(error) = self.renderer.clear(session, track) {
            tracing::warn!(%error, "picture can't be removed");
        }
    }

    fn emit(&mut self, mut event: Event) {
        if let Event::Stats(stats) = &mut event {
            self.outputs.complete(stats);
        }
        if let Event::Connection(connection) = &event {
            self.session = match connection {
                Connection::Connected { session, .. } => Some(*session),
                _ => None,
            };
            self.ended = matches!(connection, Connection::Ended { .. });
        }
        self.page.event(event);
    }

    /// Adds the own microphone to what is played; silence while it is off, so that no level stays on the screen.
    fn played(&mut self, played: Vec<Played>) {
        let mut levels = Vec::with_capacity(played.len() + 1);
        for played in played {
            let Played {
                level,
                playout,
                rendered,
            } = played;
            let Level { session, track, .. } = level;
            // The worklet may still tell of a stream that it has been told to forget.
            if self.decoders.is_open(session, track) {
                self.outputs.playout(session, track, playout);
                if let (Some((captured, rendered)), Some(clock)) = (rendered, self.sound_clock_us) {
                    let at = Timestamp::from_micros((rendered + clock) as u64);
                    self.sync.heard(session, track, captured, at, now());
                }
            }
            levels.push(level);
        }
        if let Some(session) = self.session {
            levels.push(Level {
                session,
                track: Track::Microphone,
                level: self.sources.microphone_level().unwrap_or(0.0),
            });
        }
        self.page.levels(levels);
    }

    fn rearm(&mut self) {
        let call = self.call.poll_timeout();
        let due = call.into_iter().chain(self.sync.poll_timeout()).min();
        if due == self.timer.as_ref().map(|(due, _)| *due) {
            return;
        }
        self.timer = due.map(|due| {
            let micros = (due - now()).as_micros();
            // Rounded up: a timer that fires early would find nothing to do.
            let millis = u32::try_from(micros.div_ceil(1000))
                .unwrap_or(u32::MAX)
                .min(i32::MAX.unsigned_abs());
            let queue = self.queue.clone();
            (due, Timeout::new(millis, move || queue.push(Work::Timer)))
        });
    }
}
