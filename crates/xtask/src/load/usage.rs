//! What a process has of the machine: memory and descriptors, as Linux tells them.

use std::fs;

use crate::report::{Result, While};

#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Memory that is there now, and at most so far, in KiB.
    pub(super) now: u64,
    pub(super) most: u64,
    pub(super) descriptors: u64,
}

impl Usage {
    pub(super) fn of(process: u32) -> Result<Self> {
        let folder = format!("/proc/{process}");
        let status = fs::read_to_string(format!("{folder}/status"));
        let status = status.while_doing("read what a process uses")?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.unwrap_or(0)
        };
        let descriptors = fs::read_dir(format!("{folder}/fd"));
        let descriptors = descriptors.while_doing("count a process's descriptors")?;
        Ok(Self {
            now: kib("VmRSS:"),
            most: kib("VmHWM:"),
            descriptors: descriptors.count() as u64,
        })
    }
}
