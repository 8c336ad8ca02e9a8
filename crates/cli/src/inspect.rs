//! `inspect`: what a server has, and calls to it, from a terminal. Over HTTP, or to a program over stdio.

mod session;
mod shown;

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::arguments::{InspectArguments, Question};
use crate::output::{CliError, CliResult, say};
pub(crate) use session::InspectSession;

pub(crate) fn run(arguments: &InspectArguments) -> CliResult {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let done = runtime.block_on(async {
        let mut session = InspectSession::open(arguments).await?;
        let done = ask(&mut session, arguments.question.as_ref()).await;
        session.close().await;
        done
    });
    runtime.shutdown_background();
    done
}

async fn ask(session: &mut InspectSession, question: Option<&Question>) -> CliResult {
    match question {
        None => {
            say(shown::server(&session.server));
            for (title, method, member) in LISTS {
                let items = list(session, method, member).await?;
                if !items.is_empty() {
                    say(shown::list(title, &items));
                }
            }
        }
        Some(Question::Tools) => say(full(&list(session, "tools/list", "tools").await?)),
        Some(Question::Call { name, arguments }) => {
            let params = json!({"name": name, "arguments": object(arguments)?});
            let result = session.request("tools/call", params).await?;
            say(shown::result(&result));
            if result["isError"] == true {
                return Ok(ExitCode::FAILURE);
            }
        }
        Some(Question::Read { uri }) => {
            let result = session
                .request("resources/read", json!({"uri": uri}))
                .await?;
            say(shown::result(&result));
        }
        Some(Question::Prompt { name, arguments }) => {
            let params = json!({"name": name, "arguments": object(arguments)?});
            let result = session.request("prompts/get", params).await?;
            say(full(std::slice::from_ref(&result["messages"])));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Titles of the lists, their methods, and the members with their items.
pub(crate) const LISTS: [(&str, &str, &str); 4] = [
    ("tools", "tools/list", "tools"),
    ("resources", "resources/list", "resources"),
    (
        "resource templates",
        "resources/templates/list",
        "resourceTemplates",
    ),
    ("prompts", "prompts/list", "prompts"),
];

/// Every item of every page. A server without such things has none.
pub(crate) async fn list(
    session: &mut InspectSession,
    method: &str,
    member: &str,
) -> Result<Vec<Value>, CliError> {
    let (mut items, mut params) = (Vec::new(), json!({}));
    // a server that never comes to an end is not read for ever
    for _ in 0..1000 {
        let mut page = match session.request(method, params).await {
            Ok(page) => page,
            Err(failure) if failure.0.contains("-32601") => return Ok(items),
            Err(failure) => return Err(failure),
        };
        if let Value::Array(more) = page[member].take() {
            items.extend(more);
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return Ok(items),
        }
    }
    Err(format!("{method} has more than 1000 pages").into())
}

pub(crate) fn object(text: &str) -> Result<Value, CliError> {
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            "the arguments are no JSON object; write one such as '{\"query\":\"headphones\"}'"
                .into()
        })
}

fn full(items: &[Value]) -> String {
    let text = |item| serde_json::to_string_pretty(item).unwrap_or_default();
    items.iter().map(text).collect::<Vec<_>>().join("\n")
}
