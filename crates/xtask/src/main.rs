//! `cargo xtask`: the one list of commands of this repository. It starts other tools and counts
//! what they report; it is not a library, is never published, and holds no rule of the protocol.

mod bench;
mod book;
mod browser;
mod cargo_steps;
mod clients;
mod conformance;
mod context;
mod deny;
mod embeddings;
mod fast;
mod fixture;
mod lambda;
mod load;
mod machines;
mod mutants;
mod package;
mod postgres;
mod process;
mod processor;
mod report;
mod sam;
mod scaffold;
mod setup;
mod steps;
mod stores;
mod wasm;
mod worker;
mod workspace;

use std::{env, process::ExitCode};

use context::Context;
use report::{Error, Result};
use steps::{Step, run_all, run_one};

const HELP: &str = "\
cargo xtask <command>

  test          everything below from fmt to scaffold, in this order; stops at the first step that
                fails
                  --fast          while you work, within a minute once it is built: fmt, clippy of
                                  the packages that differ from main, unit tests of core and http,
                                  and every fixture through them in one process
  lint          fmt, then clippy

  fmt           formatting is what `cargo fmt` would write
  clippy        no warning from clippy in any target of the workspace
  unit          unit, integration and documentation tests
  docs          documentation builds without a warning
  deny          licences, banned crates and sources of the dependencies; advisories when the
                database is reachable
  wasm          core and http build for wasm32-unknown-unknown, import nothing, and answer under
                Node
  stores        the shared stores against DynamoDB emulators and Redis, and what a call costs when
                one is down; two processes over one Redis; files on S3
                  --service NAME  only dynamodb, postgres, redis or s3
  embeddings    recall of the knowledge base by words, vectors and both, with a real embedding
                model served on loopback
  postgres      the driver and the toolkits against a PostgreSQL server of this run's own
  machines      nginx and Caddy in front of the local host as infra configures them, what the image
                runs, and the manifests against the schemas of Kubernetes
  conformance   the official MCP suite against the fixture server, three protocol revisions
                  --host HOST     which host serves the fixtures: local, axum, balanced (two behind
                                  nginx), lambda or worker; `test` asks all but balanced
                  --keep          keep the suite's results after a run that passed
  clients       the clients of the official SDKs for TypeScript (1.x and 2.x) and Python, of FastMCP and
                of the Inspector's command line, against the fixture server, over HTTP, stdio and
                `cargo mcpfn connect`; servers of these SDKs behind the deployable one
  browser       the page for browsers, by keyboard and mouse in headless Chromium
                  --write         make what is served of it anew from its sources
  lambda        the Lambda bootstrap under cargo lambda watch, with the same clients, and the
                official runtime interface emulator
  sam           template.yaml under its linters, and what `sam build` makes of it behind a function
                URL on this machine
  worker        the fixtures and the clients through workerd, and what wrangler would deploy, with
                D1
                  --test NAME     only the tests in workerd whose names have NAME in them
                  --hyperdrive    only the toolkits over PostgreSQL
                  --migrations    write infra/migrations from the demo shop and the tables of
                                  documents

  scaffold      what `cargo mcpfn new` makes, for each template and host: without a warning, tested, and
                one of them asked on this machine, behind a function URL and in workerd

  package       every published crate, in order, packed and built from its package alone; nothing is
                sent. Before a release: `test` leaves it out, because it compiles everything anew

  bench --part PART [-- ARGUMENTS]
                benchmarks of one part: core, http, lambda, scale, stores, toolkits, vectors or
                workers; the arguments go to the benchmark
  bench --check [-- PART..]
                figures that are the same on every machine, with those that are committed: instructions,
                and sizes of functions and Workers; fails on more than 2 %. PART is one-tool,
                instructions, table, toolkits or workers
                --write         take them as the new figures

  load          instances behind nginx, with Redis between them: a rolling restart under calls, one
                that is killed, calls a second, many connections, and mixed calls for a while
                  --part NAME     only restart, connections, rates or mixed
                  --minutes N     of mixed calls; 3 when not set
                  --rate N        at most so many mixed calls a second, beside other work
                  --release       built as it is deployed, for figures

  mutants       code that decides who may do what, changed in small ways that a test must notice;
                takes hours
                  --group NAME    only auth, policies, guard or events
                  --shard K/N     only the K-th of N parts, counted from 0

  book          the guide in docs as a book, in target/book/html

  setup         fetch everything the steps above need; quick when nothing is missing
  help          this text

Tools go to $MCPFN_TOOLS, or else to mcpfn-tools in the user's cache folder. A step fetches what it
needs by itself. The last line of every step that counts something is `N passed, N failed`. Beside
the time stands the processor time of what was started, where /proc tells it; nothing fails for
taking too much.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    if matches!(command, "help" | "--help" | "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match start(command, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: &str, rest: &[String]) -> Result<()> {
    let cx = Context::find()?;
    match command {
        "test" => match rest {
            [option] if option == "--fast" => run_all(&cx, fast::STEPS),
            _ => no_arguments(command, rest).and_then(|()| run_all(&cx, STEPS)),
        },
        "lint" => no_arguments(command, rest).and_then(|()| run_all(&cx, &STEPS[..2])),
        "setup" => no_arguments(command, rest).and_then(|()| setup::everything(&cx)),
        "bench" => bench::run(&cx, rest),
        "browser" => {
            let options = browser::Options::parse(rest)?;
            run_one(|counts| browser::start(&cx, options, counts))
        }
        "package" => {
            no_arguments(command, rest)?;
            run_one(|counts| package::run(&cx, counts))
        }
        "book" => {
            no_arguments(command, rest)?;
            run_one(|counts| book::run(&cx, counts))
        }
        "worker" => {
            let options = worker::Options::parse(rest)?;
            run_one(|counts| worker::start(&cx, &options, counts))
        }
        "stores" => {
            let options = stores::Options::parse(rest)?;
            run_one(|counts| stores::run(&cx, options, counts))
        }
        "conformance" => {
            let options = conformance::Options::parse(rest)?;
            run_one(|counts| conformance::run(&cx, &options, counts))
        }
        "load" => {
            let options = load::Options::parse(rest)?;
            run_one(|counts| load::run(&cx, &options, counts))
        }
        "mutants" => {
            let options = mutants::Options::parse(rest)?;
            run_one(|counts| mutants::run(&cx, &options, counts))
        }
        _ => {
            let step = STEPS
                .iter()
                .find(|step| step.name == command)
                .ok_or_else(|| {
                    Error::new(format!(
                        "there is no command `{command}`; `cargo xtask help` lists them"
                    ))
                })?;
            no_arguments(command, rest)?;
            run_one(|counts| (step.run)(&cx, counts))
        }
    }
}

/// The steps of `test`. The order is by price: what fails in a second is asked before what fails in
/// a minute.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        run: cargo_steps::fmt,
    },
    Step {
        name: "clippy",
        run: cargo_steps::clippy,
    },
    Step {
        name: "unit",
        run: cargo_steps::unit,
    },
    Step {
        name: "docs",
        run: cargo_steps::docs,
    },
    Step {
        name: "deny",
        run: deny::run,
    },
    Step {
        name: "wasm",
        run: wasm::run,
    },
    Step {
        name: "stores",
        run: stores::step,
    },
    Step {
        name: "embeddings",
        run: embeddings::run,
    },
    Step {
        name: "postgres",
        run: postgres::run,
    },
    Step {
        name: "machines",
        run: machines::run,
    },
    Step {
        name: "conformance",
        run: conformance::step,
    },
    Step {
        name: "clients",
        run: clients::run,
    },
    Step {
        name: "browser",
        run: browser::run,
    },
    Step {
        name: "lambda",
        run: lambda::run,
    },
    Step {
        name: "sam",
        run: sam::run,
    },
    Step {
        name: "worker",
        run: worker::run,
    },
    Step {
        name: "scaffold",
        run: scaffold::run,
    },
];

fn no_arguments(command: &str, rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(first) => Err(Error::new(format!(
            "`{command}` takes no arguments, but was given `{first}`; see `cargo xtask help`"
        ))),
    }
}
