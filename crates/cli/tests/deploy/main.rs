//! `cargo mcpfn build` and `deploy` with tools that only say what they were asked: what is missing is said
//! before anything is done, and then the right commands run in the right order.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A project, and a folder of tools that is all of PATH.
struct Workshop(PathBuf);

impl Workshop {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mcpfn-deploy-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).expect("a folder");
        let workshop = Self(folder);
        let made = workshop.run_in(&workshop.0, &["new", "weather"], &[]);
        assert!(made.status.success(), "{}", text(&made));
        workshop
    }

    /// A tool that writes down its arguments, and says something.
    fn tool(&self, name: &str, says: &str) {
        let file = self.0.join("bin").join(name);
        let log = self.0.join("log");
        let script = format!(
            "#!/bin/sh\necho \"{name} $*\" >> '{}'\ncase \"$*\" in {says} esac\n",
            log.display()
        );
        fs::write(&file, script).expect("a tool");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a tool that runs");
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.run_in(&self.0.join("weather"), arguments, variables)
    }

    fn run_in(&self, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
        command
            .arg("mcpfn")
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", self.0.join("bin"))
            .env("HOME", &self.0)
            .envs(variables.iter().copied());
        command.output().expect("the command starts")
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    out + &String::from_utf8_lossy(&output.stderr)
}

/// The programs that printed configuration starts.
fn programs(said: &str, name: &str) -> Vec<Value> {
    let content = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("    ")?).ok());
    let members = content.filter_map(|content| {
        let roots = ["mcpServers", "servers", "context_servers"];
        let found = roots.iter().find_map(|root| content.get(*root)?.get(name));
        found.cloned()
    });
    members
        .filter(|member| member.get("command").is_some())
        .collect()
}

/// The command of a program, whose arguments this one takes.
fn accepted(program: &Value) -> String {
    let words = program["args"].as_array().expect("words").iter();
    let words: Vec<&str> = words.map(|word| word.as_str().expect("a word")).collect();
    let help = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"))
        .args(&words)
        .arg("--help")
        .output()
        .expect("it starts");
    assert!(help.status.success(), "{}", text(&help));
    format!(
        "{} {}",
        program["command"].as_str().unwrap_or_default(),
        words.join(" ")
    )
}

const OUTPUTS: &str = "list*) echo '[{\"OutputKey\": \"Url\", \"OutputValue\": \
    \"https://x.lambda-url.eu-west-1.on.aws/mcp\"}]';;";
const DEPLOYED: &str =
    "*deploy*) echo 'Deployed weather'; echo '  https://weather.me.workers.dev';;";

#[test]
fn all_that_is_missing_is_said_at_once() {
    let workshop = Workshop::new("missing");
    let output = workshop.run(&["deploy", "lambda"], &[]);
    let said = text(&output);
    assert!(!output.status.success());
    for part in [
        "`sam` is not on PATH",
        "`cargo-lambda` is not",
        "no credentials of AWS",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = text(&workshop.run(&["deploy", "workers"], &[]));
    for part in [
        "`worker-build` is not on PATH",
        "neither `wrangler` nor `npx`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let elsewhere = workshop.run_in(&workshop.0, &["build", "lambda"], &[]);
    assert!(text(&elsewhere).contains("there is no template.yaml here"));
    assert!(workshop.log().is_empty(), "nothing was begun");
}

#[test]
fn lambda_is_built_deployed_and_found() {
    let workshop = Workshop::new("lambda");
    workshop.tool("sam", OUTPUTS);
    workshop.tool("cargo-lambda", "");
    let arguments = ["deploy", "lambda", "--", "--no-confirm-changeset"];
    let output = workshop.run(&arguments, &[("AWS_PROFILE", "me")]);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(
        workshop.log(),
        [
            "sam build",
            "sam deploy --no-confirm-changeset",
            "sam list stack-outputs --stack-name weather --output json",
        ]
    );
    assert!(
        said.contains("$ sam deploy --no-confirm-changeset"),
        "{said}"
    );
    let connect = "cargo-mcpfn connect https://x.lambda-url.eu-west-1.on.aws/mcp --sigv4";
    let added = format!("claude mcp add --scope user --transport stdio weather -- {connect}\n");
    assert!(said.contains(&added), "{said}");
    let started = programs(&said, "weather");
    assert!(started.len() >= 7, "{said}");
    for program in started {
        assert_eq!(accepted(&program), connect);
    }
}

#[test]
fn a_worker_is_deployed_and_found() {
    let workshop = Workshop::new("workers");
    workshop.tool("worker-build", "");
    workshop.tool("npx", DEPLOYED);
    // a library for wasm32 that is there
    let library = format!("*target-libdir*) echo '{}';;", workshop.0.display());
    workshop.tool("rustc", &library);
    let said = text(&workshop.run(&["deploy", "workers"], &[]));
    assert_eq!(
        workshop.log().last().map(String::as_str),
        Some("npx wrangler@4 deploy")
    );
    assert!(
        said.contains("serving at https://weather.me.workers.dev/mcp"),
        "{said}"
    );
    let url = "https://weather.me.workers.dev/mcp";
    let added = format!(
        "claude mcp add --scope user --transport http weather {url} --header 'X-API-Key: \
         YOUR_KEY'\n"
    );
    assert!(said.contains(&added), "{said}");
    let started = programs(&said, "weather");
    assert_eq!(started.len(), 1, "the others take a URL");
    assert_eq!(
        accepted(&started[0]),
        format!("cargo-mcpfn connect {url} --header X-API-Key: ${{WEATHER_API_KEY}}")
    );
    assert_eq!(started[0]["env"]["WEATHER_API_KEY"], "YOUR_KEY");
    // and one that is not
    workshop.tool("rustc", "*target-libdir*) echo /no/such/folder;;");
    let said = text(&workshop.run(&["build", "workers"], &[]));
    assert!(said.contains("rustup target add"), "{said}");
}

#[test]
fn a_fault_of_the_project_stops_its_deployment() {
    let workshop = Workshop::new("fault");
    workshop.tool("sam", OUTPUTS);
    workshop.tool("cargo-lambda", "");
    let file = workshop.0.join("weather/template.yaml");
    let template = fs::read_to_string(&file).expect("a template");
    fs::write(&file, template.replace("MCPFN_AUTH: iam", "OTHER: iam")).expect("a fault");
    let output = workshop.run(&["deploy", "lambda"], &[("AWS_PROFILE", "me")]);
    assert!(
        text(&output).contains("does not set MCPFN_AUTH"),
        "{}",
        text(&output)
    );
    assert!(workshop.log().is_empty() && !output.status.success());
}

#[test]
fn a_tool_that_fails_ends_it() {
    let workshop = Workshop::new("fails");
    workshop.tool("sam", "build*) exit 3;;");
    workshop.tool("cargo-lambda", "");
    let output = workshop.run(&["deploy", "lambda"], &[("AWS_PROFILE", "me")]);
    assert!(
        text(&output).contains("`sam build` failed"),
        "{}",
        text(&output)
    );
    assert_eq!(workshop.log(), ["sam build"]);
}

#[test]
fn an_image_is_built_once_all_of_it_is_there() {
    let workshop = Workshop::new("container");
    let arguments = ["new", "image", "--on", "container"];
    let made = workshop.run_in(&workshop.0, &arguments, &[]);
    let said = text(&made);
    assert!(said.contains("cargo mcpfn build container"), "{said}");
    let project = workshop.0.join("image");
    let build = |more: &[&str]| {
        let arguments = [&["build", "container"], more].concat();
        text(&workshop.run_in(&project, &arguments, &[]))
    };
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("a manifest");
    let outside = format!("{manifest}\n[dependencies.near]\npath = \"../near\"\n");
    fs::write(project.join("Cargo.toml"), outside).expect("a manifest");
    let said = build(&[]);
    for part in [
        "neither `docker` nor `podman`",
        "there is no Cargo.lock",
        "the dependency `near` in Cargo.toml is a path outside",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    fs::write(project.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(project.join("Cargo.lock"), "").expect("a lock");
    workshop.tool("podman", "");
    let said = build(&["--", "--no-cache"]);
    let built = "podman build --tag image --no-cache .";
    assert_eq!(workshop.log(), [built], "{said}");
    let said = text(&workshop.run_in(&project, &["deploy", "container"], &[]));
    assert!(said.contains("deployed by its platform"), "{said}");
}
