//! The commands of `cargo lambda` that infra/README.md tells people to type, as they stand there:
//! `watch` and `invoke` for the deployable server and for a server of one's own, `deploy` as far as
//! it prints what it would do. Builds in release mode are the step `sam`'s, except for the other
//! processor, which is tried here where Rust has its library.

use std::{
    env::consts::ARCH,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::running::{Running, free_address};
use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While, checked},
    setup::LambdaTools,
    workspace::{self, Profile},
};

const DOCUMENT: &str = "infra/README.md";
const EVENT: &str = "infra/list-tools.json";
const ARM64: &str = "aarch64-unknown-linux-gnu";
const BUILD_ARM64: &str = "build --release --arm64";
/// Two programs: how each is built, watched, invoked and deployed, and a tool that it has.
const PROGRAMS: [Program; 2] = [
    Program {
        name: "mcpfn",
        build: "build --package mcpfn-server --bin mcpfn --features lambda",
        watch: "watch --package mcpfn-server --bin mcpfn --features lambda --env-var MCPFN_AUTH=none",
        invoke: "invoke mcpfn --data-file infra/list-tools.json",
        deploy: "deploy mcpfn --dry --enable-function-url --memory 256 --timeout 30 --env-file \
                 function.env",
        tool: "search_products",
    },
    Program {
        name: "own",
        build: "build",
        watch: "watch --env-var MCPFN_AUTH=none",
        invoke: "invoke --data-file list-tools.json",
        deploy: "deploy --dry --enable-function-url --memory 256 --env-file function.env",
        tool: "hello",
    },
];

struct Program {
    name: &'static str,
    build: &'static str,
    watch: &'static str,
    invoke: &'static str,
    deploy: &'static str,
    tool: &'static str,
}

pub(super) fn run(
    cx: &Context,
    tools: &LambdaTools,
    out: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let document =
        fs::read_to_string(cx.root.join(DOCUMENT)).while_doing(format_args!("read {DOCUMENT}"))?;
    for program in &PROGRAMS {
        for command in [program.watch, program.invoke, program.deploy] {
            let line = format!("cargo lambda {command}");
            if !document.lines().any(|found| found == line) {
                return Err(Error::new(format!("{DOCUMENT} has no `{line}` any more")));
            }
        }
        let folder = if program.name == "own" {
            own(cx, &document, out)?
        } else {
            cx.root.clone()
        };
        program.run(cx, tools, &folder, out, counts)?;
        if program.name == "own" {
            other_processor(cx, tools, &folder, &document, counts)?;
        }
    }
    Ok(())
}

/// The build for arm64 from another processor: zig links it, which came with cargo-lambda.
fn other_processor(
    cx: &Context,
    tools: &LambdaTools,
    folder: &Path,
    document: &str,
    counts: &mut Counts,
) -> Result<()> {
    let library = ["--print", "target-libdir", "--target", ARM64];
    let library = process::read(cx.rustc().args(library))?;
    if ARCH == "aarch64" || !Path::new(library.trim()).is_dir() {
        println!("arm64 is not built from here: there is no library for {ARM64} on this machine");
        return Ok(());
    }
    if !document
        .lines()
        .any(|line| line == format!("cargo lambda {BUILD_ARM64}"))
    {
        return Err(Error::new(format!(
            "{DOCUMENT} does not say {BUILD_ARM64} any more"
        )));
    }
    let mut build = command(cx, tools, folder, BUILD_ARM64);
    // what is installed is known here, also where rustup is not
    build.arg("--skip-target-check");
    workspace::build_cheaply(&mut build, Profile::Release);
    process::run(&mut build)?;
    let bootstrap = cx.target.join("lambda/own/bootstrap");
    let head = fs::read(&bootstrap).while_doing(format_args!("read {}", bootstrap.display()))?;
    // ELF, and the number of AArch64 among processors
    let right = head.starts_with(b"\x7fELF") && head.get(18) == Some(&0xb7);
    let wrong = || {
        Err(Error::new(format!(
            "{} is not for arm64",
            bootstrap.display()
        )))
    };
    checked(
        "cargo lambda build for arm64 from another processor",
        if right { Ok(()) } else { wrong() },
        counts,
    )
}

impl Program {
    fn run(
        &self,
        cx: &Context,
        tools: &LambdaTools,
        folder: &Path,
        out: &Path,
        counts: &mut Counts,
    ) -> Result<()> {
        // the same build as that of `watch`, which has a limit on its time
        let mut build = cx.cargo();
        build
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", &cx.target)
            .args(self.build.split(' '));
        process::run(&mut build)?;
        let answered = self.invoked(cx, tools, folder, out).and_then(|answer| {
            if answer.contains(&format!("\\\"{}\\\"", self.tool)) {
                Ok(())
            } else {
                Err(Error::new(format!("no {} in {answer}", self.tool)))
            }
        });
        checked(
            &format!("cargo lambda watch and invoke: {}", self.name),
            answered,
            counts,
        )?;
        let printed = self.deployed(cx, tools, folder, out);
        checked(
            &format!("cargo lambda deploy --dry: {}", self.name),
            printed,
            counts,
        )
    }

    /// What the function answers.
    fn invoked(
        &self,
        cx: &Context,
        tools: &LambdaTools,
        folder: &Path,
        out: &Path,
    ) -> Result<String> {
        let address = free_address()?;
        let port = address.port().to_string();
        let here = ["--invoke-address", "127.0.0.1", "--invoke-port", &port];
        let mut watch = command(cx, tools, folder, self.watch);
        watch.args(["--ignore-changes"]).args(here);
        let watch = Running::start(&mut watch, out, &format!("watch-{}", self.name))?;
        watch.listens(address)?;
        process::read(command(cx, tools, folder, self.invoke).args(here))
    }

    /// What a deployment would do, in numbers.
    fn deployed(&self, cx: &Context, tools: &LambdaTools, folder: &Path, out: &Path) -> Result<()> {
        let lambda = out.join("deploy");
        let built = lambda.join(self.name);
        fs::create_dir_all(&built).while_doing(format_args!("create {}", built.display()))?;
        // where `cargo lambda build` would have left it
        let program = cx.target.join("debug").join(self.name);
        fs::copy(&program, built.join("bootstrap"))
            .while_doing(format_args!("copy {}", program.display()))?;
        let variables = out.join("function.env");
        fs::write(&variables, "MCPFN_AUTH=api-key\n").while_doing("write function.env")?;
        let line = self
            .deploy
            .replace("function.env", &variables.display().to_string());
        let mut deploy = command(cx, tools, folder, &line);
        deploy
            .args(["--output-format", "json", "--lambda-dir"])
            .arg(&lambda);
        let said = process::read(&mut deploy)?;
        let json = said.find('{').map_or("", |start| &said[start..]);
        let plan: Value = serde_json::from_str(json)
            .map_err(|error| Error::new(format!("{error} in what it printed: {said}")))?;
        let config = &plan["config"];
        let right = plan["name"] == self.name
            && plan["files"] == serde_json::json!(["bootstrap"])
            && config["enable_function_url"] == true
            && config["memory"] == 256
            && config["runtime"] == "provided.al2023";
        if right {
            Ok(())
        } else {
            Err(Error::new(format!("it would do something else: {plan}")))
        }
    }
}

/// A command of the document, in a folder, without an account.
fn command(cx: &Context, tools: &LambdaTools, folder: &Path, line: &str) -> Command {
    let mut command = Command::new(&tools.cargo_lambda);
    command
        .current_dir(folder)
        .arg("lambda")
        .args(line.split(' '))
        .env("CARGO_TARGET_DIR", &cx.target)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A server of one's own: the source of the README, and the manifest of the document.
fn own(cx: &Context, document: &str, out: &Path) -> Result<PathBuf> {
    let folder = out.join("own");
    fs::create_dir_all(folder.join("src"))
        .while_doing(format_args!("create {}", folder.display()))?;
    let block = |text: &str, start: &str| -> Result<String> {
        let block = text
            .split_once(start)
            .and_then(|(_, rest)| rest.split_once("```"));
        block.map(|(block, _)| block.to_owned()).ok_or_else(|| {
            Error::new(format!(
                "the block that begins with `{}` is gone",
                start.trim()
            ))
        })
    };
    let readme = fs::read_to_string(cx.root.join("README.md")).while_doing("read README.md")?;
    let source = block(&readme, "```rust\n")?;
    let settings = block(document, "```toml\n[features]\n")?;
    let mcpfn = format!("mcpfn = {{ path = {:?}, ", cx.root.join("crates/mcpfn"));
    let settings = settings.replace("mcpfn = { version = \"0.1\", ", &mcpfn);
    let manifest = format!(
        "[package]\nname = \"own\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [features]\n{settings}"
    );
    let write = |file: &str, text: &str| {
        fs::write(folder.join(file), text).while_doing(format_args!("write {file}"))
    };
    write("Cargo.toml", &manifest)?;
    write("src/main.rs", &source)?;
    for (from, to) in [("Cargo.lock", "Cargo.lock"), (EVENT, "list-tools.json")] {
        fs::copy(cx.root.join(from), folder.join(to)).while_doing(format_args!("copy {from}"))?;
    }
    Ok(folder)
}
