//! `cargo mcpfn schema` and `compare`: each case of `tests/fixtures/compare/cases.json` in both directions,
//! servers and files as sides, and what the ready server publishes against the file of that.

mod published;
mod served;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
    command.arg("mcpfn").args(arguments);
    command.output().expect("the command starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder for the files of one test, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("mcpfn-compare-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn file(&self, name: &str, lists: &Value) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, lists.to_string()).expect("a file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The lists that a part stands for.
fn lists(of: &str, part: &Value) -> Value {
    let mut tool = json!({"name": "t", "inputSchema": {"type": "object"}});
    match of {
        "lists" => {
            let mut lists = part.clone();
            lists["tools"] = part.get("tools").cloned().unwrap_or_else(|| json!([]));
            return lists;
        }
        "input" => tool["inputSchema"] = part.clone(),
        "output" => tool["outputSchema"] = part.clone(),
        "tool" => {
            let members = part.as_object().expect("members of a tool");
            for (name, value) in members {
                tool[name] = value.clone();
            }
        }
        other => panic!("nothing is called {other}"),
    }
    json!({ "tools": [tool] })
}

/// The classes of what breaks, with the place of an argument or a result; and whether the exit
/// status says that nothing does.
fn compared(old: &str, new: &str) -> (Vec<String>, bool) {
    let output = run(&["compare", old, new, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}{}", out(&output), err(&output)));
    let mut found: Vec<String> = report["breaks"]
        .as_array()
        .expect("breaks")
        .iter()
        .map(|found| {
            let (code, what) = (
                found["code"].as_str().unwrap(),
                found["what"].as_str().unwrap(),
            );
            assert!(!found["about"].as_str().unwrap().is_empty(), "{found}");
            let place = what
                .split(' ')
                .nth(1)
                .filter(|place| place.starts_with('/'));
            match place {
                Some(place) => format!("{code} {place}"),
                None => code.to_owned(),
            }
        })
        .collect();
    found.sort();
    assert_eq!(report["ok"] == true, output.status.success(), "{report}");
    (found, output.status.success())
}

#[test]
fn each_case_in_both_directions() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/compare/cases.json");
    let cases: Vec<Map<String, Value>> =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the cases")).expect("JSON");
    let folder = Folder::new("cases");
    let mut wrong = Vec::new();
    let (mut breaking, mut harmless) = (BTreeSet::new(), 0);
    for case in &cases {
        let of = case["of"].as_str().expect("of");
        let old = folder.file("old.json", &lists(of, &case["old"]));
        let new = folder.file("new.json", &lists(of, &case["new"]));
        for (direction, from, to) in [("forward", &old, &new), ("backward", &new, &old)] {
            let expected = case[direction].as_array().expect("a direction");
            let mut expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
            expected.sort_unstable();
            let (found, content) = compared(from, to);
            if found != expected || content != expected.is_empty() {
                wrong.push(format!(
                    "{}, {direction}: expected {expected:?}, found {found:?}",
                    case["case"]
                ));
            }
            harmless += usize::from(expected.is_empty());
            let codes = expected.iter().filter_map(|one| one.split(' ').next());
            breaking.extend(codes.map(str::to_owned));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // every class, and for each a direction in which nothing breaks
    assert!(
        cases.len() >= 25 && breaking.len() >= 18 && harmless >= cases.len(),
        "{breaking:?}"
    );
}

#[test]
fn a_person_reads_what_breaks() {
    let folder = Folder::new("person");
    let tool = |schema: Value| json!({"tools": [{"name": "find", "inputSchema": schema}]});
    let old = folder.file("old.json", &tool(json!({"type": "object"})));
    let required = json!({"type": "object", "properties": {"q": {}}, "required": ["q"]});
    let new = folder.file("new.json", &tool(required));
    let said = run(&["compare", &old, &new]);
    assert_eq!(
        out(&said).trim_end(),
        "BREAK argument-required: `find`: argument /q is required now"
    );
    assert_eq!(said.status.code(), Some(1));
    let said = run(&["compare", &old, &old]);
    assert!(out(&said).starts_with("nothing that clients of the old version use"));
    assert_eq!(said.status.code(), Some(0));
}

#[test]
fn a_server_is_a_side_as_its_file_is() {
    let folder = Folder::new("server");
    let url = served::start();
    let file = folder.0.join("served.json").display().to_string();
    let kept = run(&["schema", &url, "--out", &file]);
    assert!(kept.status.success(), "{}", err(&kept));
    let printed = run(&["schema", &url]);
    assert_eq!(
        out(&printed),
        std::fs::read_to_string(&file).expect("the file")
    );
    for (old, new) in [(&file, &url), (&url, &file)] {
        assert_eq!(compared(old, new), (Vec::new(), true));
    }
    let without = folder.file("without.json", &json!({"tools": []}));
    assert_eq!(
        compared(&url, &without),
        (vec!["tool-removed".to_owned(); 2], false)
    );
}

#[test]
fn what_is_no_side_is_told() {
    let folder = Folder::new("sides");
    let text = folder.0.join("text.json");
    std::fs::write(&text, "[]").expect("a file");
    let text = text.display().to_string();
    let good = folder.file("good.json", &json!({"tools": []}));
    for (old, named) in [
        ("none.json", "none.json"),
        (text.as_str(), "cargo mcpfn schema --out FILE"),
        ("http://127.0.0.1:1/mcp", "onnect"),
        ("no-such-program,--stdio", "can't be started"),
    ] {
        let failed = run(&["compare", old, &good]);
        assert!(
            !failed.status.success() && err(&failed).contains(named),
            "{old}: {}",
            err(&failed)
        );
    }
    let nothing = run(&["schema"]);
    assert!(err(&nothing).contains("name a server"), "{}", err(&nothing));
}
