//! What an operator decides about single tools, by their names: their time, and how long their
//! results are kept. Checked against what is registered, when the server is built.

use std::time::Duration;

use crate::policy::Cache;
use crate::text;
use crate::tool::Tool;

/// What an operator decides about one tool, in place of what its author declared.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::host::{ToolChange, ToolSetting};
/// use mcpfn_core::{NoArguments, Server, Tool};
///
/// let tick = Tool::new("tick").description("Ticks.").handler(|_: NoArguments| async { "tick" });
/// let slower = ToolSetting {
///     source: "TIMEOUTS".into(),
///     tool: "tik".into(),
///     change: ToolChange::Timeout(Duration::from_secs(9)),
/// };
/// let error = Server::builder("clock", "1.0.0").tool(tick).tool_settings([slower]).build().unwrap_err();
/// assert!(error.mistakes[0].starts_with("TIMEOUTS: there is no tool `tik`; did you mean `tick`?"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSetting {
    /// Where the operator said so, for mistakes: the name of a setting.
    pub source: String,
    /// The tool's name.
    pub tool: String,
    /// What is to be different.
    pub change: ToolChange,
}

/// What is to be different about a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChange {
    /// How long a call may take.
    Timeout(Duration),
    /// How long results are kept; `None` for not at all. Of reads only.
    Cache(Option<Duration>),
}

/// Makes the changes; what can't be made is a mistake.
pub(super) fn apply(tools: &mut [Tool], settings: Vec<ToolSetting>, mistakes: &mut Vec<String>) {
    for ToolSetting {
        source,
        tool: name,
        change,
    } in settings
    {
        let is = |tool: &&mut Tool| tool.name == name || tool.old_names.contains(&name);
        let Some(tool) = tools.iter_mut().find(is) else {
            let known = tools.iter().map(|tool| tool.name.as_str());
            let hint = text::nearest(&name, known).map_or_else(
                || ".".to_owned(),
                |hint| format!("; did you mean `{hint}`?"),
            );
            mistakes.push(format!(
                "{source}: there is no tool {}{hint} Name a tool of this server, or remove the \
                 entry",
                text::quoted(&name)
            ));
            continue;
        };
        match change {
            ToolChange::Timeout(time) => tool.timeout = time,
            ToolChange::Cache(None) => tool.cache = Cache::default(),
            ToolChange::Cache(Some(_)) if tool.annotations.read_only_hint != Some(true) => {
                mistakes.push(format!(
                    "{source}: `{name}` may write, and a kept result would skip a write: remove \
                     the entry; only tools that read can be cached"
                ));
            }
            ToolChange::Cache(Some(fresh)) => tool.cache.fresh = fresh,
        }
    }
}
