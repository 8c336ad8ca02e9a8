//! What older revisions must not be sent is dropped or said differently here, type by type, and
//! nowhere else.

use serde_json::Value;

use super::content::{Content, ResourceLink};
use super::implementation::Implementation;
use super::prompt::{GetPromptResult, PromptDefinition};
use super::resource::ResourceDefinition;
use super::tool::{CallToolResult, ToolDefinition};
use crate::version::Revision;

impl ToolDefinition {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if !revision.has_annotations() {
            self.annotations = None;
        }
        if !revision.has_titles() {
            self.title = None;
            self.meta.clear();
        }
        if !revision.has_icons() {
            self.icons.clear();
        }
        if self
            .output_schema
            .as_ref()
            .is_some_and(|schema| !may_have_output(schema, revision))
        {
            self.output_schema = None;
        }
        self
    }
}

/// Before 2026-07-28 an output schema had to have an object at its root; before 2025-06-18 there
/// was none.
fn may_have_output(schema: &Value, revision: Revision) -> bool {
    revision.is_modern()
        || (revision.has_titles() && schema.get("type").is_some_and(|kind| kind == "object"))
}

impl ResourceDefinition {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if !revision.has_titles() {
            self.title = None;
            self.meta.clear();
            if let Some(annotations) = &mut self.annotations {
                annotations.last_modified = None;
            }
        }
        if !revision.has_icons() {
            self.icons.clear();
        }
        self
    }
}

impl PromptDefinition {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if !revision.has_titles() {
            self.title = None;
            self.meta.clear();
            for argument in &mut self.arguments {
                argument.title = None;
            }
        }
        if !revision.has_icons() {
            self.icons.clear();
        }
        self
    }
}

impl Implementation {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if !revision.has_titles() {
            self.title = None;
        }
        if !revision.has_icons() {
            self.description = None;
            self.website_url = None;
            self.icons.clear();
        }
        self
    }
}

impl CallToolResult {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if revision.is_modern() {
            return self;
        }
        // an object only, like the schema; the text block has the same JSON in any case
        let keeps_structured = revision.has_titles()
            && self
                .structured_content
                .as_ref()
                .is_some_and(|raw| raw.get().starts_with('{'));
        if !keeps_structured {
            self.structured_content = None;
        }
        self.content = self
            .content
            .into_iter()
            .map(|content| content.down_level(revision))
            .collect();
        self
    }
}

impl GetPromptResult {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        for message in &mut self.messages {
            message.content =
                std::mem::replace(&mut message.content, Content::text("")).down_level(revision);
        }
        self
    }
}

impl Content {
    pub(crate) fn down_level(mut self, revision: Revision) -> Self {
        if revision.has_icons() {
            return self;
        }
        if !revision.has_titles() {
            if let Some(annotations) = self.annotations_mut() {
                annotations.last_modified = None;
            }
            self.clear_meta();
        }
        match self {
            // said in words instead of left out: the model should know that there was something
            Self::Audio(audio) if !revision.has_annotations() => Self::text(format!(
                "[audio of type {}, which this client's protocol revision can't carry]",
                audio.mime_type
            )),
            Self::ResourceLink(link) if !revision.has_titles() => Self::text(as_words(&link)),
            Self::ResourceLink(mut link) => {
                link.icons.clear();
                Self::ResourceLink(link)
            }
            other => other,
        }
    }

    fn clear_meta(&mut self) {
        match self {
            Self::Text(text) => text.meta.clear(),
            Self::Image(media) | Self::Audio(media) => media.meta.clear(),
            Self::Resource(resource) => {
                resource.meta.clear();
                resource.resource.meta.clear();
            }
            Self::ResourceLink(_) => {}
        }
    }
}

fn as_words(link: &ResourceLink) -> String {
    let name = link.title.as_ref().unwrap_or(&link.name);
    match &link.description {
        Some(description) => format!("{name}: {} ({description})", link.uri),
        None => format!("{name}: {}", link.uri),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result() -> CallToolResult {
        CallToolResult::new(vec![
            Content::audio(b"x", "audio/wav"),
            Content::resource_link(ResourceLink::new("shop://1", "one")),
        ])
        .structured(json!({"a": 1}))
    }

    #[test]
    fn results_carry_only_what_the_revision_knows() {
        let kinds = |revision| {
            let result = serde_json::to_value(result().down_level(revision)).unwrap();
            let kinds: Vec<String> = result["content"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["type"].as_str().unwrap().to_owned())
                .collect();
            (kinds.join(" "), result.get("structuredContent").is_some())
        };
        assert_eq!(kinds(Revision::V2024_11_05), ("text text".into(), false));
        assert_eq!(kinds(Revision::V2025_03_26), ("audio text".into(), false));
        assert_eq!(
            kinds(Revision::V2025_06_18),
            ("audio resource_link".into(), true)
        );
        assert_eq!(
            kinds(Revision::V2026_07_28),
            ("audio resource_link".into(), true)
        );
    }

    #[test]
    fn structured_content_that_is_no_object_stays_with_modern_clients() {
        let list = CallToolResult::text("[1]").structured(json!([1]));
        assert_eq!(
            list.clone()
                .down_level(Revision::V2025_11_25)
                .structured_content(),
            None
        );
        assert_eq!(
            list.down_level(Revision::V2026_07_28).structured_content(),
            Some(json!([1]))
        );
    }
}
