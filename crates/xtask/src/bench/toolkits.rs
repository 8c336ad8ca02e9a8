//! `bench --part toolkits [-- NAME..]`: how many bytes each toolkit adds to the server, as a
//! program and as a Worker. Toolkits are lines of one table; which of them is used is a setting. So
//! the server is built with a copy of that table in which most lines add nothing: no code refers to
//! these toolkits any more. Everything else is the real thing: profiles, features, locked
//! dependencies.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::workers;
use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While, flush};
use crate::setup::{self, WorkerTools};
use crate::wasm;
use crate::worker;

const RESULT: &str = "bench/results/toolkits";
const TABLE: &str = "crates/toolkits/src/registry.rs";
/// What is copied; every other crate stays where it is.
const COPIED: [&str; 2] = ["crates/server", "crates/toolkits"];
/// What a line says that adds nothing. The line itself stays: in a shorter table the compiler would
/// see that nobody needs a database, and leave out its drivers too.
const NOTHING: &str = "add: |builder, _| builder,";
/// One tool that needs nothing. It is in the server that all others are added to: without any tool
/// the linker leaves out what calls tools, and the first toolkit would be charged with that.
const BASE: &str = "hello";
const NONE: &str = "no toolkit";
const EVERY: &str = "every toolkit";

pub(super) fn run(cx: &Context, names: &[String]) -> Result<()> {
    let table = Table(read(&cx.root.join(TABLE))?);
    if let Some(unknown) = names
        .iter()
        .find(|name| !table.names().any(|known| known == **name))
    {
        return Err(Error::new(format!(
            "there is no toolkit `{unknown}`; there are: {}",
            table.names().collect::<Vec<_>>().join(", ")
        )));
    }
    let tools = setup::worker_tools(cx)?;
    let workspace = Workspace::new(cx)?;
    let measure = |keep: &[&str]| {
        println!(
            "building the server with {}",
            if keep.is_empty() {
                NONE.to_owned()
            } else {
                keep.join(", ")
            }
        );
        flush();
        workspace.reduce(&table, keep)?;
        sizes(cx, &tools, &workspace)
    };
    let mut found = Found::start(cx, table.clone(), measure(&[BASE])?);
    found.write(cx)?;
    for name in table.names().filter(|name| {
        *name != BASE && (names.is_empty() || names.iter().any(|chosen| chosen == name))
    }) {
        found.add(cx, name, measure(&[BASE, name])?)?;
    }
    if names.is_empty() {
        found.add(cx, NONE, measure(&[])?)?;
        found.add(cx, EVERY, measure(&table.names().collect::<Vec<_>>())?)?;
    }
    print!("\n{}", found.markdown());
    Ok(())
}

/// The source of the table, as rustfmt leaves it: each member of a toolkit is a line of its own, the
/// name before what is added.
#[derive(Clone)]
struct Table(String);

impl Table {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter_map(name_of)
    }

    /// The others add nothing.
    fn reduced(&self, keep: &[&str]) -> String {
        let mut kept = true;
        let mut reduced = String::new();
        for line in self.0.split_inclusive('\n') {
            if let Some(name) = name_of(line) {
                kept = keep.contains(&name);
            }
            match line.split_once("add: ") {
                Some((before, _)) if !kept => {
                    reduced.push_str(before);
                    reduced.push_str(NOTHING);
                    reduced.push('\n');
                }
                _ => reduced.push_str(line),
            }
        }
        reduced
    }
}

/// The toolkit that a line gives its name to.
fn name_of(line: &str) -> Option<&str> {
    line.trim_start()
        .strip_prefix("name: \"")?
        .split('"')
        .next()
}

/// A workspace of the two crates, with the others where they are.
struct Workspace(PathBuf);

impl Workspace {
    fn new(cx: &Context) -> Result<Self> {
        let folder = cx.target.join("bench-toolkits");
        if folder.exists() {
            fs::remove_dir_all(&folder).while_doing(format_args!("empty {}", folder.display()))?;
        }
        for name in COPIED {
            copy_folder(&cx.root.join(name), &folder.join(name))?;
        }
        let manifest = read(&cx.root.join("Cargo.toml"))?;
        let manifest = elsewhere(&manifest, &cx.root)
            .ok_or_else(|| Error::new("Cargo.toml has no table [workspace.package]"))?;
        write(&folder.join("Cargo.toml"), &manifest)?;
        write(
            &folder.join("Cargo.lock"),
            &read(&cx.root.join("Cargo.lock"))?,
        )?;
        // what a reduced table does not use is no mistake here
        let library = folder.join("crates/toolkits/src/lib.rs");
        write(
            &library,
            &format!("#![allow(unused_imports, dead_code)]\n{}", read(&library)?),
        )?;
        Ok(Self(folder))
    }

    fn reduce(&self, table: &Table, keep: &[&str]) -> Result<()> {
        write(&self.0.join(TABLE), &table.reduced(keep))
    }
}

/// The manifest of the workspace, in another folder, with two members.
fn elsewhere(manifest: &str, root: &Path) -> Option<String> {
    let (_, rest) = manifest.split_once("[workspace.package]")?;
    let mut text =
        format!("[workspace]\nresolver = \"3\"\nmembers = {COPIED:?}\n\n[workspace.package]");
    for line in rest.split_inclusive('\n') {
        let copied = COPIED
            .iter()
            .any(|name| line.contains(&format!("path = \"{name}\"")));
        let moved = format!("path = \"{}/", root.display());
        text += &if copied {
            line.to_owned()
        } else {
            line.replace("path = \"", &moved)
        };
    }
    Some(text)
}

/// `program`, `program_gzip`, and those of the Worker.
fn sizes(cx: &Context, tools: &WorkerTools, workspace: &Workspace) -> Result<Value> {
    let mut cargo = cx.cargo();
    cargo
        .current_dir(&workspace.0)
        .env("CARGO_TARGET_DIR", &cx.target);
    process::run(cargo.args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "mcpfn-server",
        "--bin",
        "mcpfn",
    ]))?;
    let program = cx
        .target
        .join("release")
        .join(format!("mcpfn{}", std::env::consts::EXE_SUFFIX));
    let bytes = fs::read(&program).while_doing(format_args!("read {}", program.display()))?;
    let gzip =
        wasm::gzip(&bytes).ok_or_else(|| Error::new("sizes are measured with gzip; install it"))?;
    let out = cx.target.join("worker/bench-toolkit");
    worker::build(cx, tools, &workspace.0.join("crates/server"), &out, &[])?;
    let mut sizes = workers::size(Some("index_bg.wasm"), "index.js", &out)?;
    sizes["program"] = bytes.len().into();
    sizes["program_gzip"] = gzip.into();
    Ok(sizes)
}

/// Sizes by what is in the server beside [`BASE`].
struct Found {
    table: Table,
    base: Value,
    sizes: Map<String, Value>,
}

impl Found {
    /// What an earlier run found is kept if the server that all are added to is still the same.
    fn start(cx: &Context, table: Table, base: Value) -> Self {
        let before = fs::read_to_string(cx.root.join(format!("{RESULT}.json"))).ok();
        let before: Value = before
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let sizes = before["sizes"]
            .as_object()
            .filter(|_| before["base"] == base)
            .cloned()
            .unwrap_or_default();
        Self { table, base, sizes }
    }

    /// Written at once, so that what was built is not lost when the rest is not.
    fn add(&mut self, cx: &Context, name: &str, sizes: Value) -> Result<()> {
        self.sizes.insert(name.to_owned(), sizes);
        self.write(cx)
    }

    fn write(&self, cx: &Context) -> Result<()> {
        write(
            &cx.root.join(format!("{RESULT}.json")),
            &format!("{:#}\n", self.data()),
        )?;
        write(&cx.root.join(format!("{RESULT}.md")), &self.markdown())
    }

    /// Bytes over the base.
    fn added(&self, name: &str, of: &str) -> Option<i64> {
        Some(self.sizes.get(name)?[of].as_i64()? - self.base[of].as_i64()?)
    }

    fn data(&self) -> Value {
        let bars = |of| -> Vec<Value> {
            let bar =
                |name| Some(json!({"label": name, "value": self.added(name, of)? as f64 / 1e3}));
            self.table.names().filter_map(bar).collect()
        };
        json!({
            "base": self.base,
            "sizes": self.sizes,
            "charts": [
                {"title": "Added to the Worker, wasm after \
                    gzip", "unit": "KB", "log": false, "bars": bars("wasm_gzip")},
                {"title": "Added to the program, after \
                    gzip", "unit": "KB", "log": false, "bars": bars("program_gzip")},
            ],
        })
    }

    fn markdown(&self) -> String {
        let mut out = format!(
            "# What each toolkit adds to the server\n\n\
             Bytes of crates/server with `{BASE}` alone, and what they grow by when another toolkit is in it too: the program of\n\
             `cargo build --release` (it has the drivers of databases and files in any case), and the wasm of `worker-build --profile\n\
             worker`, after wasm-opt. gzip -9. Code that two toolkits share counts for each of them, so all together add less than the sum.\n\n\
             | in it | program | gzip | wasm | gzip |\n|---|--:|--:|--:|--:|\n",
        );
        let mut row = |name: &str, figure: &dyn Fn(&str) -> Option<String>| {
            let figures = ["program", "program_gzip", "wasm", "wasm_gzip"].map(figure);
            if let [
                Some(program),
                Some(program_gzip),
                Some(wasm),
                Some(wasm_gzip),
            ] = figures
            {
                let _ = writeln!(
                    out,
                    "| {name} | {program} | {program_gzip} | {wasm} | {wasm_gzip} |"
                );
            }
        };
        row(BASE, &|of| Some(self.base[of].as_u64()?.to_string()));
        for name in self.table.names().chain([EVERY, NONE]) {
            row(name, &|of| Some(format!("{:+}", self.added(name, of)?)));
        }
        let missing: Vec<&str> = self
            .table
            .names()
            .filter(|name| *name != BASE && !self.sizes.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            let _ = writeln!(out, "\nNot measured: {}.", missing.join(", "));
        }
        out
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).while_doing(format_args!("read {}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).while_doing(format_args!("write {}", file.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).while_doing(format_args!("create {}", to.display()))?;
    for entry in fs::read_dir(from).while_doing(format_args!("list {}", from.display()))? {
        let source = entry
            .while_doing(format_args!("list {}", from.display()))?
            .path();
        let Some(name) = source.file_name() else {
            continue;
        };
        let copy = to.join(name);
        if source.is_dir() {
            copy_folder(&source, &copy)?;
        } else {
            fs::copy(&source, &copy).while_doing(format_args!("copy {}", source.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> Table {
        Table(include_str!("../../../toolkits/src/registry.rs").to_owned())
    }

    #[test]
    fn some_lines_or_none_or_all_add_something() {
        let table = real();
        let names: Vec<&str> = table.names().collect();
        let adding_nothing = |keep: &[&str]| table.reduced(keep).matches(NOTHING).count();
        assert_eq!(adding_nothing(&[]), names.len());
        assert_eq!(adding_nothing(&[BASE, "upstream"]), names.len() - 2);
        assert_eq!(table.reduced(&names), table.0);
        let added = |table: &str, name: &str| {
            let mut lines = table.lines();
            lines.find(|line| name_of(line) == Some(name))?;
            let line = lines.find(|line| line.contains("add: "))?;
            Some(line.trim().to_owned())
        };
        let one = table.reduced(&["weather"]);
        assert_eq!(
            added(&one, "weather").as_deref(),
            Some("add: weather::configured,")
        );
        assert_eq!(added(&one, "crm").as_deref(), Some(NOTHING));
    }

    #[test]
    fn every_toolkit_of_the_real_table_is_found() {
        let table = real();
        let entries = table.0.lines().filter(|line| *line == "    Toolkit {");
        assert_eq!(table.names().count(), entries.count());
        assert!(table.names().any(|name| name == BASE) && table.names().count() > 10);
    }

    #[test]
    fn paths_lead_back_to_the_repository() {
        let manifest = "[workspace]\nmembers = [\"a\"]\n[workspace.package]\nversion = \"1\"\n[workspace.dependencies]\n\
                        a = { path = \"crates/a\" }\nmcpfn-toolkits = { path = \"crates/toolkits\" }\n";
        let text = elsewhere(manifest, Path::new("/repository")).unwrap();
        assert!(
            text.contains("a = { path = \"/repository/crates/a\" }")
                && text.contains("{ path = \"crates/toolkits\" }"),
            "{text}"
        );
        assert!(
            !text.contains("\"a\"]") && text.contains("\"crates/server\""),
            "{text}"
        );
    }
}
