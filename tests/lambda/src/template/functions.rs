//! The intrinsic functions, those of `Rules` included, for one set of parameters. A reference to a
//! resource gives its name in angle brackets; to one that is not there, it is a mistake of the
//! template, as it is on AWS.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "123456789012";
const STACK: &str = "stack";

pub(super) struct Functions<'a> {
    document: &'a Value,
    values: BTreeMap<String, Value>,
    conditions: RefCell<BTreeMap<String, bool>>,
}

/// A scalar as CloudFormation compares it: as a text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl<'a> Functions<'a> {
    pub(super) fn new(document: &'a Value, mut values: BTreeMap<String, Value>) -> Self {
        for (name, value) in [
            ("AWS::Partition", "aws"),
            ("AWS::Region", REGION),
            ("AWS::AccountId", ACCOUNT),
            ("AWS::StackName", STACK),
            ("AWS::URLSuffix", "amazonaws.com"),
        ] {
            values.insert(name.to_owned(), json!(value));
        }
        let conditions = RefCell::default();
        Self {
            document,
            values,
            conditions,
        }
    }

    /// The description of each assertion that does not hold.
    pub(super) fn refused_by_rules(&self) -> Vec<String> {
        let mut refused = Vec::new();
        for (name, rule) in self.document["Rules"].as_object().into_iter().flatten() {
            let applies = rule.get("RuleCondition");
            if applies.is_some_and(|condition| self.value(condition) != json!(true)) {
                continue;
            }
            for assertion in rule["Assertions"].as_array().into_iter().flatten() {
                if self.value(&assertion["Assert"]) != json!(true) {
                    let description = assertion["AssertDescription"].as_str();
                    refused.push(description.unwrap_or(name).to_owned());
                }
            }
        }
        refused
    }

    /// What a section has, without what its condition leaves out.
    pub(super) fn all(&self, section: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let all = self.document[section].as_object().into_iter().flatten();
        all.filter(|(_, about)| self.is_made(about))
    }

    /// One of these.
    pub(super) fn made(&self, section: &str, name: &str) -> Option<&'a Value> {
        self.document[section]
            .get(name)
            .filter(|about| self.is_made(about))
    }

    fn is_made(&self, resource: &Value) -> bool {
        resource["Condition"]
            .as_str()
            .is_none_or(|name| self.condition(name))
    }

    fn condition(&self, name: &str) -> bool {
        if let Some(known) = self.conditions.borrow().get(name) {
            return *known;
        }
        let condition = &self.document["Conditions"][name];
        assert!(!condition.is_null(), "there is no condition {name}");
        let holds = self.value(condition) == json!(true);
        self.conditions.borrow_mut().insert(name.to_owned(), holds);
        holds
    }

    /// The value with every function replaced by what it gives.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => {
                let values = values.iter().map(|value| self.value(value));
                // `AWS::NoValue`: as if the member was not there
                values.filter(|value| !value.is_null()).collect()
            }
            Value::Object(members) => match members.iter().next() {
                Some((name, argument)) if members.len() == 1 && is_function(name, argument) => {
                    self.function(name, argument)
                }
                _ => {
                    let members = members
                        .iter()
                        .map(|(name, value)| (name, self.value(value)));
                    let members = members.filter(|(_, value)| !value.is_null());
                    let members = members.map(|(name, value)| (name.clone(), value));
                    Value::Object(Map::from_iter(members))
                }
            },
            other => other.clone(),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Value {
        let arguments = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (name, arguments) {
            ("Ref", _) => self.reference(argument.as_str().unwrap_or_default()),
            ("Condition", _) => json!(self.condition(argument.as_str().unwrap_or_default())),
            ("Fn::If", [condition, then, otherwise]) => {
                let holds = self.condition(condition.as_str().unwrap_or_default());
                self.value(if holds { then } else { otherwise })
            }
            ("Fn::GetAtt", [name, attribute]) => self.attribute(name, attribute),
            ("Fn::Sub", _) => json!(self.substituted(argument)),
            ("Fn::Join", [by, parts]) => {
                json!(self.texts(parts).join(&self.text(by)))
            }
            ("Fn::Split", [by, text]) => {
                let (by, text) = (self.text(by), self.text(text));
                text.split(by.as_str()).map(Value::from).collect()
            }
            ("Fn::Select", [index, list]) => {
                let index: usize = self.text(index).parse().expect("an index");
                self.value(list)[index].clone()
            }
            _ => json!(self.predicate(name, arguments)),
        }
    }

    fn predicate(&self, name: &str, arguments: &[Value]) -> bool {
        let holds = |value: &Value| self.value(value) == json!(true);
        match (name, arguments) {
            ("Fn::Not", [value]) => !holds(value),
            // between two and ten, as documented
            ("Fn::And", [_, _, ..]) if arguments.len() <= 10 => arguments.iter().all(holds),
            ("Fn::Or", [_, _, ..]) if arguments.len() <= 10 => arguments.iter().any(holds),
            ("Fn::Equals", [one, other]) => {
                let (one, other) = (self.value(one), self.value(other));
                one == other || scalar(&one).is_some_and(|one| scalar(&other) == Some(one))
            }
            ("Fn::Contains", [list, text]) => self.texts(list).contains(&self.text(text)),
            ("Fn::EachMemberEquals", [list, text]) => {
                let text = self.text(text);
                self.texts(list).iter().all(|one| *one == text)
            }
            ("Fn::EachMemberIn", [list, among]) => {
                let among = self.texts(among);
                self.texts(list).iter().all(|one| among.contains(one))
            }
            _ => panic!("{name} of {arguments:?} is not known here"),
        }
    }

    fn reference(&self, name: &str) -> Value {
        match self.values.get(name) {
            Some(value) => value.clone(),
            None if name == "AWS::NoValue" => Value::Null,
            None => {
                self.there(name);
                json!(format!("<{name}>"))
            }
        }
    }

    fn attribute(&self, name: &Value, attribute: &Value) -> Value {
        let (name, attribute) = (self.text(name), self.text(attribute));
        self.there(&name);
        json!(match attribute.as_str() {
            "FunctionUrl" => format!(
                "https://{}.lambda-url.{REGION}.on.aws/",
                name.to_lowercase()
            ),
            _ => format!("<{name}.{attribute}>"),
        })
    }

    /// AWS refuses a template that refers to what its conditions left out.
    fn there(&self, name: &str) {
        let resource = &self.document["Resources"][name];
        assert!(!resource.is_null(), "there is no resource {name}");
        assert!(
            self.is_made(resource),
            "{name} is referred to, and its condition does not hold"
        );
    }

    fn substituted(&self, argument: &Value) -> String {
        let (template, own) = match argument.as_array().map(Vec::as_slice) {
            Some([template, own]) => (template, own.clone()),
            _ => (argument, Value::Null),
        };
        let template = template.as_str().expect("a text to substitute in");
        let mut parts = template.split("${");
        let mut made = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("a closing brace");
            match name.strip_prefix('!') {
                Some(literal) => made += &format!("${{{literal}}}"),
                None => made += &self.named(name, &own),
            }
            made += rest;
        }
        made
    }

    fn named(&self, name: &str, own: &Value) -> String {
        let value = match (own.get(name), name.split_once('.')) {
            (Some(value), _) => self.value(value),
            (None, Some((name, attribute))) => self.attribute(&json!(name), &json!(attribute)),
            (None, None) => self.reference(name),
        };
        scalar(&value).unwrap_or_else(|| panic!("{name} is no text: {value}"))
    }

    fn text(&self, value: &Value) -> String {
        let value = self.value(value);
        scalar(&value).unwrap_or_else(|| panic!("{value} is no text"))
    }

    fn texts(&self, value: &Value) -> Vec<String> {
        let value = self.value(value);
        let list = value
            .as_array()
            .unwrap_or_else(|| panic!("{value} is no list"));
        list.iter().filter_map(scalar).collect()
    }
}

/// `Condition` with a text is a function inside of conditions; a policy's has an object.
fn is_function(name: &str, argument: &Value) -> bool {
    name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "Conditions": {
                "Set": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Bucket"}, ""]}]},
                "Both": {"Fn::And": [{"Condition": "Set"}, {"Fn::Equals": [{"Ref": "Number"}, -1]}]},
            },
            "Resources": {
                "There": {"Type": "A", "Properties": {}},
                "Maybe": {"Type": "B", "Condition": "Set", "Properties": {}},
            },
        })
    }

    fn resolved(value: &Value, set: &[(&str, Value)]) -> Value {
        let defaults = [
            ("Bucket", json!("")),
            ("Number", json!("-1")),
            ("List", json!(["a", "b"])),
        ];
        let values = defaults.iter().chain(set);
        let values = values.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Functions::new(&document(), values.collect()).value(value)
    }

    #[test]
    fn functions_give_what_is_documented() {
        let value = json!({
            "If": {"Fn::If": ["Set", "set", {"Ref": "AWS::NoValue"}]},
            "Both": {"Fn::If": ["Both", 1, 2]},
            "Sub": [{"Fn::Sub": "${AWS::Partition}:${Bucket}/${There.Arn}${!Left}"}],
            "Own": {"Fn::Sub": ["${A}${Bucket}", {"A": {"Ref": "There"}}]},
            "Join": {"Fn::Join": [",", {"Ref": "List"}]},
            "Select": {"Fn::Select": [1, {"Fn::Split": [":", "a:b"]}]},
        });
        assert_eq!(
            resolved(&value, &[]),
            json!({"Both": 2, "Sub": ["aws:/<There.Arn>${Left}"], "Own": "<There>", "Join": "a,b",
                "Select": "b"})
        );
        let set = resolved(&value, &[("Bucket", json!("x"))]);
        assert_eq!((&set["If"], &set["Both"]), (&json!("set"), &json!(1)));
    }

    #[test]
    fn functions_of_rules_look_into_lists() {
        let list = json!({"Ref": "List"});
        for (value, holds) in [
            (json!({"Fn::Contains": [list, "a"]}), true),
            (json!({"Fn::Contains": [["b"], {"Ref": "Bucket"}]}), false),
            (json!({"Fn::EachMemberIn": [list, ["a", "b", "c"]]}), true),
            (json!({"Fn::EachMemberIn": [list, ["a"]]}), false),
            (json!({"Fn::EachMemberEquals": [list, "a"]}), false),
            (
                json!({"Fn::Or": [{"Fn::Equals": [1, "1"]}, {"Fn::Equals": [1, 2]}]}),
                true,
            ),
        ] {
            assert_eq!(resolved(&value, &[]), json!(holds), "{value}");
        }
    }

    #[test]
    fn what_a_condition_leaves_out_cannot_be_referred_to() {
        for value in [
            json!({"Ref": "Maybe"}),
            json!({"Fn::GetAtt": ["Nowhere", "Arn"]}),
            json!({"Fn::Sub": "${Maybe}"}),
            json!({"Fn::Unknown": []}),
            json!({"Fn::And": [{"Condition": "Set"}]}),
        ] {
            let tried = std::panic::catch_unwind(|| resolved(&value, &[]));
            assert!(tried.is_err(), "{value}");
        }
        assert_eq!(
            resolved(&json!({"Ref": "Maybe"}), &[("Bucket", json!("x"))]),
            json!("<Maybe>")
        );
    }
}
