//! From a mapping and the live schema to SQL: each of the toolkits' tables becomes a named query that
//! stands in its place. Every mistake is collected. Runs nothing.

use mcpfn_ports::{Dialect, SqlValue};

use super::expression::{Expressions, MARK};
use super::keys::Keys;
use super::members::MistakesFound;
use super::needs::{Need, NeedKind, RELATIONS, Relation};
use super::says::TableMap;
use super::scope::{Class, Scope};
use super::target::WriteTarget;
use crate::database::schema::DatabaseSchema;

/// The most different constants: D1 binds a hundred values to one statement.
const MAX_CONSTANTS: usize = 80;

/// The queries that stand in place of the toolkits' tables.
pub(crate) struct Compiled {
    queries: Vec<Query>,
    constants: Vec<SqlValue>,
}

struct Query {
    relation: &'static Relation,
    /// With constants as numbers between marks.
    sql: String,
    target: Option<WriteTarget>,
}

impl Compiled {
    /// Compiles all tables, or says every mistake.
    pub(super) fn new(
        tables: &[TableMap],
        schema: &DatabaseSchema,
        dialect: Dialect,
    ) -> Result<Self, Vec<String>> {
        let mut found = MistakesFound::default();
        let mut keys = Keys::default();
        let mut constants = Vec::new();
        let mut queries = Vec::new();
        for map in tables {
            let mut expressions = Expressions::new(dialect, &mut constants, &mut keys);
            queries.extend(query(map, schema, &mut expressions, &mut found));
        }
        if constants.len() > MAX_CONSTANTS {
            found.add(
                "",
                format!(
                    "it has {} different constants, and {MAX_CONSTANTS} are the most; keep words in \
                     a view of your database",
                    constants.len()
                ),
            );
        }
        for relation in RELATIONS {
            if !tables.iter().any(|map| map.relation == relation) {
                queries.push(nothing(relation, &keys));
            }
        }
        match found.into_mistakes() {
            mistakes if mistakes.is_empty() => Ok(Self { queries, constants }),
            mistakes => Err(mistakes),
        }
    }

    /// A toolkit's statement with the queries of the tables that it names, and with their constants
    /// behind its own parameters.
    pub(super) fn rendered(
        &self,
        statement: &str,
        parameters: &[SqlValue],
    ) -> (String, Vec<SqlValue>) {
        let mut values = parameters.to_vec();
        let mut numbers: Vec<Option<usize>> = vec![None; self.constants.len()];
        let mut before = String::new();
        let named = self
            .queries
            .iter()
            .filter(|query| has_word(statement, query.relation.name));
        for query in named {
            before.push_str(if before.is_empty() { "WITH " } else { ", " });
            before.push_str(query.relation.name);
            before.push_str(" AS NOT MATERIALIZED (");
            for (at, part) in query.sql.split(MARK).enumerate() {
                let constant = part.parse::<usize>().ok().filter(|_| at % 2 == 1);
                let Some(constant) = constant else {
                    before.push_str(part);
                    continue;
                };
                let number = *numbers[constant].get_or_insert_with(|| {
                    values.push(self.constants[constant].clone());
                    values.len()
                });
                before.push_str(&format!("?{number}"));
            }
            before.push(')');
        }
        let rest = match statement.strip_prefix("WITH ") {
            Some(rest) if !before.is_empty() => format!(", {rest}"),
            _ => format!(" {statement}"),
        };
        (before + &rest, values)
    }

    /// Where a tool's rows are written.
    pub(super) fn target(&self, relation: &str) -> Option<&WriteTarget> {
        let query = self
            .queries
            .iter()
            .find(|query| query.relation.name == relation);
        query?.target.as_ref()
    }

    /// The mapped tables.
    pub(super) fn relations(&self) -> impl Iterator<Item = &'static Relation> {
        self.queries.iter().map(|query| query.relation)
    }
}

fn query(
    map: &TableMap,
    schema: &DatabaseSchema,
    expressions: &mut Expressions<'_>,
    found: &mut MistakesFound,
) -> Option<Query> {
    let mut scope = None;
    let mut from = String::new();
    if map.from.is_some() {
        let mut known = Scope::new(map, schema, expressions.dialect(), found)?;
        from = format!(" FROM {}", known.joins(schema, found));
        scope = Some(known);
    }
    let mut columns = Vec::new();
    for need in map.relation.columns {
        let source = map.columns.iter().find(|(known, _)| *known == need);
        let sql = match source {
            Some((_, source)) => expressions.column(map, need, source, scope.as_ref(), found),
            None => Some(empty(need)),
        };
        columns.push(sql.map(|sql| format!("{sql} AS {}", need.name)));
    }
    let mut conditions = Vec::new();
    if let Some(scope) = &scope {
        for condition in &map.conditions {
            conditions.extend(expressions.condition(map, condition, scope, found));
        }
    }
    let conditions = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let target = match &scope {
        Some(scope) if map.write => WriteTarget::new(map, scope, expressions.dialect(), found),
        _ => None,
    };
    if map.write && scope.is_none() {
        found.add(map.relation.name, "constants can't be written to");
    }
    // only now, so that every mistake is found
    let columns: Vec<String> = columns.into_iter().collect::<Option<_>>()?;
    Some(Query {
        relation: map.relation,
        sql: format!("SELECT {}{from}{conditions}", columns.join(", ")),
        target,
    })
}

/// What a column has that is not mapped.
fn empty(need: &Need) -> String {
    match need.kind {
        NeedKind::Whole | NeedKind::NumberKey => "CAST(0 AS BIGINT)".to_owned(),
        _ => "CAST('' AS TEXT)".to_owned(),
    }
}

/// A table that is not mapped has no rows: it must not be taken for one of the operator's.
fn nothing(relation: &'static Relation, keys: &Keys) -> Query {
    let columns: Vec<String> = relation
        .columns
        .iter()
        .map(|need| {
            let class = match need.kind {
                NeedKind::Whole | NeedKind::NumberKey => Class::Integer,
                NeedKind::Key(group) => keys.class(group),
                _ => Class::Text,
            };
            let kind = if class == Class::Integer {
                "BIGINT"
            } else {
                "TEXT"
            };
            format!("CAST(NULL AS {kind}) AS {}", need.name)
        })
        .collect();
    Query {
        relation,
        sql: format!("SELECT {} WHERE 1 = 0", columns.join(", ")),
        target: None,
    }
}

/// Whether a statement names a table.
fn has_word(statement: &str, word: &str) -> bool {
    let inside = |character: char| character.is_ascii_alphanumeric() || character == '_';
    statement.match_indices(word).any(|(at, _)| {
        !statement[..at].ends_with(inside) && !statement[at + word.len()..].starts_with(inside)
    })
}
