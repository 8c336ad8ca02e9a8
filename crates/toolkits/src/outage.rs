//! A service that gave no usable answer, as a model reads it: one sentence for each fault, for every
//! toolkit that asks over HTTP. What the service said itself is for the log alone.

use std::time::Duration;

use mcpfn_core::{ServiceFault, ToolError};

/// Seconds since 1970 are larger than this since 2001, and no service asks to wait for thirty
/// years.
const EPOCH: u64 = 1_000_000_000;

/// What to do about a failure that passes.
const AGAIN: &str = "Try again in a few minutes.";
/// What to do after a request that may have changed something.
const UNKNOWN: &str = "It is not known whether it was done: look before you try again.";
/// What to do about a failure that does not pass by itself.
const OPERATOR: &str =
    "Tell the user: the operator of this server has to fix that, and trying again does not help.";

/// Why a service gave no usable answer, with what is known about the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outage {
    pub(crate) fault: ServiceFault,
    /// Seconds: how long the service was waited for, or for how long it takes no more requests.
    seconds: Option<u64>,
}

impl From<ServiceFault> for Outage {
    fn from(fault: ServiceFault) -> Self {
        Self {
            fault,
            seconds: None,
        }
    }
}

impl Outage {
    /// With how long the service was waited for, should that be the fault.
    pub(crate) fn after(fault: ServiceFault, waited: Duration) -> Self {
        let timed_out = fault == ServiceFault::TimedOut;
        Self {
            fault,
            seconds: timed_out.then(|| whole_seconds(waited)),
        }
    }

    /// A budget that is used up for so long.
    pub(crate) fn limited(wait: Option<Duration>) -> Self {
        Self {
            fault: ServiceFault::RateLimited,
            seconds: wait.map(|wait| wait.as_secs()),
        }
    }

    /// What the model reads. `name` begins the sentence, such as "The weather service"; `writes` if
    /// the request could change something.
    pub(crate) fn sentence(self, name: &str, writes: bool) -> String {
        let seconds = self.seconds;
        let what = match (self.fault, seconds) {
            (ServiceFault::Credentials, _) => "rejected this server's credentials.".to_owned(),
            (ServiceFault::RateLimited, seconds) => {
                return format!("{name} takes no more requests {}.", until(seconds));
            }
            (ServiceFault::TimedOut, Some(seconds)) => {
                format!("did not answer within {seconds} s.")
            }
            (ServiceFault::TimedOut, None) => "did not answer in time.".to_owned(),
            (ServiceFault::Unreachable, _) => "can't be reached.".to_owned(),
            (ServiceFault::Interrupted, _) => {
                "ended the connection before its answer was complete.".to_owned()
            }
            (ServiceFault::Refused, _) => "does not take this server's request.".to_owned(),
            (ServiceFault::Malformed, _) => "gave an answer that can't be read.".to_owned(),
            (ServiceFault::Empty, _) => "gave an empty answer.".to_owned(),
            (ServiceFault::TooLong, _) => "gave an answer that is too long to be read.".to_owned(),
            // and what is added to the set later
            _ => "answered that it failed.".to_owned(),
        };
        let advice = match self.fault {
            fault if !fault.passes() => OPERATOR,
            fault if writes && !fault.did_nothing() => UNKNOWN,
            ServiceFault::TooLong => "Ask for less.",
            _ => AGAIN,
        };
        format!("{name} {what} {advice}")
    }

    /// The failure of a call: the sentence, and the cause for the log.
    pub(crate) fn error(
        self,
        name: &str,
        writes: bool,
        cause: impl std::fmt::Display,
    ) -> ToolError {
        ToolError::unavailable(self.sentence(name, writes), cause).with_fault(self.fault)
    }
}

/// A limit in seconds: the margin that was taken off is given back.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_millis() > 0)
}

/// For how long a budget is used up.
fn until(seconds: Option<u64>) -> String {
    match seconds {
        None => "for now. Try again in a minute".to_owned(),
        Some(0 | 1) => "for a second. Try again then".to_owned(),
        Some(seconds @ ..=120) => format!("for the next {seconds} seconds. Try again then"),
        Some(86_401..) => "for longer than a day. Tell the user".to_owned(),
        Some(seconds) => format!(
            "for the next {} minutes. Try again then",
            seconds.div_ceil(60)
        ),
    }
}

/// For how long nothing should be asked, as `retry-after` or the `x-ratelimit-` headers say it.
/// `header` gives the first header of a name in lower case.
pub(crate) fn wait<'a>(header: impl Fn(&str) -> Option<&'a str>, now_ms: u64) -> Option<Duration> {
    if let Some(seconds) = header("retry-after").and_then(|value| value.trim().parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    // some services have several budgets, listed in both headers in the same order
    let (left, reset) = (
        header("x-ratelimit-remaining")?,
        header("x-ratelimit-reset")?,
    );
    let used_up = left
        .split(',')
        .zip(reset.split(','))
        .filter(|(left, _)| left.trim() == "0");
    let until = used_up
        .filter_map(|(_, reset)| reset.trim().parse::<u64>().ok())
        .max()?;
    let now = now_ms / 1000;
    // a time, or the seconds until then; one more, because both clocks cut
    Some(Duration::from_secs(if until > EPOCH {
        until.saturating_sub(now) + 1
    } else {
        until
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_pause_is_told_in_a_measure_that_fits() {
        assert!(until(Some(90)).contains("90 seconds"));
        assert!(until(Some(3_600)).contains("60 minutes"));
        assert!(until(Some(99_999_999)).contains("longer than a day"));
    }

    #[test]
    fn each_fault_has_a_sentence_of_its_own_that_says_what_to_do() {
        for writes in [false, true] {
            let sentences: BTreeSet<String> = ServiceFault::ALL
                .into_iter()
                .map(|fault| Outage::from(fault).sentence("It", writes))
                .collect();
            assert_eq!(sentences.len(), ServiceFault::ALL.len(), "{sentences:?}");
            for sentence in &sentences {
                let told = [
                    AGAIN,
                    UNKNOWN,
                    OPERATOR,
                    "Ask for less.",
                    "Try again in a minute.",
                ];
                assert!(
                    told.iter().any(|advice| sentence.ends_with(advice)),
                    "{sentence}"
                );
                assert!(sentence.len() < 200, "{sentence}");
            }
        }
        // what no retry cures advises none
        for fault in ServiceFault::ALL
            .into_iter()
            .filter(|fault| !fault.passes())
        {
            assert!(
                !Outage::from(fault)
                    .sentence("It", true)
                    .contains("Try again")
            );
        }
    }

    #[test]
    fn times_are_said() {
        let waited = |ms| {
            Outage::after(ServiceFault::TimedOut, Duration::from_millis(ms)).sentence("It", false)
        };
        assert!(waited(4750).starts_with("It did not answer within 5 s."));
        assert!(waited(5000).starts_with("It did not answer within 5 s."));
        let limited = |seconds| Outage::limited(seconds).sentence("It", false);
        assert_eq!(
            limited(Some(Duration::from_secs(90))),
            "It takes no more requests for the next 90 seconds. Try again then."
        );
        assert_eq!(
            limited(None),
            "It takes no more requests for now. Try again in a minute."
        );
    }
}
