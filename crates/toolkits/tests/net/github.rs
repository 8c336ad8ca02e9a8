//! GitHub: reads, writes, budgets, and what is never sent twice.

use serde_json::{Value, json};

use crate::host::{Client, NOW, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

fn client(url: &str) -> Client {
    Client::new(
        "github",
        &[
            ("MCPFN_GITHUB_URL", url),
            ("MCPFN_GITHUB_TOKEN", SECRETS[3]),
        ],
        Internet::new(),
    )
}

fn anonymous(url: &str) -> Client {
    Client::new("github", &[("MCPFN_GITHUB_URL", url)], Internet::new())
}

fn pulls() -> Value {
    json!([
        {"id": 1, "number": 1347, "state": "open", "title": "Amazing new\u{e0041}\u{202e} \
            feature", "user": {"login": "octocat", "id": 1}, "body": "Please pull", "draft": true,
         "created_at": "2026-01-26T19:01:12Z", "updated_at": "2026-01-27T19:01:12Z", "merged_at": null, "html_url": "https://github.com/octocat/hello/pull/1347",
         "head": {"label": "octocat:new-topic", "ref": "new-topic", "sha": "6dcb"}, "base": {"label": "octocat:master", "ref": "master", "sha": "6dcb"}},
        {"id": 2, "number": 1346, "state": "closed", "title": "Older", "user": null, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z",
         "merged_at": "2026-01-02T00:00:00Z", "html_url": "https://github.com/octocat/hello/pull/1346", "head": {"ref": "x"}, "base": {"ref": "master"}}
    ])
}

fn file(text: &[u8]) -> Value {
    use base64::Engine as _;
    // GitHub breaks lines of Base64
    let written = base64::prelude::BASE64_STANDARD
        .encode(text)
        .as_bytes()
        .chunks(60)
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect::<String>();
    json!({"type": "file", "encoding": "base64", "size": text.len(), "name": "README.md", "path": "docs/README.md", "content": written, "sha": "3d21ec"})
}

#[tokio::test]
async fn the_pull_requests_of_a_repository() {
    let next = "<https://api.github.com/repositories/1/pulls?page=2>; rel=\"next\", \
        <https://api.github.com/repositories/1/pulls?page=9>; rel=\"last\"";
    let service = Service::saying(Says::json(200, &pulls()).header("link", next)).await;
    let client = client(&service.url());
    let result = client
        .result(
            "list_pull_requests",
            json!({"repo": "octocat/hello", "state": "all", "limit": 2}),
        )
        .await;
    let found = &result["structuredContent"];
    assert_eq!(
        found["pull_requests"][0],
        json!({"number": 1347, "title": "Amazing new feature", "author": "octocat", "state": "open", "draft": true, "base": "master", "head": "new-topic",
            "created_at": "2026-01-26T19:01:12Z", "updated_at": "2026-01-27T19:01:12Z", "url": "https://github.com/octocat/hello/pull/1347"})
    );
    assert_eq!(
        (
            found["pull_requests"][1]["state"].as_str(),
            &found["pull_requests"][1]["author"]
        ),
        (Some("merged"), &Value::Null)
    );
    assert_eq!(
        found["note"],
        "There are older ones: call again with page 2."
    );
    assert_eq!(result["_meta"]["dev.mcpfn/untrusted"], true);
    let asked = service.asked().remove(0);
    assert_eq!(
        asked.path,
        "/repos/octocat/hello/pulls?state=all&sort=updated&direction=desc&per_page=2&page=1"
    );
    assert_eq!(
        asked.header("authorization").unwrap(),
        format!("Bearer {}", SECRETS[3])
    );
    assert_eq!(asked.header("x-github-api-version"), Some("2022-11-28"));
    assert!(
        asked.header("user-agent").is_some(),
        "GitHub refuses requests without it"
    );
}

#[tokio::test]
async fn an_empty_list_says_so() {
    let service = Service::saying(Says::json(200, &json!([]))).await;
    let found = anonymous(&service.url())
        .call("list_pull_requests", json!({"repo": "a/b"}))
        .await
        .unwrap();
    assert_eq!(found["note"], "There are no open pull requests on page 1.");
    assert_eq!(service.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn files_and_directories() {
    let service = Service::saying(Says::json(200, &file("# Héllo\n".repeat(20).as_bytes()))).await;
    let found = client(&service.url())
        .call(
            "get_file_contents",
            json!({"repo": "a/b", "path": "/docs/Ünï code.md", "ref": "feat/x#1"}),
        )
        .await
        .unwrap();
    assert_eq!(
        (found["kind"].as_str(), found["text"].as_str().unwrap()),
        (Some("file"), "# Héllo\n".repeat(20).as_str())
    );
    assert_eq!(
        service.asked()[0].path,
        "/repos/a/b/contents/docs/%C3%9Cn%C3%AF%20code.md?ref=feat%2Fx%231"
    );

    let list = json!([{"type": "dir", "name": "src", "size": 0, "path": "src"}, {"type": "file", "name": "a.rs", "size": 12, "path": "a.rs"}]);
    let service = Service::saying(Says::json(200, &list)).await;
    let found = client(&service.url())
        .call("get_file_contents", json!({"repo": "a/b"}))
        .await
        .unwrap();
    assert_eq!(found["kind"], "directory");
    assert_eq!(
        found["entries"],
        json!([{"name": "src", "kind": "dir", "size": 0}, {"name": "a.rs", "kind": "file", "size": 12}])
    );
    assert_eq!(service.asked()[0].path, "/repos/a/b/contents/");
}

#[tokio::test]
async fn files_that_are_large_or_no_text() {
    let read = async |body: Value| {
        let service = Service::saying(Says::json(200, &body)).await;
        client(&service.url())
            .call("get_file_contents", json!({"repo": "a/b", "path": "x"}))
            .await
    };
    let found = read(file(&[b'x'; 300_000])).await.unwrap();
    assert_eq!(
        found["note"],
        "Cut: this is the beginning of the file, 102400 of 300000 bytes."
    );
    let refused = read(file(b"\x89PNG\0\xff")).await.unwrap_err();
    assert_eq!(
        refused,
        "`x` is a binary file of 6 bytes, and only text can be read."
    );
    let refused = read(
        json!({"type": "file", "encoding": "none", "size": 5_000_000, "name": "x", "content": ""}),
    )
    .await
    .unwrap_err();
    assert!(
        refused.contains("too large to be read: it has 5000000 bytes"),
        "{refused}"
    );
    let refused = read(json!({"type": "submodule", "size": 0, "name": "x"}))
        .await
        .unwrap_err();
    assert!(
        refused.contains("is not a file but a submodule"),
        "{refused}"
    );
    let refused = read(
        json!({"type": "file", "encoding": "base64", "size": 3, "name": "x", "content": "!!!"}),
    )
    .await
    .unwrap_err();
    assert!(!refused.contains("Base64"), "{refused}");
    let entries: Vec<Value> = (0..700)
        .map(|number| json!({"type": "file", "name": format!("{number}"), "size": 1}))
        .collect();
    let found = read(json!(entries)).await.unwrap();
    assert_eq!(
        (
            found["entries"].as_array().unwrap().len(),
            found["note"].as_str().unwrap()
        ),
        (500, "Cut: these are the first 500 of 700 entries.")
    );
}

#[tokio::test]
async fn a_renamed_repository_is_followed_on_its_server_only() {
    let service = Service::start(|asked| {
        if asked.path.starts_with("/repos/") {
            let to = format!(
                "http://{}/repositories/1/pulls?state=open",
                asked.header("host").unwrap()
            );
            Says::json(301, &json!({"message": "Moved Permanently"})).header("location", &to)
        } else {
            Says::json(200, &pulls())
        }
    })
    .await;
    client(&service.url())
        .call("list_pull_requests", json!({"repo": "a/b"}))
        .await
        .unwrap();
    assert_eq!(service.asked()[1].path, "/repositories/1/pulls?state=open");

    let other = Service::saying(Says::json(200, &pulls())).await;
    let service = Service::saying(Says::redirect(
        301,
        &format!("{}/repositories/1/pulls", other.url()),
    ))
    .await;
    let client = client(&service.url());
    assert!(
        client
            .call("list_pull_requests", json!({"repo": "a/b"}))
            .await
            .unwrap_err()
            .starts_with("GitHub does not take this server's request.")
    );
    assert_eq!(other.asked().len(), 0, "the token stays where it belongs");
}

#[tokio::test]
async fn reads_that_are_refused() {
    for (says, sentence, attempts) in [
        (
            Says::json(404, &json!({"message": "Not Found"})),
            "There is no repository `a/b`, or this server may not see it. Check the names.",
            1,
        ),
        (
            Says::json(
                403,
                &json!({"message": "Resource not accessible by personal access token"}),
            ),
            "This server may not access repository `a/b`: GitHub refuses its token.",
            1,
        ),
        (
            Says::json(
                401,
                &json!({"message": format!("Bad credentials {}", SECRETS[3])}),
            ),
            "GitHub rejected this server's credentials. Tell the user",
            1,
        ),
        (
            Says::json(422, &json!({"message": "Validation Failed"})),
            "GitHub did not take it: `Validation Failed`. Change the arguments.",
            1,
        ),
        (
            Says::json(500, &json!({})),
            "GitHub answered that it failed. Try again in a few minutes.",
            2,
        ),
        (
            Says::json(200, &json!({"not": "a list"})),
            "GitHub gave an answer that can't be read.",
            1,
        ),
        (
            Says::new(200, vec![b'['; 5_000_000]),
            "GitHub gave an answer that is too long to be read.",
            1,
        ),
    ] {
        let service = Service::saying(says).await;
        let refused = client(&service.url())
            .call("list_pull_requests", json!({"repo": "a/b"}))
            .await
            .unwrap_err();
        assert!(refused.starts_with(sentence), "{refused}");
        assert_eq!(service.asked().len(), attempts, "{refused}");
    }
    let client = client("http://127.0.0.1:1");
    let refused = client
        .call(
            "list_pull_requests",
            json!({"repo": "https://github.com/a/b"}),
        )
        .await
        .unwrap_err();
    assert!(refused.contains("Write it as owner/name"), "{refused}");
    let refused = client
        .call(
            "get_file_contents",
            json!({"repo": "a/b", "path": "../../user"}),
        )
        .await
        .unwrap_err();
    assert!(
        refused.contains("is not a path in a repository"),
        "{refused}"
    );
}

#[tokio::test]
async fn budgets_are_respected_and_explained() {
    let primary = Says::json(
        403,
        &json!({"message": "API rate limit exceeded for 203.0.113.7."}),
    )
    .header("x-ratelimit-limit", "60")
    .header("x-ratelimit-remaining", "0")
    .header("x-ratelimit-reset", &(NOW / 1000 + 1500).to_string());
    let secondary = Says::json(
        403,
        &json!({"message": "You have exceeded a secondary rate limit. Please wait."}),
    );
    for (says, sentence) in [
        (primary, "GitHub takes no more requests for the next 2"),
        (
            secondary.clone().header("retry-after", "60"),
            "takes no more requests for the next 60 seconds. Try again then.",
        ),
        (
            secondary,
            "takes no more requests for now. Try again in a minute.",
        ),
        (
            Says::json(429, &json!({"message": "slow"})).header("retry-after", "120"),
            "for the next 120 seconds",
        ),
    ] {
        let service = Service::saying(says).await;
        let client = client(&service.url());
        let refused = client
            .call("list_pull_requests", json!({"repo": "a/b"}))
            .await
            .unwrap_err();
        assert!(
            refused.contains(sentence) && !refused.contains("203.0.113.7"),
            "{refused}"
        );
        assert_eq!(service.asked().len(), 1, "it said not to");
    }
}

#[tokio::test]
async fn an_issue_and_a_comment() {
    let service = Service::start(|asked| match asked.path.as_str() {
        "/repos/a/b/issues" => {
            Says::json(201, &json!({"id": 1, "number": 1348, "html_url": "https://github.com/a/b/issues/1348", "title": "x"}))
        }
        "/repos/a/b/issues/7/comments" => {
            Says::json(201, &json!({"id": 99, "html_url": "https://github.com/a/b/issues/7#issuecomment-99", "body": "x"}))
        }
        _ => Says::new(404, ""),
    })
    .await;
    let client = client(&service.url());
    let made = client
        .call(
            "create_issue",
            json!({"repo": "a/b", "title": " It breaks ", "body": "With `x`."}),
        )
        .await
        .unwrap();
    assert_eq!(
        made,
        json!({"number": 1348, "url": "https://github.com/a/b/issues/1348"})
    );
    let made = client
        .call(
            "post_comment",
            json!({"repo": "a/b", "number": 7, "body": "Thanks"}),
        )
        .await
        .unwrap();
    assert_eq!(made["number"], 99);
    let asked = service.asked();
    assert_eq!(
        asked
            .iter()
            .map(|asked| asked.method.as_str())
            .collect::<Vec<_>>(),
        ["POST", "POST"]
    );
    assert_eq!(
        serde_json::from_str::<Value>(&asked[0].body).unwrap(),
        json!({"title": "It breaks", "body": "With `x`."})
    );
    assert_eq!(
        serde_json::from_str::<Value>(&asked[1].body).unwrap(),
        json!({"body": "Thanks"})
    );
    assert_eq!(
        asked[0].header("authorization").unwrap(),
        format!("Bearer {}", SECRETS[3])
    );
}

#[tokio::test]
async fn writes_are_sent_once() {
    const UNKNOWN: &str = "It is not known whether it was done: look before you try again.";
    for (says, sentences) in [
        (
            Says::new(500, ""),
            vec!["GitHub answered that it failed.", UNKNOWN],
        ),
        (
            Says::new(503, "").header("retry-after", "1"),
            vec!["GitHub answered that it failed.", UNKNOWN],
        ),
        (
            Says::silence(),
            vec!["GitHub did not answer within 5 s.", UNKNOWN],
        ),
        (
            Says::json(429, &json!({})).header("retry-after", "1"),
            vec!["takes no more requests for a second"],
        ),
        (
            Says::json(
                403,
                &json!({"message": "Resource not accessible by integration"}),
            ),
            vec!["This server may not access issue or pull request 7 in `a/b`"],
        ),
        (
            Says::json(404, &json!({})),
            vec!["There is no issue or pull request 7 in `a/b`"],
        ),
        (
            Says::json(
                410,
                &json!({"message": "Issues are disabled for this repo"}),
            ),
            vec!["The issue or pull request 7 in `a/b` can't be had any more"],
        ),
        (
            Says::json(422, &json!({"message": "body is too long"})),
            vec!["GitHub did not take it: `body is too long`."],
        ),
        (
            Says::new(201, "cut of"),
            vec![
                "It was written, but GitHub's answer could not be read.",
                "do not write it again",
            ],
        ),
    ] {
        let service = Service::saying(says.clone()).await;
        let client = client(&service.url());
        let refused = client
            .call(
                "post_comment",
                json!({"repo": "a/b", "number": 7, "body": "Thanks"}),
            )
            .await
            .unwrap_err();
        for sentence in sentences {
            assert!(refused.contains(sentence), "{says:?}: {refused}");
        }
        assert_eq!(service.asked().len(), 1, "{says:?}");
        let logged = client.logged();
        let told = ["There is no", "did not take it"]
            .iter()
            .any(|sentence| refused.contains(sentence));
        assert!(
            told || ["status ", "no answer in time", "expected"]
                .iter()
                .any(|cause| logged.contains(cause)),
            "{logged}"
        );
    }
    let client = client("http://127.0.0.1:1");
    let refused = client
        .call(
            "post_comment",
            json!({"repo": "a/b", "number": 7, "body": "  "}),
        )
        .await
        .unwrap_err();
    assert!(refused.contains("`body` is empty"), "{refused}");
}

#[tokio::test]
async fn who_may_write() {
    let reads = ["list_pull_requests", "get_file_contents"];
    let all = [
        "list_pull_requests",
        "get_file_contents",
        "create_issue",
        "post_comment",
    ];
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let expected = |names: &[&str]| sorted(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(sorted(client("https://x").tools().await), expected(&all));
    assert_eq!(
        sorted(anonymous("https://x").tools().await),
        expected(&reads),
        "without a token nothing can be written"
    );
    let reader = client("https://x").with_scopes(&["github:read"]);
    assert_eq!(sorted(reader.tools().await), expected(&reads));
    let refused = reader
        .ask(
            "tools/call",
            json!({"name": "create_issue", "arguments": {"repo": "a/b", "title": "x"}}),
        )
        .await;
    assert!(
        refused.is_err() || refused.unwrap()["isError"] == true,
        "a scope is checked on every call"
    );
}
