//! Steps in order, and what a run of them closes with: verdict, time and counts of each. What a
//! step does is its own business.

use std::time::{Duration, Instant};

use crate::{
    context::Context,
    processor::ProcessorTime,
    report::{Counts, Error, Result, flush},
};

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Context, &mut Counts) -> Result<()>,
}

/// What a step, or all of them, took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    processor: ProcessorTime,
}

#[derive(Debug, Clone, Copy)]
struct Meter {
    start: Instant,
    processor: ProcessorTime,
}

impl Meter {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            processor: ProcessorTime::now(),
        }
    }

    fn read(self) -> Cost {
        Cost {
            time: self.start.elapsed(),
            processor: ProcessorTime::now().since(self.processor),
        }
    }
}

struct Done {
    name: &'static str,
    took: Cost,
    counts: Counts,
    failed: bool,
}

/// Runs the steps in order and stops at the first that fails. The summary is printed either way.
pub(crate) fn run_all(cx: &Context, steps: &[Step]) -> Result<()> {
    let meter = Meter::start();
    let mut done: Vec<Done> = Vec::new();
    let mut failure = None;
    for step in steps {
        let so_far = meter.read().time.as_secs();
        println!("\n==== {} ({so_far} s so far)", step.name);
        flush();
        let (ended, result) = run(cx, step);
        done.push(ended);
        if let Err(error) = result {
            failure = Some(Error::new(format!(
                "the step `{}` failed: {error}",
                step.name
            )));
            break;
        }
    }
    print!("{}", summary(steps, &done, meter.read()));
    flush();
    failure.map_or(Ok(()), Err)
}

fn run(cx: &Context, step: &Step) -> (Done, Result<()>) {
    let meter = Meter::start();
    let mut counts = Counts::default();
    let result = (step.run)(cx, &mut counts);
    // A step that fails before it could count anything (a lint, a build) is still one thing that
    // failed.
    if result.is_err() && counts.failed == 0 {
        counts.failed = 1;
    }
    let done = Done {
        name: step.name,
        took: meter.read(),
        counts,
        failed: result.is_err(),
    };
    (done, result)
}

/// Runs one step on its own and prints what it took and its counts, if it has any, also when it
/// fails.
pub(crate) fn run_one(run: impl FnOnce(&mut Counts) -> Result<()>) -> Result<()> {
    let meter = Meter::start();
    let mut counts = Counts::default();
    let result = run(&mut counts);
    let took = meter.read();
    println!(
        "took {} s, {} of processor time",
        took.time.as_secs(),
        took.processor
    );
    if counts != Counts::default() {
        println!("{counts}");
    }
    flush();
    result
}

fn summary(steps: &[Step], done: &[Done], took: Cost) -> String {
    let mut text = format!(
        "\n==== summary ({} s, {} of processor time)\n",
        took.time.as_secs(),
        took.processor
    );
    let mut total = Counts::default();
    for step in done {
        total.passed += step.counts.passed;
        total.failed += step.counts.failed;
        text.push_str(&line(step));
    }
    for step in &steps[done.len()..] {
        text.push_str(&format!("{:<12} not run\n", step.name));
    }
    text.push_str(&format!("{total}\n"));
    text
}

fn line(step: &Done) -> String {
    let verdict = if step.failed { "FAILED" } else { "ok" };
    let counts = if step.counts == Counts::default() {
        String::new()
    } else {
        step.counts.to_string()
    };
    let line = format!(
        "{:<12} {verdict:<7} {:>5} s, processor {:>7}  {counts}",
        step.name,
        step.took.time.as_secs(),
        step.took.processor,
    );
    format!("{}\n", line.trim_end())
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

    const COST: Cost = Cost {
        time: Duration::from_secs(3),
        processor: ProcessorTime::seconds(41),
    };

    fn done(name: &'static str, passed: u64, failed: u64) -> Done {
        Done {
            name,
            took: COST,
            counts: Counts { passed, failed },
            failed: failed > 0,
        }
    }

    #[test]
    fn the_totals_stand_alone_on_the_last_line() {
        let done = [done("one", 0, 0), done("two", 5, 0), done("three", 7, 0)];
        let text = summary(STEPS, &done, COST);
        assert_eq!(text.lines().last(), Some("12 passed, 0 failed"));
        let one = "one          ok          3 s, processor    41 s\n";
        assert!(text.contains(one), "{text}");
        let head = "==== summary (3 s, 41 s of processor time)\n";
        assert!(text.contains(head), "{text}");
    }

    #[test]
    fn steps_after_a_failure_are_named_as_not_run() {
        let text = summary(STEPS, &[done("one", 2, 0), done("two", 5, 1)], COST);
        assert!(text.contains("three        not run\n"), "{text}");
        assert!(text.ends_with("\n7 passed, 1 failed\n"), "{text}");
    }
}
