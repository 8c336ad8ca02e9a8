//! For tests of hosts: which variables a host's reader asks for, beside those that the table lists
//! for it. Reads no environment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::reader::EnvReader;
use crate::setting::Hosts;
use crate::table::SETTINGS;

/// The variables of the table that `host` uses, and those that `read` asked for with any of the
/// given sets of variables: what is read can depend on what is set.
#[doc(hidden)]
pub fn listed_and_read(
    host: Hosts,
    sets: &[&[(&str, &str)]],
    read: impl Fn(EnvReader<'_>),
) -> (BTreeSet<String>, BTreeSet<String>) {
    let asked = RefCell::new(BTreeSet::new());
    for set in sets {
        let variable = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        read(EnvReader::new(&variable));
    }
    let mut asked = asked.into_inner();
    asked.retain(|name| name.starts_with("MCPFN_"));
    let listed = SETTINGS
        .iter()
        .filter(|setting| setting.hosts.meets(host))
        .map(|setting| setting.name.to_owned())
        .collect();
    (listed, asked)
}
