//! Dates and moments as ISO 8601 text, from the types and numbers in which databases keep them.

use mcpfn_ports::Dialect;

use super::members::MistakesFound;
use super::needs::NeedKind;
use super::scope::{Class, KnownColumn};

/// Makes texts of one kind.
pub(super) struct Moments {
    postgres: bool,
    /// With the time of day.
    whole: bool,
}

impl Moments {
    pub(super) fn new(dialect: Dialect, kind: NeedKind) -> Self {
        Self {
            postgres: dialect == Dialect::Postgres,
            whole: kind == NeedKind::Moment,
        }
    }

    /// Of a column that holds them.
    pub(super) fn of(
        &self,
        known: &KnownColumn<'_>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let sql = &known.sql;
        let format = self.format();
        match (known.class, self.postgres) {
            (Class::Text | Class::Moment { .. } | Class::Day | Class::Any, false) => {
                Some(format!("strftime({format}, {sql})"))
            }
            (Class::Text, true) if self.whole => Some(sql.clone()),
            (Class::Text, true) => Some(format!("substr({sql}, 1, 10)")),
            (Class::Day | Class::Moment { zone: false }, true) => {
                Some(format!("to_char({sql}, {format})"))
            }
            (Class::Moment { zone: true }, true) => {
                Some(format!("to_char({sql} AT TIME ZONE 'UTC', {format})"))
            }
            (Class::Integer | Class::Number, _) => {
                let wanted =
                    "a date (\"as\": \"seconds\" or \"milliseconds\" reads numbers since 1970)";
                found.add(place, known.mistyped(wanted));
                None
            }
            _ => {
                found.add(place, known.mistyped("a date"));
                None
            }
        }
    }

    /// Of a column with numbers.
    pub(super) fn since_1970(
        &self,
        known: &KnownColumn<'_>,
        milliseconds: bool,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        if !matches!(known.class, Class::Integer | Class::Number | Class::Any) {
            found.add(place, known.mistyped("a number of seconds since 1970"));
            return None;
        }
        let format = self.format();
        let seconds = match milliseconds {
            true => format!("{} / 1000", known.sql),
            false => known.sql.clone(),
        };
        Some(match self.postgres {
            true => format!("to_char(to_timestamp({seconds}) AT TIME ZONE 'UTC', {format})"),
            false => format!("strftime({format}, {seconds}, 'unixepoch')"),
        })
    }

    fn format(&self) -> &'static str {
        match (self.whole, self.postgres) {
            (true, true) => "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'",
            (false, true) => "'YYYY-MM-DD'",
            (true, false) => "'%Y-%m-%dT%H:%M:%SZ'",
            (false, false) => "'%Y-%m-%d'",
        }
    }
}
