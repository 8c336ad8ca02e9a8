//! From an upstream's results to this server's: cleaned, URIs with the prefix, `_meta` left behind,
//! marked as what a stranger wrote. Questions are in `forms`, failures in `say`.

use std::fmt;

use mcpfn_core::content::{
    CallToolResult, Content, GetPromptResult, PromptMessage, ResourceContents, Role,
};
use mcpfn_core::text::quoted;
use mcpfn_core::upstream::{icon_is_public, mend_block, namespaced_uri};
use mcpfn_core::{Completions, Cx, ServiceFault, ToolError};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::foreign::{Foreign, nesting};
use super::forms;
use super::say::{Source, cut};
use crate::untrusted;

/// In the `_meta` of every result of an upstream's tool, with its name.
const MARK: &str = "dev.mcpfn/upstream";
/// How deep structured content may be nested. Clients read the whole response, and many read 64
/// levels (.NET) or 128.
const MAX_NESTING: usize = 60;
/// The most blocks of one result; what comes after them is left out.
const MAX_BLOCKS: usize = 10_000;
/// Notes about blocks that were left out, of one result.
const MAX_NOTES: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind<'a> {
    #[serde(borrow, default)]
    result_type: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawToolResult<'a> {
    #[serde(borrow, default)]
    content: Few<'a>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    is_error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawPromptResult<'a> {
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Few<'a>,
}

#[derive(Deserialize)]
struct RawPromptMessage<'a> {
    role: Role,
    #[serde(borrow)]
    content: &'a RawValue,
}

#[derive(Deserialize)]
struct RawReadResult<'a> {
    #[serde(borrow)]
    contents: Few<'a>,
}

/// The first of many blocks: however many an upstream sends, their places cost little.
#[derive(Default)]
struct Few<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Few<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Few<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        while self.0.len() < MAX_BLOCKS {
            match seq.next_element::<&RawValue>()? {
                Some(block) => self.0.push(block),
                None => return Ok(self),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

impl Source<'_> {
    /// A tool's result. `check` says what contradicts the schema that is published for it.
    pub(super) fn tool(
        &self,
        result: Foreign,
        cx: &Cx,
        check: impl Fn(&Value) -> Result<(), String>,
    ) -> Result<CallToolResult, ToolError> {
        let json = self.complete(result, cx)?;
        let raw: RawToolResult<'_> = self.read(&json)?;
        let mut result = CallToolResult::new(self.blocks(&raw.content.0));
        result.is_error = raw.is_error.is_some_and(|raw| raw.get() == "true");
        if let Some(structured) = raw.structured_content {
            match fits(structured, check) {
                Ok(()) => result = result.structured_raw(structured.to_owned()),
                // a client does not expect it with a failure, and would refuse it
                Err(_) if result.is_error => {}
                Err(cause) => return Err(self.contradicts(cause)),
            }
        }
        Ok(result
            .meta(MARK, self.upstream.into())
            .meta(untrusted::MARK, true.into()))
    }

    /// A prompt's messages.
    pub(super) fn prompt(&self, result: Foreign, cx: &Cx) -> Result<GetPromptResult, ToolError> {
        let json = self.complete(result, cx)?;
        let raw: RawPromptResult<'_> = self.read(&json)?;
        let message = |raw: &&RawValue| {
            // without a role nobody knows who says it
            let raw: RawPromptMessage<'_> = serde_json::from_str(raw.get()).ok()?;
            let mut content = self.blocks(&[raw.content]).into_iter().next()?;
            mark(&mut content);
            Some(match raw.role {
                Role::User => PromptMessage::user(content),
                Role::Assistant => PromptMessage::assistant(content),
            })
        };
        let mut result = GetPromptResult::new(raw.messages.0.iter().filter_map(message).collect());
        let description = raw.description.map(RawValue::get);
        result.description = description.and_then(|json| serde_json::from_str(json).ok());
        Ok(result)
    }

    /// A resource's contents.
    pub(super) fn resource(
        &self,
        result: Foreign,
        cx: &Cx,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        let json = self.complete(result, cx)?;
        let raw: RawReadResult<'_> = self.read(&json)?;
        let contents = |raw: &&RawValue| {
            let mut contents: ResourceContents = mended(raw)?;
            rename_contents(self.upstream, &mut contents);
            contents
                .meta
                .insert(untrusted::MARK.to_owned(), true.into());
            Some(contents)
        };
        let read: Vec<ResourceContents> = raw.contents.0.iter().filter_map(contents).collect();
        if read.is_empty() && !raw.contents.0.is_empty() {
            return Err(self.unreadable("none of its contents is text or a blob"));
        }
        Ok(read)
    }

    /// Values of a completion.
    pub(super) fn completion(&self, result: Foreign) -> Completions {
        let json = result.cleaned(self.cleaner);
        let result: Value = serde_json::from_str(json.get()).unwrap_or_default();
        let said = &result["completion"];
        let values = said["values"].as_array().into_iter().flatten();
        let texts = values.clone().filter_map(Value::as_str);
        let total = said["total"].as_u64();
        let mut completions = Completions::default();
        completions.values = texts.take(100).map(cut).collect();
        completions.total = total.and_then(|total| usize::try_from(total).ok());
        completions.has_more = said["hasMore"] == true || values.count() > 100;
        completions
    }

    /// The blocks that this server knows; a note in place of each that it does not.
    fn blocks(&self, raw: &[&RawValue]) -> Vec<Content> {
        let (mut blocks, mut left_out) = (Vec::new(), 0_usize);
        for raw in raw {
            let block = mended::<Content>(raw);
            if let Some(block) = block.and_then(|block| renamed(self.upstream, block)) {
                blocks.push(block);
                continue;
            }
            left_out += 1;
            if left_out <= MAX_NOTES {
                blocks.push(Content::text(self.note(raw)));
            }
        }
        let more = left_out.saturating_sub(MAX_NOTES);
        if more > 0 {
            blocks.push(Content::text(format!("[and {more} more were left out]")));
        }
        blocks
    }

    fn note(&self, raw: &RawValue) -> String {
        #[derive(Deserialize)]
        struct Block {
            r#type: String,
        }
        let kind = match serde_json::from_str::<Block>(raw.get()) {
            Ok(block) => format!("of the type {}", quoted(&block.r#type)),
            Err(_) => "without a type".to_owned(),
        };
        format!(
            "[a block {kind} was left out: `{}` sent it in a way that this server can't pass on]",
            self.upstream
        )
    }

    /// The JSON of a result that is one, cleaned; a question becomes one of this server.
    fn complete(&self, result: Foreign, cx: &Cx) -> Result<Box<RawValue>, ToolError> {
        let raw = result.as_it_came().get();
        let kind: Kind<'_> = self.read(result.as_it_came())?;
        match kind.result_type.map(RawValue::get) {
            // servers before 2026-07-28 say no type
            None | Some("\"complete\"") => Ok(result.cleaned(self.cleaner)),
            Some("\"input_required\"") => {
                let outline: forms::Outline = serde_json::from_str(raw)
                    .map_err(|error| self.unreadable(&error.to_string()))?;
                Err(forms::question(self, outline, cx))
            }
            Some(_) => {
                Err(self.unreadable("its `resultType` is not one that this server asked for"))
            }
        }
    }

    fn read<'de, T: Deserialize<'de>>(&self, json: &'de RawValue) -> Result<T, ToolError> {
        serde_json::from_str(json.get()).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, cause: &str) -> ToolError {
        let cause: String = self.cleaner.text(cause).chars().take(200).collect();
        ToolError::unavailable(
            format!(
                "`{}` gave a result that can't be read. Try something else, and tell the user.",
                self.upstream
            ),
            cause,
        )
        .with_fault(ServiceFault::Malformed)
    }

    fn contradicts(&self, cause: String) -> ToolError {
        ToolError::unavailable(
            format!(
                "`{}` gave a result that does not fit the schema that it publishes, so it is not \
                 passed on. It may have done what it was asked: look before you try again, and \
                 tell the user.",
                self.upstream
            ),
            cause,
        )
        .with_fault(ServiceFault::Malformed)
    }
}

/// A part of a result, without what has not the form of the protocol: annotations out of their range
/// or of another type would make clients refuse all of the result. Most parts have none.
fn mended<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    let has_annotations = raw.get().contains("\"annotations\"");
    if !has_annotations && let Ok(read) = serde_json::from_str(raw.get()) {
        return Some(read);
    }
    let mut value = serde_json::from_str(raw.get()).ok()?;
    mend_block(&mut value);
    serde_json::from_value(value).ok()
}

/// Whether structured content may be passed on; the error is for the log.
fn fits(structured: &RawValue, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    if nesting(structured.get()) > MAX_NESTING {
        return Err(format!("it is nested more than {MAX_NESTING} levels deep"));
    }
    let value = serde_json::from_str(structured.get()).map_err(|error| error.to_string())?;
    check(&value)
}

/// A block as this server sends it; nothing of a link that would lead past this server.
fn renamed(upstream: &str, mut content: Content) -> Option<Content> {
    match &mut content {
        Content::ResourceLink(link) => {
            link.uri = namespaced_uri(upstream, &link.uri)?;
            link.icons.retain(|icon| icon_is_public(&icon.src));
        }
        Content::Resource(embedded) => {
            embedded.meta.clear();
            rename_contents(upstream, &mut embedded.resource);
        }
        Content::Text(text) => text.meta.clear(),
        Content::Image(media) | Content::Audio(media) => media.meta.clear(),
        _ => {}
    }
    Some(content)
}

/// Marks what a prompt's message holds: the messages are what is read. A link has no place for it.
fn mark(content: &mut Content) {
    let meta = match content {
        Content::Text(text) => &mut text.meta,
        Content::Image(media) | Content::Audio(media) => &mut media.meta,
        Content::Resource(embedded) => &mut embedded.meta,
        _ => return,
    };
    meta.insert(untrusted::MARK.to_owned(), true.into());
}

/// What is no URI gets one that leads nowhere: clients that look past white space would find one of
/// their own machine in it.
fn rename_contents(upstream: &str, contents: &mut ResourceContents) {
    contents.meta.clear();
    contents.uri = namespaced_uri(upstream, &contents.uri)
        .unwrap_or_else(|| format!("{upstream}+about:invalid"));
}
