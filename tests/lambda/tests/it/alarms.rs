//! From a failure to the person who is woken: real lines of the bootstrap under each failure,
//! through every metric filter of the template, to the alarms that look at what they count. And
//! every member that a filter or the dashboard reads is in those lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mcpfn_lambda_emulator::filter_pattern::FilterPattern;
use mcpfn_lambda_emulator::template::Template;
use mcpfn_lambda_emulator::{Deadline, Failure, Invocation};
use serde_json::{Value, json};

use crate::{Fixture, call, start, wait_for};

const DEADLINE: Deadline = Deadline::In(std::time::Duration::from_millis(300));
const KEY: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "api-key"),
    (
        "MCPFN_API_KEYS",
        "me:0000000000000000000000000000000000000000000000000000000000000000:*",
    ),
];
/// A caller with the key `writer-key`.
const WRITER: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "api-key"),
    (
        "MCPFN_API_KEYS",
        "writer:3aec1946afb01344ae0065f3b123820a2144e455c13e5816dbd439e6634f7f26:*",
    ),
];
/// A service that nobody serves.
const NOWHERE: &str = "http://127.0.0.1:1";
const TABLE: &[(&str, &str)] = &[
    ("MCPFN_RATE_LIMIT", "60/min"),
    ("MCPFN_DYNAMODB_TABLE", "table"),
    ("AWS_ENDPOINT_URL_DYNAMODB", NOWHERE),
    ("AWS_ACCESS_KEY_ID", "AKIA"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];
const SOURCE: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "api-key"),
    ("MCPFN_API_KEYS_SOURCE", "ssm:/keys"),
    ("AWS_ENDPOINT_URL_SSM", NOWHERE),
    ("AWS_ACCESS_KEY_ID", "AKIA"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

/// What goes wrong, and who has to be woken.
struct Case {
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    does: Does,
    /// Members of the line that tells of it.
    line: &'static [(&'static str, &'static str)],
    rings: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Does {
    /// Calls a tool once.
    Call(&'static str),
    /// Calls it before its time is over.
    CallInTime(&'static str),
    /// Calls it several times.
    CallTimes(&'static str, usize),
    /// Calls it with a key.
    CallWith(&'static str),
    /// Calls it, and the platform refuses the answer.
    CallRefused(&'static str),
    /// Calls it as a write that happens once.
    Write(&'static str),
    /// Sends a request whose event has this text at this place, so often.
    Send(&'static [&'static str], &'static str, usize),
    /// Starts.
    Start,
    /// The platform itself counts this metric, whatever the program does.
    Platform(&'static str),
}

const CASES: &[Case] = &[
    case(
        "a tool panics",
        Does::Call("test_panic"),
        &[("event", "call"), ("outcome", "internal")],
        &["FailedAlarm"],
    ),
    case(
        "a tool fails inside",
        Does::Call("broken"),
        &[("event", "call"), ("outcome", "internal")],
        &["FailedAlarm"],
    ),
    case(
        "a tool does not answer in time",
        Does::CallInTime("count"),
        &[("event", "call"), ("outcome", "timeout")],
        &["FailedAlarm"],
    ),
    case(
        "a result is too large",
        Does::Call("flood"),
        &[("event", "call"), ("outcome", "too_large")],
        &["FailedAlarm"],
    ),
    case(
        "what a tool needs is away",
        Does::Call("away"),
        &[("event", "call"), ("outcome", "tool_error")],
        &["FailedAlarm"],
    ),
    case(
        "an answer is refused by the platform",
        Does::CallRefused("whoami"),
        &[("event", "answer_lost")],
        &["FailedAlarm"],
    ),
    case(
        "an upstream is away",
        Does::Call("degraded"),
        &[("event", "dependency_unavailable")],
        &["ServiceAlarm"],
    ),
    Case {
        variables: SOURCE,
        ..case(
            "the source of keys is away",
            Does::CallWith("whoami"),
            &[
                ("event", "dependency_unavailable"),
                ("dependency", "API keys"),
            ],
            &["CallersAlarm", "ServiceAlarm"],
        )
    },
    Case {
        variables: TABLE,
        ..case(
            "the table is away",
            Does::Call("whoami"),
            &[
                ("event", "dependency_unavailable"),
                ("dependency", "rate limiter"),
            ],
            &["StoreAlarm"],
        )
    },
    Case {
        variables: TABLE,
        ..case(
            "the table of results is away",
            Does::Call("kept"),
            &[
                ("event", "dependency_unavailable"),
                ("dependency", "result cache"),
            ],
            &["StoreAlarm"],
        )
    },
    Case {
        variables: TABLE,
        ..case(
            "the table of writes is away",
            Does::Write("written"),
            &[
                ("event", "dependency_unavailable"),
                ("dependency", "store of writes"),
            ],
            &["StoreAlarm"],
        )
    },
    Case {
        variables: &[("MCPFN_RATE_LIMIT", "1/min")],
        ..case(
            "a caller calls too often",
            Does::CallTimes("whoami", 2),
            &[("event", "call"), ("outcome", "rate_limited")],
            &["RefusalsAlarm"],
        )
    },
    Case {
        variables: KEY,
        ..case(
            "a key is wrong",
            Does::CallWith("whoami"),
            &[("event", "caller_refused")],
            &["CallersAlarm"],
        )
    },
    case(
        "the process ends",
        Does::Call("leave"),
        &[],
        &["ErrorsAlarm"],
    ),
    Case {
        variables: &[("MCPFN_LAMBDA_MODE", "drip")],
        ..case(
            "a setting is wrong",
            Does::Start,
            &[("event", "start_failed")],
            &["ErrorsAlarm"],
        )
    },
    case(
        "every environment is busy",
        Does::Platform("Throttles"),
        &[],
        &["ThrottlesAlarm"],
    ),
    case(
        "a run of a task is given up",
        Does::Platform("AsyncEventsDropped"),
        &[],
        &["TasksFailedAlarm"],
    ),
    case(
        "tasks wait",
        Does::Platform("AsyncEventAge"),
        &[],
        &["TasksAgeAlarm"],
    ),
    case(
        "calls are slow",
        Does::Platform("Duration"),
        &[],
        &["SlowAlarm"],
    ),
    case(
        "somebody calls without end",
        Does::Platform("Invocations"),
        &[],
        &["CallsAlarm"],
    ),
    // and nobody is woken by
    case(
        "a call that works",
        Does::Call("whoami"),
        &[("event", "call"), ("outcome", "ok")],
        &[],
    ),
    case(
        "arguments that do not fit",
        Does::Call("add"),
        &[("event", "call"), ("outcome", "invalid_arguments")],
        &[],
    ),
    case(
        "a tool that is not there",
        Does::Call("nothing"),
        &[("event", "call"), ("outcome", "refused")],
        &[],
    ),
    case(
        "a failure that a tool expects",
        Does::Call("expected"),
        &[("event", "call"), ("outcome", "tool_error")],
        &[],
    ),
];

/// Requests that are refused before their message is read: the place in the event, what is there,
/// and the reason that the log gives.
const REFUSED: &[Case] = &[
    refused(
        "another origin",
        &["headers", "origin"],
        "https://evil.example",
        "origin",
    ),
    refused("a method that is not served", METHOD, "GET", "method"),
    refused(
        "a method that nobody knows",
        METHOD,
        "SECRET-HUNTER2",
        "method",
    ),
    refused(
        "another content type",
        &["headers", "content-type"],
        "text/plain",
        "content_type",
    ),
    refused(
        "a body that is too large",
        &["headers", "content-length"],
        "99999999",
        "size",
    ),
    refused(
        "no credential",
        &["headers", "x-api-key"],
        "",
        "unauthenticated",
    ),
    refused("another path", &["rawPath"], "/admin", "path"),
    Case {
        does: Does::Send(&["headers", "x-api-key"], "wrong", 3),
        variables: &[("MCPFN_REFUSED_CREDENTIALS_LIMIT", "1/min")],
        rings: &["CallersAlarm"],
        ..refused("too many wrong credentials", &[], "", "rate")
    },
];

const METHOD: &[&str] = &["requestContext", "http", "method"];

const fn refused(
    name: &'static str,
    place: &'static [&'static str],
    value: &'static str,
    reason: &'static str,
) -> Case {
    // a row for each reason, because members of a constant can't be made
    let line: &[(&str, &str)] = match reason.as_bytes() {
        b"origin" => &[("event", "request_refused"), ("reason", "origin")],
        b"method" => &[("event", "request_refused"), ("reason", "method")],
        b"content_type" => &[("event", "request_refused"), ("reason", "content_type")],
        b"size" => &[("event", "request_refused"), ("reason", "size")],
        b"unauthenticated" => &[("event", "request_refused"), ("reason", "unauthenticated")],
        b"path" => &[("event", "request_refused"), ("reason", "path")],
        _ => &[("event", "request_refused"), ("reason", "rate")],
    };
    case(name, Does::Send(place, value, 1), line, &[])
}

const fn case(
    name: &'static str,
    does: Does,
    line: &'static [(&'static str, &'static str)],
    rings: &'static [&'static str],
) -> Case {
    Case {
        name,
        variables: &[],
        does,
        line,
        rings,
    }
}

/// The lines that a function wrote, and the metrics that the platform counts of what it did.
async fn lines(case: &Case) -> (Vec<String>, Vec<&'static str>) {
    let mut variables = vec![(
        "MCPFN_STATE_KEY",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )];
    if !case.variables.iter().any(|(name, _)| *name == "MCPFN_AUTH") {
        // nothing is kept for an anonymous caller
        variables.extend_from_slice(WRITER);
    }
    if !case
        .variables
        .iter()
        .any(|(name, _)| *name == "MCPFN_RATE_LIMIT")
    {
        variables.push(("MCPFN_RATE_LIMIT", "none"));
    }
    variables.extend_from_slice(case.variables);
    let (tool, times) = match case.does {
        Does::Platform(metric) => return (Vec::new(), vec![metric]),
        Does::Call(tool)
        | Does::CallInTime(tool)
        | Does::CallWith(tool)
        | Does::CallRefused(tool)
        | Does::Write(tool) => (tool, 1),
        Does::CallTimes(tool, times) => (tool, times),
        Does::Send(_, _, times) => ("whoami", times),
        Does::Start => ("", 0),
    };
    let function = start(&variables).await;
    if times == 0 {
        assert!(matches!(function.ready().await, Err(Failure::Exited(_))));
        return (function.log(), vec!["Errors"]);
    }
    let mut failed = Vec::new();
    for _ in 0..times {
        let mut message = call(tool, &json!({}));
        if let Does::Write(_) = case.does {
            message["params"]["_meta"]["idempotencyKey"] = json!("once");
        }
        let mut event = Fixture::named("url-none").with(&message);
        event["headers"]["x-api-key"] = match case.does {
            Does::CallWith(_) => json!("wrong"),
            _ => json!("writer-key"),
        };
        if let Does::Send(place, value, _) = case.does {
            let found = place
                .iter()
                .fold(&mut event, |event, name| &mut event[*name]);
            *found = json!(value);
            if value.is_empty() {
                event["headers"].as_object_mut().unwrap().remove(place[1]);
            }
        }
        let mut invocation = Invocation::new(event);
        if let Does::CallInTime(_) = case.does {
            invocation.deadline = DEADLINE;
        }
        invocation.refused = matches!(case.does, Does::CallRefused(_));
        if let Err(Failure::Exited(_)) = function.invoke(invocation).await {
            failed.push("Errors");
        }
    }
    if let Some((name, value)) = case.line.last() {
        wait_for(&function, &format!("\"{name}\":\"{value}\"")).await;
    }
    (function.log(), failed)
}

/// An alarm, and the metrics that it looks at: namespace and name.
type Alarms = BTreeMap<String, BTreeSet<(String, String)>>;

fn alarms(template: &Template) -> Alarms {
    let stack = template.deploy(&[("Tasks", "on")]).unwrap();
    let metric = |about: &Value| {
        let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
        (text("Namespace"), text("MetricName"))
    };
    let alarms = stack
        .of_kind("AWS::CloudWatch::Alarm")
        .into_iter()
        .map(|(name, about)| {
            let parts = about["Metrics"].as_array().into_iter().flatten();
            let parts = parts.map(|part| &part["MetricStat"]["Metric"]);
            let mut seen: BTreeSet<_> = parts.filter(|part| part.is_object()).map(metric).collect();
            if about["Metrics"].is_null() {
                seen.insert(metric(&about));
            } else {
                // of a share, what it is a share of rings nothing
                seen.retain(|(_, name)| name != "Invocations");
            }
            (name, seen)
        });
    alarms.collect()
}

/// The patterns, and the metrics that they count: namespace and name.
fn filters(template: &Template) -> Vec<(FilterPattern, (String, String))> {
    let stack = template.deploy(&[]).unwrap();
    let filters = stack
        .of_kind("AWS::Logs::MetricFilter")
        .into_iter()
        .map(|(name, about)| {
            let pattern = about["FilterPattern"].as_str().unwrap();
            let pattern =
                FilterPattern::parse(pattern).unwrap_or_else(|why| panic!("{name}: {why}"));
            let counted = &about["MetricTransformations"][0];
            let text = |member: &str| counted[member].as_str().unwrap().to_owned();
            (pattern, (text("MetricNamespace"), text("MetricName")))
        });
    filters.collect()
}

fn template() -> Template {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Template::read(&root.join("template.yaml")).unwrap()
}

#[tokio::test]
async fn every_failure_rings_the_alarm_that_is_for_it() {
    let template = template();
    let (alarms, filters) = (alarms(&template), filters(&template));
    let (mut rung, mut read) = (BTreeSet::new(), Vec::new());
    println!("failure | line | filter or metric | alarm");
    for case in CASES.iter().chain(REFUSED) {
        let (lines, mut counted) = lines(case).await;
        let counted: BTreeSet<(String, String)> = counted
            .drain(..)
            .map(|name| ("AWS/Lambda".to_owned(), name.to_owned()))
            .chain(
                filters
                    .iter()
                    .filter(|(filter, _)| lines.iter().any(|line| filter.matches(line)))
                    .map(|(_, metric)| metric.clone()),
            )
            .collect();
        let rings: BTreeSet<&str> = alarms
            .iter()
            .filter(|(_, seen)| !seen.is_disjoint(&counted))
            .map(|(name, _)| name.as_str())
            .collect();
        let told = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told = told.filter(|line| case.line.iter().all(|(name, value)| line[name] == *value));
        assert!(
            case.line.is_empty() || told.count() > 0,
            "{}: {lines:#?}",
            case.name
        );
        let names: Vec<&str> = counted.iter().map(|(_, name)| name.as_str()).collect();
        let line: Vec<String> = case
            .line
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        println!(
            "{} | {} | {} | {}",
            case.name,
            line.join(" "),
            names.join(", "),
            rings.iter().copied().collect::<Vec<_>>().join(", ")
        );
        let expected: BTreeSet<&str> = case.rings.iter().copied().collect();
        assert_eq!(rings, expected, "{}: {lines:#?}", case.name);
        rung.extend(expected);
        read.extend(lines);
    }
    let never: Vec<_> = alarms
        .keys()
        .filter(|name| !rung.contains(name.as_str()))
        .collect();
    assert_eq!(
        never,
        Vec::<&String>::new(),
        "no failure rings these: add one to the cases"
    );
    every_line_is_complete(&read);
    refusals_say_where_from_and_nothing_of_the_client(&read);
    what_is_asked_for_is_there(&template, &filters, &read);
}

fn refusals_say_where_from_and_nothing_of_the_client(lines: &[String]) {
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let refused = lines.filter(|line| line["event"] == "request_refused");
    let mut methods = BTreeSet::new();
    for line in refused {
        assert!(
            line["address"].is_string() && line["sentence"].is_string(),
            "{line}"
        );
        assert_eq!(line["unlogged"], 0, "{line}");
        assert!(!line.to_string().contains("HUNTER2"), "{line}");
        methods.insert(line["httpMethod"].as_str().unwrap().to_owned());
    }
    assert_eq!(methods, ["GET", "POST", "other"].map(String::from).into());
}

/// A flood of refusals, and calls without end while the table is away, leave a bounded number of
/// lines.
#[tokio::test]
async fn no_flood_and_no_outage_fills_the_log() {
    let flood = case("a flood", Does::Send(&["rawPath"], "/admin", 100), &[], &[]);
    let outage = Case {
        variables: TABLE,
        ..case("an outage", Does::CallTimes("kept", 50), &[], &[])
    };
    for (case, event, most) in [
        (&flood, "request_refused", 20),
        // of each of two stores: what fails until its breaker opens, and no call after that
        (&outage, "dependency_unavailable", 6),
    ] {
        let (lines, _) = lines(case).await;
        let found = lines.iter().filter(|line| line.contains(event)).count();
        assert!(
            found >= 1 && found <= most,
            "{}: {found} {lines:#?}",
            case.name
        );
    }
}

/// Each line says which service, version and invocation it is of, and what happened, once each.
fn every_line_is_complete(lines: &[String]) {
    for line in lines {
        if line == "count was given up" {
            // printed by the tool of the test itself
            continue;
        }
        let read: Value = serde_json::from_str(line).unwrap();
        for member in [
            "timestamp",
            "level",
            "message",
            "event",
            "service",
            "functionVersion",
            "requestId",
            "traceId",
        ] {
            assert!(read[member].is_string(), "no {member} in {line}");
        }
        assert!(read["coldStart"].is_boolean(), "{line}");
        let texts = read.as_object().unwrap().keys();
        for name in texts {
            let written = format!("\"{name}\":");
            assert_eq!(line.matches(&written).count(), 1, "{name} in {line}");
        }
    }
    // what the client was told is in the line of the call and in the line of the cause
    let causes: BTreeSet<String> = errors(lines, "call_failed");
    assert!(
        causes.len() > 2 && causes == errors(lines, "call"),
        "{causes:?}"
    );
}

fn errors(lines: &[String], event: &str) -> BTreeSet<String> {
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| line["event"] == event);
    lines
        .filter_map(|line| Some(line["errorId"].as_str()?.to_owned()))
        .collect()
}

/// Each member that a filter or the dashboard reads is in a line, and each metric that the
/// dashboard shows is counted by a filter or by AWS.
fn what_is_asked_for_is_there(
    template: &Template,
    filters: &[(FilterPattern, (String, String))],
    lines: &[String],
) {
    let lines: Vec<Value> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let there = |member: &str| lines.iter().any(|line| !line[member].is_null());
    for (filter, metric) in filters {
        for member in filter.members() {
            assert!(there(member), "{metric:?} reads {member}");
        }
    }
    let stack = template.deploy(&[]).unwrap();
    let body = stack.properties("Dashboard").unwrap()["DashboardBody"].clone();
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let mut asked = 0;
    for widget in body["widgets"].as_array().unwrap() {
        let about = &widget["properties"];
        for metric in about["metrics"].as_array().into_iter().flatten() {
            let (space, name) = (metric[0].as_str().unwrap(), metric[1].as_str().unwrap());
            let ours = (space.to_owned(), name.to_owned());
            let known = space.starts_with("AWS/") || filters.iter().any(|(_, made)| *made == ours);
            assert!(known, "nothing counts {space} {name}");
        }
        if let Some(query) = about["query"].as_str() {
            for member in queried(query) {
                assert!(
                    there(&member),
                    "`{query}` reads {member}, which no line has"
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked} members of queries were found");
    let runbook = runbook();
    let blocks = runbook.split("```").skip(1).step_by(2);
    // commands of a shell are no queries
    for query in blocks.filter(|block| !block.starts_with("sh\n")) {
        for member in queried(query) {
            assert!(
                there(&member),
                "`{query}` of the runbook reads {member}, which no line has"
            );
        }
    }
}

fn runbook() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join("infra/runbook.md")).unwrap()
}

#[test]
fn every_alarm_has_its_section_of_the_runbook() {
    let runbook = runbook();
    let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
    let anchors: BTreeSet<String> = headings
        .map(|heading| heading.to_lowercase().replace(' ', "-").replace(',', ""))
        .collect();
    let template = template();
    let parameters = [("Tasks", "on"), ("Events", "on"), ("ToolkitEvents", "on")];
    let stack = template.deploy(&parameters).unwrap();
    for (name, about) in stack.of_kind("AWS::CloudWatch::Alarm") {
        let description = about["AlarmDescription"].as_str().unwrap();
        let anchor = description
            .split("infra/runbook.md#")
            .nth(1)
            .unwrap_or_default();
        assert!(
            anchors.contains(anchor),
            "{name} leads to {anchor:?}, which is none of {anchors:?}"
        );
        assert!(
            runbook.contains(&format!("`{name}`")),
            "the runbook does not name {name}"
        );
    }
}

/// The members that a query of Logs Insights reads: names outside of quotes that are no word of the
/// language, and that the query does not make itself.
fn queried(query: &str) -> BTreeSet<String> {
    const WORDS: &[&str] = &[
        "SOURCE",
        "fields",
        "filter",
        "sort",
        "limit",
        "stats",
        "by",
        "as",
        "in",
        "and",
        "or",
        "desc",
        "asc",
        "count",
        "pct",
        "ispresent",
        "not",
        "like",
        "sum",
        "avg",
        "max",
    ];
    let outside = query
        .split(['\'', '/'])
        .step_by(2)
        .collect::<Vec<_>>()
        .join(" ");
    let letters = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '@';
    let words: Vec<&str> = outside
        .split(|letter| !letters(letter))
        .filter(|word| !word.is_empty())
        .collect();
    let made: BTreeSet<&str> = words
        .windows(2)
        .filter(|pair| pair[0] == "as")
        .map(|pair| pair[1])
        .collect();
    let names = words.into_iter().filter(|word| {
        !word.starts_with('@')
            && !word.starts_with(|first: char| first.is_ascii_digit())
            && !WORDS.contains(word)
            && !made.contains(word)
    });
    names.map(str::to_owned).collect()
}

#[test]
fn a_query_is_taken_apart() {
    let query = "SOURCE 'a b' | filter event = 'x y' and n > 3 | stats count(*) as times, \
                 pct(duration_ms, 99) as p99 by name, @log | sort times desc";
    let expected = ["duration_ms", "event", "n", "name"].map(str::to_owned);
    assert_eq!(queried(query), BTreeSet::from(expected));
}
