//! `compare`: what of a server's new version would break clients of the old one, by what both publish.
//! What a tool does behind the same schema is not seen here.

mod gap;
mod lists;
mod narrowed;
mod numbers;
mod published;
mod union;

use std::process::ExitCode;

use serde_json::json;

use crate::arguments::{CompareArguments, SchemaArguments};
use crate::output::{CliError, CliResult, remark, say};
pub(crate) use lists::{Break, breaks};
use published::{Published, Source};

/// Prints what a server publishes, or writes it into a file, for a later `compare`.
pub(crate) fn schema(arguments: &SchemaArguments) -> CliResult {
    let source = Source::of(arguments.target.as_deref(), &arguments.command)?;
    let published = read(&[source], &arguments.access)?;
    let text = published[0].text();
    match &arguments.out {
        None => say(text.trim_end()),
        Some(file) => {
            std::fs::write(file, text)
                .map_err(|error| format!("{} can't be written: {error}", file.display()))?;
            remark(format_args!("wrote {}", file.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what would break; the exit status is 1 if anything would.
pub(crate) fn run(arguments: &CompareArguments) -> CliResult {
    let sources = [&arguments.old, &arguments.new].map(|target| Source::of(Some(target), &[]));
    let [old, new] = sources;
    let published = read(&[old?, new?], &arguments.access)?;
    let found = breaks(&published[0].lists, &published[1].lists);
    if arguments.json {
        let found: Vec<_> = found.iter().map(Break::json).collect();
        say(json!({
            "old": published[0].server, "new": published[1].server,
            "ok": found.is_empty(), "breaks": found,
        }));
    } else {
        let lines = found.iter().map(|found| format!("BREAK {found}"));
        let lines = lines.collect::<Vec<_>>().join("\n");
        say(match lines.as_str() {
            "" => "nothing that clients of the old version use has gone or got narrower",
            lines => lines,
        });
    }
    Ok(if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(sources: &[Source], access: &crate::arguments::Access) -> CliResult<Vec<Published>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let read = runtime.block_on(async {
        let mut published = Vec::new();
        for source in sources {
            published.push(Published::read(source, access).await?);
        }
        Ok::<_, CliError>(published)
    });
    runtime.shutdown_background();
    read
}
