//! The fuzz targets on a stable compiler: valid inputs, changed at random for a few seconds. Not a
//! search that learns; that one is in `fuzz/`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use mcpfn_it::fuzzing::{TARGETS, Target};

const TIME: Duration = Duration::from_millis(2500);
/// The same inputs in every run of the same length; change it to look elsewhere.
const SEED: u64 = 0x6d63_7066_6e00_0001;
/// Pieces with a meaning somewhere, which chance alone would hardly write.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "-0",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\n\n",
    "=?base64?",
    "?=",
    "%",
    "%2f",
    "\"id\":",
    "\"_meta\":{",
    "2026-07-28",
    "2025-03-26",
    "mcp-name: ",
    "origin: null\n",
    "content-length: 99999999\n",
];

#[test]
fn envelope() {
    fuzz("envelope");
}

#[test]
fn sentinel() {
    fuzz("sentinel");
}

#[test]
fn cursor() {
    fuzz("cursor");
}

#[test]
fn trigger() {
    fuzz("trigger");
}

#[test]
fn claims() {
    fuzz("claims");
}

#[test]
fn key_list() {
    fuzz("key_list");
}

#[test]
fn request_state() {
    fuzz("request_state");
}

#[test]
fn http() {
    fuzz("http");
}

fn fuzz(name: &str) {
    let Target { check, seeds, .. } = TARGETS
        .into_iter()
        .find(|target| target.name == name)
        .expect("a target of this name");
    let seeds = seeds();
    let mut chance = Chance(SEED);
    let start = Instant::now();
    let mut inputs = 0;
    while inputs < seeds.len() || start.elapsed() < TIME {
        // every valid input once as it is
        let input = seeds
            .get(inputs)
            .cloned()
            .unwrap_or_else(|| chance.changed(&seeds));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            eprintln!(
                "{name}: input {inputs} of seed {SEED:#x}: {:?}",
                input.escape_ascii().to_string()
            );
            resume_unwind(panic);
        }
        inputs += 1;
    }
    println!("{name}: {inputs} inputs of seed {SEED:#x}");
}

/// Chance that can be repeated (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of the inputs after one to four changes.
    fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let to = at + self.below((input.len() - at).min(32) + 1);
            match self.below(7) {
                0 if at < input.len() => input[at] ^= 1 << self.below(8),
                1 => drop(input.drain(at..to)),
                2 => drop(input.splice(at..at, PIECES[self.below(PIECES.len())].bytes())),
                3 => drop(input.splice(at..to, PIECES[self.below(PIECES.len())].bytes())),
                4 => {
                    let repeated = input[at..to].repeat(1 + self.below(40));
                    drop(input.splice(at..at, repeated));
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    input.truncate(at);
                    input.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
                _ => input.insert(at, self.next() as u8),
            }
        }
        input
    }
}
