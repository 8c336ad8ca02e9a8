//! Rate limits: asked before a call does anything, even before its arguments are read. Calls and
//! lists take from the same limit of their caller.

use std::borrow::Cow;
use std::time::Duration;

use super::address::AddressLimits;
use super::asked::asked;
use super::{FailureMode, RateLimits};
use crate::active_call::ActiveCall;
use crate::canonical::digest_key;
use crate::jsonrpc::Error;
use crate::port::Platform;
use crate::port::store::{Admission, Rate};
use crate::principal::{Principal, PrincipalKind};

/// Counts the call against the tool's own rate limit for this caller, and against that of the
/// caller over all. A call that one of them refuses costs the other nothing.
pub(crate) async fn admit(call: &ActiveCall) -> Result<(), Error> {
    let Some(limits) = &call.platform.rate_limits else {
        return Ok(());
    };
    let (name, platform) = (&call.requested, &*call.platform);
    let mut charged = None;
    for (rate, tool) in [(call.target.rate(), name.as_str()), (limits.rate, "")] {
        let Some(rate) = rate else { continue };
        let server = call.server.name();
        match take(platform, limits, server, &call.principal, rate, tool).await {
            Ok(key) => charged = key.map(|key| (key, rate)),
            Err(refusal) => {
                if let Some((key, rate)) = charged {
                    limits
                        .limiter
                        .give_back(&key, rate, platform.clock.now_ms());
                }
                return Err(refusal);
            }
        }
    }
    Ok(())
}

/// Whether lists are counted: a host without a limit answers them at once.
pub(crate) fn counts_lists(platform: &Platform) -> bool {
    let limits = platform.rate_limits.as_ref();
    limits.is_some_and(|limits| limits.rate.is_some())
}

/// Counts a list against the rate limit of its caller: each is kilobytes for a line of request.
pub(crate) async fn admit_list(
    platform: &Platform,
    server: &str,
    principal: &Principal,
) -> Result<(), Error> {
    admit_besides(platform, server, principal, 1, "").await
}

/// How many questions about tasks a caller may ask for each call.
const POLLS: u32 = 10;

/// Counts a question about a task, in a limit of its own: whoever waits for ten tasks asks often,
/// and shall be able to call all the same.
pub(crate) async fn admit_poll(
    platform: &Platform,
    server: &str,
    principal: &Principal,
) -> Result<(), Error> {
    admit_besides(platform, server, principal, POLLS, "tasks/get").await
}

/// Counts what is no call against so many times the caller's rate, in the limit of this name.
async fn admit_besides(
    platform: &Platform,
    server: &str,
    principal: &Principal,
    times: u32,
    name: &str,
) -> Result<(), Error> {
    let Some((limits, rate)) = platform
        .rate_limits
        .as_ref()
        .and_then(|limits| Some((limits, limits.rate?)))
    else {
        return Ok(());
    };
    let rate = Rate {
        calls: rate.calls.saturating_mul(times),
        ..rate
    };
    take(platform, limits, server, principal, rate, name)
        .await
        .map(drop)
}

/// Gives the key of the bucket, if the call is counted in it.
async fn take(
    platform: &Platform,
    limits: &RateLimits,
    server: &str,
    principal: &Principal,
    rate: Rate,
    tool: &str,
) -> Result<Option<String>, Error> {
    let key = digest_key(&[
        b"rate",
        server.as_bytes(),
        caller(principal, &platform.refused_credentials.limits).as_bytes(),
        tool.as_bytes(),
    ]);
    let now_ms = platform.clock.now_ms();
    let decision = limits.limiter.admit(&key, rate, now_ms);
    match asked(&platform.timer, decision).await {
        Ok(Admission::Admitted) => Ok(Some(key)),
        Ok(Admission::Refused { retry_after }) => Err(refused(rate, tool, retry_after)),
        Err(error) => {
            platform.store_failed("rate limiter", &error);
            if limits.failure_mode == FailureMode::Closed {
                let sentence = "rate limiter unavailable; retry in 60 s";
                return Err(Error::rate_limited(sentence, Duration::from_secs(60)));
            }
            Ok(None)
        }
    }
}

/// Whose rate limit it is: nothing that callers choose themselves may be in it, or they would have
/// as many limits as they like. Callers that nobody recognised share one principal: they are told
/// apart by their address, so that one of them does not use up what all have.
fn caller(principal: &Principal, addresses: &AddressLimits) -> String {
    match (principal.kind, principal.address) {
        // without an identity the address is all that tells callers apart
        (PrincipalKind::Anonymous, Some(address)) => {
            format!("address:{}", addresses.network(address))
        }
        (PrincipalKind::Iam, _) => format!("iam:{}", account_and_role(&principal.subject)),
        _ => principal.key(),
    }
}

/// The ARN without the session's name, which whoever assumes a role or asks for a federated user
/// chooses. The identity of an identity pool stays: all its users share one role.
fn account_and_role(subject: &str) -> Cow<'_, str> {
    let (arn, identity) = match subject.split_once('#') {
        Some((arn, _)) => (arn, &subject[arn.len()..]),
        None => (subject, ""),
    };
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2), parts.nth(2));
    let chosen = match (service, resource) {
        (Some("sts"), Some(resource)) => match resource.split_once('/') {
            Some(("assumed-role", rest)) => rest.split_once('/').map(|(_, session)| session),
            Some(("federated-user", name)) => Some(name),
            _ => None,
        },
        _ => None,
    };
    match chosen {
        Some(chosen) => Cow::Owned(format!("{}{identity}", &arn[..arn.len() - chosen.len()])),
        None => Cow::Borrowed(subject),
    }
}

/// As the header has them, and never too early.
pub(crate) fn whole_seconds(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

fn refused(rate: Rate, tool: &str, retry_after: Duration) -> Error {
    let wait = whole_seconds(retry_after);
    let what = if tool.is_empty() {
        "calls".to_owned()
    } else {
        format!("calls of `{tool}`")
    };
    let sentence = format!(
        "too many calls: {} {what} in {} s are allowed; try again in {} s",
        rate.calls,
        rate.per.as_secs_f64(),
        wait.as_secs()
    );
    Error::rate_limited(sentence, wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_choose_is_not_part_of_whose_limit_it_is() {
        for (subject, expected) in [
            (
                "arn:aws:sts::123456789012:assumed-role/Reader/session-1",
                "arn:aws:sts::123456789012:assumed-role/Reader/",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/Reader/a:b/c#d",
                "arn:aws:sts::123456789012:assumed-role/Reader/#d",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/Pool/CognitoIdentityCredentials#eu:1",
                "arn:aws:sts::123456789012:assumed-role/Pool/#eu:1",
            ),
            (
                "arn:aws:sts::123456789012:federated-user/any",
                "arn:aws:sts::123456789012:federated-user/",
            ),
            (
                "arn:aws-cn:iam::123456789012:user/team/alice",
                "arn:aws-cn:iam::123456789012:user/team/alice",
            ),
            (
                "arn:aws:iam::123456789012:root",
                "arn:aws:iam::123456789012:root",
            ),
            ("arn:aws:sts::1:assumed-role", "arn:aws:sts::1:assumed-role"),
            ("nonsense", "nonsense"),
            ("", ""),
        ] {
            assert_eq!(account_and_role(subject), expected);
        }
    }
}
