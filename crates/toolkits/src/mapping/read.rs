//! From a mapping's text to what it says, with every mistake that shows without a database. Knows no
//! table of the operator's.

use mcpfn_core::text::quoted;

use super::columns::columns;
use super::members::{
    MAX_PARTS, MappingMembers, MistakesFound, as_name, scalar, unknown, without_repeated,
};
use super::needs::{RELATIONS, Relation};
use super::node::JsonNode;
use super::says::{ColumnSource, Condition, Constant, Join, TableMap, Test};

/// The longest mapping, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Reads a whole mapping.
pub(super) fn read(text: &str, found: &mut MistakesFound) -> Vec<TableMap> {
    if text.len() > MAX_BYTES {
        found.add("", format!("it has more than {} KiB", MAX_BYTES / 1024));
        return Vec::new();
    }
    let node = match serde_json::from_str(text) {
        Ok(JsonNode::Object(members)) => members,
        Ok(_) => {
            found.add("", "it must be a JSON object with a member for each table");
            return Vec::new();
        }
        Err(error) => {
            found.add("", format!("it is not JSON ({error})"));
            return Vec::new();
        }
    };
    let members = without_repeated("", node, found);
    let mut tables = Vec::new();
    for (name, node) in members {
        let known = || RELATIONS.iter().map(|relation| relation.name);
        match RELATIONS.iter().find(|relation| relation.name == name) {
            Some(relation) => tables.extend(table(relation, node, found)),
            None => found.add("", unknown("the toolkits read no table", &name, known())),
        }
    }
    if tables.is_empty() {
        found.add("", "it maps no table");
    }
    tables
}

fn table(
    relation: &'static Relation,
    node: JsonNode,
    found: &mut MistakesFound,
) -> Option<TableMap> {
    let place = relation.name;
    let mut members = MappingMembers::new(place, node, found)?;
    let from = members.name("from", found);
    let joins = members.take("joins");
    let conditions = members.take("where");
    let columns = members.take("columns");
    let write = members.switch("write", found);
    members.end(found);
    let joins = joins.map_or_else(Vec::new, |node| self::joins(place, node, found));
    let conditions = conditions.map_or_else(Vec::new, |node| self::conditions(place, node, found));
    let columns = self::columns(relation, columns, found);
    let constant = columns
        .iter()
        .all(|(_, source)| matches!(source, ColumnSource::Value(_)));
    if from.is_none() && (!constant || !joins.is_empty() || !conditions.is_empty()) {
        found.add(
            place,
            "`from` is missing: name the table that its rows come from",
        );
    }
    if write && relation.written.is_empty() {
        found.add(place, "no tool writes into it; take `write` out");
    }
    Some(TableMap {
        relation,
        from,
        joins,
        conditions,
        columns,
        write,
    })
}

fn joins(place: &str, node: JsonNode, found: &mut MistakesFound) -> Vec<Join> {
    let place = format!("{place}.joins");
    let JsonNode::Object(members) = node else {
        found.add(
            &place,
            "it must be a JSON object with a member for each join",
        );
        return Vec::new();
    };
    if members.len() > MAX_PARTS {
        found.add(&place, format!("there are more than {MAX_PARTS} joins"));
    }
    let mut joins = Vec::new();
    for (alias, node) in without_repeated(&place, members, found) {
        let place = format!("{place}.{}", shown(&alias));
        let simple = alias.len() <= 30
            && alias.starts_with(|first: char| first.is_ascii_lowercase())
            && alias
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !simple {
            found.add(
                &place,
                "a join's name has 1 to 30 of a-z, 0-9 and _, and begins with a letter",
            );
        }
        let Some(mut members) = MappingMembers::new(&place, node, found) else {
            continue;
        };
        let table = members.name("table", found);
        let on = members.take("on");
        let one = members.switch("one", found);
        members.end(found);
        let on = on.map_or_else(Vec::new, |node| self::on(&place, node, found));
        if table.is_none() || on.is_empty() {
            found.add(
                &place,
                "a join needs `table` and `on`, such as {\"table\": \"Employees\", \"on\": \
                 {\"EmployeeID\": \"SalesRepID\"}}",
            );
        }
        joins.extend(table.map(|table| Join {
            alias,
            table,
            on,
            one,
        }));
    }
    joins
}

fn on(place: &str, node: JsonNode, found: &mut MistakesFound) -> Vec<(String, String)> {
    let place = format!("{place}.on");
    let JsonNode::Object(members) = node else {
        found.add(
            &place,
            "it must be a JSON object: the joined table's column, and the column that it equals",
        );
        return Vec::new();
    };
    let members = without_repeated(&place, members, found);
    let pairs = members.into_iter().take(MAX_PARTS);
    pairs
        .filter_map(|(name, node)| Some((name, as_name(&place, node, found)?)))
        .collect()
}

fn conditions(place: &str, node: JsonNode, found: &mut MistakesFound) -> Vec<Condition> {
    let place = format!("{place}.where");
    let JsonNode::List(list) = node else {
        found.add(&place, "it must be a list of conditions, all of which hold");
        return Vec::new();
    };
    if list.len() > MAX_PARTS {
        found.add(
            &place,
            format!("there are more than {MAX_PARTS} conditions"),
        );
    }
    let mut conditions = Vec::new();
    for node in list.into_iter().take(MAX_PARTS) {
        let Some(mut members) = MappingMembers::new(&place, node, found) else {
            continue;
        };
        let column = members.name("column", found);
        let tests = [
            ("is", Test::Is),
            ("is_not", Test::IsNot),
            ("above", Test::Above),
            ("below", Test::Below),
        ];
        let given: Vec<(Test, JsonNode)> = tests
            .into_iter()
            .filter_map(|(name, test)| Some((test, members.take(name)?)))
            .collect();
        members.end(found);
        match (column, <[(Test, JsonNode); 1]>::try_from(given)) {
            (Some(column), Ok([(test, node)])) => {
                let Some(value) = scalar(node).filter(|value| {
                    *value != Constant::Null || matches!(test, Test::Is | Test::IsNot)
                }) else {
                    found.add(&place, "what it compares with must be text or a number");
                    continue;
                };
                conditions.push(Condition {
                    column,
                    test,
                    value,
                });
            }
            _ => found.add(
                &place,
                "a condition needs `column` and one of `is`, `is_not`, `above` and `below`",
            ),
        }
    }
    conditions
}

/// A name of the file in a place, without what would make the place unreadable.
fn shown(name: &str) -> String {
    quoted(name).to_string().trim_matches('`').to_owned()
}
