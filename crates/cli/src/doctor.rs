//! `doctor`: what a person would check in an hour about a server, or a project, with what to change.
//! Each fault has a code, so that a script can tell them apart.

mod access;
mod browser;
mod finding;
mod issuer;
mod probe;
mod project;
mod server;
mod token;
mod tools;

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::arguments::DoctorArguments;
use crate::output::{CliError, CliResult, say};
use finding::{Report, Severity};
use probe::Probe;

pub(crate) fn run(arguments: &DoctorArguments) -> CliResult {
    let mut report = Report::default();
    if Path::new(&arguments.target).is_dir() {
        project::check(Path::new(&arguments.target), &mut report);
    } else {
        let probe = Probe::new(&arguments.target, &arguments.access).map_err(|error| {
            if arguments.target.contains("://") {
                return error;
            }
            let target = arguments.target.escape_debug();
            let folder = format!("`{target}` is no folder of a project, and no URL: give one");
            CliError(format!(
                "{folder} such as https://mcp.example.com/mcp, or . for this folder"
            ))
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("the runtime can't start: {error}"))?;
        runtime.block_on(examine(&probe, arguments, &mut report));
    }
    if arguments.json {
        say(json!({
            "target": arguments.target,
            "ok": !report.has(Severity::Error),
            "facts": report.facts,
            "findings": report.findings.iter().map(finding::Finding::json).collect::<Vec<_>>(),
        }));
    } else {
        say(report.text(&arguments.target));
    }
    Ok(if report.has(Severity::Error) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The faults of a project that keep it from being deployed, in sentences.
pub(crate) fn project_faults(folder: &Path) -> Vec<String> {
    let mut report = Report::default();
    project::check(folder, &mut report);
    let faults = report.findings.into_iter();
    faults
        .filter(|finding| finding.level == Severity::Error)
        .map(|finding| format!("{}: {}", finding.what, finding.fix))
        .collect()
}

/// Asks a server everything, in the order in which a later question needs an earlier answer.
async fn examine(probe: &Probe, arguments: &DoctorArguments, report: &mut Report) {
    token::check(probe, report);
    let Some(met) = server::check(probe, report).await else {
        return;
    };
    if met.refused {
        access::check(probe, &met.first, report).await;
    } else {
        tools::check(probe, &met, report).await;
        browser::check_strangers(probe, report).await;
    }
    for origin in &arguments.origin {
        browser::check(probe, origin, report).await;
    }
}
