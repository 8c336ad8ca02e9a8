//! What the library costs beside serde_json on the same bytes. The floor is what any server must do
//! that looks at its request: parse those bytes to a `Value` and write the answer's bytes from one.
//! Nothing here waits or does I/O.
//!
//! Without arguments everything is measured and written to `bench/results`. `--names` lists the
//! operations, with how often each is to run, and `--instructions NAME TIMES` runs one of them, for
//! a tool that counts instructions; `--counted NAME=INSTRUCTIONS,...` takes what such a tool found
//! into the table.

#[path = "core/cases.rs"]
mod cases;
#[path = "core/harness.rs"]
mod harness;
#[path = "core/report.rs"]
mod report;

use std::collections::BTreeMap;
use std::process::ExitCode;

use cases::Case;
use harness::Measured;

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`, which says nothing here
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let done = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["--names"] => {
            for case in Case::ALL {
                let times = case.times_to_count();
                case.operation_names()
                    .iter()
                    .for_each(|name| println!("{name} {times}"));
            }
            Ok(())
        }
        ["--instructions", name, times] => run_one(name, times),
        rest => counted(rest).and_then(|instructions| measure(&instructions)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run_one(name: &str, times: &str) -> Result<(), String> {
    let times = times
        .parse()
        .map_err(|_| format!("`{times}` is not a number"))?;
    let case = Case::ALL
        .iter()
        .find(|case| case.operation_names().iter().any(|known| known == name));
    let operations = case
        .ok_or_else(|| format!("there is no operation `{name}`; `--names` lists them"))?
        .operations();
    operations
        .into_iter()
        .filter(|operation| operation.name == name)
        .for_each(|mut operation| {
            (operation.run)(times);
        });
    Ok(())
}

fn counted(arguments: &[&str]) -> Result<BTreeMap<String, u64>, String> {
    let pair = |pair: &str| {
        pair.split_once('=')
            .and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
    };
    match arguments {
        [] => Some(BTreeMap::new()),
        ["--counted", pairs] => pairs.split(',').map(pair).collect(),
        _ => None,
    }
    .ok_or_else(|| {
        "arguments: nothing, `--names`, `--instructions NAME TIMES`, or `--counted \
        NAME=INSTRUCTIONS,...`"
            .to_owned()
    })
}

fn measure(instructions: &BTreeMap<String, u64>) -> Result<(), String> {
    let mut operations: Vec<_> = Case::ALL.iter().flat_map(Case::operations).collect();
    let measured: BTreeMap<String, Measured> = harness::interleaved(&mut operations);
    let report = report::Report::new(Case::ALL, &measured, instructions);
    print!("{}", report.markdown());
    report.write()
}
