//! The command `package`: every crate that is published is packed and built from its package alone, so
//! that a file or a version that only the checkout has is found before a release. Nothing is sent.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result},
};

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let mut metadata = cx.cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = process::read(&mut metadata)?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Error::new(format!("cargo's metadata can't be read: {error}")))?;
    let order = order(&published(&metadata))?;
    println!("published in this order: {}", order.join(", "));
    let mut package = cx.cargo();
    // what is published is committed; what is tested need not be
    package.args(["package", "--allow-dirty"]);
    for name in &order {
        package.args(["-p", name]);
    }
    process::run(&mut package)?;
    counts.passed += order.len() as u64;
    Ok(())
}

/// Each crate that is published, with what it needs of this workspace in every build. Tests may
/// need each other.
fn published(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let packages = metadata["packages"].as_array();
    let packages = packages.into_iter().flatten();
    let published = packages.filter(|package| package["publish"].is_null());
    published
        .map(|package| {
            let needs = package["dependencies"].as_array().into_iter().flatten();
            let needs = needs
                .filter(|needed| needed["path"].is_string() && needed["kind"] != "dev")
                .filter_map(|needed| needed["name"].as_str().map(str::to_owned));
            let name = package["name"].as_str().unwrap_or_default();
            (name.to_owned(), needs.collect())
        })
        .collect()
}

/// Those first that others need.
fn order(needs: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < needs.len() {
        let next = needs.iter().find(|(name, needed)| {
            !order.contains(name) && needed.iter().all(|it| order.contains(it))
        });
        let (name, _) = next.ok_or_else(|| {
            let left = needs.keys().filter(|name| !order.contains(name));
            let left: Vec<&str> = left.map(String::as_str).collect();
            Error::new(format!(
                "these can't be published, because they need each other or a crate that is not \
                 published: {}",
                left.join(", ")
            ))
        })?;
        order.push(name.clone());
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, publish: &Value, needs: &[(&str, &str)]) -> Value {
        let needs: Vec<Value> = needs
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind, "path": "x"}))
            .collect();
        json!({"name": name, "publish": publish, "dependencies": needs})
    }

    #[test]
    fn crates_come_after_those_that_they_need() {
        let packages = json!({"packages": [
            package("a", &Value::Null, &[("c", "normal"), ("tests", "dev")]),
            package("b", &Value::Null, &[("a", "build")]),
            package("c", &Value::Null, &[("b", "dev")]),
            package("tests", &json!([]), &[("a", "normal")]),
        ]});
        assert_eq!(order(&published(&packages)).unwrap(), ["c", "a", "b"]);
    }

    #[test]
    fn crates_that_need_what_is_not_published_are_named() {
        for needs in ["tests", "b"] {
            let packages = json!({"packages": [
                package("a", &Value::Null, &[(needs, "normal")]),
                package("b", &Value::Null, &[("a", "normal")]),
                package("c", &Value::Null, &[]),
                package("tests", &json!([]), &[]),
            ]});
            let error = order(&published(&packages)).unwrap_err().to_string();
            assert!(error.ends_with(": a, b"), "{error}");
        }
    }
}
