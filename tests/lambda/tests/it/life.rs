//! From the first breath to the last: starts that fail, warnings, panics, deadlines, many calls,
//! several at once.

use std::time::{Duration, Instant};

use mcpfn_lambda_emulator::{Deadline, Environment, Failure, Invocation, Reply};
use serde_json::{Value, json};

use crate::{Fixture, call, function, start, text, through_url, wait_for};

async fn failed_start(variables: &[(&str, &str)]) -> (String, String) {
    let function = start(variables).await;
    assert_eq!(
        function.ready().await,
        Err(Failure::Exited("exit status: 1".to_owned()))
    );
    let error = function.init_error().expect("the platform was told");
    (
        error["errorMessage"].as_str().unwrap().to_owned(),
        function.log().join("\n"),
    )
}

#[tokio::test]
async fn without_a_word_on_who_may_call_there_is_no_start() {
    let (told, logged) = failed_start(&[]).await;
    assert!(told.contains("MCPFN_AUTH is not set"), "{told}");
    assert!(told.contains("set it to iam"), "{told}");
    assert!(logged.contains("MCPFN_AUTH is not set"), "{logged}");
}

#[tokio::test]
async fn a_start_names_every_mistake_and_no_secret() {
    let (told, logged) = failed_start(&[
        ("MCPFN_AUTH", "all"),
        ("MCPFN_LAMBDA_MODE", "x"),
        ("MCPFN_STATE_KEY", "hunter2"),
    ])
    .await;
    for name in ["MCPFN_AUTH", "MCPFN_LAMBDA_MODE", "MCPFN_STATE_KEY"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(
        !told.contains("hunter2") && !logged.contains("hunter2"),
        "{told} {logged}"
    );
}

#[tokio::test]
async fn a_cold_start_warns_of_what_is_unsafe() {
    let loose = function(&[]).await;
    loose.ready().await.unwrap();
    let log = wait_for(&loose, "MCPFN_STATE_KEY is not set").await;
    assert!(log.contains("MCPFN_AUTH is none"), "{log}");
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line)
                .is_ok_and(|line| line["level"] == "WARN")),
        "{log}"
    );
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let tight = start(&[("MCPFN_AUTH", "iam"), ("MCPFN_STATE_KEY", key)]).await;
    tight.ready().await.unwrap();
    let _ = tight
        .invoke(through_url(&call("whoami", &json!({}))))
        .await
        .unwrap();
    let mut log = tight.log();
    // schemas of the conformance suite, which some clients refuse, are no setting
    log.retain(|line| !line.contains("tool_refused_by_clients"));
    assert!(
        log.iter().all(|line| !line.contains("\"level\":\"WARN\"")),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_panic_is_one_answer_and_the_process_lives() {
    let function = function(&[]).await;
    let reply = function
        .invoke(through_url(&call("test_panic", &json!({}))))
        .await
        .unwrap();
    assert_eq!(reply.head.status, 200);
    let answer = reply.json().to_string();
    assert!(
        answer.contains("internal error") && !answer.contains("a private message"),
        "{answer}"
    );
    let reply = function
        .invoke(through_url(&call("whoami", &json!({}))))
        .await
        .unwrap();
    assert_eq!(text(&reply), "Anonymous ", "the same process");
    let log = wait_for(&function, "call failed").await;
    let line = log
        .lines()
        .find(|line| line.contains("call failed"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        line["requestId"], "00000000-0000-4000-8000-000000000001",
        "{line}"
    );
}

#[tokio::test]
async fn a_call_is_ended_before_the_platform_ends_the_process() {
    for mode in ["buffer", "stream"] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode)]).await;
        function.ready().await.unwrap();
        let left = Duration::from_millis(300);
        let begun = Instant::now();
        let reply = function
            .invoke(Invocation {
                deadline: Deadline::In(left),
                ..through_url(&call("count", &json!({})))
            })
            .await
            .unwrap();
        assert!(begun.elapsed() < left, "{:?}", begun.elapsed());
        let result = &reply.json()["result"];
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&reply).contains("did not finish"), "{result}");
    }
}

#[tokio::test]
async fn a_deadline_long_past_is_no_deadline() {
    // AWS hands out no event that is over; `cargo lambda watch` says 1970
    let function = function(&[]).await;
    for (deadline, said) in [
        (Deadline::At(600_000), "done"),
        (Deadline::In(Duration::from_millis(150)), "did not finish"),
    ] {
        let invocation = Invocation {
            deadline,
            ..through_url(&call("count", &json!({})))
        };
        let reply = function.invoke(invocation).await.unwrap();
        assert!(text(&reply).contains(said), "{reply:?}");
    }
}

#[tokio::test]
async fn an_answer_that_the_platform_refuses_is_logged_and_the_process_lives() {
    for mode in ["buffer", "stream"] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode)]).await;
        let invocation = Invocation {
            refused: true,
            ..through_url(&call("process", &json!({})))
        };
        assert!(matches!(
            function.invoke(invocation).await,
            Err(Failure::Broken(..))
        ));
        wait_for(&function, "the Lambda runtime API refused an answer").await;
        assert_eq!(process(&function).await, function.process());
    }
}

#[tokio::test]
async fn a_process_that_ends_takes_its_call_with_it_and_no_other() {
    for mode in ["buffer", "stream"] {
        let variables = [("MCPFN_LAMBDA_MODE", mode)];
        let first = function(&variables).await;
        let gone = first.invoke(through_url(&call("leave", &json!({})))).await;
        assert!(
            matches!(gone, Err(Failure::Exited(_) | Failure::Broken(..))),
            "{gone:?}"
        );
        assert_eq!(first.exited().await, "exit status: 3");
        let second = function(&variables).await;
        assert_eq!(process(&second).await, second.process());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_word_of_the_platform_ends_the_process_at_once() {
    // AWS says it between invocations, and to functions with an extension only; nothing is kept in
    // memory that must be saved, so SIGTERM keeps its meaning, idle or in the middle of a stream
    for busy in [false, true] {
        let function = function(&[("MCPFN_LAMBDA_MODE", "stream")]).await;
        function.ready().await.unwrap();
        let mut parts = function.send(through_url(&call(
            if busy { "count" } else { "whoami" },
            &json!({"to": 100}),
        )));
        assert!(parts.next().await.is_some());
        let process = function.process().unwrap().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &process])
                .status()
                .unwrap()
                .success()
        );
        let ended = tokio::time::timeout(Duration::from_secs(5), function.exited()).await;
        assert_eq!(ended.unwrap(), "signal: 15 (SIGTERM)");
    }
}

#[tokio::test]
async fn without_its_platform_a_process_ends() {
    let nowhere = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let variables = [
        ("MCPFN_AUTH", "none"),
        ("AWS_LAMBDA_RUNTIME_API", &*nowhere.to_string()),
    ];
    let function = start(&variables).await;
    assert_eq!(
        function.ready().await,
        Err(Failure::Exited("exit status: 1".to_owned())),
        "a new environment is better than a busy loop"
    );
    assert!(
        function
            .log()
            .join("\n")
            .contains("the Lambda runtime API failed"),
        "{:?}",
        function.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_leave_nothing_behind() {
    let (buffered, streamed) = tokio::join!(growth("buffer"), growth("stream"));
    for (mode, growth) in [("buffer", buffered), ("stream", streamed)] {
        assert!(
            growth.is_none_or(|kib| kib < 2048),
            "{mode}: {growth:?} KiB after the first thousand"
        );
    }
}

/// By how many KiB a function grew in 10,000 calls, after the first thousand.
async fn growth(mode: &'static str) -> Option<u64> {
    tokio::spawn(async move {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode), ("MCPFN_LOG", "warn")]).await;
        let url = Fixture::named("url-none");
        let mut early = None;
        for hundred in 0..100 {
            // asked ahead, so that neither side waits for the other to wake up
            let numbers = hundred * 100..(hundred + 1) * 100;
            let sent = numbers.map(|number| {
                (
                    number,
                    function.send(Invocation::new(
                        url.with(&call("add", &json!({"a": number, "b": 1}))),
                    )),
                )
            });
            for (number, parts) in sent.collect::<Vec<_>>() {
                let reply = Reply::collect(parts).await.unwrap();
                assert_eq!(text(&reply), format!("{{\"sum\":{}}}", number + 1));
            }
            if hundred == 9 {
                early = resident_kib(&function);
            }
        }
        let late = resident_kib(&function);
        println!("{mode}: {early:?} KiB after a thousand calls, {late:?} after ten thousand");
        late.zip(early)
            .map(|(late, early)| late.saturating_sub(early))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn managed_instances_get_several_answers_at_once() {
    let function = function(&[
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4"),
        ("MCPFN_LAMBDA_MODE", "stream"),
    ])
    .await;
    function.ready().await.unwrap();
    let begun = Instant::now();
    let one = || function.invoke(through_url(&call("count", &json!({}))));
    let (first, second, third, fourth) = tokio::join!(one(), one(), one(), one());
    for reply in [first, second, third, fourth] {
        assert_eq!(text(&reply.unwrap()), "done");
    }
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "one takes half a second: {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn what_happens_to_one_of_several_happens_to_no_other() {
    let function = function(&[
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4"),
        ("MCPFN_LAMBDA_MODE", "stream"),
    ])
    .await;
    function.ready().await.unwrap();
    let one = |tool: &'static str, arguments| through_url(&call(tool, &arguments));
    let cut = Invocation {
        cut_after: Some(4),
        ..one("count", json!({}))
    };
    let late = Invocation {
        deadline: Deadline::In(Duration::from_millis(350)),
        ..one("count", json!({}))
    };
    let (cut, late, fallen, whole) = tokio::join!(
        function.invoke(cut),
        function.invoke(late),
        function.invoke(one("count", json!({"to": 2, "fall": true}))),
        function.invoke(one("count", json!({}))),
    );
    assert!(matches!(cut, Err(Failure::Broken(..))), "{cut:?}");
    assert!(text(&late.unwrap()).contains("did not finish"));
    assert!(text(&fallen.unwrap()).contains("internal error"));
    assert_eq!(text(&whole.unwrap()), "done");
    assert_eq!(
        process(&function).await,
        function.process(),
        "the same process answers on"
    );
}

/// Which process answers.
async fn process(function: &Environment) -> Option<u32> {
    let reply = function
        .invoke(through_url(&call("process", &json!({}))))
        .await
        .unwrap();
    text(&reply).parse().ok()
}

/// Memory of the function's process, where the system tells.
fn resident_kib(function: &Environment) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", function.process()?)).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[tokio::test]
async fn a_call_is_a_metric_where_the_operator_says_so() {
    let function = function(&[
        ("MCPFN_METRICS", "emf"),
        ("MCPFN_METRICS_TOOLS", "1000"),
        ("MCPFN_METRICS_NAMESPACE", "mcpfn/it"),
        ("MCPFN_LOG", "error"),
    ])
    .await;
    for tool in ["whoami", "test_panic"] {
        let _ = function
            .invoke(through_url(&call(tool, &json!({}))))
            .await
            .unwrap();
    }
    let log = wait_for(&function, "\"name\":\"test_panic\",").await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let named = |name: &str| {
        lines
            .iter()
            .find(|line| line["name"] == name && line["message"] == "call")
            .unwrap()
    };
    let (fine, panicked) = (named("whoami"), named("test_panic"));
    assert_eq!(
        (&fine["Calls"], &fine["Errors"], &fine["outcome"]),
        (&json!(1), &json!(0), &json!("ok"))
    );
    assert_eq!(
        (&panicked["Errors"], &panicked["outcome"]),
        (&json!(1), &json!("internal"))
    );
    assert_eq!(
        panicked["requestId"],
        "00000000-0000-4000-8000-000000000002"
    );
    assert_eq!(
        (&fine["ColdStarts"], &panicked["ColdStarts"]),
        (&json!(1), &json!(0))
    );
    let directive = &fine["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (
            &json!("mcpfn/it"),
            &json!([["service"], ["service", "name"]])
        )
    );
    for metric in directive["Metrics"].as_array().unwrap() {
        assert!(
            fine[metric["Name"].as_str().unwrap()].is_number(),
            "every metric that is named is there: {fine}"
        );
    }
}

/// What CloudWatch charges for is bounded by the operator: dimensions are of the first tools alone,
/// and of upstreams as wholes. A start and a store that is away are metrics, too.
#[tokio::test]
async fn metrics_have_bounded_dimensions() {
    let away = [
        ("MCPFN_METRICS", "emf"),
        ("MCPFN_METRICS_NAMESPACE", "mcpfn/it"),
        ("MCPFN_RATE_LIMIT", "60/min"),
        ("MCPFN_DYNAMODB_TABLE", "table"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let tools: Value = {
        let function = function(&[]).await;
        let mut message = call("", &json!({}));
        message["method"] = json!("tools/list");
        let params = message["params"].as_object_mut().unwrap();
        params.retain(|name, _| name == "_meta");
        let listed = function.invoke(through_url(&message)).await.unwrap();
        listed.json()["result"]["tools"].clone()
    };
    let names = tools.as_array().unwrap().iter().map(|tool| &tool["name"]);
    let names: Vec<&str> = names.map(|name| name.as_str().unwrap()).collect();
    for most in [0, 1, 1000] {
        let most_text = most.to_string();
        let function =
            function(&[&away[..], &[("MCPFN_METRICS_TOOLS", &most_text)]].concat()).await;
        for tool in [names[0], "whoami", "nothing"] {
            let _ = function.invoke(through_url(&call(tool, &json!({})))).await;
        }
        let log = wait_for(&function, "\"name\":\"whoami\",").await;
        let lines: Vec<Value> = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let directives = |event: &str| {
            let lines = lines.iter().filter(|line| line["event"] == event);
            let lines = lines.map(|line| (line, &line["_aws"]["CloudWatchMetrics"][0]));
            lines.collect::<Vec<_>>()
        };
        let dimensions = |event: &str, name: &str| {
            let all = directives(event);
            let found = all.iter().find(|(line, _)| line["name"] == name);
            found.map(|(_, directive)| directive["Dimensions"].clone())
        };
        let (own, none) = (
            json!([["service"], ["service", "name"]]),
            json!([["service"]]),
        );
        let expected = |has: bool| if has { own.clone() } else { none.clone() };
        assert_eq!(dimensions("call", names[0]), Some(expected(most >= 1)));
        assert_eq!(dimensions("call", "whoami"), Some(expected(most == 1000)));
        assert_eq!(dimensions("call", ""), Some(none.clone()));
        let (started, directive) = directives("started")[0];
        assert!(started["InitDuration"].as_f64().unwrap() > 0.0, "{started}");
        assert_eq!(directive["Dimensions"], none);
        let (store, directive) = directives("dependency_unavailable")[0];
        assert_eq!(
            (&store["StoreErrors"], &store["dependency"]),
            (&json!(1), &json!("rate limiter"))
        );
        assert_eq!(
            directive["Dimensions"],
            json!([["service"], ["service", "dependency"]])
        );
        for line in lines.iter().filter(|line| line["_aws"].is_object()) {
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!(
                metrics
                    .iter()
                    .all(|one| line[one["Name"].as_str().unwrap()].is_number())
            );
            let dimensions = directive["Dimensions"].as_array().unwrap().iter();
            let mut named = dimensions.flat_map(|set| set.as_array().unwrap());
            assert!(
                named.all(|name| line[name.as_str().unwrap()].is_string()),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_budget_is_taken_from_the_environment() {
    let function = function(&[("MCPFN_RATE_LIMIT", "2/min")]).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(
            function
                .invoke(through_url(&call("whoami", &json!({}))))
                .await
                .unwrap()
                .head
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [200, 200, 429]);
}
