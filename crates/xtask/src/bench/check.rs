//! `bench --check [-- PART..]`: figures that are the same on every machine with this compiler, and
//! so can be compared with committed ones: instructions of operations, bytes of what is deployed.
//! More than before by over 2 % is a failure. `-- --write` takes what is measured as the new
//! figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::instructions::{built, count};
use super::{lambda, peers, workers};
use crate::context::Context;
use crate::process;
use crate::report::{Error, Result, While, flush};
use crate::setup::{self, WORKER};
use crate::wasm;
use crate::worker::build;

const FILE: &str = "bench/results/check.json";
const WRITE: &str = "--write";
/// How much of a figure may come to it, in thousandths.
const ALLOWED: u64 = 20;

/// What can be compared, and who measures it.
const PARTS: [(&str, Measure); 6] = [
    ("one-tool", one_tool),
    ("instructions", instructions),
    ("table", with_table),
    ("toolkits", with_toolkits),
    ("workers", of_workers),
    ("extensions", of_extensions),
];
type Measure = fn(&Context) -> Result<Figures>;
type Figures = BTreeMap<String, u64>;

pub(super) fn run(cx: &Context, arguments: &[String]) -> Result<()> {
    let (parts, write) = chosen(arguments)?;
    let file = cx.root.join(FILE);
    let mut committed = read(&file)?;
    let rustc = process::read(cx.rustc().arg("--version"))?;
    let rustc = rustc.trim();
    if committed["rustc"] != rustc && !write {
        println!(
            "the committed figures are of {}, and this is {rustc}",
            committed["rustc"]
        );
    }
    let mut grown = Vec::new();
    for (part, measure) in parts {
        let measured = measure(cx)?;
        let (lines, more) = compare(&committed[part], &measured);
        print!("{part}\n{lines}");
        flush();
        grown.extend(more);
        for (name, figure) in measured {
            committed[part][name] = figure.into();
        }
    }
    if write {
        committed["rustc"] = rustc.into();
        let text = format!("{committed:#}\n");
        return fs::write(&file, text).while_doing(format_args!("write {}", file.display()));
    }
    if grown.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{}: make it smaller again, or say in the commit why it is worth it, and take the new \
         figures with `cargo xtask bench --check -- {WRITE}`",
        grown.join("; ")
    )))
}

/// The named parts, or all of them, and whether what they measure is written.
fn chosen(arguments: &[String]) -> Result<(Vec<(&'static str, Measure)>, bool)> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| *argument == WRITE);
    let known = |name: &String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all = PARTS.map(|(part, _)| part).join(", ");
        return Err(Error::new(format!(
            "nothing of `{unknown}` can be compared; there are: {all}, and `{WRITE}`"
        )));
    }
    let wanted = |part: &str| names.is_empty() || names.iter().any(|name| *name == part);
    let parts = PARTS.into_iter().filter(|(part, _)| wanted(part));
    Ok((parts.collect(), !flags.is_empty()))
}

/// The committed figures of each part, and what compiled them: another compiler gives others.
fn read(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).while_doing(format_args!("read {}", file.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::new(format!("{} can't be read: {error}", file.display())))
}

/// A line for each figure, and those that have grown by more than is allowed. What was not measured
/// this time is not compared; what is not committed yet has nothing to be compared with, which is a
/// failure too: it would never be noticed otherwise.
fn compare(committed: &Value, measured: &Figures) -> (String, Vec<String>) {
    let (mut lines, mut grown) = (String::new(), Vec::new());
    for (name, &now) in measured {
        let Some(before) = committed[name].as_u64() else {
            _ = writeln!(lines, "  {name}: {now}, new");
            grown.push(format!("{name} has no committed figure"));
            continue;
        };
        let change = (now as f64 / before.max(1) as f64 - 1.0) * 100.0;
        _ = writeln!(lines, "  {name}: {now}, {change:+.2} %");
        if now.saturating_mul(1000) > before.saturating_mul(1000 + ALLOWED) {
            grown.push(format!("{name} has grown from {before} to {now}"));
        }
    }
    (lines, grown)
}

/// Instructions of one run of each operation of `--part core`.
fn instructions(cx: &Context) -> Result<Figures> {
    if process::find("valgrind").is_none() {
        println!(
            "instructions are not compared: `apt-get install valgrind` gives the tool that counts \
             them"
        );
        return Ok(Figures::new());
    }
    let counted = count(&built(cx)?)?;
    counts(&counted)
}

/// `NAME=INSTRUCTIONS`, with commas between.
fn counts(text: &str) -> Result<Figures> {
    let one = |pair: &str| {
        let (name, count) = pair.split_once('=')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.split(',')
        .map(|pair| one(pair).ok_or_else(|| Error::new(format!("`{pair}` is no count"))))
        .collect()
}

/// Bytes of a function of Lambda with one tool and nothing else in it, as it is deployed, after gzip.
fn one_tool(cx: &Context) -> Result<Figures> {
    let program = "peer-mcpfn-lambda";
    peers::build(cx, "lambda", &[program])?;
    bytes(&peers::programs(cx, "lambda").join(program))
}

/// The same with tokens, requests of tools and a table.
fn with_table(cx: &Context) -> Result<Figures> {
    bytes(&lambda::build(cx, "mcpfn-bench-tool", "")?)
}

/// The ready server with every toolkit.
fn with_toolkits(cx: &Context) -> Result<Figures> {
    bytes(&lambda::build(cx, "mcpfn-server", "lambda")?)
}

/// Bytes of Workers as they are deployed, after gzip, over the bare one.
fn of_workers(cx: &Context) -> Result<Figures> {
    let tools = setup::worker_tools(cx)?;
    let mut sizes = Vec::new();
    for (name, folder) in [
        ("bare", "tests/worker/bare"),
        ("one tool", "tests/worker/hello"),
        ("every toolkit", "crates/server"),
    ] {
        let target = cx
            .target
            .join("worker")
            .join(format!("check-{}", name.replace(' ', "-")));
        build(cx, &tools, &cx.root.join(folder), &target, &[])?;
        sizes.push((name, worker_bytes(&target)?));
    }
    let [(_, bare), others @ ..] = &sizes[..] else {
        return Err(Error::new(format!("no Worker of {WORKER} was built")));
    };
    let over = |(name, size): &(&str, u64)| ((*name).to_owned(), size.saturating_sub(*bare));
    Ok(others.iter().map(over).collect())
}

/// Bytes that the least use of each extension adds to one tool, after gzip: to a function of Lambda with
/// its table, and to a Worker.
fn of_extensions(cx: &Context) -> Result<Figures> {
    const PACKAGE: &str = "mcpfn-bench-extensions";
    let tools = setup::worker_tools(cx)?;
    let sizes = |feature: &str| {
        let features = if feature == NONE { "" } else { feature };
        let function = bytes(&lambda::build(cx, PACKAGE, features)?)?;
        let (package, out) = (cx.root.join("bench/extensions"), cx.target.join("worker"));
        let out = out.join(format!("check-{feature}"));
        build(cx, &tools, &package, &out, &["--features", features])?;
        let worker = worker_bytes(&out)?;
        Ok::<_, Error>([function.values().sum(), worker])
    };
    let before = sizes(NONE)?;
    let mut figures = Figures::new();
    for feature in ["tasks", "events", "skills", "pages"] {
        for ((host, before), after) in HOSTS.iter().zip(before).zip(sizes(feature)?) {
            figures.insert(format!("{feature}, {host}"), after.saturating_sub(before));
        }
    }
    Ok(figures)
}

const NONE: &str = "none";
const HOSTS: [&str; 2] = ["Lambda", "Workers"];

/// Module and script of a Worker, after gzip.
fn worker_bytes(folder: &Path) -> Result<u64> {
    let bytes = workers::size(Some("index_bg.wasm"), "index.js", folder)?;
    let of = |member: &str| bytes[member].as_u64().unwrap_or_default();
    Ok(of("wasm_gzip") + of("script_gzip"))
}

fn bytes(program: &Path) -> Result<Figures> {
    let bytes = fs::read(program).while_doing(format_args!("read {}", program.display()))?;
    let size =
        wasm::gzip(&bytes).ok_or_else(|| Error::new("sizes are measured with gzip; install it"))?;
    Ok([("gzip".to_owned(), size as u64)].into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn figures(pairs: &[(&str, u64)]) -> Figures {
        pairs
            .iter()
            .map(|(name, figure)| ((*name).to_owned(), *figure))
            .collect()
    }

    #[test]
    fn what_grows_by_more_than_two_percent_is_named() {
        let committed = json!({"call": 1_000, "list": 50, "empty": 0});
        for (measured, expected) in [
            (&[("call", 1_000)][..], &[][..]),
            (&[("call", 1_020), ("list", 51)], &[]),
            (&[("call", 900)], &[]),
            (&[], &[]),
            (&[("call", 1_021)], &["call has grown from 1000 to 1021"]),
            (
                &[("list", 52), ("call", 1)],
                &["list has grown from 50 to 52"],
            ),
            (&[("empty", 1)], &["empty has grown from 0 to 1"]),
            (&[("ping", 7)], &["ping has no committed figure"]),
        ] {
            let (lines, grown) = compare(&committed, &figures(measured));
            assert_eq!(grown, expected, "{measured:?}");
            assert_eq!(lines.lines().count(), measured.len());
        }
    }

    #[test]
    fn counts_are_read() {
        let read = counts("a=1,b c=22").unwrap();
        assert_eq!(read, figures(&[("a", 1), ("b c", 22)]));
        for wrong in ["", "a", "a=b", "a=1,"] {
            assert!(counts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_chosen_by_name() {
        let names = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            let chosen = chosen(&arguments);
            chosen
                .map(|(parts, write)| (parts.iter().map(|part| part.0).collect::<Vec<_>>(), write))
        };
        assert_eq!(
            names(&[]).unwrap(),
            (PARTS.map(|(part, _)| part).to_vec(), false)
        );
        assert_eq!(names(&["table", "--write"]).unwrap(), (vec!["table"], true));
        assert!(names(&["moon"]).unwrap_err().to_string().contains("`moon`"));
    }

    #[test]
    fn the_committed_figures_are_of_known_parts() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(FILE);
        let committed = read(&file).unwrap();
        for (name, figures) in committed.as_object().unwrap() {
            let known = PARTS.iter().any(|(part, _)| part == name);
            let are_figures = |figures: &Map<String, Value>| {
                !figures.is_empty() && figures.values().all(Value::is_u64)
            };
            assert!(
                (known && figures.as_object().is_some_and(are_figures)) || name == "rustc",
                "{name}"
            );
        }
    }
}
