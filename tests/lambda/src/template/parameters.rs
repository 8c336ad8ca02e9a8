//! Values of parameters, and what a template itself refuses of them: `AllowedValues`,
//! `AllowedPattern`, `MinValue`, `MaxValue`, names that are not declared.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::functions::scalar;

/// The patterns of parameters, by name. The whole value must match.
pub(super) fn patterns(declared: &Value) -> BTreeMap<String, Regex> {
    let declared = declared.as_object().into_iter().flatten();
    let patterns = declared.filter_map(|(name, about)| {
        let pattern = about["AllowedPattern"].as_str()?;
        let pattern = Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
        Some((name.clone(), pattern))
    });
    patterns.collect()
}

/// The value of each parameter as a text, or every sentence against those that were given.
pub(super) fn values(
    declared: &Value,
    patterns: &BTreeMap<String, Regex>,
    given: &[(&str, &str)],
) -> Result<BTreeMap<String, Value>, Vec<String>> {
    let mut refused = Vec::new();
    for (name, _) in given {
        if declared.get(name).is_none() {
            refused.push(format!("parameter {name} does not exist in the template"));
        }
    }
    let mut values = BTreeMap::new();
    for (name, about) in declared.as_object().into_iter().flatten() {
        let given = given.iter().find(|(known, _)| known == name);
        let text = match given {
            Some((_, text)) => (*text).to_owned(),
            None => scalar(&about["Default"]).unwrap_or_else(|| panic!("{name} has no default")),
        };
        if let Some(sentence) = mistake(name, about, patterns.get(name), &text) {
            refused.push(sentence);
        }
        values.insert(name.clone(), typed(about, text));
    }
    if refused.is_empty() {
        Ok(values)
    } else {
        Err(refused)
    }
}

fn typed(about: &Value, text: String) -> Value {
    let kind = about["Type"].as_str().unwrap_or_default();
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        text.split(',').map(str::trim).map(Value::from).collect()
    } else {
        text.into()
    }
}

fn mistake(name: &str, about: &Value, pattern: Option<&Regex>, text: &str) -> Option<String> {
    let allowed = about["AllowedValues"].as_array();
    if allowed.is_some_and(|allowed| {
        !allowed
            .iter()
            .any(|one| scalar(one).as_deref() == Some(text))
    }) {
        return Some(format!("{name} must be one of {}", about["AllowedValues"]));
    }
    if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
        let said = about["ConstraintDescription"].as_str();
        let said = said.map_or_else(|| about["AllowedPattern"].to_string(), str::to_owned);
        return Some(format!("{name} must match {said}"));
    }
    if about["Type"] == "Number" {
        let Ok(number) = text.parse::<f64>() else {
            return Some(format!("{name} must be a number"));
        };
        if about["MinValue"]
            .as_f64()
            .is_some_and(|least| number < least)
            || about["MaxValue"].as_f64().is_some_and(|most| number > most)
        {
            return Some(format!("{name} is out of its bounds"));
        }
    }
    None
}
