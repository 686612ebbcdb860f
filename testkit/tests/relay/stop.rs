//! A server that stops.

use futures_util::future::join_all;
use reqwest::StatusCode;
use testkit::{Client, Kind, TestServer};
use videocall_types::{CloseCode, PacketKind};

#[tokio::test]
async fn a_stopping_server_tells_everybody_and_closes_them() {
    let server = TestServer::start().await;
    let mut clients = Vec::new();
    for kind in Kind::ALL {
        clients.push(Client::join(&server, kind, "ada", "team").await);
    }
    server.begin_stop();
    let told = clients.iter_mut().map(async |client| {
        if client.kind.is_native() {
            client.wait_for(|seen| seen.is(PacketKind::NOTICE)).await;
        }
        assert_eq!(
            client.closed().await,
            Some(CloseCode::Draining.code()),
            "{:?}",
            client.kind
        );
    });
    join_all(told).await;
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_is_not_ready_but_alive_until_its_sessions_have_gone() {
    let server = TestServer::start().await;
    let mut client = Client::join(&server, Kind::WsNative, "ada", "team").await;
    assert_eq!(server.get("/readyz").await.status(), StatusCode::OK);
    server.begin_stop();
    client.wait_for(|seen| seen.is(PacketKind::NOTICE)).await;
    let ready = reqwest::get(format!("http://{}/readyz", server.http)).await;
    // It may be gone already; while it answers, it says so.
    if let Ok(ready) = ready {
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ready.text().await.unwrap(), r#"{"status":"draining"}"#);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_nobody_uses_stops_at_once() {
    let server = TestServer::start().await;
    tokio::time::timeout(std::time::Duration::from_secs(3), server.stop())
        .await
        .expect("within 3 s");
}
