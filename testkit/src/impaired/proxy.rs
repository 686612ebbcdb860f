//! A bad network in front of a real server.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Deserialize;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::line::Line;
use super::{Conditions, PathChange, tcp, udp};

/// Where connections go.
pub(super) type Target = watch::Receiver<Option<SocketAddr>>;

/// What shall be otherwise from now on; what is not named stays as it is. As JSON, it is what the binary reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// The server's UDP address, for clients that come anew.
    pub udp_to: Option<SocketAddr>,
    /// The server's TCP address, for connections that are made anew.
    pub tcp_to: Option<SocketAddr>,
    /// The network of UDP.
    pub udp: PathChange,
    /// The network of TCP.
    pub tcp: PathChange,
}

/// A UDP port and a TCP port on 127.0.0.1 that lead to a server through bad networks, which all clients of the proxy share.
/// UDP and TCP do not disturb each other. It ends when this is dropped.
pub struct Proxy {
    /// Where clients find UDP.
    pub udp: SocketAddr,
    /// Where clients find TCP.
    pub tcp: SocketAddr,
    targets: [watch::Sender<Option<SocketAddr>>; 2],
    lines: [[Arc<Line>; 2]; 2],
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A perfect network that leads nowhere, until [`change`](Self::change) says more. Without a target, packets are
    /// swallowed and connections closed.
    pub async fn start(seed: u64) -> Self {
        let line = |number: u64| Arc::new(Line::new(Conditions::default(), seed ^ (number << 62)));
        let lines = [[line(0), line(1)], [line(2), line(3)]];
        let targets = [watch::Sender::new(None), watch::Sender::new(None)];
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let listener = tcp::listen().unwrap();
        let (udp, tcp) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        let [[udp_up, udp_down], [tcp_up, tcp_down]] = lines.clone();
        let [udp_to, tcp_to] = targets.each_ref().map(watch::Sender::subscribe);
        tasks.spawn(udp::run(socket, udp_to, udp_up, udp_down));
        tasks.spawn(tcp::run(listener, tcp_to, tcp_up, tcp_down));
        Self {
            udp,
            tcp,
            targets,
            lines,
            _tasks: tasks,
        }
    }

    /// Takes effect at once.
    pub fn change(&self, change: Change) {
        for (target, address) in self.targets.iter().zip([change.udp_to, change.tcp_to]) {
            if address.is_some() {
                target.send_replace(address);
            }
        }
        for ([up, down], path) in self.lines.iter().zip([change.udp, change.tcp]) {
            for (line, conditions) in [(up, path.up), (down, path.down)] {
                if let Some(conditions) = conditions {
                    line.set(conditions);
                }
            }
        }
    }
}
