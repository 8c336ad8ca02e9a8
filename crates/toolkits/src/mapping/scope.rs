//! The operator's tables that one mapped table reads, by the names that the mapping gives them: which
//! columns there are, and what they hold. Identifiers in SQL come from the live schema alone.

use mcpfn_core::text::{nearest, quoted};
use mcpfn_ports::Dialect;

use super::members::MistakesFound;
use super::says::{ColumnSource, TableMap};
use crate::database::schema::{Column, DatabaseSchema, DatabaseTable, identifier};

/// The name of `from` in statements. No join can have it.
const FROM: &str = "_from";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Integer,
    Number,
    Switch,
    Day,
    Moment {
        zone: bool,
    },
    Bytes,
    /// Another type, which has a text.
    Other,
    /// Nothing is declared, as in views of SQLite.
    Any,
}

/// A column that was found.
pub(super) struct KnownColumn<'a> {
    /// Its qualified name.
    pub(super) sql: String,
    pub(super) column: &'a Column,
    pub(super) class: Class,
    /// Whether it may be null: it may, or its join may find no row.
    pub(super) nullable: bool,
}

impl KnownColumn<'_> {
    /// A mistake about the column's type.
    pub(super) fn mistyped(&self, wanted: &str) -> String {
        wrong_type(self.column, wanted)
    }
}

struct ScopePlace<'a> {
    alias: &'a str,
    table: &'a DatabaseTable,
}

/// What can be named.
pub(super) struct Scope<'a> {
    dialect: Dialect,
    map: &'a TableMap,
    places: Vec<ScopePlace<'a>>,
    /// Joins that may find several rows.
    many: Vec<&'a str>,
}

impl<'a> Scope<'a> {
    /// With `from`; joins are added by [`Scope::joins`].
    pub(super) fn new(
        map: &'a TableMap,
        schema: &'a DatabaseSchema,
        dialect: Dialect,
        found: &mut MistakesFound,
    ) -> Option<Self> {
        let summed = map.columns.iter().filter_map(|(_, source)| match source {
            ColumnSource::Multiplied(product) if product.sum => product.column.split_once('.'),
            _ => None,
        });
        let many = summed
            .map(|(alias, _)| alias)
            .filter(|alias| map.joins.iter().any(|join| join.alias == *alias))
            .collect();
        let from = map.from.as_deref()?;
        let table = table(schema, map.relation.name, from, found)?;
        let alias = FROM;
        Some(Self {
            dialect,
            map,
            places: vec![ScopePlace { alias, table }],
            many,
        })
    }

    /// The part of a statement behind FROM. Joins that are summed over are left out of it.
    pub(super) fn joins(
        &mut self,
        schema: &'a DatabaseSchema,
        found: &mut MistakesFound,
    ) -> String {
        let first = &self.places[0];
        let mut sql = format!("{} AS {}", qualified(first.table), identifier(first.alias));
        for join in &self.map.joins {
            let place = format!("{}.joins.{}", self.map.relation.name, join.alias);
            let Some(table) = table(schema, &place, &join.table, found) else {
                continue;
            };
            let alias = join.alias.as_str();
            let equal = self.equal(alias, table, &join.on, &place, found);
            let many = self.many.contains(&alias);
            let keys: Vec<&str> = table
                .columns
                .iter()
                .filter(|column| column.key > 0)
                .map(|column| column.name.as_str())
                .collect();
            let named = |key: &&str| join.on.iter().any(|(column, _)| column == key);
            if !many && !join.one && (keys.is_empty() || !keys.iter().all(named)) {
                found.add(&place, ambiguous(table, &keys));
            }
            if !many {
                sql.push_str(&format!(
                    " LEFT JOIN {} AS {} ON {equal}",
                    qualified(table),
                    identifier(alias)
                ));
            }
            self.places.push(ScopePlace { alias, table });
        }
        sql
    }

    /// The rows of a join that are summed over: what stands behind FROM and WHERE.
    pub(super) fn summed(
        &self,
        alias: &str,
        found: &mut MistakesFound,
    ) -> Option<(String, String)> {
        let join = self.map.joins.iter().find(|join| join.alias == alias)?;
        let place = self.places.iter().find(|place| place.alias == alias)?;
        let equal = self.equal(alias, place.table, &join.on, "", found);
        let from = format!("{} AS {}", qualified(place.table), identifier(alias));
        Some((from, equal))
    }

    fn equal(
        &self,
        alias: &str,
        table: &'a DatabaseTable,
        on: &[(String, String)],
        place: &str,
        found: &mut MistakesFound,
    ) -> String {
        let mut conditions = Vec::new();
        for (own, other) in on {
            let own = match column(table, own) {
                Ok(column) => column,
                Err(mistake) => {
                    found.add(place, mistake);
                    continue;
                }
            };
            let Some(other) = self.find(other, false, place, found) else {
                continue;
            };
            let class = self.class(own);
            if !class.compares_with(other.class) {
                found.add(
                    place,
                    format!(
                        "{} is {} and {} is {}, so they can't be equal; join columns of one type",
                        quoted(&own.name),
                        own.declared,
                        quoted(&other.column.name),
                        other.column.declared
                    ),
                );
            }
            let own = format!("{}.{}", identifier(alias), identifier(&own.name));
            conditions.push(format!("{own} = {}", other.sql));
        }
        conditions.join(" AND ")
    }

    /// A column by its name in the mapping: one of `from`, or `join.column`. `summed` says whether
    /// rows of a join are summed over.
    pub(super) fn find(
        &self,
        name: &str,
        summed: bool,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<KnownColumn<'a>> {
        let looked = self.look(name, summed);
        looked.map_err(|mistake| found.add(place, mistake)).ok()
    }

    fn look(&self, name: &str, summed: bool) -> Result<KnownColumn<'a>, String> {
        let first = &self.places[0];
        let joined = name.split_once('.').and_then(|(alias, rest)| {
            let join = self.map.joins.iter().find(|join| join.alias == alias)?;
            Some((join.alias.as_str(), rest))
        });
        let own = first.table.columns.iter().any(|column| column.name == name);
        let Some((alias, rest)) = joined else {
            return self.known(first, column(first.table, name)?);
        };
        if own {
            return Err(format!(
                "{} is a column of {} and of the join `{alias}`; give the join another name",
                quoted(name),
                quoted(&first.table.name)
            ));
        }
        let Some(place) = self.places.iter().find(|place| place.alias == alias) else {
            return Err(format!(
                "the join `{alias}` is not known here: a join uses columns of `from` and of joins \
                 that stand before it, so that none goes in a circle"
            ));
        };
        if self.many.contains(&alias) && !summed {
            return Err(format!(
                "the join `{alias}` is summed over and may have many rows, so a single column of it \
                 is ambiguous; use another join for it"
            ));
        }
        self.known(place, column(place.table, rest)?)
    }

    fn known(&self, place: &ScopePlace<'a>, column: &'a Column) -> Result<KnownColumn<'a>, String> {
        Ok(KnownColumn {
            sql: format!("{}.{}", identifier(place.alias), identifier(&column.name)),
            column,
            class: self.class(column),
            nullable: column.nullable && column.key == 0 || place.alias != FROM,
        })
    }

    /// The table of `from`.
    pub(super) fn from(&self) -> &'a DatabaseTable {
        self.places[0].table
    }

    pub(super) fn class(&self, column: &Column) -> Class {
        let declared = column.declared.to_ascii_lowercase();
        if self.dialect == Dialect::Postgres {
            of_postgres(&declared)
        } else {
            of_sqlite(&declared)
        }
    }
}

impl Class {
    /// Whether an engine takes the two for each other without a word.
    pub(super) fn compares_with(self, other: Self) -> bool {
        let number = |class| matches!(class, Self::Integer | Self::Number);
        self == other
            || number(self) && number(other)
            || [self, other].iter().any(|class| matches!(class, Self::Any))
    }
}

fn of_postgres(declared: &str) -> Class {
    let begins = |words: &[&str]| words.iter().any(|word| declared.starts_with(word));
    if declared.ends_with("[]") {
        Class::Other
    } else if declared == "text" || begins(&["character varying"]) {
        Class::Text
    } else if begins(&["smallint", "integer", "bigint"]) {
        Class::Integer
    } else if begins(&["numeric", "real", "double precision"]) {
        Class::Number
    } else if declared == "boolean" {
        Class::Switch
    } else if declared == "date" {
        Class::Day
    } else if begins(&["timestamp"]) {
        Class::Moment {
            zone: declared.ends_with("with time zone"),
        }
    } else if declared == "bytea" {
        Class::Bytes
    } else {
        Class::Other
    }
}

/// By the rules of type affinity, and by what people call their types.
fn of_sqlite(declared: &str) -> Class {
    let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if declared.is_empty() {
        Class::Any
    } else if says(&["int"]) {
        Class::Integer
    } else if says(&["char", "clob", "text"]) {
        Class::Text
    } else if says(&["blob"]) {
        Class::Bytes
    } else if says(&["date", "time"]) {
        Class::Moment { zone: false }
    } else if says(&["bool"]) {
        Class::Switch
    } else {
        Class::Number
    }
}

fn table<'a>(
    schema: &'a DatabaseSchema,
    place: &str,
    name: &str,
    found: &mut MistakesFound,
) -> Option<&'a DatabaseTable> {
    let known = schema.tables.iter().find(|table| table.name == name);
    if known.is_none() {
        let hint = hint(name, schema.tables.iter().map(|table| table.name.as_str()));
        let cut = if schema.cut {
            " among those whose columns are read"
        } else {
            ""
        };
        found.add(
            place,
            format!("there is no table {}{cut}{hint}", quoted(name)),
        );
    }
    known
}

fn column<'a>(table: &'a DatabaseTable, name: &str) -> Result<&'a Column, String> {
    let known = table.columns.iter().find(|column| column.name == name);
    known.ok_or_else(|| {
        let hint = hint(
            name,
            table.columns.iter().map(|column| column.name.as_str()),
        );
        let (table, name) = (quoted(&table.name), quoted(name));
        format!("{table} has no column {name}{hint}")
    })
}

/// The nearest name, in whatever case it is written.
fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(known) => format!("; the nearest name is {}", quoted(known)),
        None => "; write the name as the database does".to_owned(),
    }
}

fn ambiguous(table: &DatabaseTable, keys: &[&str]) -> String {
    let name = quoted(&table.name);
    let key = match keys {
        [] => "no key is declared there".to_owned(),
        keys => format!("its key is {}", keys.join(", ")),
    };
    format!(
        "it is ambiguous, because {name} may have several rows for one ({key}): join by its whole \
         key, begin with `from` at {name}, sum over it, or say \"one\": true if there never are"
    )
}

/// The table with its schema, so that it is never taken for one of the toolkits'.
pub(super) fn qualified(table: &DatabaseTable) -> String {
    format!("{}.{}", identifier(&table.schema), identifier(&table.name))
}

/// A mistake about a column's type.
pub(super) fn wrong_type(column: &Column, wanted: &str) -> String {
    let declared = match column.declared.as_str() {
        "" => "of no declared type",
        declared => declared,
    };
    format!(
        "{} is {declared}, and {wanted} is needed",
        quoted(&column.name)
    )
}
