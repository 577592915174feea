//! The way in and out of the HTTP functions: whatever the gateway hands over becomes a request or a
//! problem document, and whatever is answered fits through Lambda and the gateway. Nothing that a
//! caller sends ends the process.

mod event;
mod own_base;
mod path;

use std::convert::Infallible;
use std::future::ready;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use lambda_http::lambda_runtime::{self, Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{Adapter, Error, service_fn};
use serde_json::value::{RawValue, to_raw_value};

use self::event::Event;
pub use self::own_base::OwnBase;
use crate::panics::{self, Panicked};
use crate::web::Problem;

/// What Lambda takes of a function, in bytes of JSON: envelope, headers and the body, escaped or in
/// base64 (Lambda's quotas: "invocation payload, synchronous response").
pub const LONGEST_RESPONSE: usize = 6_291_556;
/// What API Gateway takes of a response's headers, names and values (its quotas for HTTP APIs),
/// less what it adds itself.
pub const LONGEST_HEADERS: usize = 10_240 - 1_024;

/// Serves a router behind the gateway. `done` runs after each answer: a frozen environment writes
/// nothing.
pub async fn run(router: Router, done: impl Fn() + Clone) -> Result<(), Error> {
    panics::are_logged();
    let answer = |event: LambdaEvent<Box<RawValue>>| {
        let (router, done) = (router.clone(), done.clone());
        async move {
            let answered = answer(router, event).await;
            done();
            answered
        }
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// The response to an event of the gateway, as Lambda expects it.
pub async fn answer(
    router: Router,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, Error> {
    let LambdaEvent { payload, context } = event;
    let answering = async {
        let event = Event::read(payload.get())?;
        let base = event.public_base();
        let request = event.into_request()?;
        // Its body may have megabytes, of which the request has its own copy.
        drop(payload);
        let router = router.map_request(move |mut request: Request<lambda_http::Body>| {
            if let Some(base) = base.clone() {
                request.extensions_mut().insert(base);
            }
            request
        });
        through(router, LambdaRequest::ApiGatewayV2(request), context).await
    };
    match panics::caught(answering).await {
        Ok(Ok(answered)) => Ok(answered),
        Ok(Err(problem)) => refused(problem).await,
        Err(Panicked) => {
            refused(internal_error("this request met an error of ours, which is written down"))
                .await
        }
    }
}

/// Calls the service, and checks that its response fits through Lambda and the gateway.
async fn through<S>(
    service: S,
    request: LambdaRequest,
    context: Context,
) -> Result<Box<RawValue>, Problem>
where
    S: Service<Request<lambda_http::Body>, Response = Response, Error = Infallible> + Send,
    S::Future: Send,
{
    let within = service.map_response(|response| {
        if fits(response.headers()) { safe(response) } else { safe(too_many_headers()) }
    });
    // A router is always ready; the adapter, which is not `Send`, is dropped before the await.
    let answering = Adapter::from(within).call(LambdaEvent::new(request, context));
    let Ok(response) = answering.await;
    let handed = to_raw_value(&response).map_err(|error| {
        tracing::error!(%error, "an answer that is no JSON for Lambda");
        internal_error("the answer could not be handed over")
    })?;
    if handed.get().len() <= LONGEST_RESPONSE {
        return Ok(handed);
    }
    let detail = format!(
        "the answer would be {} bytes long, of {LONGEST_RESPONSE} that can be handed over; ask for a smaller page_size, or for less",
        handed.get().len()
    );
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large", detail))
}

/// Responds with a problem document.
async fn refused(problem: Problem) -> Result<Box<RawValue>, Error> {
    let answer = service_fn(|_: Request<lambda_http::Body>| {
        ready(Ok::<_, Infallible>(problem.clone().into_response()))
    });
    let handed =
        through(answer, LambdaRequest::ApiGatewayV2(Default::default()), Context::default()).await;
    handed.map_err(|_| "a problem document did not fit".into())
}

fn fits(headers: &HeaderMap) -> bool {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
        <= LONGEST_HEADERS
}

fn too_many_headers() -> Response {
    tracing::error!("an answer's headers are longer than the gateway takes");
    internal_error("the answer's headers are longer than can be handed over").into_response()
}

fn internal_error(detail: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
}

/// Forbids caching between us and the caller, and guessing of content types.
fn safe(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
