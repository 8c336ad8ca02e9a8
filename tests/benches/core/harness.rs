//! Times operations in turns: a machine that is slow for a while is slow for all of them, so ratios
//! hold where times do not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many turns each operation gets. Odd, so that there is one in the middle.
const ROUNDS: usize = 201;
/// How long one turn takes, about.
const TURN: Duration = Duration::from_millis(1);
/// Values prepared at a time: few enough to stay in the processor's first cache.
const FEW: usize = 16;

/// Something to be done any number of times.
pub(crate) struct Operation {
    pub(crate) name: String,
    /// Does it so many times and says how long that took.
    pub(crate) run: Box<dyn FnMut(usize) -> Duration>,
}

/// Nanoseconds of one operation, round by round.
pub(crate) struct Measured(Vec<f64>);

impl Measured {
    pub(crate) fn nanoseconds(&self) -> f64 {
        middle(self.0.clone())
    }

    /// How often the other fits into this, compared within each round.
    pub(crate) fn beside(&self, other: &Self) -> f64 {
        middle(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(this, other)| this / other)
                .collect(),
        )
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs `work` on values that `prepare` makes, and times the work alone.
pub(crate) fn timed<T>(
    times: usize,
    mut prepare: impl FnMut() -> T,
    mut work: impl FnMut(T),
) -> Duration {
    let mut took = Duration::ZERO;
    let mut prepared = Vec::with_capacity(FEW);
    let mut left = times;
    while left > 0 {
        prepared.extend((0..left.min(FEW)).map(|_| prepare()));
        left -= prepared.len();
        let start = Instant::now();
        for value in prepared.drain(..) {
            one_operation(&mut work, value);
        }
        took += start.elapsed();
    }
    took
}

/// A function of its own, because a tool that counts instructions is told to count inside it, by
/// this name.
#[inline(never)]
fn one_operation<T>(work: &mut impl FnMut(T), value: T) {
    work(value);
}

/// Measures all operations, each round in another order.
pub(crate) fn interleaved(operations: &mut [Operation]) -> BTreeMap<String, Measured> {
    let times: Vec<usize> = operations.iter_mut().map(times_in_a_turn).collect();
    let mut measured: Vec<Vec<f64>> = vec![Vec::with_capacity(ROUNDS); operations.len()];
    for round in 0..ROUNDS {
        for turn in 0..operations.len() {
            let position = (turn + round) % operations.len();
            let took = (operations[position].run)(times[position]);
            measured[position].push(took.as_secs_f64() * 1e9 / times[position] as f64);
        }
    }
    operations
        .iter()
        .map(|operation| operation.name.clone())
        .zip(measured.into_iter().map(Measured))
        .collect()
}

fn times_in_a_turn(operation: &mut Operation) -> usize {
    let mut times = 1;
    loop {
        // the first runs also warm caches and write what a server writes once
        if (operation.run)(times) >= TURN {
            return times;
        }
        times *= 2;
    }
}
