//! A template of CloudFormation, evaluated on this machine: what AWS refuses of some parameters,
//! and which resources it makes of the others.
//!
//! **In scope:** constraints of parameters, `Rules`, `Conditions`, the intrinsic functions that
//! this project's template uses, `AWS::NoValue`, references to resources that are not there.
//!
//! **Out of scope:** everything that a resource does. It is our reading of the documentation, not
//! AWS.

mod functions;
mod parameters;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use functions::Functions;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

/// A template, before any value of a parameter is known.
#[derive(Debug, Clone)]
pub struct Template {
    document: Value,
    patterns: BTreeMap<String, Regex>,
}

/// What CloudFormation makes of a template for some parameters. Functions are evaluated when they
/// are asked for.
pub struct Stack<'a>(Functions<'a>);

impl Template {
    /// Reads a template in YAML, or in JSON, which is YAML, too.
    ///
    /// # Errors
    /// When there is none, in a sentence.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
        let mut document = yaml::parse(&text)?;
        merge_globals(&mut document);
        expand_functions(&mut document)?;
        let patterns = parameters::patterns(&document["Parameters"]);
        Ok(Self { document, patterns })
    }

    /// The template as JSON, functions in their long form.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        let parameters = self.document["Parameters"].as_object();
        parameters
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// Deploys with these parameters; others have their defaults.
    ///
    /// # Errors
    /// Each sentence with which AWS refuses them before it makes anything: constraints of
    /// parameters, then descriptions of assertions that don't hold.
    ///
    /// # Panics
    /// When the template itself is at fault: a function that is not known here, or a reference to
    /// something that is not there. The stack does so, too.
    pub fn deploy(&self, given: &[(&str, &str)]) -> Result<Stack<'_>, Vec<String>> {
        let stack = self.deploy_without_rules(given)?;
        let refused = stack.0.refused_by_rules();
        if refused.is_empty() {
            Ok(stack)
        } else {
            Err(refused)
        }
    }

    /// Deploys as if the template had no `Rules`.
    ///
    /// # Errors
    /// As [`Template::deploy`], of constraints of parameters alone.
    pub fn deploy_without_rules(&self, given: &[(&str, &str)]) -> Result<Stack<'_>, Vec<String>> {
        let values = parameters::values(&self.document["Parameters"], &self.patterns, given)?;
        Ok(Stack(Functions::new(&self.document, values)))
    }
}

impl Stack<'_> {
    /// The properties of a resource; nothing if its condition does not hold.
    #[must_use]
    pub fn properties(&self, name: &str) -> Option<Value> {
        self.0
            .made("Resources", name)
            .map(|resource| self.0.value(&resource["Properties"]))
    }

    /// The names of the resources of a kind, such as `AWS::IAM::Role`, and their properties.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Vec<(String, Value)> {
        let resources = self.0.all("Resources");
        let found = resources.filter(|(_, resource)| resource["Type"] == kind);
        found
            .map(|(name, resource)| (name.clone(), self.0.value(&resource["Properties"])))
            .collect()
    }

    /// Every resource's properties, and every output's value.
    #[must_use]
    pub fn everything(&self) -> BTreeMap<String, Value> {
        let resources = self.0.all("Resources");
        let resources = resources.map(|(name, about)| (name, &about["Properties"]));
        let outputs = self
            .0
            .all("Outputs")
            .map(|(name, about)| (name, &about["Value"]));
        let all = resources.chain(outputs);
        all.map(|(name, value)| (name.clone(), self.0.value(value)))
            .collect()
    }

    /// The variables of the function, without those that are empty: these count as not set.
    #[must_use]
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let properties = self
            .0
            .made("Resources", function)
            .map(|function| &function["Properties"]);
        let variables = properties.map(|about| self.0.value(&about["Environment"]["Variables"]));
        let text = |value: &Value| functions::scalar(value).unwrap_or_default();
        let variables = variables.iter().filter_map(Value::as_object).flatten();
        variables
            .map(|(name, value)| (name.clone(), text(value)))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

impl std::fmt::Debug for Stack<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.all("Resources").map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

/// As the serverless transform does: what every function has, unless it says something else.
fn merge_globals(document: &mut Value) {
    let globals = document["Globals"]["Function"].take();
    let resources = document["Resources"].as_object_mut().into_iter().flatten();
    for (_, resource) in resources {
        if resource["Type"] == "AWS::Serverless::Function" {
            merge(&mut resource["Properties"], &globals);
        }
    }
}

/// Adds what is not there.
fn merge(own: &mut Value, general: &Value) {
    match (own, general) {
        (Value::Object(own), Value::Object(general)) => {
            for (name, value) in general {
                merge(own.entry(name).or_insert(Value::Null), value);
            }
        }
        (own @ Value::Null, general) => *own = general.clone(),
        _ => {}
    }
}

/// The part of the serverless transform that other resources refer to: a function's URL, its
/// versions and the alias that points to one. In a template that was expanded there is nothing left
/// to do.
fn expand_functions(document: &mut Value) -> Result<(), String> {
    let resources = document["Resources"]
        .as_object_mut()
        .ok_or("the template has no Resources")?;
    let mut more = Map::new();
    let mut aliases = Vec::new();
    for (name, resource) in resources.iter_mut() {
        if resource["Type"] == "AWS::Serverless::Function" {
            resource["Type"] = json!("AWS::Lambda::Function");
            let Some(properties) = resource["Properties"].as_object_mut() else {
                continue;
            };
            let mut take = |name: &str| properties.remove(name).unwrap_or_default();
            let (mut url, alias) = (take("FunctionUrlConfig"), take("AutoPublishAlias"));
            let (about, provisioned) = (
                take("VersionDescription"),
                take("ProvisionedConcurrencyConfig"),
            );
            for used_up in ["AutoPublishAliasAllProperties", "DeploymentPreference"] {
                take(used_up);
            }
            let mut target = json!({"Ref": name});
            if let Some(alias) = alias.as_str() {
                let known = format!("{name}Alias{alias}");
                target = json!({"Ref": known});
                let version = json!({"FunctionName": {"Ref": name}, "Description": about});
                let version = json!({"Type": "AWS::Lambda::Version", "Properties": version});
                more.insert(format!("{name}Version"), version);
                let properties = json!({"Name": alias, "FunctionName": {"Ref": name},
                    "ProvisionedConcurrencyConfig": provisioned});
                let alias = json!({"Type": "AWS::Lambda::Alias", "Properties": properties});
                more.insert(known.clone(), alias);
                aliases.push((format!("{name}.Alias"), known));
            }
            if url.is_object() {
                url["TargetFunctionArn"] = target;
                let url = json!({"Type": "AWS::Lambda::Url", "Properties": url});
                more.insert(format!("{name}Url"), url);
            }
        }
    }
    resources.extend(more);
    for (written, known) in &aliases {
        rename(document, written, known);
    }
    Ok(())
}

/// Has every reference to one name refer to another.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, from, to)),
        Value::Object(members) => {
            for (name, value) in members {
                if name == "Ref" && *value == from {
                    *value = json!(to);
                } else {
                    rename(value, from, to);
                }
            }
        }
        _ => {}
    }
}
