//! What a schema accepts, in a few words of a sentence. Says nothing of a value.

use crate::eval::Evaluator;
use crate::program::{Kinds, PropertyRules, Rule, SchemaId, Subschema};
use crate::text::quoted;
use crate::words::{MAX_LISTED, allowed, kinds, list, names, one_of, quality};

/// Alternatives inside alternatives that a phrase describes.
pub(crate) const MAX_PHRASE_NESTING: u32 = 3;

impl Evaluator<'_> {
    /// What a schema accepts, in a few words.
    pub(crate) fn phrase(&self, id: SchemaId, nesting: u32) -> String {
        let (allowed, rules) = match self.schema(id) {
            Subschema::Rules(kinds, rules) => (*kinds, rules),
            Subschema::Nothing => return "nothing".to_owned(),
            _ => return "anything".to_owned(),
        };
        if let Some(Rule::Enum(values)) = rules.iter().find(|rule| matches!(rule, Rule::Enum(_))) {
            return one_of(values);
        }
        let mut noun = (allowed != Kinds::ALL).then(|| kinds(allowed));
        let mut qualities = Vec::new();
        for rule in rules {
            let found = match rule {
                Rule::Properties(members) => self
                    .members_quality(members)
                    .map(|quality| ("an object", quality)),
                Rule::Items(..) | Rule::Contains(..) | Rule::Unique => {
                    Some(("an array", String::new()))
                }
                rule => quality(rule),
            };
            if let Some((implied, quality)) = found {
                noun.get_or_insert_with(|| implied.to_owned());
                qualities.extend(Some(quality).filter(|quality| !quality.is_empty()));
            }
        }
        match noun {
            Some(noun) if qualities.is_empty() => noun,
            Some(noun) => format!("{noun} {}", qualities.join(" and ")),
            None => self.phrase_of_alternatives(rules, nesting),
        }
    }

    /// A schema that only applies others.
    fn phrase_of_alternatives(&self, rules: &[Rule], nesting: u32) -> String {
        let nesting = nesting.checked_sub(1);
        match (rules, nesting) {
            ([Rule::All(ids), ..], Some(nesting)) => self.phrases(ids, " and ", nesting),
            ([Rule::Any(ids) | Rule::One(ids), ..], Some(nesting)) => {
                self.phrases(ids, " or ", nesting)
            }
            ([Rule::Not(id), ..], Some(nesting)) => {
                format!("anything but {}", self.phrase(*id, nesting))
            }
            _ => "what the schema says there".to_owned(),
        }
    }

    pub(crate) fn phrases(&self, ids: &[SchemaId], separator: &str, nesting: u32) -> String {
        let mut phrases: Vec<String> = Vec::new();
        for phrase in ids
            .iter()
            .take(MAX_LISTED + 1)
            .map(|id| self.phrase(*id, nesting))
        {
            if !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        list(phrases.iter(), separator)
    }

    /// `with `kind` "circle"`, or the names that are required.
    fn members_quality(&self, members: &PropertyRules) -> Option<String> {
        let constant = |id: SchemaId| match self.schema(id) {
            Subschema::Rules(_, rules) => rules.iter().find_map(|rule| match rule {
                Rule::Enum(values) if values.len() == 1 => Some(allowed(&values[0])),
                _ => None,
            }),
            _ => None,
        };
        let constants = members
            .properties
            .iter()
            .filter_map(|property| Some((property, constant(property.schema?)?)));
        let constants: Vec<String> = constants
            .map(|(property, value)| format!("{} {value}", quoted(&property.name)))
            .collect();
        let required: Vec<&str> = members
            .properties
            .iter()
            .filter(|property| property.required)
            .map(|property| property.name.as_str())
            .collect();
        match (constants.is_empty(), required.is_empty()) {
            (false, _) => Some(format!("with {}", list(constants.iter(), ", "))),
            (true, false) => Some(format!("with {}", names(required.into_iter()))),
            (true, true) => None,
        }
    }
}
