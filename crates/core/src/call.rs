//! One request on its way to dispatch: its parameters found, its era told, its metadata read. Knows
//! no transport.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::jsonrpc::{Error, ErrorCode, Id, Object, Request, refused, string};
use crate::model::meta::{CallMeta, LogLevel, RawMeta};
use crate::principal::Principal;
use crate::text;
use crate::version::Revision;

/// What `completion/complete` may refer to.
pub(crate) const REFERENCE: &str =
    "`params.ref` must be `{type: \"ref/prompt\", name}` or `{type: \"ref/resource\", uri}`";

/// The parameters of any method: each found in one pass with the message around them, and not yet
/// read.
#[derive(Debug, Clone, Default)]
pub struct Params<'a>(ParamMembers<'a>);

// One struct for the members of every method: the body is parsed once, before the method is known.
// Each member stays raw text until the method that uses it reads it, so that a member that another
// method ignores is no error. Null is what is left out: clients write it for what they do not set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParamMembers<'a> {
    #[serde(rename = "_meta", borrow, default)]
    meta: Option<Object<RawMeta<'a>>>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    uri: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cursor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input_responses: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_state: Option<&'a RawValue>,
    #[serde(borrow, default)]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    level: Option<&'a RawValue>,
    #[serde(rename = "ref", borrow, default)]
    reference: Option<&'a RawValue>,
    #[serde(borrow, default)]
    argument: Option<&'a RawValue>,
    #[serde(borrow, default)]
    context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_id: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Object::deserialize(deserializer).map(|Object(members)| Self(members))
    }
}

impl<'a> Params<'a> {
    pub(crate) fn meta(&self) -> Option<&RawMeta<'a>> {
        self.0.meta.as_ref().map(|Object(meta)| meta)
    }

    pub(crate) fn arguments(&self) -> Option<&'a RawValue> {
        self.0.arguments
    }

    pub(crate) fn input_responses(&self) -> Option<&'a RawValue> {
        self.0.input_responses
    }

    pub(crate) fn context(&self) -> Option<&'a RawValue> {
        self.0.context
    }

    /// What `notifications/cancelled` names.
    pub(crate) fn request_id(&self) -> Option<&'a RawValue> {
        self.0.request_id
    }

    /// What `completion/complete` wants completed, and the argument being typed.
    pub(crate) fn completion<R: Deserialize<'a>, A: Deserialize<'a>>(
        &self,
    ) -> Result<(R, A), Error> {
        Ok((
            Self::shaped(self.0.reference, REFERENCE)?,
            Self::shaped(
                self.0.argument,
                "`params.argument` must be `{name, value}`, two strings",
            )?,
        ))
    }

    fn shaped<T: Deserialize<'a>>(
        raw: Option<&'a RawValue>,
        shape: &'static str,
    ) -> Result<T, Error> {
        let Some(raw) = raw else {
            return Err(Error::invalid_params(shape));
        };
        serde_json::from_str(raw.get()).map_err(|_| refused("`params`", raw, shape))
    }

    fn text(
        member: &'static str,
        raw: Option<&'a RawValue>,
    ) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(raw) = raw else { return Ok(None) };
        string(raw).map(Some).ok_or_else(|| {
            let member = format!("`params.{member}`");
            refused(&member, raw, format!("{member} must be a string"))
        })
    }

    fn required(member: &'static str, raw: Option<&'a RawValue>) -> Result<Cow<'a, str>, Error> {
        Self::text(member, raw)?
            .ok_or_else(|| Error::invalid_params(format!("`params.{member}` is required")))
    }

    pub(crate) fn name(&self) -> Result<Cow<'a, str>, Error> {
        Self::required("name", self.0.name)
    }

    pub(crate) fn uri(&self) -> Result<Cow<'a, str>, Error> {
        Self::required("uri", self.0.uri)
    }

    pub(crate) fn cursor(&self) -> Result<Option<Cow<'a, str>>, Error> {
        Self::text("cursor", self.0.cursor)
    }

    pub(crate) fn request_state(&self) -> Result<Option<Cow<'a, str>>, Error> {
        Self::text("requestState", self.0.request_state)
    }

    pub(crate) fn protocol_version(&self) -> Result<Cow<'a, str>, Error> {
        Self::required("protocolVersion", self.0.protocol_version)
    }

    pub(crate) fn level(&self) -> Result<LogLevel, Error> {
        self.0.level.and_then(LogLevel::read).ok_or_else(|| {
            Error::invalid_params("`params.level` must be a log level such as \"info\"")
        })
    }
}

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

    /// The tool, prompt or resource that the request names, for a transport that repeats it.
    ///
    /// # Errors
    /// -32602 when the member is missing or no string.
    pub fn target(&self) -> Result<Option<Cow<'a, str>>, Error> {
        match self.method.as_ref() {
            "tools/call" | "prompts/get" => self.params.name().map(Some),
            "resources/read" => self.params.uri().map(Some),
            _ => Ok(None),
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
}

impl Call<'_> {
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
