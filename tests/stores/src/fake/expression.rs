//! DynamoDB's expressions, as far as the stores use them: conditions with comparisons, `AND`, `OR`,
//! `NOT` and the two functions about existence; updates with `SET`, `ADD` and `REMOVE`.

use serde_json::{Map, Value};

/// An item: attributes as the wire has them, such as `{"N": "7"}`.
pub(super) type Item = Map<String, Value>;

/// What an expression's names stand for.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// `:value`.
    pub(super) values: &'a Value,
    /// `#name`.
    pub(super) names: &'a Value,
}

struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    item: &'a Item,
    names: &'a Names<'a>,
}

/// Whether the condition holds for the item. Panics over what it does not know.
#[must_use]
pub(super) fn holds(condition: &str, item: &Item, names: &Names<'_>) -> bool {
    let mut parser = Parser {
        tokens: tokens(condition),
        at: 0,
        item,
        names,
    };
    let holds = parser.either();
    assert_eq!(parser.at, parser.tokens.len(), "{condition}");
    holds
}

/// The item after `SET a = x, b = y + z ADD c :n REMOVE d`; nothing where an operand is missing, which
/// DynamoDB refuses.
#[must_use]
pub(super) fn set(update: &str, item: &Item, names: &Names<'_>) -> Option<Item> {
    let mut parser = Parser {
        tokens: tokens(update),
        at: 0,
        item,
        names,
    };
    let mut updated = item.clone();
    while parser.at < parser.tokens.len() {
        let clause = parser.next();
        loop {
            let token = parser.next();
            let name = parser.path(&token);
            match clause.as_str() {
                "SET" => drop(updated.insert(name, parser.assigned(update)?)),
                "ADD" => {
                    let more = number(&parser.operand()?)?;
                    let there = updated.get(&name).map_or(Some(0), number)?;
                    let sum = (there + more).to_string();
                    updated.insert(name, serde_json::json!({"N": sum}));
                }
                "REMOVE" => drop(updated.remove(&name)),
                other => panic!("{other} in {update}"),
            }
            if !parser.takes(",") {
                break;
            }
        }
    }
    Some(updated)
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_:#".contains(c)))
            .unwrap_or(rest.len());
        let length = match word {
            0 if ["<>", "<=", ">="].iter().any(|two| rest.starts_with(two)) => 2,
            0 => 1,
            word => word,
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    tokens
}

fn number(value: &Value) -> Option<i128> {
    value["N"].as_str()?.parse().ok()
}

impl Parser<'_> {
    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens
            .get(self.at - 1)
            .cloned()
            .unwrap_or_else(|| panic!("{:?} ends too early", self.tokens))
    }

    fn takes(&mut self, token: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> bool {
        let mut holds = self.both();
        while self.takes("OR") {
            holds |= self.both();
        }
        holds
    }

    fn both(&mut self) -> bool {
        let mut holds = self.one();
        while self.takes("AND") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.takes("NOT") {
            return !self.one();
        }
        if self.takes("(") {
            let holds = self.either();
            assert!(self.takes(")"), "{:?}", self.tokens);
            return holds;
        }
        for (function, exists) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.takes(function) {
                assert!(self.takes("("), "{:?}", self.tokens);
                let token = self.next();
                let found = self.item.contains_key(&self.path(&token));
                assert!(self.takes(")"), "{:?}", self.tokens);
                return found == exists;
            }
        }
        let left = self.operand();
        let operator = self.next();
        let right = self.operand();
        let (Some(left), Some(right)) = (left, right) else {
            return operator == "<>";
        };
        let order = match (number(&left), number(&right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.to_string().cmp(&right.to_string()),
        };
        match operator.as_str() {
            "=" => order.is_eq(),
            "<>" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            other => panic!("{other} in {:?}", self.tokens),
        }
    }

    fn operand(&mut self) -> Option<Value> {
        let token = self.next();
        if token.starts_with(':') {
            let value = &self.names.values[&token];
            assert!(!value.is_null(), "{token} has no value");
            return Some(value.clone());
        }
        self.item.get(&self.path(&token)).cloned()
    }

    /// What is behind the name that is set.
    fn assigned(&mut self, update: &str) -> Option<Value> {
        assert_eq!(self.next(), "=", "{update}");
        let value = self.operand()?;
        if !self.takes("+") {
            return Some(value);
        }
        let sum = number(&value)? + number(&self.operand()?)?;
        Some(serde_json::json!({"N": sum.to_string()}))
    }

    fn path(&self, token: &str) -> String {
        if token.starts_with('#') {
            let name = self.names.names[token].as_str();
            return name
                .unwrap_or_else(|| panic!("{token} has no name"))
                .to_owned();
        }
        token.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_and_updates_are_those_of_the_documentation() {
        let item = json!({"a": {"N": "10"}, "b": {"S": "x"}});
        let item = item.as_object().unwrap();
        let (values, aliases) = (
            json!({":n": {"N": "9"}, ":x": {"S": "x"}, ":one": {"N": "1"}}),
            json!({"#b": "b"}),
        );
        let names = Names {
            values: &values,
            names: &aliases,
        };
        for (condition, expected) in [
            ("a > :n", true),
            ("a <= :n OR #b = :x", true),
            ("a > :n AND NOT (b = :x)", false),
            ("attribute_not_exists(c) AND attribute_exists(a)", true),
            ("c = :x", false),
            ("a <= :n OR b = :x AND c = :x", false),
        ] {
            assert_eq!(holds(condition, item, &names), expected, "{condition}");
        }
        let updated = set("SET a = a + :one, c = :x", item, &names).unwrap();
        assert_eq!(
            Value::Object(updated),
            json!({"a": {"N": "11"}, "b": {"S": "x"}, "c": {"S": "x"}})
        );
        assert!(set("SET a = d + :one", item, &names).is_none());
        let updated = set("SET c = :x ADD a :n, e :one REMOVE #b, f", item, &names).unwrap();
        assert_eq!(
            Value::Object(updated),
            json!({"a": {"N": "19"}, "c": {"S": "x"}, "e": {"N": "1"}})
        );
    }
}
