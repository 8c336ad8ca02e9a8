//! Another HTTP service, played by a function. Sends nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};

type HttpAnswerer = dyn Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync;

/// The port `HttpClient` with a function behind it; it keeps the requests that were sent. Clones
/// share them.
///
/// ```
/// use std::sync::Arc;
/// use mcpfn_core::port::{HttpClient, HttpRequest};
/// use mcpfn_testing::{TestCx, TestHttp, block_on};
///
/// let weather = TestHttp::new(|_| Ok(TestHttp::json(200, r#"{"celsius": 21}"#)));
/// let cx = TestCx::new().with_port::<dyn HttpClient>(Arc::new(weather.clone())).build();
/// let answer = block_on(cx.fetch(HttpRequest::get("https://weather.example/now"))).unwrap();
/// assert_eq!(answer.unwrap().body, r#"{"celsius": 21}"#);
/// assert_eq!(weather.sent()[0].url, "https://weather.example/now");
/// ```
#[derive(Clone)]
pub struct TestHttp {
    service: Arc<HttpAnswerer>,
    sent: Arc<Mutex<Vec<HttpRequest>>>,
}

impl TestHttp {
    /// A service that answers as the function says.
    pub fn new(
        service: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            service: Arc::new(service),
            sent: Arc::default(),
        }
    }

    /// A JSON answer of this status.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> HttpResponse {
        HttpResponse {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into().into(),
            truncated: false,
        }
    }

    /// What was sent so far.
    #[must_use]
    pub fn sent(&self) -> Vec<HttpRequest> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.clone()
    }
}

impl HttpClient for TestHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let mut answer = (self.service)(&request);
        if let Ok(response) = &mut answer
            && response.body.len() > request.max_body
        {
            // as a real client cuts it
            response.body.truncate(request.max_body);
            response.truncated = true;
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(request);
        Box::pin(std::future::ready(answer))
    }
}

impl fmt::Debug for TestHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHttp")
            .field("sent", &self.sent())
            .finish_non_exhaustive()
    }
}
