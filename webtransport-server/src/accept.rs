//! From an incoming QUIC connection to a session, or to a refusal.

use std::time::Duration;

use relay::service::Service;
use relay::{AdmissionError, Dialect, Entry, Hub, JoinError, admission, session};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use wtransport::Connection;
use wtransport::endpoint::{IncomingSession, SessionRequest};

use crate::drops::{self, Reason};
use crate::native::{NativeReader, NativeWriter};
use crate::stock::{StockReader, StockWriter};

/// From the first packet to the request for a session, and for each answer.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// Serves one connection from handshake to end. `place` is given back after the handshake.
pub(crate) async fn serve(
    incoming: IncomingSession,
    place: OwnedSemaphorePermit,
    service: Service,
) {
    let Ok(Ok(request)) = timeout(HANDSHAKE_DEADLINE, incoming).await else {
        return drops::count(Reason::Handshake);
    };
    match admit(&request, &service).await {
        Ok(entry) => match timeout(HANDSHAKE_DEADLINE, request.accept()).await {
            Ok(Ok(connection)) => {
                drop(place);
                run(connection, entry, &service.hub).await;
            }
            Ok(Err(_)) | Err(_) => drops::count(Reason::Handshake),
        },
        Err(refusal) => {
            tracing::debug!(?refusal, "refused");
            // A client that does not read the answer gets none.
            let _ = timeout(HANDSHAKE_DEADLINE, refuse(request, refusal)).await;
        }
    }
}

/// Why there is no session.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Origin,
    Admission(AdmissionError),
    Join(JoinError),
}

async fn admit(request: &SessionRequest, service: &Service) -> Result<Entry, Refusal> {
    if !origin_allowed(request, service) {
        return Err(Refusal::Origin);
    }
    let admission =
        admission::admit(&service.access, request.path()).map_err(Refusal::Admission)?;
    service.hub.admit(admission).await.map_err(Refusal::Join)
}

/// The names of the machine itself are one host: a page at `http://localhost` is told to connect to 127.0.0.1,
/// because browsers try only the first address of a name, which may be ::1.
fn origin_allowed(request: &SessionRequest, service: &Service) -> bool {
    let (origin, host) = (request.origin(), request.authority());
    let own_machine = host.starts_with("127.0.0.1:") || host.starts_with("[::1]:");
    service.origin_allowed(origin, Some(host))
        || own_machine && service.origin_allowed(origin, Some("localhost"))
}

/// wtransport answers with three of the statuses; a browser shows none of them to the page.
async fn refuse(request: SessionRequest, refusal: Refusal) {
    match refusal {
        Refusal::Admission(AdmissionError::NotFound) => request.not_found().await,
        Refusal::Origin
        | Refusal::Admission(AdmissionError::BadRequest | AdmissionError::Unauthorized) => {
            request.forbidden().await;
        }
        Refusal::Join(JoinError::Full | JoinError::Draining | JoinError::Internal) => {
            request.too_many_requests().await
        }
    }
}

async fn run(connection: Connection, entry: Entry, hub: &Hub) {
    let native = |connection: Connection| {
        (
            NativeReader::new(connection.clone()),
            NativeWriter::new(connection),
        )
    };
    let code = match entry {
        Entry::Joined(membership) if membership.dialect() == Dialect::Stock => {
            session::run(
                StockReader::new(connection.clone()),
                StockWriter::new(connection),
                membership,
            )
            .await
        }
        Entry::Joined(membership) => {
            let (reader, writer) = native(connection);
            session::run(reader, writer, membership).await
        }
        // Only native clients do.
        Entry::Late(admission) => {
            let (reader, writer) = native(connection);
            session::enter(reader, writer, hub, admission).await
        }
    };
    tracing::debug!(reason = code.reason(), "session ended");
}
