//! What fills a table's columns, from the text: a name, or an object that says more. Knows no table
//! of the operator's.

use super::members::{
    MAX_PARTS, MappingMembers, MistakesFound, as_name, scalar, unknown, without_repeated,
};
use super::needs::{Need, NeedKind, Relation};
use super::node::JsonNode;
use super::says::{ColumnSource, Constant, Factor, Multiplied};

/// The most words that one column translates.
const MAX_VALUES: usize = 40;

/// What fills each column of one of the toolkits' tables.
pub(super) fn columns(
    relation: &'static Relation,
    node: Option<JsonNode>,
    found: &mut MistakesFound,
) -> Vec<(&'static Need, ColumnSource)> {
    let place = format!("{}.columns", relation.name);
    let Some(JsonNode::Object(members)) = node else {
        found.add(
            &place,
            "it must be a JSON object with a member for each column",
        );
        return Vec::new();
    };
    let mut columns = Vec::new();
    let mut given = Vec::new();
    for (name, node) in without_repeated(&place, members, found) {
        let Some(need) = relation.column(&name) else {
            let known = relation.columns.iter().map(|need| need.name);
            found.add(&place, unknown("the tools read no column", &name, known));
            continue;
        };
        given.push(need.name);
        let place = format!("{place}.{name}");
        if let Some(source) = source(&place, need, node, found) {
            columns.push((need, source));
        }
    }
    for need in relation.columns {
        if need.required && !given.contains(&need.name) {
            found.add(
                &place,
                format!(
                    "`{}` is missing: name a column, or give all rows one value with {{\"value\": ..}}",
                    need.name
                ),
            );
        }
    }
    columns
}

fn source(
    place: &str,
    need: &'static Need,
    node: JsonNode,
    found: &mut MistakesFound,
) -> Option<ColumnSource> {
    if let JsonNode::Text(_) = node {
        return as_name(place, node, found).map(ColumnSource::Column);
    }
    let mut members = MappingMembers::new(place, node, found)?;
    if let Some(node) = members.take("value") {
        members.end(found);
        return constant(place, need, node, found);
    }
    if let Some(node) = members.take("text") {
        members.end(found);
        return text_of(place, need, node, found);
    }
    let sum = members.name("sum", found);
    let column = members.name("column", found);
    let times = members.take("times");
    let less = members.name("less", found);
    let way = members.take("as");
    let values = members.take("values");
    let [null, other] = ["null", "other"].map(|name| members.take(name));
    members.end(found);
    let summed = sum.is_some();
    let Some(column) = sum.or(column) else {
        found.add(place, "it needs one of `column`, `value`, `text` and `sum`");
        return None;
    };
    if values.is_some() || null.is_some() || other.is_some() {
        let [null, other] =
            [null, other].map(|node| node.and_then(|node| word(place, need, node, found)));
        return Some(ColumnSource::Values {
            column,
            values: values.map_or_else(Vec::new, |node| self::values(place, need, node, found)),
            null,
            other,
        });
    }
    if let Some(way) = way {
        return since_1970(place, need, column, &way, found);
    }
    if !summed && times.is_none() && less.is_none() {
        return Some(ColumnSource::Column(column));
    }
    if need.kind != NeedKind::Whole {
        found.add(place, "only a number can be computed");
        return None;
    }
    Some(ColumnSource::Multiplied(Multiplied {
        column,
        times: times.map_or_else(Vec::new, |node| factors(place, node, found)),
        less,
        sum: summed,
    }))
}

fn since_1970(
    place: &str,
    need: &Need,
    column: String,
    way: &JsonNode,
    found: &mut MistakesFound,
) -> Option<ColumnSource> {
    let milliseconds = match way {
        JsonNode::Text(way) if way == "seconds" => false,
        JsonNode::Text(way) if way == "milliseconds" => true,
        _ => {
            found.add(
                place,
                "`as` must be \"seconds\" or \"milliseconds\", since 1970",
            );
            return None;
        }
    };
    if !matches!(
        need.kind,
        NeedKind::Day | NeedKind::DayOrNull | NeedKind::Moment
    ) {
        found.add(place, "`as` is for dates and moments");
        return None;
    }
    Some(ColumnSource::Since1970 {
        column,
        milliseconds,
    })
}

fn constant(
    place: &str,
    need: &Need,
    node: JsonNode,
    found: &mut MistakesFound,
) -> Option<ColumnSource> {
    let value = scalar(node);
    let fits = match (&value, need.kind) {
        (Some(Constant::Whole(_)), NeedKind::Whole | NeedKind::NumberKey | NeedKind::Key(_)) => {
            true
        }
        (Some(Constant::Text(text)), NeedKind::Word(known)) => known.contains(&text.as_str()),
        (Some(Constant::Text(text)), NeedKind::Day | NeedKind::DayOrNull | NeedKind::Moment) => {
            text.get(..10)
                .is_some_and(|day| crate::date::parse(day).is_some())
        }
        (Some(Constant::Text(_)), NeedKind::Text | NeedKind::TextKey | NeedKind::Key(_)) => true,
        _ => false,
    };
    if !fits {
        found.add(place, format!("`value` must be {}", expected(need.kind)));
        return None;
    }
    value.map(ColumnSource::Value)
}

/// What a constant of this kind is.
fn expected(kind: NeedKind) -> String {
    match kind {
        NeedKind::Whole | NeedKind::NumberKey => "a whole number".to_owned(),
        NeedKind::Key(_) => "text or a whole number".to_owned(),
        NeedKind::Text | NeedKind::TextKey => "text".to_owned(),
        NeedKind::Day | NeedKind::DayOrNull | NeedKind::Moment => "an ISO 8601 date".to_owned(),
        NeedKind::Word(known) => format!("one of {}", known.join(", ")),
    }
}

fn text_of(
    place: &str,
    need: &Need,
    node: JsonNode,
    found: &mut MistakesFound,
) -> Option<ColumnSource> {
    let JsonNode::List(list) = node else {
        found.add(place, "`text` must be a list of columns");
        return None;
    };
    if need.kind != NeedKind::Text {
        found.add(place, "`text` is for names and other text alone");
        return None;
    }
    if !(1..=MAX_PARTS).contains(&list.len()) {
        found.add(place, format!("`text` must have 1 to {MAX_PARTS} columns"));
        return None;
    }
    let names: Option<Vec<String>> = list
        .into_iter()
        .map(|node| as_name(place, node, found))
        .collect();
    names.map(ColumnSource::Text)
}

fn values(
    place: &str,
    need: &Need,
    node: JsonNode,
    found: &mut MistakesFound,
) -> Vec<(String, String)> {
    let JsonNode::Object(members) = node else {
        found.add(
            place,
            "`values` must be a JSON object: what the column holds, and what the tools read",
        );
        return Vec::new();
    };
    if members.len() > MAX_VALUES {
        found.add(
            place,
            format!("`values` has more than {MAX_VALUES} members"),
        );
    }
    let members = without_repeated(place, members, found);
    let pairs = members.into_iter().take(MAX_VALUES);
    pairs
        .filter_map(|(own, node)| Some((own, word(place, need, node, found)?)))
        .collect()
}

/// A word that the tools know.
fn word(place: &str, need: &Need, node: JsonNode, found: &mut MistakesFound) -> Option<String> {
    match (node, need.kind) {
        (JsonNode::Text(text), NeedKind::Word(known)) => {
            if known.contains(&text.as_str()) {
                return Some(text);
            }
            let sentence = unknown("the tools know no word", &text, known.iter().copied());
            found.add(place, sentence);
        }
        (JsonNode::Text(text), NeedKind::Text) => return Some(text),
        (_, NeedKind::Word(_) | NeedKind::Text) => {
            found.add(place, "what the tools read must be text");
        }
        _ => found.add(place, "`values`, `null` and `other` are for words alone"),
    }
    None
}

fn factors(place: &str, node: JsonNode, found: &mut MistakesFound) -> Vec<Factor> {
    let list = match node {
        JsonNode::List(list) if list.len() <= MAX_PARTS => list,
        JsonNode::List(_) => {
            found.add(place, format!("`times` has more than {MAX_PARTS} factors"));
            Vec::new()
        }
        node => vec![node],
    };
    let mut factors = Vec::new();
    for node in list {
        match node {
            JsonNode::Whole(number) => factors.push(Factor::Number(number)),
            JsonNode::Text(_) => factors.extend(as_name(place, node, found).map(Factor::Column)),
            _ => found.add(place, "`times` takes whole numbers and columns"),
        }
    }
    factors
}
