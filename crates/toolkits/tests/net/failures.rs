//! Every cause of every service that is asked over HTTP: a sentence of its own for the model, an
//! outcome of its own in the record of the call, the private cause in the log, no secret and no text
//! of the service in what the model reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

/// How a service is called in sentences, the toolkit and its variables, and a call of one of its
/// tools.
#[derive(Clone, Copy)]
struct Tool {
    name: &'static str,
    toolkit: &'static str,
    url: &'static str,
    more: &'static [(&'static str, &'static str)],
    tool: &'static str,
    arguments: fn() -> Value,
}

/// A cause: what the service does, and what is said of it.
struct Cause {
    says: Says,
    /// In the log.
    logged: &'static str,
    outcome: &'static str,
    /// After the service's name.
    sentence: &'static str,
    /// Whether a read is tried again.
    passes: bool,
}

const REJECTED: &str = "rejected this server's credentials. Tell the user: the operator of this \
                        server has to fix that, and trying again does not help.";
const FAILED: &str = "answered that it failed.";
const UNREADABLE: &str = "gave an answer that can't be read.";
const EMPTY: &str = "gave an empty answer.";
const LONG: &str = "gave an answer that is too long to be read.";

fn cause(
    says: Says,
    logged: &'static str,
    outcome: &'static str,
    sentence: &'static str,
    passes: bool,
) -> Cause {
    Cause {
        says,
        logged,
        outcome,
        sentence,
        passes,
    }
}

/// Causes that all services share, and at the end those that show in what a success has in it.
fn causes() -> Vec<Cause> {
    let late = Says::new(429, "").header("retry-after", "90");
    let coded = Says::new(200, "no gzip").header("content-encoding", "gzip");
    vec![
        cause(
            Says::new(401, ""),
            "status 401",
            "service_credentials",
            REJECTED,
            false,
        ),
        cause(
            late,
            "status 429",
            "service_rate_limited",
            "takes no more requests for the next 90 seconds. Try again then.",
            false,
        ),
        cause(
            Says::new(500, "at db.rs"),
            "status 500",
            "service_failing",
            FAILED,
            true,
        ),
        cause(
            Says::new(502, "<html>"),
            "status 502",
            "service_failing",
            FAILED,
            true,
        ),
        cause(
            Says::new(503, ""),
            "status 503",
            "service_failing",
            FAILED,
            true,
        ),
        cause(
            Says::new(504, ""),
            "status 504",
            "service_failing",
            FAILED,
            true,
        ),
        cause(
            Says::redirect(302, "http://127.0.0.1:9/"),
            "status 302",
            "service_refused",
            "does not take this server's request. Tell the user",
            false,
        ),
        cause(
            Says::silence(),
            "no answer in time",
            "service_timeout",
            "did not answer within ",
            true,
        ),
        cause(
            Says::cut(),
            "interrupted: ",
            "service_interrupted",
            "ended the connection before its answer was complete.",
            true,
        ),
        cause(
            coded,
            "not valid gzip",
            "service_malformed",
            UNREADABLE,
            true,
        ),
        cause(
            Says::new(200, "{\"a\": "),
            "",
            "service_malformed",
            UNREADABLE,
            false,
        ),
        cause(
            Says::new(200, "<html>down for maintenance</html>"),
            "",
            "service_malformed",
            UNREADABLE,
            false,
        ),
        cause(Says::new(200, ""), "", "service_empty", EMPTY, false),
        cause(Says::new(200, "null"), "", "service_empty", EMPTY, false),
        cause(
            Says::new(200, vec![b'['; 5 * 1024 * 1024]),
            "",
            "service_too_long",
            LONG,
            false,
        ),
        cause(Says::endless(), "", "service_too_long", LONG, false),
    ]
}

impl Tool {
    fn client(&self, url: &str) -> Client {
        let variables: Vec<(&str, &str)> =
            self.more.iter().copied().chain([(self.url, url)]).collect();
        Client::new(self.toolkit, &variables, Internet::new())
    }

    /// What the model is told.
    async fn fails(&self, url: &str, cause: &Cause) -> String {
        let client = self.client(url);
        let refused = client
            .text(self.tool, (self.arguments)())
            .await
            .unwrap_err();
        let expected = format!("{} {}", self.name, cause.sentence);
        let of = format!("{} and {} {}", self.tool, cause.outcome, cause.logged);
        assert!(
            refused.starts_with(&expected) && refused.len() < 250,
            "{of}: {refused}"
        );
        assert_eq!(client.outcome(), cause.outcome, "{of}");
        for detail in [
            "status",
            "serde",
            "127.0.0.1",
            "expected",
            "hyper",
            "db.rs",
            "html",
        ] {
            assert!(!refused.contains(detail), "{of}: {refused}");
        }
        let logged = client.logged();
        assert!(
            logged.contains(cause.logged) && !logged.is_empty(),
            "{of}: {logged}"
        );
        refused
    }

    async fn fails_in_every_way(&self) {
        let mut outcomes = BTreeSet::new();
        for cause in causes() {
            let service = Service::saying(cause.says.clone()).await;
            let refused = self.fails(&service.url(), &cause).await;
            let attempts = if cause.passes { 2 } else { 1 };
            assert_eq!(service.asked().len(), attempts, "{refused}");
            outcomes.insert(cause.outcome);
        }
        let gone = cause(
            Says::silence(),
            "unreachable",
            "service_unreachable",
            "can't be reached.",
            true,
        );
        self.fails(&Service::closed().await, &gone).await;
        outcomes.insert(gone.outcome);
        let all = mcpfn_core::ServiceFault::ALL.map(mcpfn_core::ServiceFault::as_str);
        assert_eq!(outcomes, all.into(), "a fault has no case here");
        // a service that repeats what it was given
        let echo = |asked: &crate::service::Asked| {
            Says::new(
                500,
                format!("stack trace {} {:?}", asked.path, asked.headers),
            )
        };
        let echo = Service::start(echo).await;
        let failing = cause(
            Says::silence(),
            "status 500",
            "service_failing",
            FAILED,
            true,
        );
        self.fails(&echo.url(), &failing).await;
    }
}

const GITHUB: Tool = Tool {
    name: "GitHub",
    toolkit: "github",
    url: "MCPFN_GITHUB_URL",
    more: &[("MCPFN_GITHUB_TOKEN", SECRETS[3])],
    tool: "list_pull_requests",
    arguments: || json!({"repo": "a/b"}),
};

const SEARCH: Tool = Tool {
    name: "The web search",
    toolkit: "web",
    url: "MCPFN_SEARCH_URL",
    more: &[("MCPFN_SEARCH_API_KEY", SECRETS[2])],
    tool: "search",
    arguments: || json!({"query": "x"}),
};

#[tokio::test]
async fn of_the_weather_service() {
    let tool = Tool {
        name: "The weather service",
        toolkit: "weather",
        url: "MCPFN_WEATHER_URL",
        more: &[("MCPFN_WEATHER_API_KEY", SECRETS[0])],
        tool: "get_weather",
        arguments: || json!({"city": "Berlin"}),
    };
    tool.fails_in_every_way().await;
}

#[tokio::test]
async fn of_the_company_directory() {
    let tool = Tool {
        name: "The company directory",
        toolkit: "company",
        url: "MCPFN_COMPANY_URL",
        more: &[("MCPFN_COMPANY_API_KEY", SECRETS[1])],
        tool: "lookup_company",
        arguments: || json!({"email": "ada@example.com"}),
    };
    tool.fails_in_every_way().await;
}

#[tokio::test]
async fn of_the_web_search_by_brave() {
    SEARCH.fails_in_every_way().await;
}

#[tokio::test]
async fn of_the_web_search_by_serper() {
    let more = &[
        ("MCPFN_SEARCH_API_KEY", SECRETS[2]),
        ("MCPFN_SEARCH_API", "serper"),
    ];
    Tool { more, ..SEARCH }.fails_in_every_way().await;
}

#[tokio::test]
async fn of_github_listing() {
    GITHUB.fails_in_every_way().await;
}

#[tokio::test]
async fn of_github_reading() {
    let tool = Tool {
        tool: "get_file_contents",
        arguments: || json!({"repo": "a/b", "path": "x"}),
        ..GITHUB
    };
    tool.fails_in_every_way().await;
}
