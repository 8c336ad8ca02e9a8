//! `#[input]` and `#[output]` in a crate that depends on neither serde nor schemars. Not a test of
//! what those two do.
#![deny(warnings)]

extern crate mcpfn_core as mcpfn;

use std::collections::BTreeMap;
use std::fmt::Debug;

use mcpfn::__private::schemars::{JsonSchema, schema_for};
use mcpfn::__private::serde::de::DeserializeOwned;
use mcpfn::handler::Structured;
use mcpfn_macros::{input, output};

/// Their own attributes keep their meaning.
#[input]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Words to look for.
    #[schemars(length(min = 2))]
    pub free_text: String,
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: u32,
    pub order: Option<Order>,
}

fn ten() -> u32 {
    10
}

#[input]
#[derive(Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Price,
    Name,
}

#[input]
#[output]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
pub struct Both {
    #[schemars(range(min = 1))]
    pub item_count: u32,
}

#[output]
#[input]
#[serde(deny_unknown_fields)]
#[schemars(title = "Other")]
pub struct OtherOrder {
    pub value: u32,
}

#[derive(Debug)]
#[input]
#[output]
pub enum Shape {
    Circle { radius: f64 },
}

#[input]
pub struct Open {
    #[serde(flatten)]
    pub rest: BTreeMap<String, String>,
}

#[input]
#[serde(deny_unknown_fields)]
pub struct Strict {
    pub value: u32,
}

#[input]
#[serde(transparent)]
pub struct Through {
    pub value: Order,
}

#[output]
pub struct Page<T>
where
    T: Debug,
{
    pub items: Vec<T>,
}

#[output]
pub struct Fixed<T, const N: usize = 2> {
    pub items: Vec<T>,
}

#[output]
pub struct Borrowed<'a> {
    pub text: &'a str,
}

#[output]
#[cfg(any())]
pub struct Removed(Missing);

fn taken<T: DeserializeOwned + JsonSchema>() -> String {
    let schema = schema_for!(T).to_value().to_string();
    schema.replace('"', "'")
}

fn given<T: Structured>() -> String {
    let schema = schema_for!(T).to_value().to_string();
    schema.replace('"', "'")
}

fn main() {
    let search = taken::<Search>();
    assert!(search.contains("'additionalProperties':false"), "{search}");
    assert!(search.contains("'freeText':{'description':'Words to look \
        for.','minLength':2"), "{search}");
    let (both, back) = (taken::<Both>(), given::<Both>());
    assert_eq!(both, back);
    assert!(both.contains("'additionalProperties':false") && both.contains("itemCount"), "{both}");
    assert_eq!(taken::<OtherOrder>(), given::<OtherOrder>());
    assert_eq!(taken::<Shape>(), given::<Shape>());
    assert!(!taken::<Open>().contains("'additionalProperties':false"));
    assert!(taken::<Strict>().contains("'additionalProperties':false"));
    taken::<Through>();
    given::<Page<Both>>();
    given::<Fixed<u8>>();
    given::<Borrowed<'_>>();
}
