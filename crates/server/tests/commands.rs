//! The commands of the deployable program: what its help lists is there, and what is there is listed.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcpfn"));
    command
        .args(arguments)
        .output()
        .expect("the program starts")
}

#[test]
fn every_command_is_listed_and_has_help() {
    let output = run(&["--help"]);
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let listed: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for command in ["tools", "call", "health", "key", "ingest"] {
        assert!(listed.contains(&command), "{command}: {listed:?}");
    }
    for command in listed.into_iter().filter(|name| *name != "help") {
        let output = run(&[command, "--help"]);
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

#[test]
fn a_command_of_its_own_behind_an_option_is_a_sentence() {
    let output = run(&["--stdio", "ingest", "docs", "--sql", "x"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("write `ingest` before every option"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}
