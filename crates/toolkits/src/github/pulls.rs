//! `list_pull_requests`: those of one repository, the latest changed first.

use mcpfn_core::text::visible;
use mcpfn_core::{Cx, ToolError, input, output, tool};
use serde::Deserialize;

use super::{GitHub, repository};
use crate::untrusted::{NOTICE, Untrusted};

/// Pull requests of one page. Each has 20 KB in GitHub's answer.
const MAX: u32 = 30;

/// Which pull requests.
#[input]
#[derive(Debug)]
pub struct Pulls {
    /// The repository as owner/name, e.g. "rust-lang/cargo".
    #[schemars(length(min = 3, max = 140))]
    pub repo: String,
    /// Which of them.
    #[serde(default)]
    pub state: PullState,
    /// The most to return.
    #[schemars(range(min = 1, max = 30))]
    #[serde(default = "crate::usual::<10>")]
    pub limit: u32,
    /// Which page of so many, for the older ones.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "crate::usual::<1>")]
    pub page: u32,
}

/// The state of a pull request.
#[input]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PullState {
    /// Neither merged nor closed.
    #[default]
    Open,
    /// Merged or closed.
    Closed,
    /// Both.
    All,
}

impl PullState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
}

/// Pull requests of a repository.
#[output]
#[derive(Debug)]
pub struct PullRequests {
    /// How to read the rest.
    pub notice: &'static str,
    /// The latest changed first.
    pub pull_requests: Vec<PullRequest>,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A pull request.
#[output]
#[derive(Debug)]
pub struct PullRequest {
    /// Its number, for `post_comment`.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// The account that opened it; null if it is gone.
    pub author: Option<String>,
    /// `open`, `closed` or `merged`.
    pub state: String,
    /// It is not ready for review.
    pub draft: bool,
    /// The branch that it changes.
    pub base: String,
    /// The branch that it comes from.
    pub head: String,
    /// ISO 8601 time.
    pub created_at: String,
    /// ISO 8601 time.
    pub updated_at: String,
    /// Its page.
    pub url: String,
}

/// List the pull requests of a GitHub repository, the latest changed first: number, title, author,
/// state, branches.
///
/// Use this when the user asks what is open, waiting for review or recently merged in a repository.
/// It has no diffs and no comments.
#[tool(
    read_only,
    idempotent,
    scope = "github:read",
    title = "List pull requests",
    cache = "30s",
    cache_stale_if_error = "1h"
)]
pub async fn list_pull_requests(
    args: Pulls,
    cx: &Cx,
) -> Result<Untrusted<PullRequests>, ToolError> {
    let repo = repository(&args.repo)?;
    if !(1..=MAX).contains(&args.limit) || !(1..=100).contains(&args.page) {
        return Err(ToolError::new(format!(
            "`limit` must be from 1 to {MAX}, `page` from 1 to 100."
        )));
    }
    let github: &GitHub = cx.state()?;
    let (state, limit, page) = (args.state.as_str(), args.limit, args.page);
    let path = format!(
        "/repos/{repo}/pulls?state={state}&sort=updated&direction=desc&per_page={limit}&page={page}"
    );
    let answer = github.read(cx, &path).await?;
    if answer.status != 200 {
        return Err(github.refused(&answer, &format!("repository `{repo}`")));
    }
    let found: Vec<Pull> = github.0.json(&answer)?;
    let more = answer
        .headers
        .iter()
        .any(|(name, value)| name == "link" && value.contains("rel=\"next\""));
    let note = match (found.is_empty(), more) {
        (true, _) => Some(format!(
            "There are no {} pull requests on page {page}.",
            if state == "all" { "" } else { state }
        )),
        (false, true) => Some(format!(
            "There are older ones: call again with page {}.",
            page + 1
        )),
        (false, false) => None,
    };
    Ok(Untrusted(PullRequests {
        notice: NOTICE,
        pull_requests: found.into_iter().map(Into::into).collect(),
        note,
    }))
}

/// The part of GitHub's answer that is used.
#[derive(Deserialize)]
struct Pull {
    number: u64,
    title: String,
    user: Option<PullAuthor>,
    state: String,
    merged_at: Option<String>,
    #[serde(default)]
    draft: bool,
    base: Branch,
    head: Branch,
    created_at: String,
    updated_at: String,
    html_url: String,
}

#[derive(Deserialize)]
struct PullAuthor {
    login: String,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "ref")]
    name: String,
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        Self {
            number: pull.number,
            title: visible(&pull.title).into_owned(),
            author: pull.user.map(|account| account.login),
            state: if pull.merged_at.is_some() {
                "merged".to_owned()
            } else {
                pull.state
            },
            draft: pull.draft,
            base: pull.base.name,
            head: pull.head.name,
            created_at: pull.created_at,
            updated_at: pull.updated_at,
            url: pull.html_url,
        }
    }
}
