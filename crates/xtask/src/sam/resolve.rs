//! What CloudFormation makes of a part of an expanded template for given parameters: the few
//! functions that the policies use. Not all of CloudFormation.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::report::{Error, Result};

/// A template after its expansion, with values for its parameters.
pub(super) struct Resolver<'a> {
    template: &'a Value,
    parameters: BTreeMap<&'a str, &'a str>,
}

impl<'a> Resolver<'a> {
    /// `arguments` are NAME=VALUE; a parameter that is not named has its default.
    pub(super) fn new(template: &'a Value, arguments: &[&'a str]) -> Self {
        let defaults = template["Parameters"].as_object().into_iter().flatten();
        let mut parameters: BTreeMap<&str, &str> = defaults
            .filter_map(|(name, about)| Some((name.as_str(), about["Default"].as_str()?)))
            .collect();
        parameters.insert("AWS::Partition", "aws");
        parameters.extend(arguments.iter().filter_map(|set| set.split_once('=')));
        Self {
            template,
            parameters,
        }
    }

    /// The value with every function replaced by what it gives.
    pub(super) fn value(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Array(values) => {
                let values = values.iter().map(|value| self.value(value));
                let values = values.collect::<Result<Vec<_>>>()?;
                Ok(values
                    .into_iter()
                    .filter(|value| !value.is_null())
                    .collect())
            }
            Value::Object(members) => match members.iter().next() {
                Some((name, argument)) if members.len() == 1 && is_function(name) => {
                    self.function(name, argument)
                }
                _ => self.members(members),
            },
            other => Ok(other.clone()),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Result<Value> {
        let mut found = Map::new();
        for (name, value) in members {
            let value = self.value(value)?;
            // `AWS::NoValue`: as if the member was not there
            if !value.is_null() {
                found.insert(name.clone(), value);
            }
        }
        Ok(Value::Object(found))
    }

    fn function(&self, name: &str, argument: &Value) -> Result<Value> {
        match (name, argument, argument.as_array().map(Vec::as_slice)) {
            ("Ref", Value::String(name), _) if name == "AWS::NoValue" => Ok(Value::Null),
            ("Ref", Value::String(name), _) => self.parameter(name).map(Value::from),
            ("Condition", Value::String(name), _) => {
                self.value(&self.template["Conditions"][name.as_str()])
            }
            ("Fn::Sub", Value::String(text), _) => self.substituted(text).map(Value::from),
            ("Fn::Not", _, Some([value])) => Ok(json!(self.value(value)? != json!(true))),
            ("Fn::Equals", _, Some([one, other])) => {
                Ok(json!(self.value(one)? == self.value(other)?))
            }
            ("Fn::If", _, Some([condition, then, otherwise])) => {
                let holds = self.function("Condition", condition)? == json!(true);
                self.value(if holds { then } else { otherwise })
            }
            _ => Err(Error::new(format!(
                "{name} of {argument} is not resolved here"
            ))),
        }
    }

    fn parameter(&self, name: &str) -> Result<String> {
        let value = self.parameters.get(name);
        value
            .map(ToString::to_string)
            .ok_or_else(|| Error::new(format!("the parameter {name} has no value")))
    }

    fn substituted(&self, text: &str) -> Result<String> {
        let mut parts = text.split("${");
        let mut made = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part
                .split_once('}')
                .ok_or_else(|| Error::new(format!("{text} has an open brace")))?;
            made += &self.parameter(name)?;
            made += rest;
        }
        Ok(made)
    }
}

fn is_function(name: &str) -> bool {
    // `Condition` is a function only inside of conditions, where it is asked for by name
    name == "Ref" || name.starts_with("Fn::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_give_what_cloudformation_gives() {
        let template = json!({
            "Parameters": {"Bucket": {"Default": ""}, "Prefix": {"Default": "a"}},
            "Conditions": {"Set": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Bucket"}, ""]}]}},
        });
        let value = json!({
            "If": {"Fn::If": ["Set", "set", {"Ref": "AWS::NoValue"}]},
            "Sub": [{"Fn::Sub": "${AWS::Partition}:${Bucket}/${Prefix}/*"}],
        });
        let resolved = |set: &[&str]| Resolver::new(&template, set).value(&value).unwrap();
        assert_eq!(resolved(&[]), json!({"Sub": ["aws:/a/*"]}));
        assert_eq!(
            resolved(&["Bucket=b", "Prefix=c/d"]),
            json!({"If": "set", "Sub": ["aws:b/c/d/*"]})
        );
        let unknown = json!({"Fn::Join": ["", []]});
        assert!(Resolver::new(&template, &[]).value(&unknown).is_err());
    }
}
