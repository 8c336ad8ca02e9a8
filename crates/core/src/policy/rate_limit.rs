//! Rate limits: asked before a call does anything, even before its arguments are read.

use std::time::Duration;

use super::FailureMode;
use crate::active_call::ActiveCall;
use crate::canonical::digest_key;
use crate::jsonrpc::Error;
use crate::port::store::{Admission, Rate};
use crate::principal::PrincipalKind;

/// Counts the call against the rate limit of its caller, and against the tool's own for this
/// caller.
///
/// The caller's comes first: a call that it refuses costs the tool's nothing.
pub(crate) async fn admit(call: &ActiveCall) -> Result<(), Error> {
    let Some(limits) = &call.platform.rate_limits else {
        return Ok(());
    };
    let name = &call.requested;
    for (rate, tool) in [(limits.rate, ""), (call.target.rate(), name.as_str())] {
        let Some(rate) = rate else { continue };
        let key = digest_key(&[
            b"rate",
            call.server.name().as_bytes(),
            caller(call).as_bytes(),
            tool.as_bytes(),
        ]);
        match limits
            .limiter
            .admit(&key, rate, call.platform.clock.now_ms())
            .await
        {
            Ok(Admission::Admitted) => {}
            Ok(Admission::Refused { retry_after }) => return Err(refused(rate, tool, retry_after)),
            Err(error) => {
                call.store_failed("rate limiter", &error);
                if limits.failure_mode == FailureMode::Closed {
                    let sentence = "rate limiter unavailable; retry in 60 s";
                    return Err(Error::rate_limited(sentence, Duration::from_secs(60)));
                }
            }
        }
    }
    Ok(())
}

/// Whose rate limit it is. Callers that nobody recognised share one principal: they are told apart
/// by their address, so that one of them does not use up what all have.
fn caller(call: &ActiveCall) -> String {
    let principal = &call.principal;
    match principal.address {
        // without an identity the address is all that tells callers apart
        Some(address) if principal.kind == PrincipalKind::Anonymous => format!("address:{address}"),
        _ => principal.key(),
    }
}

fn refused(rate: Rate, tool: &str, retry_after: Duration) -> Error {
    // whole seconds, as the header has them, and never too early
    let wait =
        Duration::from_secs(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0));
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
