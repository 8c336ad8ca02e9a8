//! `cargo mcpfn doctor` against servers with one fault each, out of `tests/fixtures/doctor`: the fault is
//! found by its name, and nothing else is.

mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use server::Server;

fn fixtures() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/doctor");
    let mut found: Vec<(String, Value)> = fs::read_dir(folder)
        .expect("the folder of fixtures")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a fixture");
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            (
                name.into_owned(),
                serde_json::from_str(&text).expect("JSON"),
            )
        })
        .collect();
    found.sort_by(|one, two| one.0.cmp(&two.0));
    found
}

/// Runs the doctor; the codes that it found, and whether it was content.
fn examine(target: &str, arguments: &[String]) -> (BTreeSet<String>, bool, String) {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
    doctor
        .args(["mcpfn", "doctor", target, "--json"])
        .args(arguments);
    let output = doctor.output().expect("the doctor starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let code = |finding: &Value| finding["code"].as_str().unwrap_or("?").to_owned();
    assert_eq!(
        report["ok"] == true,
        output.status.success(),
        "{target}: {said}"
    );
    for finding in &findings {
        let fix = finding["fix"].as_str().unwrap_or_default();
        assert!(fix.len() > 20, "a finding says what to change: {finding}");
    }
    let ok = output.status.success();
    (findings.iter().map(code).collect(), ok, said)
}

fn check(name: &str, healthy: &Map<String, Value>, fixture: &Value) -> Result<(), String> {
    let mut answers = healthy.clone();
    let changes = fixture["changes"].as_object().expect("changes");
    answers.extend(changes.clone());
    let server = Server::start(answers);
    let target = fixture["target"].as_str().unwrap_or("{origin}/mcp");
    let target = target
        .replace("{origin}", &server.origin())
        .replace("{port}", &server.port.to_string());
    let arguments: Vec<String> = fixture["arguments"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    let (found, ok, said) = examine(&target, &arguments);
    let expected: BTreeSet<String> = fixture["finds"]
        .as_array()
        .expect("finds")
        .iter()
        .filter_map(|code| code.as_str().map(str::to_owned))
        .collect();
    let content = fixture["ok"].as_bool().unwrap_or(expected.is_empty());
    if found == expected && ok == content {
        return Ok(());
    }
    Err(format!(
        "{name}: expected {expected:?}, content {content}; {said}"
    ))
}

#[test]
fn each_fault_is_found_by_its_name() {
    let fixtures = fixtures();
    let healthy = fixtures
        .iter()
        .find(|(name, _)| name == "healthy")
        .and_then(|(_, fixture)| fixture["changes"].as_object())
        .expect("a healthy server");
    let wrong: Vec<String> = fixtures
        .iter()
        .filter_map(|(name, fixture)| check(name, healthy, fixture).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let faults: BTreeSet<&str> = fixtures
        .iter()
        .flat_map(|(_, fixture)| fixture["finds"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    assert!(faults.len() >= 20, "only {} faults", faults.len());
}

#[test]
fn a_person_reads_what_to_change() {
    let server = Server::start(Map::new());
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
    doctor.args(["doctor", &format!("{}/mcp", server.origin())]);
    let output = doctor.output().expect("the doctor starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("FAULT path") && text.contains("compare the path"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_no_folder_and_no_url_is_told_so() {
    for (target, named) in [
        ("nope", "no folder of a project, and no URL"),
        ("./nope/", "no folder of a project, and no URL"),
        ("ftp://h/mcp", "does not begin with https://"),
        ("http://example.com/mcp", "everybody on the way"),
    ] {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_cargo-mcpfn"));
        let output = doctor
            .args(["doctor", target])
            .output()
            .expect("the doctor starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(named) && !output.status.success(),
            "{target}: {said}"
        );
    }
}
