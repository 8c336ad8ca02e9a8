//! YAML as JSON: tags such as `!Ref` become members such as `Ref`, as CloudFormation reads them.
//! Not a reader of other YAML: keys are texts.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = &documents[..] else {
        return Err("the template is not one document".to_owned());
    };
    value(document)
}

fn value(node: &Yaml<'_>) -> Result<Value, String> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(nodes) => Value::Array(nodes.iter().map(value).collect::<Result<_, _>>()?),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, node) in members {
                let key = match value(key)? {
                    Value::String(text) => text,
                    // such as a port, or a status
                    Value::Number(number) => number.to_string(),
                    other => return Err(format!("{other} is no key of a template")),
                };
                object.insert(key, value(node)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, node) => function(&tag.suffix, value(node)?),
        other => return Err(format!("{other:?} is not expected in a template")),
    })
}

/// The long form of a function that was written as a tag.
fn function(tag: &str, argument: Value) -> Value {
    let argument = match (tag, &argument) {
        ("GetAtt", Value::String(text)) => text
            .split_once('.')
            .map_or_else(|| json!([text]), |(name, rest)| json!([name, rest])),
        _ => argument,
    };
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{tag}"),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_functions() {
        let read = |text: &str| parse(text).unwrap();
        assert_eq!(
            read("a: !If [Set, !Ref B, !GetAtt C.D.E]\nb: \"off\"\nc: off\nd: -1"),
            json!({
                "a": {"Fn::If": ["Set", {"Ref": "B"}, {"Fn::GetAtt": ["C", "D.E"]}]},
                "b": "off", "c": "off", "d": -1,
            })
        );
        assert_eq!(
            read("a: !Sub |\n  x ${A}\n"),
            json!({"a": {"Fn::Sub": "x ${A}\n"}})
        );
        assert!(parse("a: [").is_err());
    }
}
