//! `GET /api/v1/config`.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use relay::service::Service;
use url::Url;
use videocall_types::api::ServerConfig;

use super::Deployment;

/// Built for each request: addresses follow the host that the browser asked for.
pub(super) async fn config(
    request: HttpRequest,
    service: Data<Service>,
    deployment: Data<Deployment>,
) -> HttpResponse {
    let connection = request.connection_info();
    let asked = Url::parse(&format!("{}://{}", connection.scheme(), connection.host()));
    let base = deployment.public.public_url.clone().map_or(asked, Ok);
    let Some((base, websocket_url)) = base
        .ok()
        .and_then(|base| Some((base.clone(), websocket_url(base)?)))
    else {
        return HttpResponse::BadRequest().body("the Host header is not valid");
    };
    let webtransport_url = deployment.public.webtransport_public_url.as_ref();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ServerConfig {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            access: service.access.access,
            relay_urls: deployment
                .public
                .relay_urls
                .iter()
                .map(Url::to_string)
                .collect(),
            websocket_url: websocket_url.into(),
            webtransport: deployment.webtransport.endpoint(webtransport_url, &base),
        })
}

fn websocket_url(base: Url) -> Option<Url> {
    let mut url = base.join("/lobby").ok()?;
    url.set_scheme(if base.scheme() == "https" {
        "wss"
    } else {
        "ws"
    })
    .ok()?;
    Some(url)
}
