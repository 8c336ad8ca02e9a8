//! Repositories on GitHub: pull requests and files to read; issues and comments to write, if there
//! is a token. Nothing else is changed, and nothing is deleted.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_GITHUB_TOKEN` | a token; without one only public repositories can be read, and nothing written |
//! | `MCPFN_GITHUB_URL` | another address than `https://api.github.com`, such as `https://HOST/api/v3` |

mod file;
mod pulls;
mod write;

use mcpfn_core::{Builder, Cx, ServiceFault, ToolError, port::HttpRequest, text};
use serde::Deserialize;

use crate::api::{ApiAnswer, ApiClient};
use mcpfn_ports::Secret;

use crate::config::Config;

pub use file::{DirectoryEntry, FileContents, RepositoryFile, get_file_contents};
pub use pulls::{PullRequest, PullRequests, PullState, Pulls, list_pull_requests};
pub use write::{Comment, CreatedItem, Issue, create_issue, post_comment};

const TOKEN: &str = "MCPFN_GITHUB_TOKEN";
const URL: &str = "https://api.github.com";

pub(crate) struct GitHub(ApiClient);

/// Adds `list_pull_requests` and `get_file_contents`, over the API at `url` (without a slash at its
/// end); with a token also `create_issue` and `post_comment`.
pub fn toolkit(builder: Builder, url: impl Into<String>, token: Option<Secret>) -> Builder {
    let may_write = token.is_some();
    let api = ApiClient {
        name: "GitHub",
        base: url.into(),
        key: token,
        key_variable: TOKEN,
        max_body: 4 * 1024 * 1024,
    };
    let builder = builder
        .state(GitHub(api))
        .tool(list_pull_requests)
        .tool(get_file_contents)
        .advice(
            ["list_pull_requests", "get_file_contents"],
            "For GitHub use `list_pull_requests` and `get_file_contents`.",
        )
        .advice(
            ["create_issue", "post_comment"],
            "Call `create_issue` and `post_comment` only with a text that the user has seen.",
        );
    if may_write {
        builder.tool(create_issue).tool(post_comment)
    } else {
        builder
    }
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let token = config.secret(TOKEN);
    let url = config.url_for("MCPFN_GITHUB_URL", URL, TOKEN);
    toolkit(builder, url, token)
}

fn signed(api: &ApiClient, request: HttpRequest) -> HttpRequest {
    let request = request.header("x-github-api-version", "2022-11-28");
    match &api.key {
        Some(token) => request.header("authorization", format!("Bearer {}", token.expose())),
        None => request,
    }
}

impl GitHub {
    /// The JSON at a path, if it is there. A repository that was renamed is followed, once and only
    /// on the same server.
    async fn read(&self, cx: &Cx, path: &str) -> Result<ApiAnswer, ToolError> {
        let Self(api) = self;
        let api = &*api.ready(cx).await?;
        let answer = api.read(cx, signed(api, api.get(path))).await?;
        let moved = answer
            .headers
            .iter()
            .find(|(name, _)| name == "location")
            .map(|(_, to)| to.as_str());
        match moved
            .and_then(|to| to.strip_prefix(api.base.as_str()))
            .filter(|path| path.starts_with('/'))
        {
            Some(path) if matches!(answer.status, 301 | 302 | 307) => {
                api.read(cx, signed(api, api.get(path))).await
            }
            _ => Ok(answer),
        }
    }

    /// What a refusal means. `what` was asked for, such as "the pull requests of `a/b`".
    fn refused(&self, answer: &ApiAnswer, what: &str) -> ToolError {
        let sentence = match answer.status {
            // GitHub does not tell what is private from what does not exist
            404 => {
                return ToolError::not_found(format!(
                    "There is no {what}, or this server may not see it. Check the names."
                ));
            }
            422 => {
                let said = serde_json::from_str::<GithubRefusal>(&answer.body).unwrap_or_default();
                return ToolError::new(format!(
                    "GitHub did not take it: {}. Change the arguments.",
                    text::quoted(&said.message)
                ));
            }
            403 => format!("This server may not access {what}: GitHub refuses its token."),
            410 => format!("The {what} can't be had any more: gone, or switched off."),
            _ => return self.0.unexpected(answer),
        };
        let error = ToolError::new(sentence).with_cause(format!(
            "status {}: {}",
            answer.status,
            text::quoted(&answer.body)
        ));
        match answer.status {
            403 => error.with_fault(ServiceFault::Credentials),
            _ => error,
        }
    }
}

#[derive(Deserialize, Default)]
struct GithubRefusal {
    #[serde(default)]
    message: String,
}

/// `owner/name` as the beginning of a path, if GitHub could have such a repository.
fn repository(repo: &str) -> Result<&str, ToolError> {
    let repo = repo.trim();
    let legal = |text: &str, more: &[u8], most: usize| {
        (1..=most).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match repo.split_once('/') {
        Some((owner, name))
            if legal(owner, b"-_", 39)
                && legal(name, b"-_.", 100)
                && name != "."
                && name != ".." =>
        {
            Ok(repo)
        }
        _ => Err(ToolError::new(format!(
            "{} is not a repository. Write it as owner/name, e.g. \"rust-lang/cargo\".",
            text::quoted(repo)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_repositories() {
        for repo in ["rust-lang/cargo", " a/b ", "a_b/c.d-e_f"] {
            assert_eq!(repository(repo).unwrap(), repo.trim());
        }
        for repo in [
            "",
            "cargo",
            "a/b/c",
            "/b",
            "a/",
            "a/..",
            "a/.",
            "../a",
            "a/b?x",
            "a/b#x",
            "a b/c",
            "https://github.com/a/b",
            "a/%2e%2e",
            "ä/b",
        ] {
            assert!(repository(repo).is_err(), "{repo}");
        }
    }
}
