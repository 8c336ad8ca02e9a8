//! The settings that switch on the toolkits' events. Reads no table.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_EVENTS` | `on` adds the events of the toolkits `crm`, `inventory` and `files` |
//! | `MCPFN_EVENT_TABLES` | tables of the toolkit `database` whose new rows are events, each with a whole number that grows: `orders:id,notes:number` |

use mcpfn_core::Builder;

use crate::config::Config;
use crate::database;
use crate::mapping::Mapping;
use crate::{crm, files, inventory};

/// Switches on the events of toolkits.
pub(crate) const EVENTS: &str = "MCPFN_EVENTS";
/// Tables whose new rows are events.
pub(crate) const TABLES: &str = "MCPFN_EVENT_TABLES";

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
