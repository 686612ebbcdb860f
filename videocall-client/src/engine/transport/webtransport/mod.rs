//! Length-prefixed packets on long-lived streams, and packets in datagrams.

mod lane;

use std::collections::BTreeMap;

use js_sys::{Array, Uint8Array};
use media_core::command::Lane as Route;
use serde_json::json;
use videocall_types::limits::MAX_DATAGRAM_PACKET_BYTES;
use videocall_types::{CloseCode, Packet, Track};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    WebTransport, WebTransportCloseInfo, WebTransportOptions, WritableStream,
    WritableStreamDefaultWriter,
};

use super::super::reader::Reader;
use super::Reporter;
use crate::error::Exception;
use crate::js;
use lane::{Lane, ReadError};

/// Received datagrams that may wait for the engine; the browser drops the oldest of more.
const INCOMING_DATAGRAMS: f64 = 200.0;

pub(super) struct Connection {
    session: WebTransport,
    datagrams: Option<WritableStreamDefaultWriter>,
    /// One stream each; `None` is control.
    lanes: BTreeMap<Option<Track>, Lane>,
}

impl Connection {
    pub(super) fn open(
        url: &str,
        certificate_hashes: &[String],
        reporter: Reporter,
    ) -> Result<Self, Exception> {
        let session = WebTransport::new_with_options(url, &options(certificate_hashes)?)?;
        spawn_local(report_closed(session.clone(), reporter.clone()));
        spawn_local(report_opened(session.clone(), reporter));
        let datagrams = datagram_writer(&session);
        if let Err(error) = &datagrams {
            tracing::info!(%error, "no datagrams: sound goes on a stream");
        }
        Ok(Self {
            session,
            datagrams: datagrams.ok(),
            lanes: BTreeMap::new(),
        })
    }

    pub(super) fn send(&mut self, packet: &Packet, route: Route) {
        match route {
            Route::Control => self.send_on_stream(packet, None),
            Route::Padding => {
                self.send_datagram(packet);
            }
            Route::Track(track) => self.send_on_stream(packet, Some(track)),
            Route::Datagram(track) => {
                if !self.send_datagram(packet) {
                    self.send_on_stream(packet, Some(track));
                }
            }
        }
    }

    pub(super) fn waiting(&self) -> u64 {
        self.lanes.values().map(Lane::waiting).sum()
    }

    pub(super) fn close(&self, code: CloseCode) {
        close(&self.session, code);
    }

    fn send_datagram(&self, packet: &Packet) -> bool {
        let Some(writer) = &self.datagrams else {
            return false;
        };
        let fits = packet.len()
            <= MAX_DATAGRAM_PACKET_BYTES.min(self.session.datagrams().max_datagram_size() as usize);
        if fits {
            js::ignore(writer.write_with_chunk(&lane::joined(&packet.chunks())));
        }
        fits
    }

    fn send_on_stream(&mut self, packet: &Packet, track: Option<Track>) {
        let open = || Lane::open(&self.session, track);
        let lane = self.lanes.entry(track).or_insert_with(open);
        if !lane.send(packet) {
            // The relay does not want this stream any more, or it broke; a new one starts over.
            *lane = open();
            lane.send(packet);
        }
    }
}

fn options(certificate_hashes: &[String]) -> Result<WebTransportOptions, Exception> {
    let options =
        js::object(&json!({ "congestionControl": "low-latency", "requireUnreliable": true }))?;
    let hashes = Array::new();
    for hash in certificate_hashes.iter().filter_map(|hash| from_hex(hash)) {
        let entry: JsValue = js::object(&json!({ "algorithm": "sha-256" }))?;
        js::set(&entry, "value", &Uint8Array::from(hash.as_slice()))?;
        hashes.push(&entry);
    }
    if hashes.length() > 0 {
        js::set(&options, "serverCertificateHashes", &hashes)?;
    }
    Ok(options.unchecked_into())
}

async fn report_opened(session: WebTransport, reporter: Reporter) {
    // A failure also ends `closed`, which is what gets reported.
    if JsFuture::from(session.ready()).await.is_ok() {
        spawn_local(read_streams(session.clone(), reporter.clone()));
        spawn_local(read_datagrams(session, reporter.clone()));
        reporter.opened();
    }
}

async fn report_closed(session: WebTransport, reporter: Reporter) {
    let code = match JsFuture::from(session.closed()).await {
        Ok(info) => js::get(&info, "closeCode").as_f64().map(|code| code as u16),
        Err(error) => {
            tracing::info!(error = %Exception::from(error), "WebTransport lost");
            None
        }
    };
    reporter.closed(code);
}

async fn read_streams(session: WebTransport, reporter: Reporter) {
    let Ok(streams) = Reader::new(&session.incoming_unidirectional_streams()) else {
        return;
    };
    while let Ok(Some(stream)) = streams.next().await {
        let (session, reporter) = (session.clone(), reporter.clone());
        spawn_local(async move {
            match lane::read(&stream, |packet| reporter.received(packet)).await {
                Ok(()) => {}
                Err(ReadError::Broken(error)) => tracing::debug!(%error, "incoming stream ended"),
                Err(ReadError::Framing(error)) => {
                    tracing::warn!(%error, "the relay can't be understood");
                    close(&session, CloseCode::Malformed);
                }
            }
        });
    }
}

async fn read_datagrams(session: WebTransport, reporter: Reporter) {
    let datagrams = session.datagrams();
    datagrams.set_incoming_high_water_mark(INCOMING_DATAGRAMS);
    let Ok(reader) = Reader::new(&datagrams.readable()) else {
        return;
    };
    while let Ok(Some(datagram)) = reader.next::<Uint8Array>().await {
        reporter.received(datagram.to_vec());
    }
}

fn datagram_writer(session: &WebTransport) -> Result<WritableStreamDefaultWriter, Exception> {
    let datagrams = session.datagrams();
    // Safari has only the newer way to get it.
    let create = js::get(&datagrams, "createWritable");
    let writable: WritableStream = match create.dyn_ref::<js_sys::Function>() {
        Some(create) => create.call0(&datagrams)?.unchecked_into(),
        None => datagrams.writable(),
    };
    Ok(writable.get_writer()?)
}

fn close(session: &WebTransport, code: CloseCode) {
    let info = WebTransportCloseInfo::new();
    info.set_close_code(code.code().into());
    info.set_reason(code.reason());
    session.close_with_close_info(&info);
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok());
    digits
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect()
}
