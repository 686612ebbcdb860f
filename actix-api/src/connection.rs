//! The TCP connection below a WebSocket: what HTTP servers do not let one reach otherwise.

use std::any::Any;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// What the kernel may hold unsent: more would be old when it leaves, and can't be taken back.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 64 * 1024;

/// A second handle of the connection, to end it while its peer takes nothing.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Socket>);

impl Connection {
    /// For `HttpServer::on_connect`.
    pub(crate) fn prepare(io: &dyn Any, extensions: &mut Extensions) {
        let tls = || {
            io.downcast_ref::<TlsStream<TcpStream>>()
                .map(|tls| tls.get_ref().0)
        };
        if let Some(connection) = io.downcast_ref().or_else(tls).and_then(Self::new) {
            extensions.insert(connection);
        }
    }

    fn new(stream: &TcpStream) -> Option<Self> {
        let socket = SockRef::from(stream);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES);
        socket.try_clone().ok().map(|socket| Self(Arc::new(socket)))
    }

    /// Ends the connection at once; what is still unsent is thrown away.
    pub(crate) fn abort(&self) {
        let _ = self.0.set_linger(Some(Duration::ZERO));
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
