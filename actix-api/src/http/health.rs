//! Health, readiness and metrics.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use relay::Status;
use relay::service::Service;
use serde_json::json;

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Whether new sessions should come here.
pub(super) async fn ready(service: Data<Service>) -> HttpResponse {
    match service.hub.status() {
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

/// In the Prometheus text format.
pub(super) async fn metrics(service: Data<Service>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(service.metrics.render())
}
