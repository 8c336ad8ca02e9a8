//! The step `conformance`: the official suite against the fixture server. The suite decides what
//! passes; here its results are read and counted. No failure is expected.

mod results;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    context::Context,
    fixture::{self, Fixture},
    load::Cluster,
    process,
    report::{Counts, Error, Result, While, flush},
    setup::{self, CONFORMANCE, Node},
    stores::Table,
    worker, workspace,
};
use results::Tally;

/// What the suite asks for, and a server has only where its operator says so.
const SUBSCRIPTIONS: (&str, &str) = ("MCPFN_SUBSCRIPTIONS", "poll");

/// Scenarios of extensions that every host serves, by how their names begin: they count beside those
/// that the suite requires.
const EXTENSIONS: &[&str] = &["tasks-", "sep-2640-"];

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance";

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    keep: bool,
    host: Host,
}

/// Which host serves the fixtures.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Host {
    #[default]
    Local,
    /// A router of axum, below a path of its own.
    Axum,
    /// Two instances behind nginx, by turns and with Redis between them.
    Balanced,
    /// The bootstrap of AWS Lambda, behind a front that turns HTTP into function URL events.
    Lambda,
    /// A Worker in workerd.
    Worker,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match argument {
                "--keep" => options.keep = true,
                "--host" => match arguments.next() {
                    Some("local") => options.host = Host::Local,
                    Some("axum") => options.host = Host::Axum,
                    Some("balanced") => options.host = Host::Balanced,
                    Some("lambda") => options.host = Host::Lambda,
                    Some("worker") => options.host = Host::Worker,
                    _ => {
                        return Err(Error::new(
                            "say which host serves the fixtures: `--host local`, `--host axum`, \
                             `--host balanced`, `--host lambda` or `--host worker`",
                        ));
                    }
                },
                other => {
                    return Err(Error::new(format!(
                        "`conformance` does not know `{other}`; see `cargo xtask help`"
                    )));
                }
            }
        }
        Ok(options)
    }
}

/// One run of the suite, of which nothing may fail.
struct Run {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The revision whose frozen list says which scenarios count; all do where there is none.
    required: Option<&'static str>,
}

const RUNS: &[Run] = &[
    Run {
        name: "2026-07-28-required",
        arguments: &["--requirements", "2026-07-28"],
        required: Some("2026-07-28"),
    },
    Run {
        name: "2026-07-28-all",
        arguments: &["--suite", "all", "--spec-version", "2026-07-28"],
        required: None,
    },
    Run {
        name: "2025-11-25-required",
        arguments: &["--requirements", "2025-11-25"],
        required: Some("2025-11-25"),
    },
    Run {
        name: "2025-06-18-all",
        arguments: &["--suite", "all", "--spec-version", "2025-06-18"],
        required: None,
    },
];

/// The suite through every host that is built.
pub(crate) fn step(cx: &Context, counts: &mut Counts) -> Result<()> {
    for host in [Host::Local, Host::Axum, Host::Lambda, Host::Worker] {
        run(
            cx,
            &Options {
                host,
                ..Options::default()
            },
            counts,
        )?;
    }
    Ok(())
}

pub(crate) fn run(cx: &Context, options: &Options, counts: &mut Counts) -> Result<()> {
    let node = setup::node(cx)?;
    setup::node_packages(cx, &node, CONFORMANCE)?;
    let mut server = match options.host {
        Host::Balanced => return balanced(cx, &node, options, counts),
        Host::Local => {
            let mut server = Command::new(fixture::build(cx)?);
            server
                .args(["--port", "0"])
                .env(SUBSCRIPTIONS.0, SUBSCRIPTIONS.1);
            Fixture::start_command(&mut server)?
        }
        Host::Axum => Fixture::start(&workspace::build_program(cx, "everything-axum")?)?,
        Host::Lambda => return lambda(cx, &node, options, counts),
        Host::Worker => worker::subscribed(cx)?.process,
    };
    let url = server.url.clone();
    suite(cx, &node, &url, options, counts, || server.still_runs())
}

/// Environments of a function, which take turns and share a table.
fn lambda(cx: &Context, node: &Node, options: &Options, counts: &mut Counts) -> Result<()> {
    let table = Table::start(cx)?;
    let mut front = Command::new(build_lambda(cx)?);
    front.args(["--port", "0", "--tasks", "everything-tasks"]);
    let (name, value) = SUBSCRIPTIONS;
    front.args(["--variable", &format!("{name}={value}")]);
    for (name, value) in table.variables() {
        front.args(["--variable", &format!("{name}={value}")]);
    }
    let mut server = Fixture::start_command(&mut front)?;
    let url = server.url.clone();
    suite(cx, node, &url, options, counts, || server.still_runs())
}

/// The whole suite through a balancer: no call needs the instance that had the one before it.
fn balanced(cx: &Context, node: &Node, options: &Options, counts: &mut Counts) -> Result<()> {
    let program = fixture::build(cx)?;
    let (nginx, redis) = match (setup::nginx(cx), setup::redis(cx)) {
        (Ok(nginx), Ok(redis)) => (nginx, redis),
        (Err(why), _) | (_, Err(why)) => {
            println!("SKIPPED: {why}");
            return Ok(());
        }
    };
    let mut cluster = Cluster::start(cx, &program, &nginx, Some(&redis), 2)?;
    let url = format!("http://{}/mcp", cluster.address);
    suite(cx, node, &url, options, counts, || cluster.still_runs())
}

/// Every run of the suite against a URL.
fn suite(
    cx: &Context,
    node: &Node,
    url: &str,
    options: &Options,
    counts: &mut Counts,
    mut still_runs: impl FnMut() -> Result<()>,
) -> Result<()> {
    let results = cx.target.join("conformance");
    if results.exists() {
        fs::remove_dir_all(&results).while_doing(format_args!("empty {}", results.display()))?;
    }

    let mut failed = Vec::new();
    for run in RUNS {
        if !one_run(cx, node, run, url, &results, counts)? {
            failed.push(run.name);
        }
        still_runs()?;
    }
    if !failed.is_empty() {
        return Err(Error::new(format!(
            "the suite is not content with: {}; everything it saw is in {}",
            failed.join(", "),
            results.display()
        )));
    }
    if options.keep {
        println!("results: {}", results.display());
    } else {
        fs::remove_dir_all(&results).while_doing(format_args!("remove {}", results.display()))?;
    }
    Ok(())
}

/// Builds the front and, beside it, the bootstrap that it starts. The front takes the fixture
/// server's place.
fn build_lambda(cx: &Context) -> Result<PathBuf> {
    workspace::build(cx, &["lambda-front", "everything-lambda"])?;
    Ok(workspace::program(cx, "lambda-front"))
}

/// Runs the suite once and says whether it was content.
fn one_run(
    cx: &Context,
    node: &Node,
    run: &Run,
    url: &str,
    results: &Path,
    counts: &mut Counts,
) -> Result<bool> {
    let place = cx.root.join(CONFORMANCE);
    let output = results.join(run.name);
    fs::create_dir_all(&output).while_doing(format_args!("create {}", output.display()))?;

    let mut suite = node.command();
    suite
        .current_dir(&place)
        .arg(format!("{SUITE}/dist/index.js"))
        .args(["server", "--url", url])
        .args(run.arguments);
    suite.arg("--output-dir").arg(&output);
    let verdict = process::read(&mut suite);

    let required = run.required.map(|revision| required(&place, revision));
    let scenarios = results::read(&output)?;
    let tally = Tally::of(&scenarios, required.transpose()?.as_deref(), EXTENSIONS);
    println!("{:<20} {tally}", run.name);
    counts.passed += tally.checks.passed;
    counts.failed += tally.checks.failed;

    if tally.scenarios_run() == 0 {
        let said = verdict
            .err()
            .map_or_else(String::new, |error| format!(" {error}"));
        return Err(Error::new(format!(
            "the suite ran no scenario for {}.{said}",
            run.name
        )));
    }
    let content = verdict.is_ok() && tally.checks.failed == 0;
    if !content {
        complain(&tally, verdict.err(), &output, counts)?;
    }
    flush();
    Ok(content)
}

/// The scenarios that the suite requires of a revision.
fn required(place: &Path, revision: &str) -> Result<Vec<String>> {
    let file = place
        .join(SUITE)
        .join(format!("requirements/{revision}.yaml"));
    let text = fs::read_to_string(&file).while_doing(format_args!("read {}", file.display()))?;
    Ok(results::required_scenarios(&text))
}

/// Prints what the suite is not content with, and keeps its own words.
fn complain(
    tally: &Tally,
    verdict: Option<Error>,
    output: &Path,
    counts: &mut Counts,
) -> Result<()> {
    for line in &tally.failures {
        println!("  {line}");
    }
    let Some(error) = verdict else { return Ok(()) };
    // Its list of scenarios repeats what was printed above; what follows the totals is said nowhere
    // else.
    let said = error.to_string();
    let closing = said
        .split_once("\nTotal: ")
        .map_or(said.as_str(), |(_, after)| after);
    println!("  the suite's own words: {}", closing.trim_matches('\n'));
    fs::write(output.join("suite.log"), &said).while_doing("write the suite's log")?;
    // It may be unhappy about something that is no failed check, such as an entry that passes by
    // now.
    if tally.checks.failed == 0 {
        counts.failed += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> std::result::Result<Options, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Options::parse(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn hosts_are_known_by_name() {
        let local = |keep| {
            Ok(Options {
                keep,
                host: Host::Local,
            })
        };
        assert_eq!(options(&["--host", "local", "--keep"]), local(true));
        assert_eq!(options(&[]), local(false));
        assert_eq!(options(&["--host", "axum"]).unwrap().host, Host::Axum);
        let lambda = options(&["--host", "lambda"]).unwrap();
        assert_eq!(lambda.host, Host::Lambda);
        assert_eq!(options(&["--host", "worker"]).unwrap().host, Host::Worker);
        assert!(
            options(&["--host", "moon"])
                .unwrap_err()
                .contains("--host local")
        );
        assert!(options(&["--host"]).unwrap_err().contains("--host local"));
        assert!(options(&["--hots"]).unwrap_err().contains("`--hots`"));
    }
}
