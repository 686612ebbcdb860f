//! One session over any transport.

mod inbound;
mod outbound;

use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;
use relay_core::messages::{self, NoticeReason};
use relay_core::{Dialect, ingress};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use videocall_types::report::{Feedback, Report};
use videocall_types::{CloseCode, Packet, Resume};

use crate::admission::Admission;
use crate::hub::{Hub, JoinError};
use crate::membership::Membership;
use crate::transport::{PacketReader, PacketWriter, Received};
use inbound::Inbound;
use outbound::Outbound;

/// Answers of a session to its own client that wait to be sent.
const OWN_CAPACITY: usize = 16;
/// How long a client that enters late may take to say so.
const ENTRY_DEADLINE: Duration = Duration::from_secs(5);
/// Clients that are told to leave come back spread over this time, in milliseconds.
const DRAIN_SPREAD_MS: u32 = 1000;

/// What a session has to say to its own client, without the room.
#[derive(Debug)]
enum Own {
    /// A probe, to be sent back on its channel.
    Echo(Received),
    /// Our report, in answer to the client's, and what that said of what we sent.
    Report {
        answer: Report,
        feedback: Option<Feedback>,
    },
    /// Something that the client should know.
    Notice(Packet),
}

/// Serves one session of a client that enters late: it says first whether it comes back into a session.
pub async fn enter<R: PacketReader, W: PacketWriter>(
    mut reader: R,
    writer: W,
    hub: &Hub,
    admission: Admission,
) -> CloseCode {
    let entry = timeout(ENTRY_DEADLINE, entry(&mut reader)).await;
    let joined = match entry.unwrap_or(Err(CloseCode::Idle)) {
        Ok(resume) => hub
            .join_or_resume(admission, resume)
            .await
            .map_err(JoinError::close_code),
        Err(code) => Err(code),
    };
    match joined {
        Ok(membership) => run(reader, writer, membership).await,
        Err(code) => {
            writer.close(code).await;
            code
        }
    }
}

async fn entry(reader: &mut impl PacketReader) -> Result<Option<Resume>, CloseCode> {
    loop {
        match reader.recv().await {
            // Only a sign of life.
            Ok(Some(received)) if received.bytes.is_empty() => {}
            Ok(Some(received)) => {
                return ingress::entry(&received.bytes).map_err(|_| CloseCode::Malformed);
            }
            Ok(None) => return Err(CloseCode::Left),
            Err(error) => return Err(error.close_code()),
        }
    }
}

/// Serves one session until it ends, closes the connection and says why.
///
/// Everything happens in the caller's task. The future is `Send` if `R`, `W` and their futures are.
pub async fn run<R: PacketReader, W: PacketWriter>(
    mut reader: R,
    writer: W,
    membership: Membership,
) -> CloseCode {
    let Membership {
        place,
        context,
        packets,
        mut closed,
        draining,
    } = membership;
    let dialect = context.admission.dialect;
    let (own, from_inbound) = mpsc::channel(OWN_CAPACITY);
    let mut inbound = Inbound::new(&context, own.clone());
    let mut outbound = Outbound::new(&context, writer, packets, from_inbound);

    let ended = async {
        tokio::select! {
            biased;
            code = closed_by_room(&mut closed) => code,
            () = expired(context.admission.expires) => CloseCode::Unauthorized,
            () = drained(&draining, dialect, &own, context.policy.session.moving) => CloseCode::Draining,
        }
    };
    let code = first_of(ended, outbound.run(), inbound.run(&mut reader)).await;

    // The others hear of it at once, however long closing takes.
    if code.may_retry() && code != CloseCode::Draining {
        place.lose(inbound.last_heard());
    } else {
        drop(place);
    }
    context.metrics.closed(code);
    outbound.close(code).await;
    code
}

/// What the first of them ends with. Each is polled only when it was woken itself: a session is woken for every packet
/// that it gets, and most of its parts have nothing to do with that.
async fn first_of<T>(
    one: impl Future<Output = T>,
    two: impl Future<Output = T>,
    three: impl Future<Output = T>,
) -> T {
    let mut parts = FuturesUnordered::new();
    parts.push(Either::Left(Either::Left(one)));
    parts.push(Either::Left(Either::Right(two)));
    parts.push(Either::Right(three));
    match parts.next().await {
        Some(first) => first,
        // There are three.
        None => std::future::pending().await,
    }
}

async fn closed_by_room(closed: &mut watch::Receiver<Option<CloseCode>>) -> CloseCode {
    match closed.wait_for(Option::is_some).await {
        Ok(code) => (*code).unwrap_or(CloseCode::Internal),
        // The room's task has failed.
        Err(_) => CloseCode::Internal,
    }
}

async fn expired(expires: Option<SystemTime>) {
    let deadline = expires.and_then(|expires| {
        let rest = expires
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        Instant::now().checked_add(rest)
    });
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Ends when the process drains and the client has had time to get another connection. A stock client would not use it.
async fn drained(
    draining: &CancellationToken,
    dialect: Dialect,
    own: &mpsc::Sender<Own>,
    moving: Duration,
) {
    draining.cancelled().await;
    if dialect == Dialect::Native {
        let retry_after_ms = rand::random_range(0..DRAIN_SPREAD_MS);
        let notice = messages::notice(NoticeReason::DRAIN, retry_after_ms);
        // It fails only if the session ends anyway.
        let _ = own.send(Own::Notice(notice)).await;
        sleep(moving).await;
    }
}
