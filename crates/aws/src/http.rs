//! The SDK's requests over the port `HttpClient`: those of credential providers, which are small and
//! answered whole. Connections, TLS and roots are those of the host's client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest as SdkRequest, HttpResponse as SdkResponse,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use mcpfn_core::port::{HttpClient, HttpError, HttpRequest};

/// How long a request may take, where the SDK gives no limit.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of an answer: credentials take a few thousand.
const MAX_BODY: usize = 256 * 1024;

#[derive(Clone)]
pub(crate) struct PortClient {
    client: Arc<dyn HttpClient>,
    timeout: Duration,
}

impl PortClient {
    pub(crate) fn new(client: &Arc<dyn HttpClient>) -> Self {
        Self {
            client: Arc::clone(client),
            timeout: TIMEOUT,
        }
    }
}

impl SdkHttpClient for PortClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connect = settings.connect_timeout().unwrap_or_default();
        let timeout = settings.read_timeout().map(|read| connect + read);
        SharedHttpConnector::new(Self {
            client: Arc::clone(&self.client),
            timeout: timeout.unwrap_or(TIMEOUT),
        })
    }
}

impl HttpConnector for PortClient {
    fn call(&self, request: SdkRequest) -> HttpConnectorFuture {
        let client = Arc::clone(&self.client);
        let request = translated(&request, self.timeout);
        HttpConnectorFuture::new(async move {
            let answer = client.send(request?).await.map_err(failed)?;
            if answer.truncated {
                return Err(ConnectorError::other(
                    format!("the answer has more than {MAX_BODY} bytes").into(),
                    None,
                ));
            }
            let status = answer
                .status
                .try_into()
                .map_err(|_| ConnectorError::other("the status is none of HTTP".into(), None))?;
            let mut response = SdkResponse::new(status, SdkBody::from(answer.body));
            for (name, value) in answer.headers {
                // one that can't be read is of no use to a provider
                let _ = response.headers_mut().try_append(name, value);
            }
            Ok(response)
        })
    }
}

fn translated(request: &SdkRequest, timeout: Duration) -> Result<HttpRequest, ConnectorError> {
    let refused = |why: &str| ConnectorError::user(why.into());
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| refused("a request of a provider has a body that streams"))?;
    let mut translated = HttpRequest::get(request.uri())
        .timeout(timeout)
        .max_body(MAX_BODY);
    translated.method = match request.method() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => return Err(refused("providers send GET, POST and PUT only")),
    };
    translated.body = body.to_vec().into();
    for (name, value) in request.headers() {
        // these are the client's own
        if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING]
            .iter()
            .all(|own| own.as_str() != name)
        {
            translated = translated.header(name, value);
        }
    }
    Ok(translated)
}

fn failed(error: HttpError) -> ConnectorError {
    match error {
        HttpError::TimedOut => ConnectorError::timeout(error.into()),
        HttpError::BadUrl(_) => ConnectorError::user(error.into()),
        _ => ConnectorError::io(error.into()),
    }
}

impl fmt::Debug for PortClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortClient(..)")
    }
}
