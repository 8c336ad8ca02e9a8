//! MappingMembers of a mapping's objects, taken one by one, with every mistake in them. Knows none of them.

use mcpfn_core::text::{nearest, quoted};

use super::node::JsonNode;
use super::says::Constant;

/// The longest name of a table or column, in characters.
const MAX_NAME: usize = 128;
/// The most joins, conditions, parts of a text and factors, each.
pub(super) const MAX_PARTS: usize = 8;
/// The most mistakes of one answer.
const MAX_MISTAKES: usize = 50;

/// Every mistake, each with its place.
#[derive(Debug, Default)]
pub(super) struct MistakesFound(Vec<String>);

impl MistakesFound {
    pub(super) fn add(&mut self, place: &str, sentence: impl AsRef<str>) {
        let mistake = match place {
            "" => sentence.as_ref().to_owned(),
            place => format!("{place}: {}", sentence.as_ref()),
        };
        if self.0.len() < MAX_MISTAKES && !self.0.contains(&mistake) {
            self.0.push(mistake);
        }
    }

    pub(super) fn into_mistakes(self) -> Vec<String> {
        self.0
    }
}

/// `what `name`; did you mean ..`, or the names that there are.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let hint = match nearest(name, known.clone()) {
        Some(known) => format!("; did you mean {}", quoted(known)),
        None => {
            let known: Vec<String> = known
                .take(20)
                .map(|name| quoted(name).to_string())
                .collect();
            format!("; known are {}", known.join(", "))
        }
    };
    format!("{what} {}{hint}", quoted(name))
}

pub(super) fn without_repeated(
    place: &str,
    members: Vec<(String, JsonNode)>,
    found: &mut MistakesFound,
) -> Vec<(String, JsonNode)> {
    let mut kept: Vec<(String, JsonNode)> = Vec::with_capacity(members.len());
    for (name, node) in members {
        if kept.iter().any(|(known, _)| *known == name) {
            found.add(place, format!("{} is there twice; keep one", quoted(&name)));
        } else {
            kept.push((name, node));
        }
    }
    kept
}

/// An object whose members are taken one by one; what is left over is unknown.
pub(super) struct MappingMembers<'a> {
    place: &'a str,
    left: Vec<(String, JsonNode)>,
    asked: Vec<&'static str>,
}

impl<'a> MappingMembers<'a> {
    pub(super) fn new(place: &'a str, node: JsonNode, found: &mut MistakesFound) -> Option<Self> {
        let JsonNode::Object(members) = node else {
            found.add(place, "it must be a JSON object");
            return None;
        };
        Some(Self {
            place,
            left: without_repeated(place, members, found),
            asked: Vec::new(),
        })
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<JsonNode> {
        self.asked.push(name);
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.remove(at).1)
    }

    pub(super) fn name(&mut self, name: &'static str, found: &mut MistakesFound) -> Option<String> {
        let node = self.take(name)?;
        as_name(&format!("{}.{name}", self.place), node, found)
    }

    pub(super) fn switch(&mut self, name: &'static str, found: &mut MistakesFound) -> bool {
        match self.take(name) {
            None => false,
            Some(JsonNode::Switch(on)) => on,
            Some(_) => {
                found.add(
                    &format!("{}.{name}", self.place),
                    "it must be true or false",
                );
                false
            }
        }
    }

    pub(super) fn end(self, found: &mut MistakesFound) {
        for (name, _) in &self.left {
            let known = self.asked.iter().copied();
            found.add(self.place, unknown("there is no member", name, known));
        }
    }
}

pub(super) fn as_name(place: &str, node: JsonNode, found: &mut MistakesFound) -> Option<String> {
    match node {
        JsonNode::Text(name)
            if !name.is_empty()
                && name.chars().count() <= MAX_NAME
                && !name.chars().any(char::is_control) =>
        {
            Some(name)
        }
        _ => {
            found.add(
                place,
                format!("it must be a name in text, of 1 to {MAX_NAME} characters"),
            );
            None
        }
    }
}

pub(super) fn scalar(node: JsonNode) -> Option<Constant> {
    Some(match node {
        JsonNode::Null => Constant::Null,
        JsonNode::Switch(on) => Constant::Switch(on),
        JsonNode::Whole(number) => Constant::Whole(number),
        JsonNode::Real(number) => Constant::Real(number),
        JsonNode::Text(text) if text.len() <= 1000 => Constant::Text(text),
        JsonNode::Text(_) | JsonNode::List(_) | JsonNode::Object(_) => return None,
    })
}
