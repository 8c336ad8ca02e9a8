//! What one run of the suite found, read from the files it leaves and added up.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::baseline::Baseline;
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
    expected: u64,
    not_scored: u64,
    not_scored_failing: u64,
    pub(super) checks: Counts,
    expected_checks: u64,
    warnings: u64,
    /// One line for each check that failed and was not expected to.
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn of(
        scenarios: &[Scenario],
        required: Option<&[String]>,
        also: &[&str],
        baseline: Option<&Baseline>,
    ) -> Self {
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
                tally.add(scenario, baseline);
            }
        }
        tally
    }

    fn add(&mut self, scenario: &Scenario, baseline: Option<&Baseline>) {
        let (mut failed, mut expected) = (false, false);
        for check in &scenario.checks {
            let is_expected =
                baseline.is_some_and(|baseline| baseline.expects(&scenario.name, &check.id));
            match check.status.as_str() {
                "SUCCESS" => self.checks.passed += 1,
                "FAILURE" | "WARNING" if is_expected => {
                    expected = true;
                    self.expected_checks += 1;
                }
                // With a baseline, the suite takes a warning that is not listed for a failure.
                "WARNING" if baseline.is_none() => {
                    self.warnings += 1;
                    self.failures.push(format!(
                        "warning {} / {}: {}",
                        scenario.name, check.id, check.message
                    ));
                }
                "FAILURE" | "WARNING" => {
                    failed = true;
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
        match (failed, expected) {
            (true, _) => self.failed += 1,
            (false, true) => self.expected += 1,
            (false, false) => self.passed += 1,
        }
    }

    pub(super) fn scenarios_run(&self) -> u64 {
        self.passed + self.failed + self.expected
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            expected,
            checks,
            expected_checks,
            warnings,
            ..
        } = self;
        write!(
            f,
            "scenarios: {passed} passed, {failed} failed, {expected} failed as expected; "
        )?;
        write!(
            f,
            "checks: {} passed, {} failed, {expected_checks} failed as expected",
            checks.passed, checks.failed
        )?;
        if *warnings > 0 {
            write!(f, ", {warnings} warnings")?;
        }
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
        let tally = Tally::of(&scenarios, Some(&["one".to_owned()]), &[], None);
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
    fn expected_failures_are_neither_passed_nor_failed() {
        let baseline = Baseline::parse("server:\n  - one # why\n").unwrap();
        let scenarios = [
            scenario("one", &["SUCCESS", "FAILURE"]),
            scenario("two", &["FAILURE"]),
        ];
        let tally = Tally::of(&scenarios, None, &[], Some(&baseline));
        assert_eq!(
            tally.checks,
            Counts {
                passed: 1,
                failed: 1
            }
        );
        assert_eq!(
            (
                tally.passed,
                tally.failed,
                tally.expected,
                tally.expected_checks
            ),
            (0, 1, 1, 1)
        );
        assert_eq!(tally.failures, ["not ok two / check: why"]);
    }

    #[test]
    fn a_warning_fails_only_where_there_is_a_baseline() {
        let scenarios = [scenario("one", &["WARNING", "SKIPPED"])];
        assert_eq!(Tally::of(&scenarios, None, &[], None).checks.failed, 0);
        let baseline = Baseline::parse("server: []\n").unwrap();
        assert_eq!(
            Tally::of(&scenarios, None, &[], Some(&baseline))
                .checks
                .failed,
            1
        );
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
