//! The HTTP side: health, configuration, web app.

use std::time::Duration;

use relay::Policy;
use reqwest::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use reqwest::{Client as HttpClient, Response, StatusCode};
use testkit::{PATIENCE, TestServer};
use tokio::time::timeout;
use videocall_types::api::{Access, ServerConfig};

#[tokio::test]
async fn health_readiness_and_metrics() {
    let server = TestServer::start_with(&["--region", "eu"], Policy::default()).await;
    let alive = server.get("/healthz").await;
    assert_eq!(
        (alive.status(), alive.text().await.unwrap().as_str()),
        (StatusCode::OK, "ok")
    );
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status(), ready.text().await.unwrap().as_str()),
        (StatusCode::OK, r#"{"status":"ready"}"#)
    );
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(metrics.text().await.unwrap().contains("region=\"eu\""));
}

#[tokio::test]
async fn an_overloaded_server_is_not_ready() {
    let mut policy = Policy::default();
    policy.overload.worsen_after = Duration::ZERO;
    // No process is that small.
    let server = TestServer::start_with(&["--max-memory-mb", "1"], policy).await;
    let overloaded = async {
        loop {
            let ready = server.get("/readyz").await;
            if ready.status() == StatusCode::SERVICE_UNAVAILABLE {
                return ready.text().await.unwrap();
            }
        }
    };
    let body = timeout(PATIENCE, overloaded).await.expect("it notices");
    assert_eq!(body, r#"{"reason":"overloaded","status":"degraded"}"#);
    server.wait_for_metric("relay_overload_level", 1).await;
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_configuration_follows_the_host_that_was_asked() {
    let server = TestServer::start().await;
    let config = server.config().await;
    assert_eq!(config.access, Access::Open);
    assert_eq!(config.websocket_url, format!("ws://{}/lobby", server.http));
    let webtransport = config.webtransport.unwrap();
    assert_eq!(
        webtransport.url,
        format!("https://{}/lobby", server.webtransport)
    );
    assert_eq!(webtransport.certificate_hashes.len(), 2);

    let config = config_for(&server, "localhost:8080").await;
    assert_eq!(config.websocket_url, "ws://localhost:8080/lobby");
    assert_eq!(
        config.webtransport.unwrap().url,
        format!("https://127.0.0.1:{}/lobby", server.webtransport.port())
    );
    let config = config_for(&server, "meet.example.org").await;
    assert_eq!(config.websocket_url, "ws://meet.example.org/lobby");
}

#[tokio::test]
async fn public_urls_win() {
    let options = [
        "--public-url",
        "https://meet.example.org",
        "--webtransport-public-url",
        "https://wt.example.org:444",
    ];
    let server = TestServer::start_with(&options, Policy::default()).await;
    let config = config_for(&server, "localhost:8080").await;
    assert_eq!(config.websocket_url, "wss://meet.example.org/lobby");
    assert_eq!(
        config.webtransport.unwrap().url,
        "https://wt.example.org:444/lobby"
    );
}

#[tokio::test]
async fn the_web_app_is_served_with_caching_and_compression() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    for (name, content) in [
        ("index.html", "page"),
        ("assets/app-0123.js", "script"),
        ("assets/app-0123.js.br", "brotli"),
        ("assets/app-0123.js.gz", "gzip"),
        ("assets/app-0123.wasm", "wasm"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let server = TestServer::start_with(
        &["--ui-dir", folder.path().to_str().unwrap()],
        Policy::default(),
    )
    .await;

    for path in ["/", "/meeting/team", "/meeting/ada/team", "/index.html"] {
        let page = server.get(path).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(page.headers()[CONTENT_TYPE], "text/html");
        assert_eq!(page.text().await.unwrap(), "page", "{path}");
    }
    for (accepted, encoding, content) in [
        ("identity", None, "script"),
        ("gzip, deflate", Some("gzip"), "gzip"),
        ("gzip, deflate, br", Some("br"), "brotli"),
    ] {
        let script = get_with(
            &server,
            "/assets/app-0123.js",
            ACCEPT_ENCODING.as_str(),
            accepted,
        )
        .await;
        assert_eq!(
            script.headers()[CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(script.headers()[CONTENT_TYPE], "text/javascript");
        assert_eq!(
            script
                .headers()
                .get(CONTENT_ENCODING)
                .map(|value| value.to_str().unwrap()),
            encoding
        );
        assert_eq!(script.text().await.unwrap(), content);
    }
    assert_eq!(
        server.get("/assets/app-0123.wasm").await.headers()[CONTENT_TYPE],
        "application/wasm"
    );
    for path in [
        "/assets/none.js",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/meetings",
    ] {
        assert_eq!(
            server.get(path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_server_without_web_app_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_with(
        &["--ui-dir", folder.path().to_str().unwrap()],
        Policy::default(),
    )
    .await;
    let page = server.get("/").await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("make run"));
}

#[tokio::test]
async fn further_relays_are_told() {
    let urls = [
        "wss://eu.example.org/lobby",
        "https://eu.example.org:4433/lobby",
    ];
    let server =
        TestServer::start_with(&["--relay-urls", &urls.join(",")], Policy::default()).await;
    assert_eq!(server.config().await.relay_urls, urls);
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let server = TestServer::start().await;
    for path in ["/", "/healthz", "/api/v1/config", "/none"] {
        let response = server.get(path).await;
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        assert!(
            header("content-security-policy").contains("script-src 'self' 'wasm-unsafe-eval';"),
            "{path}"
        );
        assert!(
            header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert!(
            header("permissions-policy").contains("camera=(self)"),
            "{path}"
        );
    }
}

async fn config_for(server: &TestServer, host: &str) -> ServerConfig {
    get_with(server, "/api/v1/config", HOST.as_str(), host)
        .await
        .json()
        .await
        .unwrap()
}

async fn get_with(server: &TestServer, path: &str, header: &str, value: &str) -> Response {
    HttpClient::new()
        .get(format!("http://{}{path}", server.http))
        .header(header, value)
        .send()
        .await
        .unwrap()
}
