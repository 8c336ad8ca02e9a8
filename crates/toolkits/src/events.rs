//! What the toolkits' events have in common: the settings that switch them on, their ids and their
//! times. Reads no table.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_EVENTS` | `on` adds the events of the toolkits `crm`, `inventory` and `files` |
//! | `MCPFN_EVENT_TABLES` | tables of the toolkit `database` whose new rows are events, each with a whole number that grows: `orders:id,notes:number` |

use std::time::Duration;

use mcpfn_core::Builder;

use crate::config::Config;
use crate::database;
use crate::mapping::Mapping;
use crate::{crm, files, inventory};

/// Switches on the events of toolkits.
pub(crate) const EVENTS: &str = "MCPFN_EVENTS";
/// Tables whose new rows are events.
pub(crate) const TABLES: &str = "MCPFN_EVENT_TABLES";

/// How often what is in a table is looked at.
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// Adds the events of the toolkits for which `has` says so, where they are switched on.
pub(crate) fn configured(
    mut builder: Builder,
    has: &dyn Fn(&str) -> bool,
    config: &mut Config<'_>,
) -> Builder {
    if config.switch(EVENTS) {
        let mapping = Mapping::given(config);
        let mut none = true;
        for (toolkit, events) in [
            ("crm", crm::events(mapping.as_ref())),
            ("inventory", inventory::events(mapping.as_ref())),
        ] {
            for event in events.into_iter().filter(|_| has(toolkit)) {
                (builder, none) = (builder.event(event), false);
            }
        }
        let (writes, notices) = files::hears(config);
        if has("files") && (writes || notices) {
            (builder, none) = (files::with_events(builder, notices), false);
        }
        if none && config.text(TABLES).is_none() {
            config.mistake(format!(
                "{EVENTS} is on, and no toolkit of the list has events: add `crm`, `inventory`, or \
                 `files` with MCPFN_FILES_WRITABLE=on or MCPFN_FILES_NOTICES=on, or remove {EVENTS}"
            ));
        }
    }
    let Some(list) = config.text(TABLES) else {
        return builder;
    };
    if !has("database") {
        config.mistake(format!(
            "{TABLES} is set, and its tables are those of the toolkit `database`: add `database` to \
             the list, or remove {TABLES}"
        ));
    }
    match database::added_rows(&list) {
        Ok(events) => events.into_iter().fold(builder, Builder::event),
        Err(mistake) => {
            config.mistake(format!("{TABLES}: {mistake}"));
            builder
        }
    }
}

/// The id of an event, of the id that something has where it is kept: itself where clients take it, and
/// otherwise a digest of it.
pub(crate) fn event_id(kind: &str, id: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    match id.len() <= 128 && id.bytes().all(legal) {
        true => format!("{kind}-{id}"),
        false => format!("{kind}--{:016x}", digest(&[id.as_bytes()])),
    }
}

/// 64 bits of some parts (FNV-1a), for what nobody gains from making equal.
pub(crate) fn digest(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| {
        let length = part.len().to_be_bytes();
        length.into_iter().chain(part.iter().copied())
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |all, byte| {
        (all ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_clients_take() {
        assert_eq!(event_id("activity", "A-17"), "activity-A-17");
        for id in ["a.b", "a b", "\u{e9}", &"x".repeat(129)] {
            let written = event_id("activity", id);
            assert!(written.starts_with("activity--") && written.len() < 40);
            assert!(
                written
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'.')
            );
        }
        assert_ne!(digest(&[b"a", b"bc"]), digest(&[b"ab", b"c"]));
    }
}
