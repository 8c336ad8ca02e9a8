//! What a call of each tool costs in time, with services that answer at once.

use std::time::Instant;

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Asked, Says, Service};

const CALLS: usize = 100;

/// All services in one.
fn answer(asked: &Asked) -> Says {
    let path = asked.path.as_str();
    let body = if path.starts_with("/data/") {
        json!({"name": "Berlin", "main": {"temp": 8.5, "humidity": 61}, "weather": [{"description": "light rain"}]})
    } else if path.starts_with("/api/v1/organizations/") {
        json!({"organization": {"name": "Example"}})
    } else if path.starts_with("/res/v1/web/") {
        let hits: Vec<Value> =
            (0..20).map(|_| json!({"title": "T", "url": "https://a.example", "description": "words ".repeat(30)})).collect();
        json!({"web": {"results": hits}})
    } else if path.contains("/contents/") {
        json!({"type": "file", "encoding": "base64", "size": 90_000, "name": "x", "content": "eHh4".repeat(30_000)})
    } else if asked.method == "POST" {
        return Says::json(
            201,
            &json!({"id": 1, "number": 1, "html_url": "https://github.com/a/b/issues/1"}),
        );
    } else if path.contains("/pulls") {
        json!([])
    } else {
        return Says::html(format!(
            "<main>{}</main>",
            "<p>Some <b>words</b> in a paragraph.</p>\n".repeat(5000)
        ));
    };
    Says::json(200, &body)
}

#[tokio::test]
async fn calls_are_quick() {
    let service = Service::start(answer).await;
    let url = service.url();
    let variables = [
        ("MCPFN_WEATHER_URL", url.as_str()),
        ("MCPFN_WEATHER_API_KEY", SECRETS[0]),
        ("MCPFN_COMPANY_URL", &url),
        ("MCPFN_COMPANY_API_KEY", SECRETS[1]),
        ("MCPFN_SEARCH_URL", &url),
        ("MCPFN_SEARCH_API_KEY", SECRETS[2]),
        ("MCPFN_GITHUB_URL", &url),
        ("MCPFN_GITHUB_TOKEN", SECRETS[3]),
    ];
    let client = Client::new(
        "weather,company,fetch,web,github",
        &variables,
        Internet::new().site("page", &url),
    );
    for (tool, arguments) in [
        ("get_weather", json!({"city": "Berlin"})),
        ("lookup_company", json!({"email": "ada@example.com"})),
        ("fetch_url", json!({"url": "http://page.example/200kb"})),
        ("scrape", json!({"url": "http://page.example/200kb"})),
        ("search", json!({"query": "x", "limit": 20})),
        ("list_pull_requests", json!({"repo": "a/b"})),
        ("get_file_contents", json!({"repo": "a/b", "path": "x"})),
        ("create_issue", json!({"repo": "a/b", "title": "x"})),
        (
            "post_comment",
            json!({"repo": "a/b", "number": 1, "body": "x"}),
        ),
    ] {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let started = Instant::now();
            client.text(tool, arguments.clone()).await.unwrap();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!(
            "{tool} p50 {:?} p95 {:?}",
            times[CALLS / 2],
            times[CALLS * 95 / 100]
        );
        assert!(times[CALLS / 2].as_millis() < 250, "{tool}");
    }
}
