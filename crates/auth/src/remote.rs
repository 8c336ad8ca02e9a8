//! JSON from an issuer. Knows nothing of what is in it.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::port::{HttpClient, HttpRequest, HttpResponse, Platform};

/// For one request; a call may wait for three of them.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Real documents and key sets have a few thousand bytes.
const MAX_BODY: usize = 256 * 1024;

pub(crate) fn client(platform: &Platform) -> Result<&Arc<dyn HttpClient>, String> {
    platform
        .port::<dyn HttpClient>()
        .ok_or_else(|| "this host has no HTTP client".to_owned())
}

/// Any answer that is complete.
pub(crate) async fn ask(
    client: &dyn HttpClient,
    request: HttpRequest,
) -> Result<HttpResponse, String> {
    let what = format!("{request:?}");
    let request = request
        .header("accept", "application/json")
        .timeout(TIMEOUT)
        .max_body(MAX_BODY);
    match client.send(request).await {
        Ok(response) if response.truncated => Err(format!("{what}: more than {MAX_BODY} bytes")),
        Ok(response) => Ok(response),
        Err(error) => Err(format!("{what}: {error}")),
    }
}
