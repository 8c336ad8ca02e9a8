//! Results that stand in for newer ones while a service is down: each tool that has them, for how
//! long, and with what words.

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// A tool, what its service says first, for how long that is fresh, and for how long it is given
/// after that.
struct Case {
    toolkit: &'static str,
    variables: Vec<(&'static str, &'static str)>,
    url: &'static str,
    tool: &'static str,
    arguments: Value,
    says: Says,
    fresh_ms: u64,
    older_ms: u64,
}

fn cases() -> Vec<Case> {
    let github = |tool, arguments, says| Case {
        toolkit: "github",
        variables: vec![],
        url: "MCPFN_GITHUB_URL",
        tool,
        arguments,
        says,
        fresh_ms: MINUTE_MS / 2,
        older_ms: HOUR_MS,
    };
    let weather = json!({"name": "Berlin", "main": {"temp": 8.5, "humidity": 61}});
    let company = json!({"organization": {"name": "Example"}});
    let hits = json!({"web": {"results": [{"title": "A", "url": "https://a.example"}]}});
    let file = json!({"type": "file", "path": "x", "size": 2, "encoding": "base64", "content": "aGk=", "sha": "1", "name": "x"});
    vec![
        Case {
            toolkit: "weather",
            variables: vec![("MCPFN_WEATHER_API_KEY", SECRETS[0])],
            url: "MCPFN_WEATHER_URL",
            tool: "get_weather",
            arguments: json!({"city": "Berlin"}),
            says: Says::json(200, &weather),
            fresh_ms: 10 * MINUTE_MS,
            older_ms: HOUR_MS,
        },
        Case {
            toolkit: "company",
            variables: vec![("MCPFN_COMPANY_API_KEY", SECRETS[1])],
            url: "MCPFN_COMPANY_URL",
            tool: "lookup_company",
            arguments: json!({"email": "ada@example.com"}),
            says: Says::json(200, &company),
            fresh_ms: 24 * HOUR_MS,
            older_ms: 7 * 24 * HOUR_MS,
        },
        Case {
            toolkit: "web",
            variables: vec![("MCPFN_SEARCH_API_KEY", SECRETS[2])],
            url: "MCPFN_SEARCH_URL",
            tool: "search",
            arguments: json!({"query": "x"}),
            says: Says::json(200, &hits),
            fresh_ms: 5 * MINUTE_MS,
            older_ms: HOUR_MS,
        },
        github(
            "list_pull_requests",
            json!({"repo": "a/b"}),
            Says::json(200, &json!([])),
        ),
        github(
            "get_file_contents",
            json!({"repo": "a/b", "path": "x"}),
            Says::json(200, &file),
        ),
    ]
}

#[tokio::test]
async fn a_service_that_is_down_is_answered_for_by_what_it_said_before() {
    for case in cases() {
        let down = Says::new(503, "");
        let service = Service::saying_in_turn(vec![case.says, down]).await;
        let url = service.url();
        let variables: Vec<(&str, &str)> = case
            .variables
            .iter()
            .copied()
            .chain([(case.url, &*url)])
            .collect();
        let client = Client::new(case.toolkit, &variables, Internet::new()).keeping_results();
        let ask = || client.result(case.tool, case.arguments.clone());
        let first = ask().await;
        assert_ne!(first["isError"], true, "{}: {first}", case.tool);
        // kept after the answer
        client.settled().await;
        client.later(case.fresh_ms + 5_000);
        let older = ask().await;
        assert_ne!(older["isError"], true, "{}: {older}", case.tool);
        assert_eq!(older["structuredContent"], first["structuredContent"]);
        let note = older["content"].as_array().unwrap().last().unwrap()["text"].to_string();
        assert!(
            note.contains("This result is ")
                && note.contains(" old, because there is no newer one: "),
            "{}: {note}",
            case.tool
        );
        assert!(
            note.contains("answered that it failed."),
            "{}: {note}",
            case.tool
        );
        client.later(case.older_ms);
        let failed = ask().await;
        assert_eq!(failed["isError"], true, "{}: {failed}", case.tool);
    }
}
