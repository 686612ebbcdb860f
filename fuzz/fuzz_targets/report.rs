//! Whatever the other end reports, a limit is never zero and our own report can be read.

#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use videocall_types::bandwidth::Bandwidth;
use videocall_types::report::{Report, Reporter};
use videocall_types::{PacketHeader, Timestamp};

#[derive(Arbitrary, Debug)]
enum Step {
    Pass { millis: u16 },
    Sent { bytes: u16 },
    Received { bytes: u16 },
    Want { bps: Option<u64> },
    Report { bytes: Vec<u8>, backlog_ms: u16 },
}

fuzz_target!(|steps: Vec<Step>| {
    let mut now = Timestamp::ZERO;
    let mut reporter = Reporter::default();
    let mut bandwidth = Bandwidth::default();
    for step in steps {
        match step {
            Step::Pass { millis } => {
                now = now + Duration::from_millis(millis.into());
                if bandwidth.poll_timeout().is_some_and(|at| at <= now) {
                    let _ = bandwidth.padding(now);
                    assert!(
                        bandwidth.poll_timeout().is_none_or(|at| at > now),
                        "it spins"
                    );
                }
            }
            Step::Sent { bytes } => bandwidth.sent(bytes.into()),
            Step::Received { bytes } => reporter.received(bytes.into()),
            Step::Want { bps } => bandwidth.want(bps, now),
            Step::Report { bytes, backlog_ms } => {
                let Some(report) = Report::parse(&bytes.into()) else {
                    continue;
                };
                if let Some(feedback) = reporter.handle(&report, now) {
                    let backlog = Duration::from_millis(backlog_ms.into());
                    bandwidth.handle(&feedback, backlog, now);
                }
            }
        }
        assert_ne!(bandwidth.limit(), Some(0));
        let own = reporter.report(now);
        let packet = own.to_packet().to_bytes();
        let header = PacketHeader::parse(&packet).expect("our own");
        assert!(Report::parse(&header.data).is_some(), "our own is read");
    }
});
