//! What a run says about itself: errors as sentences, counts, step headers and the closing summary.
//! It starts nothing.

use std::{
    fmt, io,
    io::Write,
    time::{Duration, Instant},
};

use crate::context::Context;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A sentence for the person at the terminal. Nothing in here is matched on, so it needs no kinds.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says what was being done when the operating system refused.
pub(crate) trait While<T> {
    fn while_doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T> While<T> for io::Result<T> {
    fn while_doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error::new(format!("could not {what}: {cause}")))
    }
}

/// Checks that ran. Only what a tool reported is added; a step never invents a count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Counts a check and says that it passed; its failure is an error with the check's name.
pub(crate) fn checked<T>(name: &str, result: Result<T>, counts: &mut Counts) -> Result<T> {
    match &result {
        Ok(_) => {
            println!("ok {name}");
            counts.passed += 1;
        }
        Err(_) => counts.failed += 1,
    }
    result.map_err(|error| Error::new(format!("{name}: {error}")))
}

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Context, &mut Counts) -> Result<()>,
}

struct Done {
    name: &'static str,
    took: Duration,
    counts: Counts,
    failed: bool,
}

/// Runs the steps in order and stops at the first that fails. The summary is printed either way.
pub(crate) fn run_steps(cx: &Context, steps: &[Step]) -> Result<()> {
    let start = Instant::now();
    let mut done: Vec<Done> = Vec::new();
    let mut failure = None;
    for step in steps {
        println!(
            "\n==== {} ({} s so far)",
            step.name,
            start.elapsed().as_secs()
        );
        flush();
        let from = Instant::now();
        let mut counts = Counts::default();
        let result = (step.run)(cx, &mut counts);
        // A step that fails before it could count anything (a lint, a build) is still one thing
        // that failed.
        if result.is_err() && counts.failed == 0 {
            counts.failed = 1;
        }
        done.push(Done {
            name: step.name,
            took: from.elapsed(),
            counts,
            failed: result.is_err(),
        });
        if let Err(error) = result {
            failure = Some(Error::new(format!(
                "the step `{}` failed: {error}",
                step.name
            )));
            break;
        }
    }
    print!("{}", summary(steps, &done, start.elapsed()));
    flush();
    failure.map_or(Ok(()), Err)
}

fn summary(steps: &[Step], done: &[Done], took: Duration) -> String {
    let mut text = format!("\n==== summary ({} s)\n", took.as_secs());
    let mut total = Counts::default();
    for step in done {
        total.passed += step.counts.passed;
        total.failed += step.counts.failed;
        let verdict = if step.failed { "FAILED" } else { "ok" };
        let counts = if step.counts == Counts::default() {
            String::new()
        } else {
            step.counts.to_string()
        };
        let line = format!(
            "{:<12} {verdict:<7} {:>5} s  {counts}",
            step.name,
            step.took.as_secs()
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for step in &steps[done.len()..] {
        text.push_str(&format!("{:<12} not run\n", step.name));
    }
    text.push_str(&format!("{total}\n"));
    text
}

/// Our own lines must come before those of the tool started next, which writes to the same terminal
/// or file.
pub(crate) fn flush() {
    // A closed standard output is noticed by the next write; there is nothing to do about it here.
    let _ = io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step] = &[
        Step {
            name: "one",
            run: |_, _| Ok(()),
        },
        Step {
            name: "two",
            run: |_, _| Ok(()),
        },
        Step {
            name: "three",
            run: |_, _| Ok(()),
        },
    ];

    fn done(name: &'static str, passed: u64, failed: u64) -> Done {
        Done {
            name,
            took: Duration::from_secs(3),
            counts: Counts { passed, failed },
            failed: failed > 0,
        }
    }

    #[test]
    fn the_totals_stand_alone_on_the_last_line() {
        let text = summary(
            STEPS,
            &[done("one", 0, 0), done("two", 5, 0), done("three", 7, 0)],
            Duration::ZERO,
        );
        assert_eq!(text.lines().last(), Some("12 passed, 0 failed"));
        assert!(text.contains("one          ok          3 s\n"), "{text}");
    }

    #[test]
    fn steps_after_a_failure_are_named_as_not_run() {
        let text = summary(
            STEPS,
            &[done("one", 2, 0), done("two", 5, 1)],
            Duration::ZERO,
        );
        assert!(text.contains("three        not run\n"), "{text}");
        assert!(text.ends_with("\n7 passed, 1 failed\n"), "{text}");
    }
}
