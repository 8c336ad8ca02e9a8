//! What is sent to the Runtime API: answers, errors, a failed start. Asking it for events is
//! `lambda_runtime`'s.
//!
//! `lambda_runtime` 1.5.0 would send answers too, but over a socket without `TCP_NODELAY`, which it
//! offers no way to set, and a stream's envelope in several small writes: each streamed answer then
//! waits some 40 ms for a delayed acknowledgement. Measured, 43.5 ms instead of 0.12 for one that is
//! known whole. This module can go once a release sets the option.

use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, PooledClient, build_request};

use crate::response::StreamPrelude;

const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// A connection to the Runtime API that answers leave by.
pub(crate) struct Api(PooledClient);

/// Which event is answered.
pub(crate) struct Invocation<'a> {
    pub(crate) request_id: &'a str,
    /// The head under which the event came: parts of it are sent back, so that an answer that is
    /// too late is known as such.
    pub(crate) headers: &'a http::HeaderMap,
}

/// What a function has to say about an event.
pub(crate) enum Delivery {
    /// A document.
    Buffered(bytes::Bytes),
    /// An envelope and a body.
    Streamed(StreamPrelude),
    /// No answer.
    Failed(Diagnostic),
}

impl Api {
    /// Does not connect yet. `AWS_LAMBDA_RUNTIME_API` must be set.
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(PooledClient::builder().with_connector(connector).build())
    }

    /// Sends what a function has to say, to its end.
    pub(crate) async fn send(
        &self,
        event: Invocation<'_>,
        outcome: Delivery,
    ) -> Result<(), BoxError> {
        let place = if matches!(outcome, Delivery::Failed(_)) {
            "error"
        } else {
            "response"
        };
        let mut request = build_request().uri(format!(
            "/2018-06-01/runtime/invocation/{}/{place}",
            event.request_id
        ));
        if let Some(id) = event.headers.get(INVOCATION_ID) {
            request = request.header(INVOCATION_ID, id);
        }
        match outcome {
            Delivery::Buffered(document) => self.post(request, Body::from(document)).await,
            Delivery::Streamed(envelope) => {
                let request = request
                    .header("lambda-runtime-function-response-mode", "streaming")
                    .header(
                        "content-type",
                        "application/vnd.awslambda.http-integration-response",
                    );
                self.post(request, Body::new(envelope)).await
            }
            Delivery::Failed(diagnostic) => self.failure(request, "unhandled", &diagnostic).await,
        }
    }

    /// Tells why there will be no first event, so that an invoker reads more than `exit status 1`.
    pub(crate) async fn failed_start(&self, message: String) -> Result<(), BoxError> {
        let diagnostic = Diagnostic {
            error_type: "Runtime.InitError".to_owned(),
            error_message: message,
        };
        self.failure(
            build_request().uri("/2018-06-01/runtime/init/error"),
            "Runtime.InitError",
            &diagnostic,
        )
        .await
    }

    async fn failure(
        &self,
        request: http::request::Builder,
        kind: &str,
        diagnostic: &Diagnostic,
    ) -> Result<(), BoxError> {
        let request = request.header("lambda-runtime-function-error-type", kind);
        self.post(request, Body::from(serde_json::to_vec(diagnostic)?))
            .await
    }

    async fn post(&self, request: http::request::Builder, body: Body) -> Result<(), BoxError> {
        let response = self
            .0
            .call(request.method(http::Method::POST).body(body)?)
            .await?;
        if !response.status().is_success() {
            tracing::error!(
                event = "answer_lost",
                status = response.status().as_u16(),
                "the Lambda runtime API refused an answer: too late, or too large"
            );
        }
        Ok(())
    }
}
