//! Which version of a package the lock files of a folder name, for what tables say of contestants.

use serde_json::Value;

use super::places::{GO, PYTHON};
use crate::context::Context;
use crate::report::{Error, Result, While};

/// The version in a lock file of cargo's.
pub(in crate::bench) fn locked(cx: &Context, lock: &str, name: &str) -> Result<String> {
    found(cx, lock, name, of_cargo)
}

/// The version in npm's lock file of a folder.
pub(in crate::bench) fn package(cx: &Context, folder: &str, name: &str) -> Result<String> {
    found(cx, &format!("{folder}/package-lock.json"), name, of_npm)
}

/// The version in the requirements of the contestants in Python.
pub(super) fn requirement(cx: &Context, name: &str) -> Result<String> {
    found(cx, &format!("{PYTHON}/requirements.txt"), name, of_pip)
}

/// The version in the module of the contestant in Go.
pub(super) fn module(cx: &Context, name: &str) -> Result<String> {
    found(cx, &format!("{GO}/go.mod"), name, of_go)
}

fn found(
    cx: &Context,
    file: &str,
    name: &str,
    of: fn(&str, &str) -> Option<String>,
) -> Result<String> {
    let text =
        std::fs::read_to_string(cx.root.join(file)).while_doing(format_args!("read {file}"))?;
    of(&text, name).ok_or_else(|| Error::new(format!("{file} has no {name}")))
}

fn of_cargo(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next().map(str::to_owned)
}

fn of_npm(text: &str, name: &str) -> Option<String> {
    let lock: Value = serde_json::from_str(text).ok()?;
    let version = &lock["packages"][format!("node_modules/{name}")]["version"];
    version.as_str().map(str::to_owned)
}

fn of_pip(text: &str, name: &str) -> Option<String> {
    let version = |line: &str| Some(line.strip_prefix(name)?.strip_prefix("==")?.to_owned());
    text.lines().find_map(version)
}

fn of_go(text: &str, name: &str) -> Option<String> {
    let version = |line: &str| {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| *word == "require");
        (words.next()? == name).then(|| words.next()?.strip_prefix('v').map(str::to_owned))?
    };
    text.lines().find_map(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: fn(&str, &str) -> Option<String>, text: &str, name: &str, version: Option<&str>) {
        assert_eq!(of(text, name).as_deref(), version, "{name} in {text}");
    }

    #[test]
    fn lock_files_say_which_version() {
        let cargo = "[[package]]\nname = \"hyper-util\"\nversion = \"0.1.21\"\n\n[[package]]\n\
                     name = \"hyper\"\nversion = \"1.12.0\"\n";
        check(of_cargo, cargo, "hyper", Some("1.12.0"));
        check(of_cargo, cargo, "axum", None);

        let npm = r#"{"packages": {"": {}, "node_modules/@a/b": {"version": "2.4.0"}}}"#;
        check(of_npm, npm, "@a/b", Some("2.4.0"));
        check(of_npm, npm, "b", None);
        check(of_npm, "{", "@a/b", None);

        let pip = "fastmcp-slim==4.2.2\nfastmcp==4.2.3\n";
        check(of_pip, pip, "fastmcp", Some("4.2.3"));
        check(of_pip, pip, "mcp", None);

        let go = "module example.invalid/x\n\ngo 1.25.0\n\nrequire a.invalid/sdk v1.8.0\n\n\
                  require (\n\tb.invalid/c v0.4.3 // indirect\n)\n";
        check(of_go, go, "a.invalid/sdk", Some("1.8.0"));
        check(of_go, go, "b.invalid/c", Some("0.4.3"));
        check(of_go, go, "b.invalid", None);
    }
}
