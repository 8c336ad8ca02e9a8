//! Where a tool's rows are written: one table of the operator's, whose columns hold what the tools
//! write without any change. Runs nothing.

use mcpfn_core::text::quoted;
use mcpfn_ports::Dialect;

use super::members::MistakesFound;
use super::needs::Need;
use super::says::{ColumnSource, TableMap};
use super::scope::{Class, Scope, qualified, wrong_type};
use crate::database::schema::{Column, identifier};

/// A table that is written to.
pub(crate) struct WriteTarget {
    /// Its name, with its schema.
    table: String,
    /// What the tool calls a column, its name, and the type that a value is cast to.
    columns: Vec<(&'static str, String, Option<String>)>,
    /// The new row's key as text.
    key: String,
}

impl WriteTarget {
    pub(super) fn new(
        map: &TableMap,
        scope: &Scope<'_>,
        dialect: Dialect,
        found: &mut MistakesFound,
    ) -> Option<Self> {
        let place = map.relation.name;
        let table = scope.from();
        whole_table(map, table.view, &table.name, found);
        let mut columns = Vec::new();
        let mut key = None;
        for name in map.relation.written {
            let column = written(map, scope, name, found);
            let Some((need, column)) = column else {
                continue;
            };
            let cast = (dialect == Dialect::Postgres).then(|| column.declared.clone());
            if need.name == "id" {
                key = Some(format!("CAST({} AS TEXT)", identifier(&column.name)));
                if is_made(column, scope, dialect) {
                    continue;
                }
                fits_key(map, scope, column, found);
            }
            columns.push((need.name, identifier(&column.name), cast));
        }
        for column in &table.columns {
            let needed = !column.nullable && !column.filled && !is_made(column, scope, dialect);
            let name = identifier(&column.name);
            if needed && !columns.iter().any(|(_, known, _)| *known == name) {
                found.add(place, unfilled(column, &table.name));
            }
        }
        Some(Self {
            table: qualified(table),
            columns,
            key: key?,
        })
    }

    /// The statement that writes one row. `values` are expressions by the names that the tool gives
    /// its columns, `rest` is where they come from, with a condition at its end.
    pub(super) fn insert(&self, values: &[(&str, &str)], rest: &str) -> String {
        let mut names = Vec::new();
        let mut written = Vec::new();
        for (known, name, cast) in &self.columns {
            let Some((_, value)) = values.iter().find(|(column, _)| column == known) else {
                continue;
            };
            names.push(name.as_str());
            written.push(match cast {
                Some(cast) => format!("CAST({value} AS {cast})"),
                None => (*value).to_owned(),
            });
        }
        // engines refuse a parameter that no statement names
        let unused: String = values
            .iter()
            .filter(|(column, value)| {
                let written = self.columns.iter().any(|(known, ..)| known == column);
                value.starts_with('?') && !written
            })
            .map(|(_, value)| format!(" AND CAST({value} AS TEXT) IS NOT NULL"))
            .collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} {rest}{unused} RETURNING {}",
            self.table,
            names.join(", "),
            written.join(", "),
            self.key
        )
    }
}

/// Reports what can't be written to.
fn whole_table(map: &TableMap, view: bool, name: &str, found: &mut MistakesFound) {
    let place = map.relation.name;
    if view {
        found.add(
            place,
            format!(
                "{} is a view, which can't be written to; take `write` out, or map a table",
                quoted(name)
            ),
        );
    }
    if !map.conditions.is_empty() {
        found.add(
            place,
            "with `where` a row that was written might not be found again; take `where` or `write` \
             out",
        );
    }
}

fn unfilled(column: &Column, table: &str) -> String {
    format!(
        "{} must have a value in each row of {} and the tool writes none: give it a default, or \
         take `write` out",
        quoted(&column.name),
        quoted(table)
    )
}

/// The column of `from` that a tool writes.
fn written<'a>(
    map: &TableMap,
    scope: &Scope<'a>,
    name: &str,
    found: &mut MistakesFound,
) -> Option<(&'static Need, &'a Column)> {
    let place = format!("{}.columns.{name}", map.relation.name);
    let Some((need, source)) = map.columns.iter().find(|(need, _)| need.name == name) else {
        if name == "id" {
            found.add(
                &place,
                "a table that is written to needs its key here, so that a new row can be named",
            );
        }
        return None;
    };
    let own = match source {
        ColumnSource::Column(name) => {
            let columns = &scope.from().columns;
            columns.iter().find(|column| column.name == *name)
        }
        _ => None,
    };
    if own.is_none() {
        found.add(
            &place,
            "what is written must be a column of `from` itself, without a change; map it so, or \
             take `write` out",
        );
    }
    own.map(|column| (*need, column))
}

/// A key that the database makes: a number.
fn is_made(column: &Column, scope: &Scope<'_>, dialect: Dialect) -> bool {
    let number = scope.class(column) == Class::Integer;
    let only = scope
        .from()
        .columns
        .iter()
        .filter(|other| other.key > 0)
        .count()
        == 1;
    let by_itself = dialect != Dialect::Postgres && column.declared.eq_ignore_ascii_case("integer");
    number && (column.filled || column.key > 0 && only && by_itself)
}

/// Others get a text of this server's, which no other row has.
fn fits_key(map: &TableMap, scope: &Scope<'_>, column: &Column, found: &mut MistakesFound) {
    let place = format!("{}.columns.id", map.relation.name);
    let uuid = column.declared == "uuid" && map.relation.name == "activities";
    if scope.class(column) != Class::Text && !uuid {
        let wanted = "text, or a number that the database makes by itself,";
        found.add(&place, wrong_type(column, wanted));
    }
    if column.key == 0 {
        found.add(
            &place,
            format!(
                "{} is not the key of {}, and a row that is written needs one",
                quoted(&column.name),
                quoted(&scope.from().name)
            ),
        );
    }
}
