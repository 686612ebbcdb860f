//! What comes from the client.

use std::pin::pin;
use std::sync::Arc;

use relay_core::ingress::{self, Identity, Inbound as Kind};
use relay_core::messages::{self, NoticeReason};
use relay_core::rate::{RateLimiter, Verdict};
use relay_core::{Dialect, DropReason};
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use videocall_types::report::Reporter;
use videocall_types::{CloseCode, Timestamp};

use super::Own;
use crate::membership::Context;
use crate::room_task::FromSession;
use crate::transport::{PacketReader, Received};

/// Reads, checks and passes on to the room. A client that sends faster than the room takes it waits.
pub(super) struct Inbound {
    context: Arc<Context>,
    identity: Identity,
    limiter: RateLimiter,
    last_heard: Timestamp,
    reporter: Reporter,
    own: mpsc::Sender<Own>,
}

impl Inbound {
    pub(super) fn new(context: &Arc<Context>, own: mpsc::Sender<Own>) -> Self {
        let now = context.clock.now();
        Self {
            identity: Identity {
                session: context.session,
                user: context.admission.user.clone(),
            },
            limiter: RateLimiter::new(&context.policy.rate, now),
            last_heard: now,
            reporter: Reporter::default(),
            own,
            context: Arc::clone(context),
        }
    }

    /// The last sign of life.
    pub(super) const fn last_heard(&self) -> Timestamp {
        self.last_heard
    }

    pub(super) async fn run(&mut self, reader: &mut impl PacketReader) -> CloseCode {
        let (clock, idle) = (self.context.clock, self.context.policy.session.idle);
        let mut timer = pin!(sleep_until(clock.instant(self.last_heard + idle)));
        loop {
            // One future to the end: what the reader has read by half must not be lost.
            let mut reading = pin!(reader.recv());
            let received = loop {
                tokio::select! {
                    biased;
                    received = &mut reading => break received,
                    // It is not set anew for every packet, but when it fires.
                    () = &mut timer => {
                        let deadline = self.last_heard + idle;
                        if deadline <= clock.now() {
                            return CloseCode::Idle;
                        }
                        timer.as_mut().reset(clock.instant(deadline));
                    }
                }
            };
            let end = match received {
                Ok(Some(received)) => self.handle(received).await,
                Ok(None) => Err(CloseCode::Left),
                Err(error) => Err(error.close_code()),
            };
            if let Err(code) = end {
                return code;
            }
        }
    }

    async fn handle(&mut self, received: Received) -> Result<(), CloseCode> {
        let now = self.context.clock.now();
        self.last_heard = now;
        self.reporter.received(received.bytes.len());
        self.context.metrics.packets_received.increment(1);
        self.context
            .metrics
            .bytes_received
            .increment(received.bytes.len() as u64);
        if !self.is_within_rate(received.bytes.len(), now)? || received.bytes.is_empty() {
            return Ok(());
        }
        let message = match ingress::from_client(&received.bytes, &self.identity) {
            Ok(Kind::Forward(mut forward)) => {
                forward.received = Some(now);
                FromSession::Forward(Arc::new(forward))
            }
            Ok(Kind::KeyframeRequest(target)) => {
                if !self.limiter.keyframe_request(now) {
                    self.context.metrics.dropped(DropReason::RateLimited, 1);
                    return Ok(());
                }
                FromSession::KeyframeRequest {
                    from: self.identity.session,
                    target,
                }
            }
            Ok(Kind::Wishes(wishes)) => FromSession::Wishes {
                from: self.identity.session,
                wishes,
            },
            Ok(Kind::Report(report)) => {
                let feedback = self.reporter.handle(&report, now);
                let answer = self.reporter.report(now);
                self.answer(Own::Report { answer, feedback });
                return Ok(());
            }
            Ok(Kind::Redundancy(lacks)) => FromSession::Lack {
                from: self.identity.session,
                lacks,
            },
            Ok(Kind::Probe) => {
                self.answer(Own::Echo(received));
                return Ok(());
            }
            Ok(Kind::Consumed) => return Ok(()),
            Err(reason) => return self.reject(reason, now),
        };
        self.context
            .room
            .send(message)
            .await
            .map_err(|_| CloseCode::Internal)
    }

    fn is_within_rate(&mut self, len: usize, now: Timestamp) -> Result<bool, CloseCode> {
        let verdict = self.limiter.packet(len, now);
        if verdict == Verdict::Pass {
            return Ok(true);
        }
        self.context.metrics.dropped(DropReason::RateLimited, 1);
        match verdict {
            Verdict::Close => Err(CloseCode::RateLimited),
            Verdict::DropWithNotice if self.context.admission.dialect == Dialect::Native => {
                self.answer(Own::Notice(messages::notice(NoticeReason::RATE_LIMITED, 0)));
                Ok(false)
            }
            Verdict::DropWithNotice | Verdict::Drop | Verdict::Pass => Ok(false),
        }
    }

    fn reject(&mut self, reason: DropReason, now: Timestamp) -> Result<(), CloseCode> {
        self.context.metrics.dropped(reason, 1);
        if reason.is_violation() && !self.limiter.violation(now) {
            Err(CloseCode::Malformed)
        } else {
            Ok(())
        }
    }

    /// A client that does not take the answers gets fewer of them.
    fn answer(&self, own: Own) {
        if self.own.try_send(own).is_err() {
            self.context.metrics.dropped(DropReason::ChannelFull, 1);
        }
    }
}
