//! `cargo mcpfn publish --dry-run` and `bundle` of projects on disk, against the published schema and
//! the archive that comes out.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../schemas/server.2025-12-11.json");
const MANIFEST: &str = r#"
[package]
name = "weather"
version = "1.4.0"
edition = "2024"
description = "Forecasts."
repository = "https://github.com/ada/weather"
homepage = "https://weather.example.com"
license = "MIT"
authors = ["Ada <ada@example.com>"]

[workspace]
"#;

/// A folder that is gone afterwards.
struct Project(PathBuf);

impl Project {
    fn new(manifest: &str) -> Self {
        static PROJECTS: AtomicUsize = AtomicUsize::new(0);
        let number = PROJECTS.fetch_add(1, Ordering::SeqCst);
        let name = format!("mcpfn-released-{}-{number}", std::process::id());
        let project = Self(std::env::temp_dir().join(name));
        project.write("Cargo.toml", manifest);
        project.write("src/main.rs", "fn main() {}");
        project
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
        program.args(["mcpfn", command]).args(arguments);
        program
            .current_dir(&self.0)
            .output()
            .expect("the command starts")
    }

    /// The entry, which the schema takes.
    fn entry(&self, arguments: &[&str]) -> Value {
        let arguments = [&["--dry-run"], arguments].concat();
        let output = self.run("publish", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains("nothing was sent"), "{said}");
        let entry: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
        let schema: Value = serde_json::from_str(SCHEMA).expect("a schema");
        let schema = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .build(&schema)
            .expect("the schema can be used as it is");
        let faults: Vec<String> = schema
            .iter_errors(&entry)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:?} in {entry}");
        entry
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_entry_is_made_of_the_project_and_its_settings() {
    let project = Project::new(MANIFEST);
    project.write(
        "wrangler.toml",
        "[vars]\nMCPFN_AUTH = \"api-key\"\nMCPFN_PUBLIC_URL = \"https://mcp.example.com/mcp\"\n",
    );
    let header = json!({"name": "X-API-Key", "description": "Key of this server",
        "isRequired": true, "isSecret": true});
    assert_eq!(
        project.entry(&[]),
        json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": "io.github.ada/weather",
            "description": "Forecasts.",
            "version": "1.4.0",
            "websiteUrl": "https://weather.example.com",
            "repository": {"url": "https://github.com/ada/weather", "source": "github"},
            "remotes": [{"type": "streamable-http", "url": "https://mcp.example.com/mcp",
                "headers": [header]}],
        })
    );
    assert!(!project.0.join("server.json").exists());
}

#[test]
fn options_come_before_the_project() {
    let project = Project::new(MANIFEST);
    project.write("README.md", "# Weather\n\nmcp-name: com.example/weather\n");
    project.write("weather.mcpb", "a bundle");
    let entry = project.entry(&[
        "--name",
        "com.example",
        "--title",
        "Weather",
        "--description",
        "What the sky does.",
        "--url",
        "https://a.example/mcp",
        "--url",
        "https://b.example/mcp",
        "--key-header",
        "Authorization=Bearer and a key",
        "--bundle",
        "weather.mcpb",
        "--bundle-url",
        "https://github.com/ada/weather/releases/download/v1.4.0/weather.mcpb",
        "--oci",
        "ghcr.io/ada/weather:1.4.0",
        "--crate",
    ]);
    assert_eq!(entry["name"], "com.example/weather");
    assert_eq!(entry["remotes"][1]["headers"][0]["name"], "Authorization");
    let packages = entry["packages"].as_array().expect("packages");
    let kinds: Vec<&Value> = packages.iter().map(|it| &it["registryType"]).collect();
    assert_eq!(kinds, ["mcpb", "oci", "cargo"]);
    // printf 'a bundle' | sha256sum
    assert_eq!(
        packages[0]["fileSha256"],
        "cd98c950d629c66548537b4ecd68dab3e8cf59974ba6e40df5a1a7354b39db5f"
    );
}

#[test]
fn what_the_registry_would_refuse_is_said_before_anything_is_sent() {
    let url = ["--url", "https://mcp.example.com/mcp"];
    let long = "x".repeat(101);
    let plain = MANIFEST.replace("repository", "documentation");
    let silent = MANIFEST.replace("description", "readme");
    for (manifest, arguments, named) in [
        (MANIFEST, vec![], "--url URL"),
        (
            MANIFEST,
            vec!["--url", "http://mcp.example.com/mcp"],
            "everybody on the way",
        ),
        (
            MANIFEST,
            vec!["--url", "http://127.0.0.1:8787/mcp"],
            "can't be reached by others",
        ),
        (
            MANIFEST,
            vec!["--url", "https://10.0.0.1/mcp"],
            "can't be reached by others",
        ),
        (
            MANIFEST,
            vec![url[0], url[1], "--description", &long],
            "/description",
        ),
        (MANIFEST, vec![url[0], url[1], "--title", ""], "/title"),
        (
            MANIFEST,
            vec![url[0], url[1], "--name", "weather"],
            "com.example/weather",
        ),
        (
            MANIFEST,
            vec![url[0], url[1], "--name", "com.example/a b"],
            "/name",
        ),
        (
            MANIFEST,
            vec![url[0], url[1], "--website", "weather"],
            "can't be asked",
        ),
        (&plain, url.to_vec(), "--name com.example/weather"),
        (&silent, url.to_vec(), "--description"),
        (MANIFEST, vec!["--crate"], "mcp-name: io.github.ada/weather"),
        (MANIFEST, vec!["--oci", "ghcr.io/ada/weather"], "a tag"),
        (
            MANIFEST,
            vec!["--oci", "ghcr.io/ada/weather:latest"],
            "a tag",
        ),
        (
            MANIFEST,
            vec![
                "--bundle",
                "Cargo.toml",
                "--bundle-url",
                "https://a.example/mcp.mcpb",
            ],
            "github.com",
        ),
    ] {
        let project = Project::new(manifest);
        // a mark in a comment is none
        project.write("README.md", "<!-- mcp-name: io.github.ada/weather -->");
        let output = project.run("publish", &[&["--dry-run"], &arguments[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_entry_of_somebody_else_is_not_replaced() {
    let project = Project::new(MANIFEST);
    let written = r#"{"name": "com.example/other"}"#;
    project.write("server.json", written);
    // in the place of the program that sends
    project.write("bin/mcp-publisher", "#!/bin/sh\necho \"sent $@\"\n");
    let publisher = project.0.join("bin/mcp-publisher");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&publisher, std::fs::Permissions::from_mode(0o755))
            .expect("rights");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", project.0.join("bin").display());
    let publish = || {
        Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"))
            .args(["mcpfn", "publish", "--url", "https://mcp.example.com/mcp"])
            .current_dir(&project.0)
            .env("PATH", &path)
            .output()
            .expect("the command starts")
    };
    let output = publish();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is of another server"), "{said}");
    let kept = std::fs::read_to_string(project.0.join("server.json")).expect("a file");
    assert_eq!(kept, written);
    std::fs::remove_file(project.0.join("server.json")).expect("a file");
    for _ in 0..2 {
        let output = publish();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("sent publish"), "{output:?}");
    }
}

fn unpacked(path: &Path) -> Vec<(String, Option<u32>, Vec<u8>)> {
    let file = std::fs::File::open(path).expect("a bundle");
    let mut archive = zip::ZipArchive::new(file).expect("an archive");
    let read = |index| {
        let mut entry = archive.by_index(index).expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        let name = entry.name().expect("a name").into_owned();
        (name, entry.unix_mode(), bytes)
    };
    (0..2).map(read).collect()
}

#[test]
fn a_bundle_has_the_program_and_asks_for_its_variables() {
    let project = Project::new(MANIFEST);
    project.write(
        ".env.example",
        "# for development\nCITY=Oslo\nAPI_KEY=key\n# OTHER=x\nnot a line\n",
    );
    let program: String = (0..9_999).map(|line| format!("{line}\n")).collect();
    project.write("program", &program);
    let arguments = [
        "--binary",
        "linux=program",
        "--ask",
        "UNITS",
        "-o",
        "a.mcpb",
    ];
    let output = project.run("bundle", &arguments);
    assert!(output.status.success(), "{output:?}");
    let entries = unpacked(&project.0.join("a.mcpb"));
    let (name, mode, bytes) = &entries[1];
    assert_eq!(name, "server/linux/weather");
    assert_eq!(mode.map(|mode| mode & 0o777), Some(0o755));
    assert!(bytes == program.as_bytes());
    assert_eq!(entries[0].0, "manifest.json");
    let manifest: Value = serde_json::from_slice(&entries[0].2).expect("JSON");
    let asked = |name: &str, secret: bool, value: Option<&str>| {
        let mut asked = json!({"type": "string", "title": name, "sensitive": secret,
            "description": format!("The variable {name} of this server"), "required": value.is_none()});
        if let Some(value) = value {
            asked["default"] = json!(value);
        }
        asked
    };
    assert_eq!(
        manifest,
        json!({
            "manifest_version": "0.3", "name": "weather", "version": "1.4.0",
            "description": "Forecasts.",
            "author": {"name": "Ada", "email": "ada@example.com"},
            "repository": {"type": "git", "url": "https://github.com/ada/weather"},
            "homepage": "https://weather.example.com", "license": "MIT",
            "server": {"type": "binary", "entry_point": "server/linux/weather", "mcp_config": {
                "command": "${__dirname}/server/linux/weather", "args": ["--stdio"],
                "env": {"CITY": "${user_config.city}", "API_KEY": "${user_config.api_key}",
                    "UNITS": "${user_config.units}"},
            }},
            "user_config": {"city": asked("CITY", false, Some("Oslo")),
                "api_key": asked("API_KEY", true, None), "units": asked("UNITS", false, None)},
            "tools_generated": true, "prompts_generated": true,
            "compatibility": {"platforms": ["linux"]},
        })
    );
    // the same again is the same
    let first = std::fs::read(project.0.join("a.mcpb")).expect("a bundle");
    project.run("bundle", &arguments);
    assert!(first == std::fs::read(project.0.join("a.mcpb")).expect("a bundle"));
}

#[test]
fn what_a_bundle_lacks_is_said() {
    let nobody = MANIFEST.replace("authors", "keywords");
    for (manifest, arguments, named) in [
        (&nobody[..], vec!["--binary", "Cargo.toml"], "--author"),
        (MANIFEST, vec!["--binary", "gone"], "gone"),
        (
            MANIFEST,
            vec!["--binary", "amiga=Cargo.toml"],
            "darwin, win32 or linux",
        ),
        (
            MANIFEST,
            vec![
                "--binary",
                "linux=Cargo.toml",
                "--binary",
                "linux=src/main.rs",
            ],
            "two programs for linux",
        ),
        (MANIFEST, vec!["--bin", "other"], "--bin: weather"),
        (MANIFEST, vec!["src"], "no Cargo.toml"),
    ] {
        let project = Project::new(manifest);
        let output = project.run("bundle", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
