//! One request on its way to dispatch: its parameters found, its era told, its metadata read. Knows
//! no transport.

mod params;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::jsonrpc::{Error, ErrorCode, Id, Object, Request};
use crate::model::capabilities::ClientCapabilities;
use crate::model::meta::{CallMeta, RawMeta};
use crate::principal::Principal;
use crate::session::Session;
use crate::text;
use crate::version::Revision;

pub use params::Params;
pub(crate) use params::{EventMembers, REFERENCE};

/// A request whose parameters were found.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Repeated in the answer.
    pub id: Id<'a>,
    /// The method's name.
    pub method: Cow<'a, str>,
    pub(crate) params: Params<'a>,
}

/// Which kind of conversation a request belongs to (basic/versioning; our order of detection is in
/// `docs/protocol.md`).
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives for a moment per request: a box would cost more than the bytes"
)]
pub enum Era<'a> {
    /// The request describes itself.
    Modern(RequestMeta<'a>),
    /// The request relies on a handshake; served without remembering it.
    Legacy(Revision),
}

/// What a modern request says of itself.
#[derive(Debug)]
pub struct RequestMeta<'a> {
    /// The protocol version, as sent; not yet compared with what is served.
    pub version: Cow<'a, str>,
    meta: CallMeta,
}

impl RequestMeta<'_> {
    /// The revision named, if it is served to modern requests.
    ///
    /// # Errors
    /// -32022 with the versions that are.
    pub fn revision(&self) -> Result<Revision, Error> {
        Revision::parse(&self.version)
            .filter(|revision| revision.is_modern())
            .ok_or_else(|| unsupported(&self.version))
    }
}

/// Error -32022.
#[must_use]
pub fn unsupported(requested: &str) -> Error {
    let supported: Vec<&str> = modern_versions().collect();
    // the client's own word, but not megabytes of it
    let shown: String = requested.chars().take(64).collect();
    Error::new(
        ErrorCode::UNSUPPORTED_VERSION,
        format!(
            "protocol version {} is not served; use {}",
            text::quoted(requested),
            supported.join(" or ")
        ),
    )
    .with_data(serde_json::json!({ "supported": supported, "requested": shown }))
}

/// The versions a self-describing request may name.
pub(crate) fn modern_versions() -> impl Iterator<Item = &'static str> {
    // older versions are served too, but listing them here would promise that a self-describing
    // request may name one
    Revision::ALL
        .into_iter()
        .filter(|revision| revision.is_modern())
        .map(Revision::as_str)
}

impl<'a> Envelope<'a> {
    /// Takes a request apart.
    #[must_use]
    pub fn new(request: Request<'a, Params<'a>>) -> Self {
        Self {
            id: request.id,
            method: request.method,
            params: request.params.unwrap_or_default(),
        }
    }

    /// Tells the era. `declared` is the version that the transport declares beside the message: the
    /// HTTP header, or what a connection's handshake agreed on.
    ///
    /// # Errors
    /// -32602 for a modern request without what it must say; -32022 for a declared version that is
    /// not served.
    pub fn era(&self, declared: Option<&str>) -> Result<Era<'a>, Error> {
        let nothing = RawMeta::default();
        let meta = self.params.meta().unwrap_or(&nothing);
        // `_meta` first: only a self-describing request has it, whatever its method or header says
        if meta.protocol_version.is_some() {
            return modern(meta);
        }
        let method = self.method.as_ref();
        // the handshake comes before a version is agreed on, so the header does not count yet
        if method == "initialize" {
            return Ok(Era::Legacy(Revision::LATEST_LEGACY));
        }
        let declared_revision =
            declared.map(|declared| Revision::parse(declared).ok_or_else(|| unsupported(declared)));
        // Modern, but incomplete: taken for an older request it would be served with an older
        // meaning, instead of being told which member is missing.
        let declares_modern =
            matches!(declared_revision, Some(Ok(revision)) if revision.is_modern());
        let half_modern = meta.client_capabilities.is_some() || meta.client_info.is_some();
        if declares_modern || half_modern || method == "server/discover" {
            // says what is missing
            return modern(meta);
        }
        declared_revision
            .unwrap_or(Ok(Revision::ASSUMED))
            .map(Era::Legacy)
    }

    /// The session that this request opens, if it is the handshake of a revision that has one. What
    /// a client declares in another shape than the specification's is not declared.
    #[must_use]
    pub fn opens_session(&self, era: &Era<'_>) -> Option<Session> {
        if !matches!(era, Era::Legacy(_)) || self.method != "initialize" {
            return None;
        }
        let version = self.params.protocol_version().ok()?;
        let declared = self.params.capabilities();
        let declared = declared.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let client = declared.map_or_else(ClientCapabilities::default, |Object(client)| client);
        Some(Session::new(Revision::negotiated(&version), client))
    }

    /// The tool, prompt or resource that the request names, for a transport that repeats it.
    ///
    /// # Errors
    /// -32602 when the member is missing or no string.
    pub fn target(&self) -> Result<Option<Cow<'a, str>>, Error> {
        match self.method.as_ref() {
            "tools/call" | "prompts/get" => self.params.name().map(Some),
            "resources/read" => self.params.uri().map(Some),
            "tasks/get" | "tasks/update" | "tasks/cancel" => self.params.task_id().map(Some),
            _ => Ok(None),
        }
    }

    /// The event that the request names, for a transport that may repeat it.
    #[must_use]
    pub fn event(&self) -> Option<Cow<'a, str>> {
        match self.method.as_ref() {
            "events/poll" | "events/stream" | "events/subscribe" | "events/unsubscribe" => {
                self.params.name().ok()
            }
            _ => None,
        }
    }

    /// The arguments of the call, for a transport that repeats some of them.
    ///
    /// # Errors
    /// -32602 when they can't be read.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let Some(raw) = self.params.arguments() else {
            return Ok(None);
        };
        serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|_| Error::invalid_params("`params.arguments` must be an object"))
    }

    /// The call, ready for [`Server::reply`](crate::Server::reply).
    ///
    /// # Errors
    /// As for [`RequestMeta::revision`]; -32602 for a bad progress token.
    pub fn into_call(
        self,
        era: Era<'a>,
        principal: impl Into<Arc<Principal>>,
    ) -> Result<Call<'a>, Error> {
        let (revision, meta) = match era {
            Era::Modern(meta) => (meta.revision()?, meta.meta),
            Era::Legacy(revision) => (
                revision,
                self.params
                    .meta()
                    .map(RawMeta::common)
                    .transpose()?
                    .unwrap_or_default(),
            ),
        };
        let principal = principal.into();
        Ok(Call {
            id: self.id,
            method: self.method,
            params: self.params,
            revision,
            meta,
            principal,
            deadline_ms: None,
            asks_on_stream: false,
            session: None,
            streams: false,
        })
    }
}

fn modern<'a>(meta: &RawMeta<'a>) -> Result<Era<'a>, Error> {
    Ok(Era::Modern(RequestMeta {
        version: meta.version()?,
        meta: meta.modern()?,
    }))
}

/// A request that dispatch can serve.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) id: Id<'a>,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Params<'a>,
    pub(crate) revision: Revision,
    pub(crate) meta: CallMeta,
    pub(crate) principal: Arc<Principal>,
    pub(crate) deadline_ms: Option<u64>,
    /// The handler may ask on the call's own stream.
    pub(crate) asks_on_stream: bool,
    /// The token of the session, as the client sent it.
    pub(crate) session: Option<Box<str>>,
    /// The answer can be a stream.
    pub(crate) streams: bool,
}

impl Call<'_> {
    /// Says which session the call belongs to, where its revision has a handshake: the client can be
    /// asked what it declared there, on the call's own stream. Only for a call whose answer can be
    /// a stream.
    #[must_use]
    pub fn in_session(mut self, session: Option<&Session>) -> Self {
        if let Some(session) = session.filter(|_| !self.revision.is_modern()) {
            self.meta.client = session.client.clone();
            self.asks_on_stream = true;
        }
        self
    }

    /// Names the session of a client with a handshake, by the text of a token that [`Session::read`]
    /// takes: what the client subscribes to is kept under it.
    #[must_use]
    pub fn of_session(mut self, token: Option<&str>) -> Self {
        self.session = token.map(Into::into);
        self
    }

    /// Says whether the client reads a stream, if the answer is one.
    #[must_use]
    pub fn on_stream(mut self, streams: bool) -> Self {
        self.streams = streams;
        self
    }

    /// Says when the host must have the answer, in milliseconds since 1970.
    #[must_use]
    pub fn deadline_ms(mut self, deadline_ms: Option<u64>) -> Self {
        self.deadline_ms = deadline_ms;
        self
    }

    /// Gives the call the trace context of its transport, unless `_meta` named one. What is not
    /// spelled like one is dropped.
    #[must_use]
    pub fn traced(mut self, traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        if self.meta.trace.traceparent.is_none() {
            self.meta.trace.traceparent = traceparent.map(str::to_owned);
            self.meta.trace.tracestate = tracestate.map(str::to_owned);
        }
        self.meta.trace.keep_well_formed();
        self
    }

    /// The protocol revision of the call.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }
}
