//! Resources whose contents, templates and absence the suite looks at.

use mcpfn::prelude::*;
use serde_json::json;

/// A red picture of one pixel.
pub(crate) const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0x00,
    0x00, 0x03, 0x01, 0x01, 0x00, 0x18, 0xdd, 0x8d, 0xb0, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

/// One sample of silence.
pub(crate) const WAV: &[u8] = b"RIFF\x26\0\0\0WAVEfmt \
    \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x02\0\0\0\0\0";

pub(crate) fn add(builder: Builder) -> Builder {
    builder
        .resource(static_text)
        .resource(static_binary)
        .resource(watched)
        .resource(item_template())
}

/// Plain text that never changes.
#[resource("test://static-text", name = "static-text", mime = "text/plain")]
async fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// A picture.
#[resource("test://static-binary", name = "static-binary", mime = "image/png")]
async fn static_binary() -> Vec<u8> {
    PNG.to_vec()
}

/// Something that others may change.
#[resource(
    "test://watched-resource",
    name = "watched-resource",
    mime = "text/plain"
)]
async fn watched() -> &'static str {
    "Watched resource content"
}

#[input]
struct Item {
    /// Which item.
    id: String,
}

/// Without the macro, to have both ways under test.
fn item_template() -> Resource {
    Resource::new("test://template/{id}/data", "template-data")
        .description("The data of one item.")
        .mime("application/json")
        .handler(|item: Item| async move { Json(json!({"id": item.id, "templateTest": true})) })
        .complete("id", |typed: String, _| async move {
            vec![format!("{typed}1"), format!("{typed}2")]
        })
}
