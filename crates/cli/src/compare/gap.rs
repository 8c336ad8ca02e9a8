//! What one schema admits and another one does not: its class, its place, and how it is told.

use serde_json::{Map, Value};

/// What a gap is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GapKind {
    Removed,
    Required,
    Type,
    Values,
    Bounds,
    Format,
    Unknown,
    Shape,
}

impl GapKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Required => "required",
            Self::Type => "type",
            Self::Values => "values",
            Self::Bounds => "bounds",
            Self::Format => "format",
            Self::Unknown => "unknown",
            Self::Shape => "shape",
        }
    }
}

/// A place where the wider schema admits what the other one does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    place: String,
    pub(super) kind: GapKind,
    detail: String,
}

impl Gap {
    pub(super) fn new(place: &str, kind: GapKind, detail: &str) -> Self {
        Self {
            place: place.to_owned(),
            kind,
            detail: detail.to_owned(),
        }
    }

    /// A sentence; `thing` is what the schema is of.
    pub(super) fn told(&self, thing: &str) -> String {
        let place = if self.place.is_empty() {
            "/"
        } else {
            &self.place
        };
        let what = match (self.kind, thing) {
            (GapKind::Removed, _) => "is not there any more",
            (GapKind::Required, "argument") => "is required now",
            (GapKind::Required, _) => "may be left out now",
            (GapKind::Type, "argument") => "takes fewer types",
            (GapKind::Values, "argument") => "takes fewer values",
            (GapKind::Bounds, "argument") => "has narrower bounds",
            (GapKind::Unknown, "argument") => "refuses properties that it does not know",
            (GapKind::Type, _) => "may be of another type",
            (GapKind::Values, _) => "may have other values",
            (GapKind::Bounds, _) => "has wider bounds",
            (GapKind::Unknown, _) => "may have properties that were ruled out",
            (GapKind::Format, _) => "has another form",
            (GapKind::Shape, _) => "has another shape",
        };
        let detail = match self.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        format!("{thing} {place} {what}{detail}")
    }
}

/// The types of JSON, as schemas name them. Every integer is a number.
pub(super) const KINDS: [&str; 7] = [
    "null", "boolean", "object", "array", "string", "integer", "number",
];

/// Whether values of a type are admitted, as far as `type` says.
pub(super) fn has_kind(schema: &Map<String, Value>, kind: &str) -> bool {
    let is = |name: &Value| name == kind || (kind == "integer" && name == "number");
    match schema.get("type") {
        None => true,
        Some(Value::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
    }
}
