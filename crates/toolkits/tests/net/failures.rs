//! Every failure of every service that answers in JSON: the same sentence for the model, the cause
//! in the log, no secret in either.

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

/// How a service is called in sentences, the toolkit and its variables, and a call of one of its
/// tools.
struct Tool {
    name: &'static str,
    toolkit: &'static str,
    url: &'static str,
    more: &'static [(&'static str, &'static str)],
    tool: &'static str,
    arguments: Value,
}

impl Tool {
    fn client(&self, url: &str) -> Client {
        let variables: Vec<(&str, &str)> =
            self.more.iter().copied().chain([(self.url, url)]).collect();
        Client::new(self.toolkit, &variables, Internet::new())
    }

    async fn fails(&self, url: &str, why: &str) {
        let client = self.client(url);
        let refused = client
            .text(self.tool, self.arguments.clone())
            .await
            .unwrap_err();
        let expected = format!("{} is temporarily unavailable", self.name);
        assert!(
            refused.starts_with(&expected) && refused.len() < 200,
            "{why}: {refused}"
        );
        for detail in ["status", "serde", "127.0.0.1", "expected", "hyper", "trace"] {
            assert!(!refused.contains(detail), "{why}: {refused}");
        }
        assert!(
            client.logged().contains(why),
            "{why} is not in {}",
            client.logged()
        );
    }

    async fn fails_in_every_way(&self) {
        let repeats_what_it_got = |asked: &crate::service::Asked| {
            Says::new(
                500,
                format!("stack trace {} {:?}", asked.path, asked.headers),
            )
        };
        let service = Service::start(repeats_what_it_got).await;
        self.fails(&service.url(), "status 500").await;
        assert_eq!(service.asked().len(), 2);
        for (says, why, attempts) in [
            (Says::new(401, ""), "status 401 (the key in MCPFN_", 1),
            (
                Says::new(429, "").header("retry-after", "90"),
                "status 429",
                1,
            ),
            (Says::new(502, "<html>"), "status 502", 2),
            (Says::new(503, ""), "status 503", 2),
            (Says::new(504, ""), "status 504", 2),
            (Says::redirect(302, "http://127.0.0.1:9/"), "status 302", 1),
            (
                Says::new(200, "{\"a\": "),
                "not the JSON that was expected",
                1,
            ),
            (
                Says::new(200, "<html>down for maintenance</html>"),
                "not the JSON that was expected",
                1,
            ),
            (Says::new(200, "null"), "not the JSON that was expected", 1),
            (
                Says::new(200, vec![b'['; 5 * 1024 * 1024]),
                "the answer has more than",
                1,
            ),
            (Says::endless(), "the answer has more than", 1),
            (
                Says::new(200, "no gzip").header("content-encoding", "gzip"),
                "not valid gzip",
                2,
            ),
            (Says::silence(), "no answer in time", 2),
        ] {
            let service = Service::saying(says).await;
            self.fails(&service.url(), why).await;
            assert_eq!(service.asked().len(), attempts, "{why}");
        }
        self.fails(&Service::closed().await, "unreachable").await;
    }
}

const GITHUB: Tool = Tool {
    name: "GitHub",
    toolkit: "github",
    url: "MCPFN_GITHUB_URL",
    more: &[("MCPFN_GITHUB_TOKEN", SECRETS[3])],
    tool: "",
    arguments: Value::Null,
};

const SEARCH: Tool = Tool {
    name: "The web search",
    toolkit: "web",
    url: "MCPFN_SEARCH_URL",
    more: &[("MCPFN_SEARCH_API_KEY", SECRETS[2])],
    tool: "search",
    arguments: Value::Null,
};

#[tokio::test]
async fn of_the_weather_service() {
    let more = &[("MCPFN_WEATHER_API_KEY", SECRETS[0])];
    let arguments = json!({"city": "Berlin"});
    let tool = Tool {
        name: "The weather service",
        toolkit: "weather",
        url: "MCPFN_WEATHER_URL",
        more,
        tool: "get_weather",
        arguments,
    };
    tool.fails_in_every_way().await;
}

#[tokio::test]
async fn of_the_company_directory() {
    let more = &[("MCPFN_COMPANY_API_KEY", SECRETS[1])];
    let arguments = json!({"email": "ada@example.com"});
    let tool = Tool {
        name: "The company directory",
        toolkit: "company",
        url: "MCPFN_COMPANY_URL",
        more,
        tool: "lookup_company",
        arguments,
    };
    tool.fails_in_every_way().await;
}

#[tokio::test]
async fn of_the_web_search_by_brave() {
    Tool {
        arguments: json!({"query": "x"}),
        ..SEARCH
    }
    .fails_in_every_way()
    .await;
}

#[tokio::test]
async fn of_the_web_search_by_serper() {
    let more = &[
        ("MCPFN_SEARCH_API_KEY", SECRETS[2]),
        ("MCPFN_SEARCH_API", "serper"),
    ];
    Tool {
        arguments: json!({"query": "x"}),
        more,
        ..SEARCH
    }
    .fails_in_every_way()
    .await;
}

#[tokio::test]
async fn of_github_listing() {
    Tool {
        tool: "list_pull_requests",
        arguments: json!({"repo": "a/b"}),
        ..GITHUB
    }
    .fails_in_every_way()
    .await;
}

#[tokio::test]
async fn of_github_reading() {
    Tool {
        tool: "get_file_contents",
        arguments: json!({"repo": "a/b", "path": "x"}),
        ..GITHUB
    }
    .fails_in_every_way()
    .await;
}
