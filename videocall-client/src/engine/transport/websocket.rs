//! One packet per binary message.

use gloo::events::EventListener;
use js_sys::{ArrayBuffer, Uint8Array};
use videocall_types::{CloseCode, Packet};
use wasm_bindgen::JsCast as _;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::Reporter;
use crate::error::Exception;

/// Codes that browsers make up when no code came.
const NO_CODE: [u16; 2] = [1005, 1006];

pub(super) struct Connection {
    socket: WebSocket,
    _listeners: [EventListener; 3],
}

impl Connection {
    pub(super) fn open(url: &str, reporter: Reporter) -> Result<Self, Exception> {
        let socket = WebSocket::new(url)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let (opened, received) = (reporter.clone(), reporter.clone());
        let listeners = [
            EventListener::new(&socket, "open", move |_| opened.opened()),
            EventListener::new(&socket, "message", move |event| {
                // Text is nothing that a relay sends.
                if let Ok(buffer) = event
                    .unchecked_ref::<MessageEvent>()
                    .data()
                    .dyn_into::<ArrayBuffer>()
                {
                    received.received(Uint8Array::new(&buffer).to_vec());
                }
            }),
            // An error is always followed by this.
            EventListener::new(&socket, "close", move |event| {
                let code = event.unchecked_ref::<CloseEvent>().code();
                reporter.closed((!NO_CODE.contains(&code)).then_some(code));
            }),
        ];
        Ok(Self {
            socket,
            _listeners: listeners,
        })
    }

    pub(super) fn send(&self, packet: &Packet) {
        if let Err(error) = self.socket.send_with_u8_array(&packet.to_bytes()) {
            tracing::warn!(error = %Exception::from(error), "WebSocket takes no packet");
        }
    }

    pub(super) fn waiting(&self) -> u64 {
        self.socket.buffered_amount().into()
    }

    pub(super) fn close(&self, code: CloseCode) {
        // Fails for codes and reasons that are not allowed, which these are.
        let _ = self
            .socket
            .close_with_code_and_reason(code.code(), code.reason());
    }
}
