//! Health, metrics and what `actix-api` needs to know of this endpoint, over HTTP.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{App, HttpResponse, HttpServer};
use relay::Status;
use relay::certificates::Certificates;
use relay::service::Service;
use serde_json::json;

/// What the routes tell of.
pub(crate) struct State {
    pub(crate) service: Service,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) port: u16,
}

/// Binds `address` and serves there until the server is stopped.
pub(crate) fn serve(address: SocketAddr, state: State) -> io::Result<(SocketAddr, Server)> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let state = Data::new(state);
    let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok((bound, server))
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/healthz", get().to(async || "ok"))
        .route("/readyz", get().to(ready))
        .route("/metrics", get().to(metrics))
        .route("/endpoint", get().to(endpoint));
}

async fn ready(state: Data<State>) -> HttpResponse {
    match state.service.hub.status() {
        Status::Ready => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Status::BusLost => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "degraded", "reason": "bus" })),
        Status::Overloaded => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "degraded", "reason": "overloaded" })),
        Status::Draining => {
            HttpResponse::ServiceUnavailable().json(json!({ "status": "draining" }))
        }
    }
}

async fn metrics(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(state.service.metrics.render())
}

async fn endpoint(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .json(json!({ "port": state.port, "certificate_hashes": state.certificates.hashes() }))
}
