//! `create_issue` and `post_comment`. Each sends one request, once: a write without an answer may
//! have happened.

use mcpfn_core::{Cx, ServiceFault, ToolError, input, output, text, tool};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{GitHub, repository, signed};
use crate::say::excerpt;

/// The longest text of an issue or a comment, in characters; GitHub's own limit.
const MAX_LENGTH: usize = 65_536;

/// A new issue.
#[input]
#[derive(Debug)]
pub struct Issue {
    /// The repository as owner/name, e.g. "rust-lang/cargo".
    #[schemars(length(min = 3, max = 140))]
    pub repo: String,
    /// One line that says what is wrong or wanted.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// The rest, in Markdown.
    #[schemars(length(max = 65536))]
    #[serde(default)]
    pub body: Option<String>,
}

/// A new comment.
#[input]
#[derive(Debug)]
pub struct Comment {
    /// The repository as owner/name, e.g. "rust-lang/cargo".
    #[schemars(length(min = 3, max = 140))]
    pub repo: String,
    /// The number of an issue or a pull request.
    #[schemars(range(min = 1, max = 4294967295u32))]
    pub number: u64,
    /// The comment, in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

/// What was written.
#[output]
#[derive(Debug)]
pub struct CreatedItem {
    /// Number of the issue, or id of the comment.
    pub number: u64,
    /// Its page.
    pub url: String,
}

/// Create an issue in a GitHub repository. Everybody who can see the repository can read it.
///
/// Use this only when explicitly asked to create an issue, with a title and text that the user has
/// seen. It can't be undone here.
#[tool(
    destructive = false,
    scope = "github:write",
    title = "Create an issue",
    rate_limit = "10/m"
)]
pub async fn create_issue(args: Issue, cx: &Cx) -> Result<CreatedItem, ToolError> {
    let repo = repository(&args.repo)?;
    let title = required("title", &args.title)?;
    if title.chars().count() > 256 {
        return Err(ToolError::new(
            "`title` is longer than 256 characters. Move the details to `body`.",
        ));
    }
    let body = args
        .body
        .as_deref()
        .map(str::trim)
        .filter(|body| !body.is_empty());
    let wanted = match body {
        Some(body) => json!({"title": title, "body": required("body", body)?}),
        None => json!({"title": title}),
    };
    cx.confirm(|| {
        let text = body.map_or_else(String::new, |body| format!(", with the text {}", excerpt(body)));
        format!(
            "Create an issue in the repository {repo} on GitHub, with the title {}{text}? Everybody \
             who can see the repository can read it.",
            excerpt(title)
        )
    })?;
    let CreatedReply {
        number, html_url, ..
    } = post(
        cx,
        &format!("/repos/{repo}/issues"),
        &wanted,
        &format!("repository `{repo}` with issues"),
    )
    .await?;
    Ok(CreatedItem {
        number: number.unwrap_or_default(),
        url: html_url,
    })
}

/// Comment on an issue or a pull request on GitHub. Everybody who can see the repository can read
/// it.
///
/// Use this only when explicitly asked to comment, with a text that the user has seen. It can't be
/// undone here.
#[tool(
    destructive = false,
    scope = "github:write",
    title = "Post a comment",
    rate_limit = "10/m"
)]
pub async fn post_comment(args: Comment, cx: &Cx) -> Result<CreatedItem, ToolError> {
    let (repo, number) = (repository(&args.repo)?, args.number);
    let body = required("body", &args.body)?;
    cx.confirm(|| {
        format!(
            "Post a comment on number {number} in the repository {repo} on GitHub: {}? Everybody who \
             can see the repository can read it.",
            excerpt(body)
        )
    })?;
    let path = format!("/repos/{repo}/issues/{number}/comments");
    let CreatedReply { id, html_url, .. } = post(
        cx,
        &path,
        &json!({"body": body}),
        &format!("issue or pull request {number} in `{repo}`"),
    )
    .await?;
    Ok(CreatedItem {
        number: id,
        url: html_url,
    })
}

async fn post(cx: &Cx, path: &str, body: &Value, what: &str) -> Result<CreatedReply, ToolError> {
    let github: &GitHub = cx.state()?;
    let api = &*github.0.ready(cx).await?;
    let answer = api.write(cx, signed(api, api.post(path, body))).await?;
    if (200..300).contains(&answer.status) {
        return serde_json::from_str(&answer.body).map_err(|error| {
            let sentence = "It was written, but GitHub's answer could not be read. Look at it on \
                GitHub; do not write it again.";
            ToolError::new(sentence)
                .with_cause(format!("{error}: {}", text::quoted(&answer.body)))
                .with_fault(ServiceFault::of_body(answer.body.as_bytes(), false))
        });
    }
    Err(github.refused(&answer, what))
}

/// The part of GitHub's answer that is used.
#[derive(Deserialize)]
struct CreatedReply {
    id: u64,
    number: Option<u64>,
    html_url: String,
}

fn required<'a>(field: &str, text: &'a str) -> Result<&'a str, ToolError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ToolError::new(format!(
            "`{field}` is empty. Say what to write."
        )));
    }
    if text.chars().count() > MAX_LENGTH {
        return Err(ToolError::new(format!(
            "`{field}` is longer than {MAX_LENGTH} characters. Shorten it."
        )));
    }
    Ok(text)
}
