//! What the system says a program has used of the processor, with the programs it started. Stands
//! for the energy of a call, for which there is no meter here. Linux only.

use std::fs;
use std::ops::{AddAssign, Sub};

/// So many ticks of `/proc/PID/stat` are a second, whatever the kernel counts in itself.
const TICKS: f64 = 100.0;

/// Time on the processor, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ticks {
    /// In programs.
    pub(crate) user: u64,
    /// In the kernel, on behalf of them.
    pub(crate) system: u64,
}

impl Ticks {
    /// Microseconds in programs and in the kernel, of each of so many calls.
    pub(crate) fn of_each(self, calls: u64) -> [f64; 2] {
        [self.user, self.system].map(|ticks| ticks as f64 / TICKS * 1e6 / calls as f64)
    }
}

impl AddAssign for Ticks {
    fn add_assign(&mut self, other: Self) {
        self.user += other.user;
        self.system += other.system;
    }
}

impl Sub for Ticks {
    type Output = Self;

    /// From an earlier count to this one. A program that nobody waited for takes its count with
    /// it, so a later one may be less.
    fn sub(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// One line of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    id: u32,
    parent: u32,
    /// With that of children which have ended and were waited for.
    used: Ticks,
}

/// Of a program, all programs it started that still run, and those that have ended.
pub(crate) fn used(id: u32) -> Ticks {
    let all: Vec<Process> = fs::read_dir("/proc")
        .expect("Linux has /proc")
        .flatten()
        // a program may end while this is read
        .filter_map(|entry| read(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect();
    sum(&all, id)
}

fn read(stat: &str) -> Option<Process> {
    // the name is in brackets and may have brackets and spaces in it
    let (id, rest) = stat.split_once(" (")?;
    let fields: Vec<&str> = rest.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |position: usize| fields.get(position)?.parse::<u64>().ok();
    Some(Process {
        id: id.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        used: Ticks {
            user: ticks(11)? + ticks(13)?,
            system: ticks(12)? + ticks(14)?,
        },
    })
}

fn sum(all: &[Process], id: u32) -> Ticks {
    let mut family = vec![id];
    let mut used = Ticks::default();
    while let Some(member) = family.pop() {
        for process in all {
            if process.id == member {
                used += process.used;
            }
            if process.parent == member {
                family.push(process.id);
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: u32, parent: u32, user: u64, system: u64) -> Process {
        let used = Ticks { user, system };
        Process { id, parent, used }
    }

    #[test]
    fn a_line_is_read_whatever_the_program_is_called() {
        let line = "71 (a) b (c) S 70 71 71 0 -1 4194304 99 0 1 0 41 6 4 3 20 0 1 0 207186";
        assert_eq!(read(line), Some(process(71, 70, 45, 9)));
        assert_eq!(read("71 (short) S 70 71"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn children_and_theirs_count_and_nobody_else() {
        let all = [
            process(1, 0, 1000, 1000),
            process(7, 1, 10, 1),
            process(8, 7, 20, 2),
            process(9, 8, 40, 4),
            process(10, 1, 500, 500),
        ];
        let expected = Ticks {
            user: 70,
            system: 7,
        };
        assert_eq!(sum(&all, 7), expected);
        assert_eq!(sum(&all, 11), Ticks::default());
    }

    #[test]
    fn a_call_costs_its_share_of_what_was_used_between_two_counts() {
        let count = |user, system| Ticks { user, system };
        let spent = count(150, 40) - count(50, 20);
        assert_eq!(spent, count(100, 20));
        // a second and a fifth, over ten thousand calls
        assert_eq!(spent.of_each(10_000), [100.0, 20.0]);
        assert_eq!(count(1, 1) - count(2, 0), count(0, 1));
    }

    #[test]
    fn this_program_is_counted() {
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 100 {}
        assert!(used(std::process::id()).user > 0);
    }
}
