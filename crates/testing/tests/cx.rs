//! The `Cx` of tests: everything that a handler can ask it for is what the test gave.

use std::sync::Arc;
use std::time::Duration;

use mcpfn::testing::{
    Answer, TestClock, TestCx, TestHttp, block_on, carried_state, private_cause, questions,
};
use mcpfn::{
    Cx, LogLevel, Principal, PrincipalKind, Revision, Scopes, ToolError,
    host::{Capability, ClientCapabilities},
    port::{HttpClient, HttpRequest},
    round_trip::{Form, Sampling},
};
use serde_json::json;

#[test]
fn the_caller_is_who_the_test_says() {
    let reader = Principal::new(PrincipalKind::ApiKey, "reader").with_scopes(Scopes::parse("crm"));
    let cx = TestCx::new()
        .principal(reader.clone())
        .revision(Revision::V2025_06_18)
        .hops(2)
        .client(ClientCapabilities::default())
        .build();
    assert_eq!(cx.principal(), &reader);
    assert_eq!((cx.revision(), cx.hops()), (Revision::V2025_06_18, 2));
    assert!(cx.require(Capability::Sampling).is_err());
    assert!(
        TestCx::new()
            .build()
            .require(Capability::SamplingTools)
            .is_ok()
    );
}

#[test]
fn state_and_ports_are_found_by_their_type() {
    let http = TestHttp::new(|_| Ok(TestHttp::json(200, "[]")));
    let cx = TestCx::new()
        .state(7_u32)
        .with_port::<dyn HttpClient>(Arc::new(http.clone()))
        .build();
    assert_eq!(cx.state::<u32>().unwrap(), &7);
    let missing = private_cause(cx.state::<u64>().unwrap_err()).unwrap();
    assert!(missing.contains("u64"), "{missing}");
    let mut request = HttpRequest::get("https://example.com/");
    request.max_body = 1;
    let answer = block_on(cx.fetch(request)).unwrap().unwrap();
    assert!(answer.truncated);
    assert_eq!(
        http.sent()[0].timeout,
        Duration::from_secs(5),
        "what the call has left"
    );
}

#[test]
fn the_deadline_comes_closer_as_time_passes() {
    let test = TestCx::new().deadline(Duration::from_secs(3));
    let cx = test.build();
    test.time().advance(Duration::from_secs(2));
    assert_eq!(cx.remaining(), Duration::from_secs(1));
    let auto = TestCx::with_clock(TestClock::auto());
    let cx = auto.build();
    let before = cx.now_ms();
    block_on(cx.sleep(Duration::from_secs(1)));
    assert_eq!(cx.now_ms(), before + 1000);
}

#[test]
fn what_a_handler_reports_is_kept() {
    let test = TestCx::new();
    let cx = test.build();
    cx.progress(1.0, Some(2.0), Some("half"));
    cx.progress(0.5, None, None); // does not grow, so no client would hear it
    cx.log(LogLevel::Debug, json!("a detail"));
    cx.report_degraded("embeddings", "no model");
    let progress = test.progress();
    assert_eq!(progress.len(), 1);
    assert_eq!(
        (progress[0].total, progress[0].message.as_deref()),
        (Some(2.0), Some("half"))
    );
    assert_eq!(
        (test.logs()[0].level, &test.logs()[0].data),
        (LogLevel::Debug, &json!("a detail"))
    );
    assert_eq!(
        test.audit().degraded(),
        [("embeddings".to_owned(), "no model".to_owned())]
    );
    let silent = TestCx::new().without_progress().log_level(None);
    let cx = silent.build();
    assert!(!cx.wants_progress());
    cx.progress(1.0, None, None);
    cx.log(LogLevel::Emergency, "fire");
    assert!(silent.progress().is_empty() && silent.logs().is_empty());
}

async fn book(cx: &Cx) -> Result<String, ToolError> {
    let form = Form::new("Which day?").text("day", "A day");
    match cx.request_state::<u32>() {
        Some(number) => {
            let day = cx.elicit("day", form)?;
            Ok(format!(
                "{number} on {}",
                day.text("day").unwrap_or("no day")
            ))
        }
        None => Err(cx.ask().form("day", form).state(42).into()),
    }
}

#[test]
fn rounds_are_tested_one_by_one() {
    let asked = block_on(book(&TestCx::new().build())).unwrap_err();
    let question = &questions(&asked)[0];
    assert!(question.is_form());
    assert_eq!(
        (question.key.as_str(), question.message()),
        ("day", "Which day?")
    );
    assert_eq!(carried_state::<u32>(&asked), Some(42));

    let second = TestCx::new().request_state(42);
    let answered = second.answer("day", Answer::accept(json!({"day": "Monday"})));
    assert_eq!(block_on(book(&answered.build())).unwrap(), "42 on Monday");
    let declined = TestCx::new()
        .request_state(42)
        .answer("day", Answer::decline());
    assert_eq!(block_on(book(&declined.build())).unwrap(), "42 on no day");
    // an answer that does not fit the form is asked for again
    let wrong = TestCx::new()
        .request_state(42)
        .answer("day", Answer::accept(json!({"day": 1})));
    assert_eq!(
        questions(&block_on(book(&wrong.build())).unwrap_err()).len(),
        1
    );
}

#[test]
fn models_and_completions_answer_too() {
    let cx = TestCx::new()
        .answer("title", Answer::sampled("A title"))
        .completion_argument("owner", "ada")
        .build();
    let said = cx.sample("title", Sampling::new("A title?", 10)).unwrap();
    assert_eq!(said.text(), Some("A title"));
    assert_eq!(cx.completion_argument("owner"), Some("ada"));
}

/// What a mistake of the test itself says.
fn said_by(mistake: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(mistake).expect_err("the mistake is found");
    let text = panic.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn mistakes_of_the_test_are_named() {
    let twice = said_by(|| drop(TestCx::new().state(1_u8).state(2_u8)));
    assert_eq!(twice, "state of type u8 was given twice");
    let answer = Answer::raw(json!({"action": "maybe"}));
    let wrong = said_by(|| drop(TestCx::new().answer("key", answer).build()));
    assert!(
        wrong.starts_with("no server gives a handler this answer"),
        "{wrong}"
    );
}
