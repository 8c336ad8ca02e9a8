//! An item's attributes, as Rust values and back. Which attributes an item has is in the table of
//! `dynamodb.rs`.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;

use super::pack::{Packed, unpack};

pub(super) type AttributeMap = HashMap<String, AttributeValue>;

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// When the table may clean an item up, in its seconds: not before it stops to count.
pub(super) fn expires_at(milliseconds: u64) -> AttributeValue {
    number(milliseconds.div_ceil(1000))
}

/// A payload's attributes.
pub(super) fn payload(packed: Packed) -> impl Iterator<Item = (String, AttributeValue)> {
    let size = packed
        .packed_from
        .map(|size| ("packed_from".to_owned(), number(size as u64)));
    std::iter::once((
        "payload".to_owned(),
        AttributeValue::B(Blob::new(packed.payload)),
    ))
    .chain(size)
}

/// The item's number of this name, if it has one.
pub(super) fn number_of<N: FromStr>(item: &AttributeMap, name: &str) -> Option<N> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The item's payload, if it has one that can be read.
pub(super) fn payload_of(mut item: AttributeMap) -> Option<Bytes> {
    let packed_from = match item.get("packed_from") {
        Some(_) => Some(number_of(&item, "packed_from")?),
        None => None,
    };
    match item.remove("payload")? {
        AttributeValue::B(blob) => unpack(blob.into_inner(), packed_from),
        _ => None,
    }
}
