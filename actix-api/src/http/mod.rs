//! Every route in one place.

mod config;
mod health;
mod ui;

use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, ServiceConfig, get};
use relay::public::PublicConfig;
use relay::service::Service;

use crate::webtransport::WebTransport;
use crate::ws;

pub(crate) use ui::Ui;

/// What the routes share.
pub(crate) struct State {
    pub(crate) service: Data<Service>,
    pub(crate) deployment: Data<Deployment>,
    pub(crate) ui: Data<Ui>,
}

/// How clients reach this deployment.
pub(crate) struct Deployment {
    pub(crate) public: PublicConfig,
    pub(crate) webtransport: WebTransport,
}

pub(crate) fn routes(state: &State, app: &mut ServiceConfig) {
    app.app_data(state.service.clone())
        .app_data(state.deployment.clone())
        .app_data(state.ui.clone())
        .route("/lobby", get().to(ws::lobby))
        .route("/lobby/{user}/{meeting}", get().to(ws::lobby))
        .route("/api/v1/config", get().to(config::config))
        .route("/healthz", get().to(health::alive))
        .route("/readyz", get().to(health::ready))
        .route("/metrics", get().to(health::metrics))
        .default_service(get().to(ui::serve));
}

/// The page runs its own scripts only, is shown in no other page, and tells nobody the meeting in its address.
pub(crate) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((
            "Content-Security-Policy",
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
             img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
             connect-src 'self' ws: wss: https:; frame-ancestors 'none'",
        ))
        .add(("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self)"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Content-Type-Options", "nosniff"))
}
