//! The load of relay processes on a bus without relays: what their members send to each other, and nothing else.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::ledger::{Ledger, Receiver};
use super::{Observer, Place, Sending, Span, measure, place, send};
use crate::client::nats;
use crate::measure::{Framing, LoadReport};
use crate::scenario::{Reading, Scenario};

/// Plays relay `processes` at the NATS of `address` and reports what arrived at them. The members of a room are spread
/// over them as [`run`](super::run) spreads them over targets. A packet is delivered once to each other process with a
/// member of its room: what members receive of it is the relay's work.
///
/// # Errors
/// If NATS can't be reached.
pub async fn run(
    address: SocketAddr,
    processes: u16,
    scenario: &Scenario,
    span: Span,
    observer: &mut impl Observer,
) -> io::Result<LoadReport> {
    let ledger = Arc::new(Ledger::new());
    let mut members: Vec<Option<Sending>> = vec![None; scenario.connections()];
    let (mut receivers, mut connections) = (Vec::new(), Vec::new());
    for process in 0..processes {
        let client = nats::connect(address).await.map_err(io::Error::other)?;
        for (room, of_room) in rooms(scenario, process, processes) {
            let (sending, outgoing) = mpsc::unbounded_channel();
            let sending = Sending {
                room,
                framing: Framing::Native,
                outgoing: sending,
                keyframe_wanted: Arc::default(),
            };
            for index in &of_room {
                if let Some(member) = members.get_mut(*index) {
                    *member = place(scenario, *index).sends.then(|| sending.clone());
                }
            }
            let place = Place {
                room,
                sends: true,
                reading: Reading::Eager,
            };
            let receiver = Arc::new(Receiver::new(&ledger, of_room, place, true));
            receiver.connecting();
            let joined = nats::join(&client, room, receiver.clone(), outgoing).await;
            connections.push(joined.map_err(io::Error::other)?);
            receivers.push(receiver);
        }
        // So that nobody publishes before all have subscribed.
        client.flush().await.map_err(io::Error::other)?;
    }
    let sending = send(scenario, members, &ledger);
    let report = measure(&ledger, span, observer, &receivers, sending).await;
    drop(connections);
    Ok(report)
}

/// The rooms that a process has members of, with these.
fn rooms(scenario: &Scenario, process: u16, processes: u16) -> BTreeMap<usize, Vec<usize>> {
    let mut rooms: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let all = usize::from(process)..scenario.connections();
    for index in all.step_by(processes.into()) {
        let room = place(scenario, index).room;
        rooms.entry(room).or_default().push(index);
    }
    rooms
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::{Errors, Transport};
    use crate::scenario::{ROOMS, TEN};
    use crate::server::{Cores, Kind, Programs, Server};

    #[test]
    fn members_are_spread_over_processes() {
        assert_eq!(rooms(&TEN, 1, 4), [(0, vec![1, 5, 9])].into());
        assert_eq!(rooms(&TEN, 3, 4), [(0, vec![3, 7])].into());
        let first = rooms(&ROOMS, 0, 2);
        assert_eq!(first.len(), 20);
        assert_eq!((&first[&0], &first[&1]), (&vec![0, 2, 4], &vec![6, 8]));
    }

    #[tokio::test]
    async fn every_other_process_gets_every_packet_once() {
        let programs = Programs::beside_this().unwrap();
        let (kind, transport) = (Kind::Bus(4), Transport::WebSocket);
        let server = Server::start(kind, transport, &programs, Cores::Both)
            .await
            .unwrap();
        let span = Span {
            warm_up: Duration::from_millis(200),
            measured: Duration::from_millis(500),
        };
        let report = run(server.addresses[0], 4, &TEN, span, &mut ())
            .await
            .unwrap();
        assert_eq!(report.connections, 4);
        assert!(report.sent > 0);
        assert_eq!(report.expected(), 3 * report.sent);
        assert_eq!(report.delivered(), report.expected());
        assert_eq!(report.errors, Errors::default());
    }
}
