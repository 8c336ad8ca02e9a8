//! What `wrangler deploy` would send: built by wrangler.toml's own command, checked without an
//! account, and run by `wrangler dev` over a D1 database that `wrangler d1 migrations apply` has
//! filled. Then KV, rate limits and R2, which the fixture server asks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::workerd::TESTS;
use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Error, Result, While, count_line},
    setup::{WORKER, WorkerTools},
    wasm::target_folder,
    workspace::{self, Profile},
};

/// Files, and what the example `migration` calls their content.
const MIGRATIONS: [(&str, &str); 3] = [
    ("infra/demo.sql", "demo"),
    ("infra/migrations/0001_shop.sql", "shop"),
    ("infra/migrations/0003_words.sql", "words"),
];

/// As it was applied, and so never written again.
const DOCUMENTS_MIGRATION: &str = "infra/migrations/0002_documents.sql";

/// A handbook in several languages, and questions.
const LANGUAGES: &str = "tests/fixtures/knowledge/languages.txt";

/// Documents that the tests ask for, on D1 and on SQLite.
const DOCUMENTS: &str = "tests/worker/documents";

/// A table with more in it than a Worker has memory.
const LARGE: &str = "tests/worker/large.sql";

/// Where the commands stand that a person is told to type.
const DOCUMENT: &str = "infra/workers.md";
/// Those that make a database on this machine.
const LOCAL: [&str; 2] = [
    "wrangler d1 migrations apply DB --env=\"\" --local",
    "wrangler d1 execute DB --env=\"\" --local --file infra/demo.sql",
];
const EXECUTE: [&str; 7] = [
    "d1",
    "execute",
    "DB",
    "--env=",
    "--local",
    "--yes",
    "--persist-to",
];
/// A free account may write twice as many rows a day, entries of indexes included.
const MOST_WRITTEN: &str = "50000";

/// What was built already, as a Worker.
const BUNDLE: &str = r#"main = "index.js"
no_bundle = true
compatibility_date = "2026-10-01"
compatibility_flags = ["enable_request_signal", "global_fetch_strictly_public"]
rules = [{ type = "CompiledWasm", globs = ["**/*.wasm"] }]
"#;
/// Every toolkit that asks a database, open to anybody.
const DEPLOYED: &str = r#"
[vars]
MCPFN_AUTH = "none"
MCPFN_TOOLKITS = "hello,catalog,database,crm,inventory,sql,knowledge,contracts,files"
MCPFN_FILES_WRITABLE = "1"

[[d1_databases]]
binding = "DB"
database_name = "mcpfn"

[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
"#;
/// Tables of one's own, and what they are to the toolkit `crm`.
const MAPPED: [&str; 2] = [
    "crates/toolkits/tests/mapped/tables.sql",
    "crates/toolkits/tests/mapped/writing.json",
];
const MAPPED_SETTINGS: &str = r#"
[vars]
MCPFN_AUTH = "none"
MCPFN_TOOLKITS = "crm"
MCPFN_MAPPING = '''TEXT'''

[[d1_databases]]
binding = "DB"
database_name = "mcpfn"
"#;
/// A bucket.
const FILES: &str = r#"
[vars]
TEST_SERVER = "files"
MCPFN_AUTH = "none"

[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
"#;
/// Every store, and two callers: the hashes are of `alice-key` and `bob-key`.
const POLICED: &str = r#"
[vars]
TEST_SERVER = "policed"
MCPFN_AUTH = "api-key"
MCPFN_API_KEYS = "alice:72ee9d4355ccb9d3a4c9dbf37382e38e75c1b1a225b5bd1f729ee91bbda30c20:secrets:read;bob:9b94dc1a51a38769f135edf04033ad7f2f487b6c25929be7a861cfc1ab10cf98:other"

[[kv_namespaces]]
binding = "CACHE"
id = "results"

[[ratelimits]]
name = "RATE_2_PER_10"
namespace_id = "1002"
simple = { limit = 2, period = 10 }

[[durable_objects.bindings]]
name = "IDEMPOTENCY"
class_name = "McpfnIdempotency"

[[migrations]]
tag = "idempotency"
new_sqlite_classes = ["McpfnIdempotency"]

[[durable_objects.bindings]]
name = "TASKS"
class_name = "McpfnTasks"

[[migrations]]
tag = "tasks"
new_sqlite_classes = ["McpfnTasks"]
"#;

/// Writes the migrations from what they are made of.
pub(super) fn write_migrations(cx: &Context) -> Result<()> {
    for (file, name) in MIGRATIONS {
        let file = cx.root.join(file);
        fs::write(&file, migration(cx, name)?)
            .while_doing(format_args!("write {}", file.display()))?;
    }
    Ok(())
}

fn migration(cx: &Context, name: &str) -> Result<String> {
    process::read(Command::new(workspace::build_example(cx, "migration")?).arg(name))
}

pub(super) fn check(
    cx: &Context,
    tools: &WorkerTools,
    fixture: &Path,
    counts: &mut Counts,
) -> Result<()> {
    migrations_are_up_to_date(cx, counts)?;
    newcomer(cx, tools, counts)?;
    let state = cx.target.join("worker/state");
    let out = cx.target.join("worker/deployed");
    empty(&state)?;
    empty(&out)?;
    deploy(cx, tools, &out, &state, counts)?;
    ask(cx, tools, "deployed.mjs", &[&out, &state], counts)?;
    let stores = cx.target.join("worker/stores");
    ask(cx, tools, "stores.mjs", &[fixture, &stores], counts)?;
    queued(cx, tools, fixture, counts)?;
    let under = |name, bundle, configuration| Under {
        name,
        bundle,
        configuration,
        variables: &[],
    };
    let mapped = mapped(cx, tools)?;
    let both = [
        (under("deployed", &*out, DEPLOYED), &*state),
        (under("mapped", &*out, &mapped.0), &*mapped.1),
    ];
    under_wrangler(cx, tools, &both, counts)?;
    for (name, more) in [("policed", POLICED), ("files", FILES)] {
        let state = cx.target.join("worker").join(name);
        empty(&state)?;
        under_wrangler(cx, tools, &[(under(name, fixture, more), &state)], counts)?;
    }
    Ok(())
}

/// Events through the queue that wrangler brings.
pub(super) fn queued(
    cx: &Context,
    tools: &WorkerTools,
    fixture: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let state = cx.target.join("worker/queued");
    empty(&state)?;
    ask(cx, tools, "queued.mjs", &[fixture, &state], counts)
}

/// The settings of a Worker over tables of one's own, and a D1 database with them.
fn mapped(cx: &Context, tools: &WorkerTools) -> Result<(String, PathBuf)> {
    let state = cx.target.join("worker/mapped");
    empty(&state)?;
    let [tables, mapping] = MAPPED.map(|file| cx.root.join(file));
    let mut execute = tools.wrangler(cx)?;
    execute.args(EXECUTE).arg(&state).arg("--file").arg(tables);
    process::run(&mut execute)?;
    let mapping = fs::read_to_string(mapping).while_doing("read the mapping")?;
    Ok((MAPPED_SETTINGS.replace("TEXT", &mapping), state))
}

/// The documented commands against a stand-in for Cloudflare's API, and what the tables and the demo
/// data write to D1.
fn newcomer(cx: &Context, tools: &WorkerTools, counts: &mut Counts) -> Result<()> {
    let folder = cx.target.join("worker/newcomer");
    empty(&folder)?;
    fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
    let program = workspace::build_program(cx, "mcpfn")?;
    ask(cx, tools, "newcomer.mjs", &[&program, &folder], counts)?;
    let [demo, shop, words] = MIGRATIONS.map(|(file, _)| cx.root.join(file));
    let documents = cx.root.join(DOCUMENTS_MIGRATION);
    let files = [MOST_WRITTEN.as_ref(), &*shop, &documents, &words, &demo];
    ask(cx, tools, "written.mjs", &files, counts)
}

fn migrations_are_up_to_date(cx: &Context, counts: &mut Counts) -> Result<()> {
    for (file, name) in MIGRATIONS {
        let committed =
            fs::read_to_string(cx.root.join(file)).while_doing(format_args!("read {file}"))?;
        if committed != migration(cx, name)? {
            counts.failed += 1;
            return Err(Error::new(format!(
                "{file} is not what its tables are made of; run `cargo xtask worker --migrations`"
            )));
        }
        println!("ok the migration is up to date: {name}");
        counts.passed += 1;
    }
    Ok(())
}

/// What a deployment does, as far as it needs no account: the bundle, and a database with the
/// committed migrations and documents in it.
fn deploy(
    cx: &Context,
    tools: &WorkerTools,
    out: &Path,
    state: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let wrangler = |arguments: &[&str]| {
        let mut wrangler = tools.wrangler(cx)?;
        wrangler
            .env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?)
            .args(arguments);
        // the command is that of a deployment; the size of what it builds is not tested
        workspace::build_cheaply(&mut wrangler, Profile::Worker);
        Ok::<_, Error>(wrangler)
    };
    let mut passed = |name: &str| {
        println!("ok {name}");
        counts.passed += 1;
    };
    let dry = ["deploy", "--env=", "--dry-run", "--outdir"];
    process::run(wrangler(&dry)?.arg(out))?;
    passed("wrangler deploy --dry-run");
    for command in LOCAL {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let words: Vec<String> = words.iter().map(|word| word.replace('"', "")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        process::run(wrangler(&words)?.arg("--persist-to").arg(state))?;
        let document = fs::read_to_string(cx.root.join(DOCUMENT)).while_doing("read it")?;
        if !document.lines().any(|line| line == command) {
            return Err(Error::new(format!(
                "{DOCUMENT} has no `{command}` any more"
            )));
        }
        passed(command);
    }
    let script = cx.target.join("worker/documents.sql");
    let languages = cx.target.join("worker/languages");
    write_languages(cx, &languages)?;
    // the second time replaces what the first has put there
    for folder in [Path::new(DOCUMENTS), Path::new(DOCUMENTS), &languages] {
        process::run(
            Command::new(workspace::build_program(cx, "mcpfn")?)
                .current_dir(&cx.root)
                .arg("ingest")
                .arg(folder)
                .arg("--sql")
                .arg(&script),
        )?;
        let mut execute = wrangler(&EXECUTE)?;
        process::run(execute.arg(state).arg("--file").arg(&script))?;
    }
    let mut execute = wrangler(&EXECUTE)?;
    process::run(execute.arg(state).arg("--file").arg(cx.root.join(LARGE)))?;
    passed("wrangler d1 execute --local --file");
    Ok(())
}

/// The documents of the fixture as files.
fn write_languages(cx: &Context, folder: &Path) -> Result<()> {
    empty(folder)?;
    fs::create_dir_all(folder).while_doing(format_args!("create {}", folder.display()))?;
    let text = fs::read_to_string(cx.root.join(LANGUAGES)).while_doing("read the languages")?;
    for part in text.split("# ").filter(|part| !part.is_empty()) {
        let mut lines = part.lines();
        let language = lines.next().unwrap_or_default();
        for (line, at) in lines.zip(1..) {
            let columns: Vec<&str> = line.split(" | ").collect();
            let [title, text, _] = columns.as_slice() else {
                return Err(Error::new(format!(
                    "{LANGUAGES}: `{line}` has no three columns"
                )));
            };
            let content = format!("---\ntitle: {title}\n---\n{text}\n");
            let file = folder.join(format!("{language}-{at}.md"));
            fs::write(&file, content).while_doing(format_args!("write {}", file.display()))?;
        }
    }
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).while_doing(format_args!("empty {}", folder.display()))?;
    }
    Ok(())
}

/// A module of tests, and the Worker of the same name that they ask.
pub(super) struct Under<'a> {
    pub(super) name: &'a str,
    /// What was built.
    pub(super) bundle: &'a Path,
    /// Settings and bindings, as wrangler has them.
    pub(super) configuration: &'a str,
    /// Of the tests.
    pub(super) variables: &'a [(&'a str, &'a str)],
}

/// The tests of modules under `wrangler dev`, each with the state of its Worker.
pub(super) fn under_wrangler(
    cx: &Context,
    tools: &WorkerTools,
    workers: &[(Under<'_>, &Path)],
    counts: &mut Counts,
) -> Result<()> {
    let mut script = tools.node.command();
    script.current_dir(cx.root.join(WORKER)).arg("under.mjs");
    for (under, state) in workers {
        let Under { name, bundle, .. } = under;
        let config = bundle.join(format!("wrangler.{name}.toml"));
        let text = format!("name = \"{name}\"\n{BUNDLE}{}", under.configuration);
        fs::write(&config, text).while_doing(format_args!("write {}", config.display()))?;
        script.envs(under.variables.iter().copied());
        script.arg(name).arg(&config).arg(state);
    }
    let tests = workspace::test(cx, TESTS);
    script
        .arg("--")
        .arg(tests.get_program())
        .args(tests.get_args())
        .arg("--")
        .args(workers.iter().map(|(under, _)| format!("{}::", under.name)));
    cargo_steps::tests(&mut script, counts)
}

/// A script that starts and stops `wrangler dev` with a bundle, and asks it.
pub(super) fn ask(
    cx: &Context,
    tools: &WorkerTools,
    name: &str,
    arguments: &[&Path],
    counts: &mut Counts,
) -> Result<()> {
    let mut script = tools.node.command();
    script
        .current_dir(cx.root.join(WORKER))
        .arg(name)
        .args(arguments);
    let mut here = Counts::default();
    let result = process::run_reading(&mut script, |line| count_line(line, &mut here));
    counts.passed += here.passed;
    counts.failed += here.failed;
    result?;
    if here.passed == 0 {
        return Err(Error::new(format!(
            "tests/worker/{name} checked nothing; it must print `ok NAME` for each check"
        )));
    }
    Ok(())
}
