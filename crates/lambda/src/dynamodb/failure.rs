//! What went wrong with one request: of which kind it is, and a sentence for the log. What the
//! service says in its own words is not repeated: of a refused signature it tells the headers that
//! were signed, session token included.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use mcpfn_native::shared::RequestFailure;

use super::attributes::AttributeMap;

#[derive(Debug)]
pub(super) enum Failure {
    /// None: the condition did not hold, and this is the item that there is.
    Condition(AttributeMap),
    /// Of the request.
    Request(RequestFailure),
}

use RequestFailure::{Lasting, Passing, Retried, Throttled};

impl Failure {
    /// `condition` finds, in an operation's own error, the item on which its condition failed.
    pub(super) fn of<E>(
        error: SdkError<E, HttpResponse>,
        condition: impl FnOnce(&mut E) -> Option<AttributeMap>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Self::Request(match error {
            SdkError::ServiceError(error) => {
                let status = error.raw().status().as_u16();
                let mut error = error.into_err();
                if let Some(item) = condition(&mut error) {
                    return Self::Condition(item);
                }
                named(error.code().unwrap_or_default(), status)
            }
            SdkError::DispatchFailure(failure) => {
                let cause = failure
                    .as_connector_error()
                    .map(|error| deepest(error))
                    .unwrap_or_default();
                Retried(format!("can't be reached: {cause}"))
            }
            SdkError::ResponseError(_) => {
                Retried("sent a response that breaks off, or is not from DynamoDB".to_owned())
            }
            SdkError::ConstructionFailure(_) => Lasting(format!(
                "can't be reached: {}; check AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB",
                deepest(&error)
            )),
            _ => Retried("sent no response".to_owned()),
        })
    }

    /// Of a transaction that was cancelled, by the reason that one of its members has.
    pub(super) fn cancelled(reason: &str) -> Self {
        Self::Request(named(reason, 400))
    }
}

fn named(code: &str, status: u16) -> RequestFailure {
    // from the network: only what looks like a name is repeated
    let named = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = if named { code } else { "an unnamed error" };
    match code {
        "ResourceNotFoundException" => Lasting(
            "does not exist in this account and region: deploy template.yaml, which makes it, \
             or unset MCPFN_DYNAMODB_TABLE"
                .to_owned(),
        ),
        "AccessDeniedException" => Lasting(
            "is not for this function: its role must allow dynamodb:GetItem, PutItem, \
             UpdateItem and DeleteItem on it, as template.yaml does"
                .to_owned(),
        ),
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "NotAuthorizedException" => Lasting(format!(
            "refuses the function's credentials ({code}); leave the \
                AWS_* variables to Lambda"
        )),
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "ThrottlingError"
        | "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded" => Throttled(format!(
            "is throttled ({code}): one key is asked too often, or its \
                maximum throughput or the account's limit is reached"
        )),
        _ if status >= 500 => Retried(format!(
            "failed on its side ({code}, status \
            {status})"
        )),
        _ => Passing(format!(
            "refused a request ({code}, status {status}); its key must \
            be pk and sk, both text, as in template.yaml"
        )),
    }
}

/// The cause at the end of a chain, which is the operating system's or the TLS library's own.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_the_kind() {
        let kind = |code: &str, status| match named(code, status) {
            Lasting(_) => "lasting",
            Throttled(_) => "throttled",
            Passing(_) => "passing",
            Retried(_) => "retried",
        };
        assert_eq!(kind("ResourceNotFoundException", 400), "lasting");
        assert_eq!(kind("AccessDeniedException", 400), "lasting");
        assert_eq!(kind("ExpiredTokenException", 400), "lasting");
        assert_eq!(kind("ThrottlingException", 400), "throttled");
        assert_eq!(kind("RequestLimitExceeded", 400), "throttled");
        assert_eq!(
            kind("ProvisionedThroughputExceededException", 400),
            "throttled"
        );
        assert_eq!(kind("ValidationException", 400), "passing");
        assert_eq!(kind("InternalServerError", 500), "retried");
        assert_eq!(kind("", 503), "retried");
    }

    #[test]
    fn what_is_no_name_is_not_repeated() {
        let failure = named("the token was hunter2", 400);
        assert!(!failure.sentence().contains("hunter2"), "{failure:?}");
    }
}
