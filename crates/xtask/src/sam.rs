//! The step `sam`: template.yaml under every linter that finds something the others miss, and the
//! bootstrap that `sam build` makes of it, asked through a function URL on this machine. Nothing is
//! deployed and no account is needed.

pub(crate) mod ask;

use std::{
    env::consts::{ARCH, OS},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{
    cargo_steps,
    context::Context,
    fixture::Fixture,
    process,
    report::{Counts, Error, Result, While, checked},
    setup::{self, Python},
    workspace::{self, Profile},
};

const TEMPLATE: &str = "template.yaml";
const EXPAND: &str = include_str!("sam/expand.py");
/// Any region will do, but without one `sam validate` always fails.
pub(crate) const REGION: &str = "eu-west-1";
const CALLER: &str = "arn:aws:iam::123456789012:user/alice";

/// Parameters with which the template is expanded: the transform resolves some of them. What their
/// other values make of it is the business of the test below.
const EXPANSIONS: &[(&str, &[&str])] = &[
    ("as it is", &[]),
    (
        "for anyone",
        &["AuthType=NONE", "Auth=none", "Architecture=x86_64"],
    ),
    ("with a canary", &["Canary=true"]),
    ("with tasks", &["Tasks=on"]),
    ("with events", &["Events=on"]),
    ("with events of tables", &["Events=on", "ToolkitEvents=on"]),
];
/// What is held against every combination of parameters: tests/lambda/tests/template.
const TEST: &str = "template";
/// The program that was built, with the environment that the template makes.
const BOOTSTRAP: &str = "bootstrap";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let python = setup::sam_tools(cx)?;
    let out = cx.target.join("sam");
    fs::create_dir_all(&out).while_doing(format_args!("create {}", out.display()))?;
    lint(cx, &python, &out, counts)?;
    let bootstrap = build(cx, &python, &out)?;
    checked("sam build makes the bootstrap", Ok(()), counts)?;
    if OS != "linux" {
        println!("the bootstrap is a program for Linux and is not run on {OS}");
        return Ok(());
    }
    let mut tests = workspace::test(cx, BOOTSTRAP);
    cargo_steps::tests(tests.env("MCPFN_TEST_BOOTSTRAP", &bootstrap), counts)?;
    behind_a_function_url(cx, &bootstrap, &out, counts)
}

fn lint(cx: &Context, python: &Python, out: &Path, counts: &mut Counts) -> Result<()> {
    let quiet = |command: &mut Command| process::read(command).map(|_| ());
    checked(
        "sam validate",
        quiet(sam(cx, python)?.args(["validate", "--region", REGION, "--template", TEMPLATE])),
        counts,
    )?;
    checked(
        "sam validate --lint",
        quiet(sam(cx, python)?.args([
            "validate",
            "--lint",
            "--region",
            REGION,
            "--template",
            TEMPLATE,
        ])),
        counts,
    )?;
    checked(
        "cfn-lint on the template",
        cfn_lint(cx, python, TEMPLATE.as_ref()),
        counts,
    )?;
    for (name, parameters) in EXPANSIONS {
        let expanded = expanded(cx, python, parameters)?;
        let file = out.join("expanded.json");
        fs::write(&file, expanded).while_doing(format_args!("write {}", file.display()))?;
        checked(
            &format!("cfn-lint on what AWS makes of the template, {name}"),
            cfn_lint(cx, python, &file),
            counts,
        )?;
        let mut tests = workspace::test(cx, TEST);
        cargo_steps::tests(tests.env("MCPFN_TEST_TEMPLATE", &file), counts)?;
    }
    Ok(())
}

fn expanded(cx: &Context, python: &Python, parameters: &[&str]) -> Result<String> {
    process::read(
        python
            .program(EXPAND)
            .arg(TEMPLATE)
            .args(parameters)
            .current_dir(&cx.root)
            .env("AWS_DEFAULT_REGION", REGION),
    )
}

fn cfn_lint(cx: &Context, python: &Python, file: &Path) -> Result<()> {
    // W2001: the expansion has resolved some parameters, which are then not used. The others are
    // those that the template itself ignores, which an argument takes the place of
    let ignored: &[&str] = if file.ends_with(TEMPLATE) {
        &[]
    } else {
        &["--ignore-checks", "W2001", "W1030", "W3011"]
    };
    // a package that can't be started as a module
    let mut command =
        python.program("import sys; from cfnlint.runner import main; sys.exit(main())");
    command
        .current_dir(&cx.root)
        .args(["--regions", REGION, "--template"])
        .arg(file)
        .args(ignored);
    process::read(&mut command).map(|_| ())
}

/// Builds as a deployment does, except for this machine's own processor: for the other one a
/// standard library may be missing.
fn build(cx: &Context, python: &Python, out: &Path) -> Result<PathBuf> {
    let architecture = if ARCH == "aarch64" { "arm64" } else { "x86_64" };
    let folder = out.join("build");
    let mut build = sam(cx, python)?;
    build
        .args([
            "build",
            "--region",
            REGION,
            "--template",
            TEMPLATE,
            "--build-dir",
        ])
        .arg(&folder);
    build.args([
        "--parameter-overrides",
        &format!("Architecture={architecture}"),
    ]);
    build.env("CARGO_TARGET_DIR", &cx.target);
    // the command line and the features are those of a deployment; its optimisation is not tested
    workspace::build_cheaply(&mut build, Profile::Release);
    // cargo-lambda would have rustup download what is missing; a test fetches no toolchain
    build.env(
        "RUSTUP_DIST_SERVER",
        "https://toolchains-are-not-downloaded.invalid",
    );
    process::run(&mut build)?;
    Ok(folder.join("Function/bootstrap"))
}

fn behind_a_function_url(
    cx: &Context,
    bootstrap: &Path,
    out: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let program = workspace::build_program(cx, "lambda-front")?;
    // a new folder, because a cold start makes its database, too
    let data = out.join("data");
    if data.exists() {
        fs::remove_dir_all(&data).while_doing(format_args!("empty {}", data.display()))?;
    }
    let mut signed = Fixture::start_command(&mut front(
        &program,
        &["--caller", CALLER],
        bootstrap,
        &data,
    ))?;
    checked(
        "a signed call finds headphones in the shop",
        headphones(&signed.url),
        counts,
    )?;
    // the clients of AWS's own proxy sign; who they are then is the platform's word
    let mut proxied = setup::aws_proxy(cx)?.script(&cx.root.join("tests/lambda/signed.py"));
    proxied.args([&signed.url, "hello_world", "Hello, world!"]);
    let said = process::read(&mut proxied);
    checked(
        "mcp-proxy-for-aws signs for its clients, and a wrong signature is refused",
        said.map(|said| print!("{said}")),
        counts,
    )?;
    if process::find("curl").is_some() {
        let said = process::read(
            Command::new("sh")
                .arg(cx.root.join("infra/smoke.sh"))
                .arg(&signed.url),
        );
        checked("infra/smoke.sh is content", said.map(|_| ()), counts)?;
    } else {
        println!("infra/smoke.sh is not tried: it needs curl, which was not found");
    }
    signed.still_runs()?;

    let mut unsigned = Fixture::start_command(&mut front(&program, &[], bootstrap, &data))?;
    let refused = ask::ask(&unsigned.url, "tools/list", json!({})).and_then(|(status, answer)| {
        if status == 403 {
            Ok(())
        } else {
            Err(Error::new(format!("status {status}: {answer}")))
        }
    });
    checked(
        "a call that IAM did not recognise is refused",
        refused,
        counts,
    )?;
    unsigned.still_runs()
}

/// The front before the bootstrap, with what template.yaml sets, and a secret of the form that it
/// generates.
fn front(program: &Path, caller: &[&str], bootstrap: &Path, data: &Path) -> Command {
    let mut front = Command::new(program);
    front
        .args(["--port", "0"])
        .args(caller)
        .arg("--")
        .arg(bootstrap);
    front
        .env("MCPFN_AUTH", "iam")
        .env("MCPFN_DEFAULT_SCOPES", "*")
        .env("MCPFN_RATE_LIMIT", "none")
        .env("MCPFN_LAMBDA_MODE", "stream")
        .env("MCPFN_TOOLKITS", "hello,catalog,database")
        .env("MCPFN_STATE_KEY", format!("{}A=", "aB3xY9".repeat(7)))
        .env("MCPFN_DATA_DIR", data);
    front
}

fn headphones(url: &str) -> Result<()> {
    let search = json!({"name": "search_products", "arguments": {"query": "headphones"}});
    let (status, answer) = ask::ask(url, "tools/call", search)?;
    let found = answer["result"]["structuredContent"]["products"]
        .as_array()
        .is_some_and(|products| !products.is_empty());
    if found {
        Ok(())
    } else {
        Err(Error::new(format!(
            "status {status}, and no products: {answer}"
        )))
    }
}

pub(crate) fn sam(cx: &Context, python: &Python) -> Result<Command> {
    let mut sam = python.module("samcli")?;
    sam.current_dir(&cx.root).env("SAM_CLI_TELEMETRY", "0");
    Ok(sam)
}
