//! One request to the store: signed, sent, and tried again where that can do no harm. What an
//! answer means is read in `answer`.

use std::time::{Duration, SystemTime};

use mcpfn_core::port::{HttpError, HttpRequest, HttpResponse};
use mcpfn_ports::BlobError;

use super::{S3, answer};

/// How long a second try waits, and how much longer at most.
const PAUSE: u64 = 50;
const JITTER: u64 = 100;

impl S3 {
    /// Sends what changes nothing, or nothing more the second time. A status that says why the
    /// request can't be answered is an answer.
    pub(super) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, BlobError> {
        let first = self.send(request.clone()).await;
        if !is_passing(&first) {
            return first.map_err(failed);
        }
        let random = getrandom::u64().unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(PAUSE + random % JITTER)).await;
        self.send(request).await.map_err(failed)
    }

    /// Sends what changes something, once. Only a missing file passes for an answer among the
    /// failures.
    pub(super) async fn change(&self, request: HttpRequest) -> Result<HttpResponse, BlobError> {
        let response = self.send(request).await.map_err(failed)?;
        if response.status != 404 {
            answer::success(&response)?;
        }
        Ok(response)
    }

    /// A request whose URL is below the bucket's.
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let region = self.account.region().await;
        let region = region.map_err(HttpError::Unreachable)?;
        let keys = self.account.keys().await;
        let keys = keys.map_err(HttpError::Unreachable)?;
        request.url.insert_str(0, &self.place.url(&region));
        // each try has the time of its own
        let signed = mcpfn_aws::sign(request, "s3", &region, &keys, SystemTime::now());
        self.client.send(signed.map_err(HttpError::BadUrl)?).await
    }
}

fn is_passing(answered: &Result<HttpResponse, HttpError>) -> bool {
    match answered {
        Ok(response) => matches!(response.status, 429 | 500 | 502..=504),
        Err(error) => matches!(
            error,
            HttpError::TimedOut
                | HttpError::Unreachable(_)
                | HttpError::Untrusted(_)
                | HttpError::Interrupted(_)
                | HttpError::Undecodable(_)
        ),
    }
}

fn failed(error: impl std::fmt::Display) -> BlobError {
    BlobError::Unavailable(error.to_string())
}
