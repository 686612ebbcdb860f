//! The WebSocket endpoint.

mod guard;
mod outbox;
mod reader;
mod writer;

use actix_web::web::{Data, Payload};
use actix_web::{Error, HttpRequest, HttpResponse, rt};
use relay::service::Service;
use relay::{Entry, admission, session};
use videocall_types::CloseCode;

use crate::connection::Connection;
use outbox::{Outbox, OutboxBody};
use reader::WsReader;
use writer::WsWriter;

/// `GET /lobby..`: becomes a session. A browser hides the status of a refused WebSocket from its page, so that most
/// refusals are close codes.
pub(crate) async fn lobby(
    request: HttpRequest,
    payload: Payload,
    service: Data<Service>,
) -> Result<HttpResponse, Error> {
    if !origin_allowed(&request, &service) {
        return Ok(HttpResponse::Forbidden().body("pages of this origin may not connect"));
    }
    let payload = guard::guard(&request, payload).await?;
    let (response, sender, messages) = actix_ws::handle(&request, payload)?;
    let outbox = Outbox::default();
    let response = response
        .map_body(|_, body| OutboxBody::new(outbox.clone(), body))
        .map_into_boxed_body();
    let connection = request.conn_data::<Connection>().cloned();
    let writer = WsWriter::new(sender.clone(), outbox, connection);
    match admit(&request, &service).await {
        Ok(entry) => {
            let reader = WsReader::new(messages, sender);
            rt::spawn(async move {
                let code = match entry {
                    Entry::Joined(membership) => session::run(reader, writer, membership).await,
                    Entry::Late(admission) => {
                        session::enter(reader, writer, &service.hub, admission).await
                    }
                };
                tracing::debug!(reason = code.reason(), "session ended");
            });
        }
        Err(code) => {
            rt::spawn(writer.refuse(code, messages));
        }
    }
    Ok(response)
}

fn origin_allowed(request: &HttpRequest, service: &Service) -> bool {
    let origin = request
        .headers()
        .get("origin")
        .map(|value| value.to_str().unwrap_or("null"));
    service.origin_allowed(origin, Some(request.connection_info().host()))
}

async fn admit(request: &HttpRequest, service: &Service) -> Result<Entry, CloseCode> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let admission =
        admission::admit(&service.access, target).map_err(|error| error.close_code())?;
    service
        .hub
        .admit(admission)
        .await
        .map_err(|error| error.close_code())
}
