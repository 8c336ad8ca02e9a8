//! A request to a service of AWS, signed with the credentials of the function's role, and why it was not
//! taken: what is shared by who orders runs of tasks and who puts events into a queue. Which service,
//! and what its answers say, is theirs.

use std::time::SystemTime;

use mcpfn_aws::AwsAccount;
use mcpfn_core::port::{HttpClient, HttpRequest, HttpResponse};

/// Why a service did not do what it was asked.
pub(crate) struct AwsRefusal {
    pub(crate) why: String,
    /// Asking again at once may help.
    pub(crate) passes: bool,
}

impl AwsRefusal {
    /// What stays until somebody changes something.
    pub(crate) fn lasting(why: String) -> Self {
        Self { why, passes: false }
    }

    /// What may be over in a moment.
    pub(crate) fn passing(why: String) -> Self {
        Self { why, passes: true }
    }

    /// By the status of an answer that is no success. Its words are not repeated: they may name what was
    /// signed.
    pub(crate) fn of(answer: &HttpResponse, why: String) -> Self {
        let passes = answer.status == 429 || answer.status >= 500;
        Self { why, passes }
    }
}

/// Signs a request for a service in a region, and sends it.
pub(crate) async fn send_signed(
    client: &dyn HttpClient,
    account: &AwsAccount,
    (service, region): (&str, &str),
    request: HttpRequest,
) -> Result<HttpResponse, AwsRefusal> {
    let keys = account.keys().await.map_err(AwsRefusal::lasting)?;
    let signed = mcpfn_aws::sign(request, service, region, &keys, SystemTime::now());
    let answer = client.send(signed.map_err(AwsRefusal::lasting)?).await;
    answer.map_err(|error| AwsRefusal::passing(error.to_string()))
}
