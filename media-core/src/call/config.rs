//! What a call needs to know before it starts, and the URLs that follow from it.

use std::fmt::Write as _;

use videocall_types::api::ServerConfig;
use videocall_types::{DisplayName, MeetingId, UserId};

use crate::command::TransportKind;

/// Who joins which meeting on which server. Not `Debug`: the token is a secret.
#[derive(Clone)]
pub struct Config {
    /// Who we are.
    pub user: UserId,
    /// The meeting to enter.
    pub meeting: MeetingId,
    /// The name that others see.
    pub name: DisplayName,
    /// What the server said about itself.
    pub server: ServerConfig,
    /// The kind that won the last time, if that is not long ago.
    pub prefer: Option<TransportKind>,
    /// Processor cores that encode.
    pub cores: u32,
    /// The room token; without one the meeting must be open to guests.
    pub token: Option<String>,
}

/// Where one kind of transport leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) kind: TransportKind,
    pub(super) url: String,
    pub(super) certificate_hashes: Vec<String>,
}

impl Config {
    /// The endpoints of the server, the better kind first, and of the other relays that it names.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        if let Some(quic) = &self.server.webtransport {
            endpoints.push(Endpoint {
                kind: TransportKind::WebTransport,
                url: self.complete(&quic.url),
                certificate_hashes: quic.certificate_hashes.clone(),
            });
        }
        if !self.server.websocket_url.is_empty() {
            endpoints.push(Endpoint {
                kind: TransportKind::WebSocket,
                url: self.complete(&self.server.websocket_url),
                certificate_hashes: Vec::new(),
            });
        }
        for url in &self.server.relay_urls {
            let kind = match url.split_once("://") {
                Some(("ws" | "wss", _)) => TransportKind::WebSocket,
                Some(("https", _)) => TransportKind::WebTransport,
                _ => continue,
            };
            let url = self.complete(url);
            if endpoints.iter().all(|known| known.url != url) {
                endpoints.push(Endpoint {
                    kind,
                    url,
                    certificate_hashes: Vec::new(),
                });
            }
        }
        endpoints
    }

    fn complete(&self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        if let Some(token) = &self.token {
            return format!("{base}?token={}&dialect=native", percent_encode(token));
        }
        let mut url = format!("{base}/{}/{}?dialect=native", self.user, self.meeting);
        let name = self.name.as_str();
        if !name.is_empty() {
            url.push_str("&name=");
            url.push_str(&percent_encode(name));
        }
        url
    }
}

/// RFC 3986: everything but the unreserved characters is escaped.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::api::{Access, WebTransportEndpoint};

    fn config() -> Config {
        Config {
            user: "ada".parse().unwrap(),
            meeting: "math".parse().unwrap(),
            name: DisplayName::new("Ada & Grace/é"),
            server: ServerConfig {
                version: "0".into(),
                access: Access::Open,
                relay_urls: Vec::new(),
                websocket_url: "wss://example.org/lobby/".into(),
                webtransport: Some(WebTransportEndpoint {
                    url: "https://example.org:4433/lobby".into(),
                    certificate_hashes: vec!["ab".into()],
                }),
            },
            prefer: None,
            cores: 4,
            token: None,
        }
    }

    #[test]
    fn a_guest_is_named_in_the_path() {
        let [quic, socket] = config().endpoints().try_into().unwrap();
        let query = "ada/math?dialect=native&name=Ada%20%26%20Grace%2F%C3%A9";
        assert_eq!(quic.url, format!("https://example.org:4433/lobby/{query}"));
        assert_eq!(quic.certificate_hashes, ["ab"]);
        assert_eq!(socket.url, format!("wss://example.org/lobby/{query}"));
    }

    #[test]
    fn other_relays_are_endpoints_by_their_scheme() {
        let mut config = config();
        let urls = [
            "https://eu:1/lobby",
            "ws://eu/lobby",
            "wss://example.org/lobby",
            "x",
        ];
        config.server.relay_urls = urls.map(Into::into).into();
        let [_, _, quic, socket] = config.endpoints().try_into().unwrap();
        let query = "ada/math?dialect=native&name=Ada%20%26%20Grace%2F%C3%A9";
        assert_eq!(
            (quic.kind, quic.url),
            (
                TransportKind::WebTransport,
                format!("https://eu:1/lobby/{query}")
            )
        );
        assert_eq!(
            (socket.kind, socket.url),
            (TransportKind::WebSocket, format!("ws://eu/lobby/{query}"))
        );
    }

    #[test]
    fn a_token_says_it_all() {
        let mut config = config();
        config.server.webtransport = None;
        config.token = Some("a.b=".into());
        let [socket] = config.endpoints().try_into().unwrap();
        assert_eq!(
            socket.url,
            "wss://example.org/lobby?token=a.b%3D&dialect=native"
        );
    }
}
