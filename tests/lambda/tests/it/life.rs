//! From the first breath to the last: starts that fail, warnings, panics, deadlines, many calls, several at once.

use std::time::{Duration, Instant};

use mcpfn_lambda_emulator::{Environment, Failure, Invocation};
use serde_json::json;

use crate::{call, function, start, text, through_url, wait_for};

async fn failed_start(variables: &[(&str, &str)]) -> (String, String) {
    let function = start(variables).await;
    assert_eq!(function.ready().await, Err(Failure::Exited("exit status: 1".to_owned())));
    let error = function.init_error().expect("the platform was told");
    (error["errorMessage"].as_str().unwrap().to_owned(), function.log().join("\n"))
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
    let (told, logged) = failed_start(&[("MCPFN_AUTH", "all"), ("MCPFN_LAMBDA_MODE", "x"), ("MCPFN_STATE_KEY", "hunter2")]).await;
    for name in ["MCPFN_AUTH", "MCPFN_LAMBDA_MODE", "MCPFN_STATE_KEY"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("hunter2") && !logged.contains("hunter2"), "{told} {logged}");
}

#[tokio::test]
async fn a_cold_start_warns_of_what_is_unsafe() {
    let loose = function(&[]).await;
    loose.ready().await.unwrap();
    let log = wait_for(&loose, "MCPFN_STATE_KEY is not set").await;
    assert!(log.contains("MCPFN_AUTH is none"), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["level"] == "WARN")), "{log}");
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let tight = start(&[("MCPFN_AUTH", "iam"), ("MCPFN_STATE_KEY", key)]).await;
    tight.ready().await.unwrap();
    let _ = tight.invoke(through_url(&call("whoami", &json!({})))).await.unwrap();
    assert_eq!(tight.log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_panic_is_one_answer_and_the_process_lives() {
    let function = function(&[]).await;
    let reply = function.invoke(through_url(&call("test_panic", &json!({})))).await.unwrap();
    assert_eq!(reply.head.status, 200);
    let answer = reply.json().to_string();
    assert!(answer.contains("internal error") && !answer.contains("a private message"), "{answer}");
    let reply = function.invoke(through_url(&call("whoami", &json!({})))).await.unwrap();
    assert_eq!(text(&reply), "Anonymous ", "the same process");
    let log = wait_for(&function, "call failed").await;
    let line = log.lines().find(|line| line.contains("call failed")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["requestId"], "00000000-0000-4000-8000-000000000001", "{line}");
}

#[tokio::test]
async fn a_call_is_ended_before_the_platform_ends_the_process() {
    for mode in ["buffer", "stream"] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode)]).await;
        function.ready().await.unwrap();
        let left = Duration::from_millis(300);
        let begun = Instant::now();
        let reply = function.invoke(Invocation { time_left: left, ..through_url(&call("count", &json!({}))) }).await.unwrap();
        assert!(begun.elapsed() < left, "{:?}", begun.elapsed());
        let result = &reply.json()["result"];
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&reply).contains("did not finish"), "{result}");
    }
}

#[tokio::test]
async fn a_thousand_calls_leave_nothing_behind() {
    for mode in ["buffer", "stream"] {
        let function = function(&[("MCPFN_LAMBDA_MODE", mode), ("MCPFN_LOG", "warn")]).await;
        let mut early = None;
        for number in 0..1000 {
            let reply = function.invoke(through_url(&call("add", &json!({"a": number, "b": 1})))).await.unwrap();
            assert_eq!(text(&reply), format!("{{\"sum\":{}}}", number + 1));
            if number == 200 {
                early = resident_kib(&function);
            }
        }
        let late = resident_kib(&function);
        assert!(late.zip(early).is_none_or(|(late, early)| late < early + 512), "KiB: {early:?}, then {late:?}");
    }
}

#[tokio::test]
async fn managed_instances_get_several_answers_at_once() {
    let function = function(&[("AWS_LAMBDA_MAX_CONCURRENCY", "4"), ("MCPFN_LAMBDA_MODE", "stream")]).await;
    function.ready().await.unwrap();
    let begun = Instant::now();
    let one = || function.invoke(through_url(&call("count", &json!({}))));
    let (first, second, third, fourth) = tokio::join!(one(), one(), one(), one());
    for reply in [first, second, third, fourth] {
        assert_eq!(text(&reply.unwrap()), "done");
    }
    assert!(begun.elapsed() < Duration::from_millis(1500), "one takes half a second: {:?}", begun.elapsed());
}

/// Memory of the function's process, where the system tells.
fn resident_kib(function: &Environment) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", function.process()?)).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}
