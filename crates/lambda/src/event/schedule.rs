//! The event of a schedule: a rule of EventBridge, or EventBridge Scheduler.

use serde::Deserialize;

/// What tells it from others. Its time and its ARN are nobody's business here.
#[derive(Deserialize)]
struct ScheduleEvent<'a> {
    source: &'a str,
    #[serde(rename = "detail-type")]
    kind: &'a str,
}

/// Whether an hour that a schedule waited for has come.
pub(crate) fn is_schedule(event: &[u8]) -> bool {
    let event: Result<ScheduleEvent<'_>, _> = serde_json::from_slice(event);
    event.is_ok_and(|event| {
        event.kind == "Scheduled Event" && ["aws.events", "aws.scheduler"].contains(&event.source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_told_from_other_events() {
        for (event, is_one) in [
            (
                r#"{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events",
                    "time":"2026-11-30T12:00:00Z","resources":["arn"],"detail":{}}"#,
                true,
            ),
            (
                r#"{"version":"0","detail-type":"Scheduled Event","source":"aws.scheduler",
                    "resources":["arn"],"detail":"{}"}"#,
                true,
            ),
            (
                r#"{"detail-type":"Scheduled Event","source":"shop"}"#,
                false,
            ),
            (
                r#"{"detail-type":"Object Created","source":"aws.events"}"#,
                false,
            ),
            (r#"{"source":"aws.events"}"#, false),
            (r#"{"Records":[]}"#, false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(is_schedule(event.as_bytes()), is_one, "{event}");
        }
    }
}
