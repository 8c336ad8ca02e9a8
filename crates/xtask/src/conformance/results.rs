//! What one run of the suite found, read from the files it leaves and added up.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::report::{Counts, Error, Result, While};

#[derive(Debug)]
pub(super) struct Scenario {
    name: String,
    checks: Vec<Check>,
}

#[derive(Debug)]
struct Check {
    id: String,
    status: String,
    message: String,
}

pub(super) fn read(output: &Path) -> Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for (name, file) in folders(output)? {
        let text = fs::read(&file).while_doing(format_args!(
            "read the suite's results in {}",
            file.display()
        ))?;
        let checks = parse(&text).map_err(|why| {
            Error::new(format!("{} is not what we expect: {why}", file.display()))
        })?;
        scenarios.push(Scenario { name, checks });
    }
    Ok(scenarios)
}

/// Where one scenario's results are: the suite names folders `server-SCENARIO-TIME`.
fn scenario_of(folder: &str) -> Option<&str> {
    const TIME: usize = "-2026-11-21T00-07-14-581Z".len();
    let name = folder.strip_prefix("server-")?;
    let (scenario, time) = name.split_at_checked(name.len().checked_sub(TIME)?)?;
    (time.starts_with("-2") && time.ends_with('Z')).then_some(scenario)
}

fn folders(output: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(output).while_doing(format_args!("list {}", output.display()))?;
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let scenario = scenario_of(path.file_name()?.to_str()?)?.to_owned();
            Some((scenario, path.join("checks.json")))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn parse(text: &[u8]) -> std::result::Result<Vec<Check>, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let checks = value.as_array().ok_or("it is no array")?;
    checks
        .iter()
        .map(|check| {
            let text = |key: &str| check.get(key).and_then(Value::as_str);
            let needed = |key: &str| {
                text(key)
                    .map(str::to_owned)
                    .ok_or(format!("a check has no `{key}`"))
            };
            Ok(Check {
                id: needed("id")?,
                status: needed("status")?,
                message: text("errorMessage")
                    .or_else(|| text("description"))
                    .unwrap_or_default()
                    .to_owned(),
            })
        })
        .collect()
}

/// The `server` list of a requirements file of the suite. It is a plain list; a full YAML reader is
/// not needed.
pub(super) fn required_scenarios(text: &str) -> Vec<String> {
    let after = text
        .lines()
        .skip_while(|line| line.trim_end() != "server:")
        .skip(1);
    let section = after.take_while(|line| line.starts_with([' ', '-', '#']) || line.is_empty());
    section
        .filter_map(|line| Some(line.trim().strip_prefix("- ")?.trim().to_owned()))
        .collect()
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
    not_scored: u64,
    not_scored_failing: u64,
    pub(super) checks: Counts,
    /// One line for each check that failed.
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn of(scenarios: &[Scenario], required: Option<&[String]>, also: &[&str]) -> Self {
        let mut tally = Self::default();
        for scenario in scenarios {
            let counts = |required: &[String]| {
                let extension = also.iter().any(|also| scenario.name.starts_with(also));
                extension || required.contains(&scenario.name)
            };
            if !required.is_none_or(counts) {
                tally.not_scored += 1;
                tally.not_scored_failing += u64::from(
                    scenario
                        .checks
                        .iter()
                        .any(|check| check.status == "FAILURE"),
                );
            } else {
                tally.add(scenario);
            }
        }
        tally
    }

    fn add(&mut self, scenario: &Scenario) {
        let failed_before = self.checks.failed;
        for check in &scenario.checks {
            match check.status.as_str() {
                "SUCCESS" => self.checks.passed += 1,
                // what a server should do, ours does
                "FAILURE" | "WARNING" => {
                    self.checks.failed += 1;
                    self.failures.push(format!(
                        "not ok {} / {}: {}",
                        scenario.name, check.id, check.message
                    ));
                }
                // INFO and SKIPPED assert nothing.
                _ => {}
            }
        }
        match self.checks.failed == failed_before {
            true => self.passed += 1,
            false => self.failed += 1,
        }
    }

    pub(super) fn scenarios_run(&self) -> u64 {
        self.passed + self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            checks,
            ..
        } = self;
        write!(f, "scenarios: {passed} passed, {failed} failed; ")?;
        let (passed, failed) = (checks.passed, checks.failed);
        write!(f, "checks: {passed} passed, {failed} failed")?;
        if self.not_scored > 0 {
            write!(
                f,
                "; not scored: {} scenarios, {} failing",
                self.not_scored, self.not_scored_failing
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str, statuses: &[&str]) -> Scenario {
        let checks: Vec<Value> =
            statuses.iter().map(|status| serde_json::json!({ "id": "check", "status": status, "errorMessage": "why" })).collect();
        Scenario {
            name: name.to_owned(),
            checks: parse(&serde_json::to_vec(&checks).unwrap()).unwrap(),
        }
    }

    #[test]
    fn scenarios_that_are_not_required_are_reported_but_not_counted() {
        let scenarios = [
            scenario("one", &["SUCCESS", "INFO"]),
            scenario("tasks", &["FAILURE", "SUCCESS"]),
        ];
        let tally = Tally::of(&scenarios, Some(&["one".to_owned()]), &[]);
        assert_eq!(
            tally.checks,
            Counts {
                passed: 1,
                failed: 0
            }
        );
        assert_eq!(
            (
                tally.scenarios_run(),
                tally.not_scored,
                tally.not_scored_failing
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn warnings_are_failures() {
        let scenarios = [
            scenario("one", &["SUCCESS", "WARNING", "SKIPPED"]),
            scenario("two", &["FAILURE"]),
            scenario("three", &["SUCCESS"]),
        ];
        let tally = Tally::of(&scenarios, None, &[]);
        assert_eq!((tally.passed, tally.failed), (1, 2));
        let (passed, failed) = (2, 2);
        assert_eq!(tally.checks, Counts { passed, failed });
        let failures = ["not ok one / check: why", "not ok two / check: why"];
        assert_eq!(tally.failures, failures);
    }

    #[test]
    fn the_required_scenarios_end_at_the_next_key() {
        let text = "# about\n\nserver:\n  - one\n  # a word\n  - two\n\nclient:\n  - three\n";
        assert_eq!(required_scenarios(text), ["one", "two"]);
    }

    #[test]
    fn results_of_another_shape_are_refused() {
        assert!(parse(b"{}").is_err());
        assert!(parse(b"[{\"id\":\"x\"}]").unwrap_err().contains("`status`"));
        assert!(parse(b"[").is_err());
    }

    #[test]
    fn the_scenario_is_read_from_the_folders_name() {
        let folder = "server-server-stateless-2026-11-21T00-07-12-629Z";
        assert_eq!(scenario_of(folder), Some("server-stateless"));
        assert_eq!(
            scenario_of("server-json-schema-2020-12-2026-11-21T00-07-14-775Z"),
            Some("json-schema-2020-12")
        );
        assert_eq!(scenario_of("server-x"), None);
        assert_eq!(scenario_of("suite.log"), None);
    }
}
