//! What fills a table's columns, from the text: a name, or an object that says more. Knows no table
//! of the operator's.

use super::members::{Found, MAX_PARTS, Members, as_name, scalar, unknown, without_repeated};
use super::needs::{Kind, Need, Relation};
use super::node::Node;
use super::says::{Factor, Product, Scalar, Source};

/// The most words that one column translates.
const MAX_VALUES: usize = 40;

/// What fills each column of one of the toolkits' tables.
pub(super) fn columns(
    relation: &'static Relation,
    node: Option<Node>,
    found: &mut Found,
) -> Vec<(&'static Need, Source)> {
    let place = format!("{}.columns", relation.name);
    let Some(Node::Object(members)) = node else {
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

fn source(place: &str, need: &'static Need, node: Node, found: &mut Found) -> Option<Source> {
    if let Node::Text(_) = node {
        return as_name(place, node, found).map(Source::Column);
    }
    let mut members = Members::new(place, node, found)?;
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
        return Some(Source::Values {
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
        return Some(Source::Column(column));
    }
    if need.kind != Kind::Whole {
        found.add(place, "only a number can be computed");
        return None;
    }
    Some(Source::Product(Product {
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
    way: &Node,
    found: &mut Found,
) -> Option<Source> {
    let milliseconds = match way {
        Node::Text(way) if way == "seconds" => false,
        Node::Text(way) if way == "milliseconds" => true,
        _ => {
            found.add(
                place,
                "`as` must be \"seconds\" or \"milliseconds\", since 1970",
            );
            return None;
        }
    };
    if !matches!(need.kind, Kind::Day | Kind::DayOrNull | Kind::Moment) {
        found.add(place, "`as` is for dates and moments");
        return None;
    }
    Some(Source::Since1970 {
        column,
        milliseconds,
    })
}

fn constant(place: &str, need: &Need, node: Node, found: &mut Found) -> Option<Source> {
    let value = scalar(node);
    let fits = match (&value, need.kind) {
        (Some(Scalar::Whole(_)), Kind::Whole | Kind::NumberKey | Kind::Key(_)) => true,
        (Some(Scalar::Text(text)), Kind::Word(known)) => known.contains(&text.as_str()),
        (Some(Scalar::Text(text)), Kind::Day | Kind::DayOrNull | Kind::Moment) => text
            .get(..10)
            .is_some_and(|day| crate::date::parse(day).is_some()),
        (Some(Scalar::Text(_)), Kind::Text | Kind::TextKey | Kind::Key(_)) => true,
        _ => false,
    };
    if !fits {
        found.add(place, format!("`value` must be {}", expected(need.kind)));
        return None;
    }
    value.map(Source::Value)
}

/// What a constant of this kind is.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Whole | Kind::NumberKey => "a whole number".to_owned(),
        Kind::Key(_) => "text or a whole number".to_owned(),
        Kind::Text | Kind::TextKey => "text".to_owned(),
        Kind::Day | Kind::DayOrNull | Kind::Moment => "an ISO 8601 date".to_owned(),
        Kind::Word(known) => format!("one of {}", known.join(", ")),
    }
}

fn text_of(place: &str, need: &Need, node: Node, found: &mut Found) -> Option<Source> {
    let Node::List(list) = node else {
        found.add(place, "`text` must be a list of columns");
        return None;
    };
    if need.kind != Kind::Text {
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
    names.map(Source::Text)
}

fn values(place: &str, need: &Need, node: Node, found: &mut Found) -> Vec<(String, String)> {
    let Node::Object(members) = node else {
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
fn word(place: &str, need: &Need, node: Node, found: &mut Found) -> Option<String> {
    match (node, need.kind) {
        (Node::Text(text), Kind::Word(known)) => {
            if known.contains(&text.as_str()) {
                return Some(text);
            }
            let sentence = unknown("the tools know no word", &text, known.iter().copied());
            found.add(place, sentence);
        }
        (Node::Text(text), Kind::Text) => return Some(text),
        (_, Kind::Word(_) | Kind::Text) => found.add(place, "what the tools read must be text"),
        _ => found.add(place, "`values`, `null` and `other` are for words alone"),
    }
    None
}

fn factors(place: &str, node: Node, found: &mut Found) -> Vec<Factor> {
    let list = match node {
        Node::List(list) if list.len() <= MAX_PARTS => list,
        Node::List(_) => {
            found.add(place, format!("`times` has more than {MAX_PARTS} factors"));
            Vec::new()
        }
        node => vec![node],
    };
    let mut factors = Vec::new();
    for node in list {
        match node {
            Node::Whole(number) => factors.push(Factor::Number(number)),
            Node::Text(_) => factors.extend(as_name(place, node, found).map(Factor::Column)),
            _ => found.add(place, "`times` takes whole numbers and columns"),
        }
    }
    factors
}
