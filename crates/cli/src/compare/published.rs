//! What a server publishes: asked from it, or read from a file that was made so. Everything that a
//! caller sees, so both sides of a comparison need the same rights.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::arguments::{Access, InspectArguments};
use crate::inspect::{InspectSession, LISTS, list};
use crate::output::{CliError, CliResult};

/// The largest file that is read, in bytes: some ten thousand tools.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Where it comes from.
pub(super) enum Source {
    File(PathBuf),
    Url(String),
    Program(Vec<String>),
}

impl Source {
    /// A URL, a file that ends in `.json`, or a program with its arguments behind commas; or a
    /// program by an option of its own.
    pub(super) fn of(target: Option<&str>, command: &[String]) -> CliResult<Self> {
        match target {
            None if command.is_empty() => Err(
                "name a server: a URL, a file of `cargo mcpfn schema`, or a program, such as \
                 target/debug/weather,--stdio"
                    .into(),
            ),
            None => Ok(Self::Program(command.to_vec())),
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Url(url.to_owned()))
            }
            Some(file) if Path::new(file).extension().is_some_and(|end| end == "json") => {
                Ok(Self::File(file.into()))
            }
            Some(program) => Ok(Self::Program(
                program.split(',').map(str::to_owned).collect(),
            )),
        }
    }
}

/// What was published.
pub(super) struct Published {
    /// Name and version, for people.
    pub(super) server: Value,
    /// The four lists by their members' names.
    pub(super) lists: Map<String, Value>,
}

/// How long each list may take, as `inspect` has it when not told otherwise.
const ANSWER_SECONDS: u64 = 60;

impl Published {
    pub(super) async fn read(source: &Source, access: &Access) -> CliResult<Self> {
        let (url, command) = match source {
            Source::File(file) => return Self::of_file(file),
            Source::Url(url) => (Some(url.clone()), Vec::new()),
            Source::Program(program) => (None, program.clone()),
        };
        let arguments = InspectArguments {
            url,
            access: access.clone(),
            command,
            timeout_seconds: ANSWER_SECONDS,
            question: None,
        };
        let mut session = InspectSession::open(&arguments).await?;
        let mut lists = Map::new();
        for (_, method, member) in LISTS {
            let mut items = list(&mut session, method, member).await?;
            items.sort_by_key(|item| name(item).to_owned());
            lists.insert(member.to_owned(), items.into());
        }
        let server = session.server.clone();
        session.close().await;
        Ok(Self { server, lists })
    }

    fn of_file(file: &Path) -> CliResult<Self> {
        let unusable = |why: String| CliError(format!("{}: {why}", file.display()));
        let size = std::fs::metadata(file).map_err(|error| unusable(error.to_string()))?;
        if size.len() > MAX_FILE {
            return Err(unusable(format!("larger than {MAX_FILE} bytes")));
        }
        let text = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let read: Value = serde_json::from_slice(&text)
            .map_err(|error| unusable(format!("not JSON: {error}")))?;
        match read {
            Value::Object(mut lists) if lists.get("tools").is_some_and(Value::is_array) => {
                let server = lists.remove("server").unwrap_or_default();
                Ok(Self { server, lists })
            }
            _ => Err(unusable(
                "not a file of `cargo mcpfn schema --out FILE`: it has no list `tools`".to_owned(),
            )),
        }
    }

    /// As a file has it.
    pub(super) fn text(&self) -> String {
        let mut all = json!({ "server": self.server });
        if let Some(members) = all.as_object_mut() {
            members.extend(self.lists.clone());
        }
        let text = serde_json::to_string_pretty(&all).unwrap_or_default();
        text + "\n"
    }
}

/// By what a client names an item.
pub(super) fn name(item: &Value) -> &str {
    let members = ["uriTemplate", "uri", "name"];
    let mut found = members.iter().filter_map(|member| item[member].as_str());
    found.next().unwrap_or_default()
}
