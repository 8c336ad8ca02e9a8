//! The step `scaffold`: every project that `cargo mcpfn new` makes, as its author meets it: formatted,
//! without a warning, its own tests pass. One of them is asked on every host, and reads a secret there.

mod api;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{
    context::Context,
    fixture::Fixture,
    process,
    report::{Counts, Error, Result, While, checked},
    sam::{self, ask},
    setup,
    wasm::target_folder,
    worker::workerd::{self, Service, What},
    workspace::{self, Profile},
};
use api::Api;

const TEMPLATES: [&str; 4] = ["tool", "database", "api-client", "upstream"];
const HOSTS: [&str; 4] = ["lambda,workers,container", "lambda", "workers", "container"];
/// The one that is asked: its tool has to read a secret first.
const ASKED: &str = "api-client";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    workspace::build(cx, &["cargo-mcpfn", "lambda-front"])?;
    let python = setup::sam_tools(cx)?;
    let out = cx.target.join("scaffold-projects");
    if out.exists() {
        fs::remove_dir_all(&out).while_doing(format_args!("empty {}", out.display()))?;
    }
    fs::create_dir_all(&out).while_doing(format_args!("create {}", out.display()))?;
    for template in TEMPLATES {
        for hosts in HOSTS {
            let what = format!("{template} on {hosts}");
            let project = new(cx, &out, template, hosts)?;
            quiet(
                cargo(cx, &project).args(["fmt", "--check"]),
                &what,
                "is formatted",
                counts,
            )?;
            let mut clippy = cargo(cx, &project);
            clippy.arg("clippy");
            // a function is built without the features of this machine
            let which = match hosts {
                "lambda" => "--no-default-features",
                _ => "--all-targets",
            };
            clippy.args([which, "--", "-D", "warnings"]);
            quiet(&mut clippy, &what, "has no warning", counts)?;
            if hosts == HOSTS[0] {
                quiet(
                    cargo(cx, &project).arg("test"),
                    &what,
                    "passes its tests",
                    counts,
                )?;
                let mut validate = sam::sam(cx, &python)?;
                validate.args(["validate", "--lint", "--region", sam::REGION, "--template"]);
                validate.arg(project.join("template.yaml"));
                quiet(&mut validate, &what, "has a valid template.yaml", counts)?;
            }
        }
    }
    asked(cx, &project_of(&out, ASKED, HOSTS[0]), counts)
}

fn project_of(out: &Path, template: &str, hosts: &str) -> PathBuf {
    out.join(format!("my-{template}-{}", hosts.replace(',', "-")))
}

/// Makes a project whose dependencies are this checkout, at the versions that are tested here.
fn new(cx: &Context, out: &Path, template: &str, hosts: &str) -> Result<PathBuf> {
    let project = project_of(out, template, hosts);
    let mut new = Command::new(workspace::program(cx, "cargo-mcpfn"));
    new.args([
        "mcpfn",
        "new",
        "--on",
        hosts,
        "--template",
        template,
        "--path",
    ]);
    process::read(new.arg(&cx.root).arg(&project))?;
    let lock = project.join("Cargo.lock");
    fs::copy(cx.root.join("Cargo.lock"), &lock)
        .while_doing(format_args!("write {}", lock.display()))?;
    Ok(project)
}

/// Cargo in a project. All share what they compile, and nothing is optimised.
fn cargo(cx: &Context, project: &Path) -> Command {
    let mut cargo = cx.cargo();
    cargo
        .current_dir(project)
        .env("CARGO_TARGET_DIR", cx.target.join("scaffold"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo
}

fn quiet(command: &mut Command, what: &str, claim: &str, counts: &mut Counts) -> Result<()> {
    checked(
        &format!("{what} {claim}"),
        process::read(command).map(drop),
        counts,
    )
}

/// Makes what the image would have, by the line of the Dockerfile that does, and starts the program
/// with the loader and the libraries in it.
fn image(project: &Path, program: &Path) -> Result<()> {
    let file = project.join("Dockerfile");
    let text = fs::read_to_string(&file).while_doing(format_args!("read {}", file.display()))?;
    let text = text.replace("\\\n", " ");
    let line = text
        .lines()
        .filter_map(|line| line.strip_prefix("RUN "))
        .find(|line| line.contains("ldd"))
        .ok_or_else(|| Error::new("the Dockerfile has no line that copies libraries"))?;
    let folder = project.join("image");
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let line = line
        .replace(
            &format!("target/release/{name}"),
            &program.display().to_string(),
        )
        .replace("/image", &folder.display().to_string());
    process::read(Command::new("sh").args(["-ec", &line]))?;
    let libraries = process::read(
        Command::new("find")
            .arg(&folder)
            .args(["-name", "*.so*", "-printf", "%p\n"]),
    )?;
    let loader = libraries
        .lines()
        .find(|path| path.contains("/ld-linux"))
        .ok_or_else(|| Error::new(format!("the image has no loader: {libraries}")))?;
    let folders: Vec<&str> = libraries
        .lines()
        .filter_map(|path| path.rsplit_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let said = process::read(
        Command::new(loader)
            .arg("--inhibit-cache")
            .args(["--library-path", &folders.join(":")])
            .arg(folder.join("server"))
            // a server that needs a setting says nothing of itself without
            .arg("--env-file")
            .arg(project.join(".env.example"))
            .arg("--version"),
    )?;
    match said.contains(name.as_ref()) {
        true => Ok(()),
        false => Err(Error::new(format!("the program of the image says {said}"))),
    }
}

/// What a function says that does not start, because a feature is not in it.
fn built_for_lambda(program: &Path, counts: &mut Counts) -> Result<()> {
    let refuses = |variables: &[(&str, &str)], name: &str| {
        let mut function = Command::new(program);
        function.env_remove("AWS_LAMBDA_RUNTIME_API");
        let output = function
            .envs(variables.iter().copied())
            .output()
            .while_doing(format_args!("start {}", program.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        match !output.status.success() && said.contains(name) {
            true => Ok(()),
            false => Err(Error::new(format!("it says {said}"))),
        }
    };
    checked(
        "built for AWS Lambda alone, it says so on this machine",
        refuses(&[], "feature `local`"),
        counts,
    )?;
    // nothing listens there: a failed start is also said in the log
    let lambda = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    checked(
        "built without tokens, it names the feature that a setting needs",
        refuses(&[lambda, ("MCPFN_AUTH", "oauth")], "add `tokens`"),
        counts,
    )
}

/// Asks one project on every host.
fn asked(cx: &Context, project: &Path, counts: &mut Counts) -> Result<()> {
    let api = Api::start()?;
    process::read(cargo(cx, project).arg("build"))?;
    let name = project.file_name().unwrap_or_default();
    let program = cx.target.join("scaffold/debug").join(name);
    checked(
        "its image has all that the program needs",
        image(project, &program),
        counts,
    )?;

    let file = project.join(".env");
    let variables = format!("API_URL={}\nAPI_KEY={}\n", api.url, api::KEY);
    fs::write(&file, variables).while_doing(format_args!("write {}", file.display()))?;
    let mut local = Command::new(&program);
    local.args(["--port", "0", "--env-file"]).arg(&file);
    let local = Fixture::start_command(&mut local)?;
    checked(
        "on this machine its tool reads a secret",
        secret(&local.url),
        counts,
    )?;
    drop(local);

    // what is deployed there is built without the host for this machine
    process::read(cargo(cx, project).args(["build", "--no-default-features"]))?;
    built_for_lambda(&program, counts)?;
    let mut front = Command::new(workspace::program(cx, "lambda-front"));
    front.args(["--port", "0", "--variable", &format!("API_URL={}", api.url)]);
    front.args(["--variable", &format!("API_KEY={}", api::KEY), "--"]);
    let front = Fixture::start_command(front.arg(&program))?;
    checked(
        "on AWS Lambda its tool reads a secret",
        secret(&front.url),
        counts,
    )?;
    drop(front);

    let tools = setup::worker_tools(cx)?;
    let mut build = tools.worker_build(cx)?;
    build
        .env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?)
        .args(["--profile", "worker", "--no-opt"])
        .arg(project);
    workspace::build_cheaply(&mut build, Profile::Worker);
    process::run(&mut build)?;
    let folder = project.join("build");
    let set = [
        ("MCPFN_AUTH", "none"),
        ("API_URL", api.url.as_str()),
        ("API_KEY", api::KEY),
    ];
    let services = [Service {
        name: "everything",
        what: What::Built(&set),
    }];
    let workerd = workerd::serve(cx, &tools, &folder, &services)?;
    let url = format!("http://127.0.0.1:{}/mcp", workerd.ports[0]);
    checked(
        "on Cloudflare Workers its tool reads a secret",
        secret(&url),
        counts,
    )
}

/// Calls the tool, whose API answers those who have the key.
fn secret(url: &str) -> Result<()> {
    let call = json!({"name": "get_item", "arguments": {"id": "a1"}});
    let (status, answer) = ask::ask(url, "tools/call", call)?;
    if answer["result"]["content"][0]["text"] == api::ANSWER {
        return Ok(());
    }
    Err(Error::new(format!(
        "status {status}; the API's answer was expected: {answer}"
    )))
}
