//! `actix-api` and `webtransport-server` as separate servers.

use clap::Parser as _;
use relay::Policy;
use testkit::{Client, Endpoints, Kind, NatsServer};
use tokio_util::sync::CancellationToken;
use videocall_types::Track;

#[tokio::test]
async fn a_participant_on_each_sees_the_other_and_clients_learn_where_both_are() {
    let nats = NatsServer::start().await;
    let stop = CancellationToken::new();
    let config = webtransport_server::Config::try_parse_from([
        "webtransport-server",
        "--webtransport-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        &format!("--nats-url={}", nats.url()),
    ]);
    let webtransport = webtransport_server::App::load(config.unwrap(), Policy::default())
        .await
        .unwrap();
    let (webtransport_addr, health) = (webtransport.addr, webtransport.health_addr);
    let webtransport_task = tokio::spawn(webtransport.run(stop.clone()));
    let config = actix_api::Config::try_parse_from([
        "actix-api",
        "--http-addr=127.0.0.1:0",
        &format!("--webtransport-health-url=http://{health}"),
        &format!("--nats-url={}", nats.url()),
    ]);
    let api = actix_api::App::load(config.unwrap(), Policy::default())
        .await
        .unwrap();
    let endpoints = Endpoints {
        http: api.addr,
        webtransport: webtransport_addr,
    };
    let api_task = tokio::spawn(api.run(stop.clone()));

    let learned = async {
        loop {
            if let Some(endpoint) = endpoints.config().await.webtransport {
                return endpoint;
            }
        }
    };
    let endpoint = tokio::time::timeout(testkit::PATIENCE, learned)
        .await
        .expect("it asks the health port");
    assert_eq!(endpoint.url, format!("https://{webtransport_addr}/lobby"));
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert!(
            reqwest::get(format!("http://{health}{path}"))
                .await
                .unwrap()
                .status()
                .is_success(),
            "{path}"
        );
    }

    let mut ada = Client::join(&endpoints, Kind::WsNative, "ada", "team").await;
    let mut grace = Client::join(&endpoints, Kind::WtNative, "grace", "team").await;
    let mentions = |client: &Client| {
        let session = client.session().get();
        move |seen: &testkit::Seen| {
            seen.presence().is_some_and(|there| {
                there
                    .participants
                    .iter()
                    .any(|who| who.session_id == session)
            })
        }
    };
    ada.wait_for(mentions(&grace)).await;
    grace.wait_for(mentions(&ada)).await;
    ada.send_frame(Track::Camera, 0, true, b"over TCP").await;
    grace.wait_for_payload(b"over TCP").await;
    grace.send_frame(Track::Camera, 0, true, b"over QUIC").await;
    ada.wait_for_payload(b"over QUIC").await;

    stop.cancel();
    webtransport_task.await.unwrap();
    api_task.await.unwrap();
}
