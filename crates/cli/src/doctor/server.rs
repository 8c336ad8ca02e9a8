//! Whether there is a server of the protocol, which revisions it speaks, and how fast it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Method;
use mcpfn_core::host::Session;
use serde_json::{Value, json};

use super::finding::{Report, visible};
use super::probe::{Probe, ProbeAnswer};
use crate::remote::REVISION;

/// An answer that takes longer makes a conversation slow.
const SLOW: Duration = Duration::from_secs(1);
/// Tokens and signatures are refused from about here on.
const CLOCK: u64 = 120;
/// The handshake that the most clients speak.
const OLDER: &str = "2025-06-18";

/// What the first questions told.
#[derive(Debug)]
pub(crate) struct Met {
    /// The answer to the first of them.
    pub(crate) first: ProbeAnswer,
    /// It wants credentials that it did not get.
    pub(crate) refused: bool,
    pub(crate) modern: bool,
    /// Of a handshake.
    pub(crate) session: Option<String>,
}

/// Nothing when there is nobody to ask more.
pub(crate) async fn check(probe: &Probe, report: &mut Report) -> Option<Met> {
    let first = match probe.modern("server/discover", json!({})).await {
        Ok(answer) => answer,
        Err(cause) => {
            unreachable(&cause, report);
            return None;
        }
    };
    report.fact("first answer, ms", millis(first.took));
    clock(&first, report);
    if !place(probe, &first, report).await {
        return None;
    }
    if matches!(first.status, 401 | 403) {
        return Some(Met {
            first,
            refused: true,
            modern: false,
            session: None,
        });
    }
    let modern = discovery(&first, report);
    let (older, session) = handshake(probe, report).await;
    match (modern, older) {
        (false, false) => report.error(
            "no-revision",
            "it answers neither server/discover nor initialize as the protocol wants",
            "compare the URL: it must be that of the MCP endpoint; its path is often /mcp",
        ),
        (false, true) => report.warning(
            "no-modern",
            format!("it does not speak {REVISION}"),
            "update the server's library: clients of that revision have to fall back, and some don't",
        ),
        (true, false) => report.error(
            "no-handshake",
            "it refuses initialize, with which older clients begin",
            "let the server speak an older revision too: most clients still begin with initialize",
        ),
        (true, true) => {}
    }
    if !(modern || older) {
        return None;
    }
    warm(probe, modern, report).await;
    listening(probe, report).await;
    Some(Met {
        first,
        refused: false,
        modern,
        session,
    })
}

fn unreachable(cause: &str, report: &mut Report) {
    let lower = cause.to_lowercase();
    let tls = [
        "certificate",
        "tls",
        "invalidcontenttype",
        "corrupt message",
    ];
    if tls.iter().any(|word| lower.contains(word)) {
        report.error(
            "tls",
            format!("no encrypted connection: {cause}"),
            "serve a certificate of a public authority for this very name, with its whole chain",
        );
    } else {
        report.error(
            "unreachable",
            format!("nobody answers: {cause}"),
            "compare host and port, and see whether the server runs and lets this machine in",
        );
    }
}

/// Whether the URL is the endpoint's.
async fn place(probe: &Probe, answer: &ProbeAnswer, report: &mut Report) -> bool {
    let is_message = answer.message().is_some_and(|message| message.is_object());
    match answer.status {
        300..=399 => {
            let target = answer.header("location").unwrap_or("nowhere");
            report.error(
                "redirect",
                format!("it sends clients elsewhere: {target}"),
                "give clients the final URL: they do not repeat a POST with its credentials elsewhere",
            );
            false
        }
        404 if !is_message => {
            let fix = match probe.url.path() {
                "/" => "add the endpoint's path to the URL, which is often /mcp",
                _ => {
                    "compare the path; with a stage or a base path in front, it is part of the URL"
                }
            };
            report.error("path", "there is nothing at this path (404)", fix);
            false
        }
        405 => {
            report.error(
                "no-post",
                "POST is refused (405), with which every message comes",
                "route POST of this path to the server, not to a page or a store of files",
            );
            false
        }
        500..=599 => {
            let said = visible(&String::from_utf8_lossy(&answer.body));
            report.error(
                "broken",
                format!("it answers with status {}: {said}", answer.status),
                "read the server's log; a server of mcpfn says in this answer what is set wrong",
            );
            false
        }
        200 if !is_message => {
            report.error(
                "not-mcp",
                "it answers with something that is no JSON-RPC message",
                "compare the URL: this may be a web page, a proxy's login or another API",
            );
            false
        }
        _ => true,
    }
}

/// Reads the answer to `server/discover`; whether that was one.
fn discovery(answer: &ProbeAnswer, report: &mut Report) -> bool {
    let message = answer.message().unwrap_or_default();
    let result = &message["result"];
    if !result.is_object() {
        return false;
    }
    if message["id"] != 1 {
        report.error(
            "id",
            format!("the answer's id is {}, not the request's 1", message["id"]),
            "repeat the request's id as it came; clients drop other answers",
        );
    }
    let kind = answer.header("content-type").unwrap_or_default();
    if !(kind.starts_with("application/json") || answer.is_stream()) {
        report.error(
            "content-type",
            format!("its messages have the content type `{kind}`"),
            "answer with application/json or text/event-stream; clients refuse others",
        );
    }
    let versions = result["supportedVersions"].as_array();
    let has = versions.is_some_and(|list| list.iter().any(|version| version == REVISION));
    if !has {
        report.error(
            "versions",
            format!("server/discover does not list {REVISION}, in which it was asked"),
            "list every revision in supportedVersions",
        );
    }
    let info = &result["serverInfo"];
    let info = if info.is_object() {
        info
    } else {
        &result["_meta"]["io.modelcontextprotocol/serverInfo"]
    };
    for name in ["name", "version"] {
        if let Some(text) = info[name].as_str() {
            report.fact(&format!("server's {name}"), visible(text));
        }
    }
    true
}

/// Begins as older clients do; whether that works, and the session it made.
async fn handshake(probe: &Probe, report: &mut Report) -> (bool, Option<String>) {
    let params = json!({
        "protocolVersion": OLDER,
        "capabilities": {},
        "clientInfo": {"name": "cargo-mcpfn", "version": env!("CARGO_PKG_VERSION")},
    });
    let hello = json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": params});
    let Ok(answer) = probe.post(&hello, &[]).await else {
        return (false, None);
    };
    let message = answer.message().unwrap_or_default();
    let Some(version) = message["result"]["protocolVersion"].as_str() else {
        return (false, None);
    };
    report.fact("revision of the handshake", visible(version));
    let session = answer.header("mcp-session-id").map(str::to_owned);
    // one that only repeats what was agreed on is in no instance's memory
    let is_kept = |token: &String| Session::read(token).is_none();
    if session.as_ref().is_some_and(is_kept) {
        report.warning(
            "session",
            "it makes a session for each client",
            "behind several instances, send each session to its own, or use a server without sessions",
        );
    }
    (true, session)
}

async fn warm(probe: &Probe, modern: bool, report: &mut Report) {
    let ping = json!({"jsonrpc": "2.0", "id": 3, "method": "ping"});
    let asked = if modern {
        probe.modern("server/discover", json!({})).await
    } else {
        probe.post(&ping, &[]).await
    };
    let Ok(answer) = asked else { return };
    report.fact("second answer, ms", millis(answer.took));
    if answer.took > SLOW {
        report.warning(
            "slow",
            format!(
                "an answer that needs no work took {} ms",
                millis(answer.took)
            ),
            "give the function more memory, or move it nearer to its clients",
        );
    }
}

/// A GET is refused, or is a stream.
async fn listening(probe: &Probe, report: &mut Report) {
    let headers = [("accept", "text/event-stream")];
    let answer = probe
        .ask(Method::GET, &probe.url, &headers, Bytes::new(), true)
        .await;
    if let Ok(answer) = answer
        && answer.status == 200
        && !answer.is_stream()
    {
        report.error(
            "get",
            "GET with Accept: text/event-stream gets something that is no stream",
            "answer 405: older clients take anything else for a stream, and wait for it",
        );
    }
}

fn clock(answer: &ProbeAnswer, report: &mut Report) {
    let Some(theirs) = answer.header("date").and_then(seconds_of) else {
        return;
    };
    let ours = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let apart = ours.abs_diff(theirs);
    if apart > CLOCK {
        report.error(
            "clock",
            format!("the clocks of server and this machine are {apart} s apart"),
            "set both by NTP: tokens and signatures of AWS are refused from some minutes on",
        );
    }
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds_of(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let parts: Vec<&str> = date.split([' ', ':']).collect();
    let [_, day, month, year, hour, minute, second, "GMT"] = parts.as_slice() else {
        return None;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let month = MONTHS.iter().position(|known| known == month)? as u64 + 1;
    let (year, day) = (number(year)?, number(day)?);
    // days of a year that begins in March, by Howard Hinnant's formula
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let days =
        (y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day).checked_sub(719_469)?;
    Some(days * 86_400 + number(hour)? * 3600 + number(minute)? * 60 + number(second)?)
}

fn millis(duration: Duration) -> Value {
    (duration.as_millis() as u64).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http() {
        assert_eq!(
            seconds_of("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(seconds_of("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            seconds_of("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199)
        );
        assert_eq!(seconds_of("yesterday"), None);
    }
}
