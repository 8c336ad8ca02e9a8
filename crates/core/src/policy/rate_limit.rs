//! Rate limits: asked before a call does anything, even before its arguments are read.

use std::time::Duration;

use crate::canonical::digest_key;
use crate::dispatch::active_call::ActiveCall;
use crate::jsonrpc::Error;
use crate::port::store::{Admission, Rate};
use crate::principal::PrincipalKind;

use super::FailureMode;

/// Counts the call against the rate limit of its caller, and out of the tool's own (`own`) for this
/// caller.
pub(crate) async fn admit(work: &ActiveCall, own: Option<Rate>) -> Result<(), Error> {
    let Some(limits) = &work.platform.rate_limits else {
        return Ok(());
    };
    let name = &work.target;
    // one after the other: a call over its caller's own limit does not count against the tool's
    for (rate, what) in [(limits.rate, ""), (own, name.as_str())] {
        let Some(rate) = rate else { continue };
        let key = digest_key(&[
            b"rate",
            work.server.name().as_bytes(),
            caller(work).as_bytes(),
            what.as_bytes(),
        ]);
        match limits
            .limiter
            .admit(&key, rate, work.platform.clock.now_ms())
            .await
        {
            Ok(Admission::Admitted) => {}
            Ok(Admission::Refused { retry_after }) => return Err(refused(rate, what, retry_after)),
            Err(error) => {
                work.store_failed("rate limiter", &error);
                if limits.failure_mode == FailureMode::Closed {
                    let sentence = "calls can't be counted at the moment, and this server admits \
                        none without counting; try again in a minute";
                    return Err(Error::rate_limited(sentence, Duration::from_secs(60)));
                }
            }
        }
    }
    Ok(())
}

/// Whose rate limit it is.
fn caller(work: &ActiveCall) -> String {
    let principal = &work.principal;
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
