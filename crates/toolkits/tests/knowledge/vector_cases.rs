//! The contract of stores of vectors as data: what is put into one, removed and asked for, and what
//! is found. Each store's own test carries the steps out.

use std::collections::BTreeSet;

use serde_json::Value;

/// Steps over a store that is empty at the first.
pub(crate) struct VectorCase {
    pub(crate) name: String,
    pub(crate) steps: Vec<VectorStep>,
}

/// One step, of a model.
pub(crate) struct VectorStep {
    pub(crate) model: String,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// Ids with vectors; whether a store may refuse them.
    Put(Vec<(String, Vec<f32>)>, bool),
    Remove(Vec<String>),
    /// A vector and how many are wanted at most.
    Nearest(Vec<f32>, usize, Expected),
}

/// What is to be found.
pub(crate) enum Expected {
    InOrder(Vec<String>),
    InAnyOrder(BTreeSet<String>),
    Refused,
}

impl Expected {
    /// `found` is nothing where the store refused.
    pub(crate) fn check(&self, found: Option<Vec<String>>, case: &str) {
        match self {
            Self::InOrder(ids) => assert_eq!(found.as_ref(), Some(ids), "{case}"),
            Self::InAnyOrder(ids) => {
                let found = found.map(|found| found.into_iter().collect());
                assert_eq!(found.as_ref(), Some(ids), "{case}");
            }
            Self::Refused => assert_eq!(found, None, "{case}"),
        }
    }
}

pub(crate) fn cases() -> Vec<VectorCase> {
    let text = include_str!("vectors.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("cases");
    cases.iter().map(case).collect()
}

fn case(case: &Value) -> VectorCase {
    let step = |step: &Value| VectorStep {
        model: step["model"].as_str().unwrap_or("first").to_owned(),
        what: what(step),
    };
    VectorCase {
        name: case["name"].as_str().expect("a name").to_owned(),
        steps: case["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .map(step)
            .collect(),
    }
}

fn what(step: &Value) -> What {
    if let Some(entries) = step["put"].as_object() {
        let entries = entries
            .iter()
            .map(|(id, vector)| (id.clone(), numbers(vector)));
        return What::Put(entries.collect(), step["may_be_refused"] == true);
    }
    if step["remove"].is_array() {
        return What::Remove(texts(&step["remove"]));
    }
    let expected = if step["refused"] == true {
        Expected::Refused
    } else if step["any_order"] == true {
        Expected::InAnyOrder(texts(&step["ids"]).into_iter().collect())
    } else {
        Expected::InOrder(texts(&step["ids"]))
    };
    let most = step["most"].as_u64().expect("how many");
    What::Nearest(numbers(&step["nearest"]), most as usize, expected)
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list of texts").iter();
    list.map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

fn numbers(list: &Value) -> Vec<f32> {
    let list = list.as_array().expect("a list of numbers").iter();
    list.map(|number| number.as_f64().expect("a number") as f32)
        .collect()
}
