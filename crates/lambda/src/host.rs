//! One invocation: event in, answer out.

use std::sync::Arc;

use http::{HeaderValue, Response, StatusCode, header};
use lambda_runtime::{FunctionResponse, LambdaEvent};
use mcpfn_core::jsonrpc::{Error, ErrorCode};
use mcpfn_core::{Answer, Platform, Principal, PrincipalKind};
use mcpfn_http::{Deadline, Service};
use tracing::Instrument as _;

use crate::event::{Event, NotHttp};
use crate::response::{Buffered, Chunks, Shape, buffered, streamed};
use crate::settings::{Auth, Mode};

/// What every invocation of this execution environment shares.
pub(crate) struct Host {
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    pub(crate) auth: Auth,
    pub(crate) mode: Mode,
    pub(crate) base_path: String,
    pub(crate) margin_ms: u64,
}

impl Host {
    pub(crate) async fn invoke(&self, invocation: LambdaEvent<Event>) -> Result<FunctionResponse<Buffered, Chunks>, NotHttp> {
        let span = tracing::info_span!("invocation", requestId = invocation.context.request_id);
        self.answer(invocation).instrument(span).await
    }

    async fn answer(&self, invocation: LambdaEvent<Event>) -> Result<FunctionResponse<Buffered, Chunks>, NotHttp> {
        let LambdaEvent { payload: event, context } = invocation;
        let streams = self.mode == Mode::Stream && event.takes_streams();
        let shape = Shape { multi_value_headers: event.has_multi_value_headers(), status_description: event.is_load_balancer() };
        let principal = event.principal();
        let mut request = event.into_request(&self.base_path)?;
        let response = match self.refusal(&principal) {
            Some(message) => forbidden(message),
            None => {
                request.extensions_mut().insert(principal);
                request.extensions_mut().insert(Deadline(context.deadline.saturating_sub(self.margin_ms)));
                self.service.call(request, &self.platform).await.map(Chunks::of)
            }
        };
        Ok(if streams {
            FunctionResponse::StreamingResponse(streamed(response))
        } else {
            FunctionResponse::BufferedResponse(buffered(response, shape).await)
        })
    }

    fn refusal(&self, principal: &Principal) -> Option<&'static str> {
        match self.auth {
            Auth::Iam if principal.kind != PrincipalKind::Iam => Some(
                "this server answers only callers that AWS IAM recognised: sign the request with AWS credentials that may call it (Signature Version 4, service `lambda` for a function URL)",
            ),
            Auth::Authorizer if principal.kind == PrincipalKind::Anonymous => {
                Some("this server answers only callers that the gateway in front recognised: call it through that gateway, with a token")
            }
            _ => None,
        }
    }
}

/// A JSON-RPC error without id, so that a client never takes this server for an older one.
fn forbidden(message: &'static str) -> Response<Chunks> {
    let error = Error::new(ErrorCode::INVALID_REQUEST, message);
    let mut response = Response::new(Chunks::whole(Answer::error(None, &error).message));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
