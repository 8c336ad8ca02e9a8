//! Processor time of the programs that were started and have ended, with all that they started and
//! waited for. It measures; what a run may cost is decided nowhere.

use std::{fmt, fs, time::Duration};

/// The unit of /proc/self/stat on every processor that rustc runs on.
const TICKS_A_SECOND: u64 = 100;

/// User and system time together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessorTime(Option<Duration>);

impl ProcessorTime {
    /// What was used so far. Unknown where there is no /proc: the call for it elsewhere would be
    /// unsafe, or a dependency of the crate that is compiled before all others.
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").ok();
        Self(stat.and_then(|stat| children(&stat)))
    }

    #[cfg(test)]
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Some(Duration::from_secs(seconds)))
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self(self.0.zip(earlier.0).map(|(now, then)| now - then))
    }
}

impl fmt::Display for ProcessorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => f.pad(&format!("{} s", time.as_secs())),
            None => f.pad("? s"),
        }
    }
}

/// Reads `cutime` and `cstime`, the 16th and the 17th field. The second one, the name of this
/// program, may hold spaces and brackets; the last closing bracket ends it.
fn children(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(13);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let ticks = next()? + next()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_of_children_are_added() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 200 0 0 7 8 1234 66 20 0 1 0 100 1 1";
        assert_eq!(children(stat), Some(Duration::from_secs(13)));
        assert_eq!(children("42 (a) S 1"), None);
        assert_eq!(children(""), None);
    }

    #[test]
    fn an_unknown_time_is_shown_as_such() {
        let known = ProcessorTime::seconds(9);
        assert_eq!(known.since(ProcessorTime::seconds(4)).to_string(), "5 s");
        assert_eq!(known.since(ProcessorTime(None)).to_string(), "? s");
        assert_eq!(format!("{known:>6}"), "   9 s");
    }
}
