//! HTTP bodies that the server and the web app share.

use serde::{Deserialize, Serialize};

/// `GET /api/v1/config`: all that a client needs to know of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerConfig {
    /// Version of the server.
    pub version: String,
    /// Who may join.
    pub access: Access,
    /// The WebSocket endpoint, such as `wss://meet.example.org/lobby`.
    pub websocket_url: String,
    /// The WebTransport endpoint, where there is one.
    pub webtransport: Option<WebTransportEndpoint>,
    /// Further relays of the deployment, of which a client takes the nearest: `wss://..` for WebSocket, `https://..` for
    /// WebTransport, whose certificate the public authorities vouch for.
    #[serde(default)]
    pub relay_urls: Vec<String>,
}

/// Where WebTransport is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebTransportEndpoint {
    /// Such as `https://meet.example.org:4433/lobby`.
    pub url: String,
    /// SHA-256 of the certificates that the client shall accept, in lower-case hex. Empty: the public authorities vouch.
    pub certificate_hashes: Vec<String>,
}

/// Who may join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Anybody who knows the meeting's name.
    Open,
    /// Only with a room token.
    Members,
}
