//! What a server says of itself to a client that has just come: results of `server/discover` and
//! `initialize`. Written once where every caller reads the same, otherwise for the caller.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::json;

use super::registry::Registry;
use super::result_writer::ResultWriter;
use crate::call::modern_versions;
use crate::jsonrpc::to_json;
use crate::model::JsonObject;
use crate::model::capabilities::{EVENTS, ServerCapabilities};
use crate::model::implementation::Implementation;
use crate::page;
use crate::scope::Scopes;
use crate::task::EXTENSION;
use crate::text::in_order;
use crate::version::Revision;

/// Instructions, and the results that have them. Those for callers who see everything are written
/// when the first one asks and then copied; one that nobody asks for costs no start.
pub(crate) struct Greetings {
    instructions: Instructions,
    discovery: OnceLock<Vec<u8>>,
    initialization: [OnceLock<Vec<u8>>; Revision::ALL.len()],
}

/// What else these results are written from.
#[derive(Clone, Copy)]
pub(crate) struct GreetingSource<'a> {
    pub(crate) info: &'a Implementation,
    pub(crate) capabilities: &'a ServerCapabilities,
    pub(crate) results: &'a ResultWriter,
    /// How long discovery holds, in milliseconds.
    pub(crate) ttl_ms: u64,
}

/// A text on tools, for callers who can see each of them.
pub(crate) struct ToolAdvice {
    pub(crate) tools: Vec<String>,
    pub(crate) text: String,
}

/// What a model should know before it uses the tools together.
pub(crate) struct Instructions {
    general: Option<String>,
    /// Each text with the scopes that its tools need together.
    advice: Vec<(String, Vec<String>)>,
    /// Whether callers read different texts.
    guarded: bool,
}

impl Instructions {
    /// Texts on a tool that is not there are left out, repeated ones too.
    pub(crate) fn new(
        general: Option<String>,
        advice: Vec<ToolAdvice>,
        registry: &Registry,
    ) -> Self {
        let mut kept: Vec<(String, Vec<String>)> = Vec::new();
        for ToolAdvice { tools, text } in advice {
            let found: Option<Vec<_>> = tools.iter().map(|tool| registry.tool(tool)).collect();
            let Some(found) = found else { continue };
            if kept.iter().any(|(known, _)| *known == text) {
                continue;
            }
            let scopes = found.iter().flat_map(|tool| &tool.scopes);
            let scopes = in_order(scopes.map(String::as_str));
            kept.push((text, scopes.into_iter().map(str::to_owned).collect()));
        }
        Self {
            general,
            guarded: kept.iter().any(|(_, scopes)| !scopes.is_empty()),
            advice: kept,
        }
    }

    /// What a caller with these scopes reads; nothing if there is nothing to say.
    fn text(&self, scopes: &Scopes) -> Option<String> {
        let advice = self.advice.iter();
        let seen = advice
            .filter(|(_, needed)| scopes.contains_all(needed))
            .map(|(text, _)| text);
        let texts: Vec<&str> = self
            .general
            .iter()
            .chain(seen)
            .map(String::as_str)
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// Whether a caller with these scopes reads all of it.
    fn is_whole(&self, scopes: &Scopes) -> bool {
        !self.guarded
            || self
                .advice
                .iter()
                .all(|(_, needed)| scopes.contains_all(needed))
    }
}

impl Greetings {
    pub(crate) fn new(instructions: Instructions) -> Self {
        Self {
            instructions,
            discovery: OnceLock::new(),
            initialization: Default::default(),
        }
    }

    /// The result of `server/discover` for a caller to whom tools are listed with these scopes.
    pub(crate) fn discovery(&self, source: &GreetingSource<'_>, scopes: &Scopes) -> Cow<'_, [u8]> {
        self.written(&self.discovery, scopes, || {
            let mut body = JsonObject::new();
            body.insert("supportedVersions".into(), modern_versions().collect());
            let listens = source.capabilities.subscriptions.listen.is_some();
            let capabilities = source.capabilities.declared(listens);
            body.insert("capabilities".into(), capabilities);
            self.instruct(&mut body, scopes);
            // a cache in between may share only what every caller gets
            let cache_scope = if self.instructions.guarded {
                "private"
            } else {
                "public"
            };
            let extra = format!(
                ",\"ttlMs\":{},\"cacheScope\":\"{cache_scope}\"",
                source.ttl_ms
            );
            let body = to_json(&body);
            source
                .results
                .complete(Revision::LATEST, &body, &JsonObject::new(), &extra)
        })
    }

    /// The result of `initialize`, for the revision that a client asks for or the one that we offer
    /// in its place, and for a caller to whom tools are listed with these scopes.
    pub(crate) fn initialization(
        &self,
        source: &GreetingSource<'_>,
        requested: &str,
        scopes: &Scopes,
    ) -> Cow<'_, [u8]> {
        let revision = Revision::negotiated(requested);
        self.written(&self.initialization[revision.index()], scopes, || {
            let mut capabilities = source.capabilities.clone();
            if !revision.has_annotations() {
                // the capability came with 2025-03-26
                capabilities.completions = None;
            }
            // tasks and events are of later revisions, which no handshake agrees on
            capabilities.extensions.remove(EXTENSION);
            if !revision.has_titles() {
                // pages hang on `_meta`, which these have not
                capabilities.extensions.remove(page::EXTENSION);
            }
            capabilities.extensions.remove(EVENTS);
            capabilities.events = None;
            let mut body = JsonObject::new();
            body.insert("protocolVersion".into(), revision.as_str().into());
            let polls = capabilities.subscriptions.poll;
            body.insert("capabilities".into(), capabilities.declared(polls));
            body.insert(
                "serverInfo".into(),
                json!(source.info.clone().down_level(revision)),
            );
            self.instruct(&mut body, scopes);
            to_json(&body)
        })
    }

    /// The bytes that were written once, if this caller reads all instructions.
    fn written<'a>(
        &self,
        once: &'a OnceLock<Vec<u8>>,
        scopes: &Scopes,
        write: impl FnOnce() -> Vec<u8>,
    ) -> Cow<'a, [u8]> {
        if self.instructions.is_whole(scopes) {
            Cow::Borrowed(once.get_or_init(write))
        } else {
            Cow::Owned(write())
        }
    }

    fn instruct(&self, body: &mut JsonObject, scopes: &Scopes) {
        if let Some(instructions) = self.instructions.text(scopes) {
            body.insert("instructions".into(), instructions.into());
        }
    }
}
