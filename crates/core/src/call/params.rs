//! The parameters of any method, each found in one pass with the message around it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::jsonrpc::{Error, Object, present, refused, string};
use crate::model::meta::{LogLevel, RawMeta};

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
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, default)]
    level: Option<&'a RawValue>,
    #[serde(rename = "ref", borrow, default)]
    reference: Option<&'a RawValue>,
    #[serde(borrow, default)]
    argument: Option<&'a RawValue>,
    #[serde(borrow, default)]
    context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    notifications: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    task_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delivery: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_age_ms: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_events: Option<&'a RawValue>,
    // null asks for no end, nothing for what is usual
    #[serde(borrow, default, deserialize_with = "present")]
    ttl_ms: Option<&'a RawValue>,
}

/// What methods of events take beside a name, arguments and a cursor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventMembers<'a> {
    pub(crate) delivery: Option<&'a RawValue>,
    pub(crate) max_age_ms: Option<&'a RawValue>,
    pub(crate) max_events: Option<&'a RawValue>,
    pub(crate) ttl_ms: Option<&'a RawValue>,
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

    /// What `initialize` says that the client can do.
    pub(super) fn capabilities(&self) -> Option<&'a RawValue> {
        self.0.capabilities
    }

    pub(crate) fn context(&self) -> Option<&'a RawValue> {
        self.0.context
    }

    /// What `notifications/cancelled` names.
    pub(crate) fn request_id(&self) -> Option<&'a RawValue> {
        self.0.request_id
    }

    /// What `subscriptions/listen` wants to hear.
    pub(crate) fn notifications<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        Self::shaped(
            self.0.notifications,
            "`params.notifications` must be an object such as `{\"resourceSubscriptions\": [\"URI\"]}`",
        )
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

    pub(crate) fn task_id(&self) -> Result<Cow<'a, str>, Error> {
        Self::required("taskId", self.0.task_id)
    }

    pub(crate) fn events(&self) -> EventMembers<'a> {
        EventMembers {
            delivery: self.0.delivery,
            max_age_ms: self.0.max_age_ms,
            max_events: self.0.max_events,
            ttl_ms: self.0.ttl_ms,
        }
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
