//! A real `nats-server`.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// A `nats-server` on a free port of 127.0.0.1, killed when this is dropped.
pub struct NatsServer {
    port: u16,
    process: Option<Child>,
}

impl NatsServer {
    /// Starts one and waits until it listens.
    pub async fn start() -> Self {
        let ports = TempDir::new().unwrap();
        let process = spawn("-1", &["--ports_file_dir", ports.path().to_str().unwrap()]);
        let port = timeout(PATIENCE, port_in(ports.path()))
            .await
            .expect("nats-server tells its port");
        let server = Self {
            port,
            process: Some(process),
        };
        server.wait_until_up().await;
        server
    }

    /// Such as `nats://127.0.0.1:4222`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it, as `kill -9` does.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.unwrap();
        }
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) {
        self.kill().await;
        self.process = Some(spawn(&self.port.to_string(), &[]));
        self.wait_until_up().await;
    }

    async fn wait_until_up(&self) {
        let connect =
            async { while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {} };
        timeout(PATIENCE, connect)
            .await
            .expect("nats-server listens");
    }
}

fn spawn(port: &str, options: &[&str]) -> Child {
    // Debian installs it where only root looks.
    let debian = Path::new("/usr/sbin/nats-server");
    let binary = if debian.exists() {
        debian
    } else {
        Path::new("nats-server")
    };
    Command::new(binary)
        .args(["-a", "127.0.0.1", "-p", port])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("nats-server is installed")
}

/// Waits for the file that says `{"nats":["nats://127.0.0.1:4222"], ..}`.
async fn port_in(folder: &Path) -> u16 {
    loop {
        let file = std::fs::read_dir(folder).unwrap().flatten().next();
        let text = file
            .and_then(|file| std::fs::read_to_string(file.path()).ok())
            .unwrap_or_default();
        let address = text.split('"').find(|part| part.starts_with("nats://"));
        if let Some(port) = address.and_then(|address| address.rsplit(':').next()?.parse().ok()) {
            return port;
        }
        tokio::task::yield_now().await;
    }
}
