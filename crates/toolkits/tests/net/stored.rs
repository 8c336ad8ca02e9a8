//! Keys that the host keeps: a reference in a key's variable sends what its key would have sent,
//! is read once a call, and shows as little.

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

/// Toolkit, tool and arguments, the variables of the address and of the key, and which secret.
type Case = (
    &'static str,
    &'static str,
    Value,
    &'static str,
    &'static str,
    usize,
);

fn cases() -> Vec<Case> {
    let repository = json!({"repository": "a/b", "repo": "a/b", "owner": "a"});
    let pulls = json!({"repo": repository["repo"]});
    let issue = json!({"repo": "a/b", "title": "It breaks"});
    vec![
        (
            "weather",
            "get_weather",
            json!({"city": "Berlin"}),
            "MCPFN_WEATHER_URL",
            "MCPFN_WEATHER_API_KEY",
            0,
        ),
        (
            "company",
            "lookup_company",
            json!({"email": "a@b.example"}),
            "MCPFN_COMPANY_URL",
            "MCPFN_COMPANY_API_KEY",
            1,
        ),
        (
            "web",
            "search",
            json!({"query": "rust"}),
            "MCPFN_SEARCH_URL",
            "MCPFN_SEARCH_API_KEY",
            2,
        ),
        (
            "github",
            "list_pull_requests",
            pulls,
            "MCPFN_GITHUB_URL",
            "MCPFN_GITHUB_TOKEN",
            3,
        ),
        (
            "github",
            "create_issue",
            issue,
            "MCPFN_GITHUB_URL",
            "MCPFN_GITHUB_TOKEN",
            3,
        ),
    ]
}

/// Everything that a service was asked, and what the caller was told.
async fn asked(case: &Case, key: &str) -> (Vec<String>, String) {
    let (toolkit, tool, arguments, address, variable, _) = case;
    // a service that repeats what it was asked, as one that refuses a key does
    let echo = format!("{{\"message\":\"bad key {}\"}}", SECRETS[case.5]);
    let service = Service::saying(Says::new(422, echo)).await;
    let variables = [(*address, service.url()), (*variable, key.to_owned())];
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let client = Client::new(toolkit, &variables, Internet::new());
    let told = client.text(tool, arguments.clone()).await;
    let asked = service.asked();
    let seen = asked.iter().map(|request| {
        let mut headers = request.headers.clone();
        headers.retain(|(name, _)| name != "host");
        format!(
            "{} {} {headers:?} {}",
            request.method, request.path, request.body
        )
    });
    (seen.collect(), format!("{told:?}"))
}

#[tokio::test]
async fn a_reference_sends_what_its_key_sends() {
    for case in cases() {
        let (key, reference) = (SECRETS[case.5], format!("ssm:/keys/{}", case.5));
        let (direct, stored) = (asked(&case, key).await, asked(&case, &reference).await);
        assert!(direct.0[0].contains(key), "{direct:?}");
        assert_eq!(direct, stored, "{}", case.1);
    }
}

/// Where an upstream's token may be: each place sends what the token itself sends, from the first
/// request on, and one that can't be read sends nothing.
#[tokio::test]
async fn an_upstream_gets_its_token_from_wherever_it_is() {
    for (variable, value, sent) in [
        ("MCPFN_UPSTREAM_CRM_TOKEN", SECRETS[3], true),
        ("MCPFN_UPSTREAM_CRM_TOKEN", "ssm:/keys/3", true),
        ("MCPFN_UPSTREAM_TOKENS", "crm=ssm:/keys/3", true),
        ("MCPFN_UPSTREAM_TOKENS", "ssm:/objects/3", true),
        ("MCPFN_UPSTREAM_TOKENS", "ssm:/nothing", false),
        ("MCPFN_UPSTREAM_CRM_TOKEN", "secretsmanager:spaces", false),
    ] {
        // it repeats the token in what it refuses the request with
        let service = Service::saying(Says::new(403, SECRETS[3])).await;
        let list = format!("crm={}", service.url());
        let variables = [("MCPFN_UPSTREAMS", list.as_str()), (variable, value)];
        let client = Client::new("upstream", &variables, Internet::new());
        let told = client.heard("tools/list", json!({})).await;
        client.settled().await;
        assert!(told["result"]["tools"].is_array(), "{told}");
        let asked = service.asked();
        assert_eq!(!asked.is_empty(), sent, "{variable}={value}");
        for request in asked {
            let bearer = format!("Bearer {}", SECRETS[3]);
            assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_fails_the_call_and_asks_nobody() {
    for case in cases() {
        for (reference, cause) in [
            ("ssm:/nothing", "`ssm:/nothing` does not exist"),
            ("secretsmanager:spaces", "is not a key"),
            ("ssm:/again", "is a reference to another one"),
        ] {
            let service = Service::saying(Says::new(200, "{}")).await;
            let url = service.url();
            let variables = [(case.3, url.as_str()), (case.4, reference)];
            let client = Client::new(case.0, &variables, Internet::new());
            let told = client.text(case.1, case.2.clone()).await.unwrap_err();
            assert!(
                told.contains("internal error") && !told.contains(reference),
                "{told}"
            );
            assert!(client.logged().contains(cause), "{}", client.logged());
            assert_eq!(service.asked().len(), 0);
        }
    }
}
