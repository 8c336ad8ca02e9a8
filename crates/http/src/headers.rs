//! Request metadata headers of 2026-07-28 against the body (basic/transports/streamable-http,
//! "request metadata").

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use mcpfn_core::jsonrpc::{Error, ErrorCode};
use mcpfn_core::{
    Server,
    host::{Envelope, RequestMeta},
    upstream::HeaderParameter,
};
use serde_json::Value;

use crate::fields::{Field, Fields};
use crate::sentinel;

pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Error -32020.
fn mismatch(message: String) -> Error {
    Error::new(ErrorCode::HEADER_MISMATCH, message)
}

/// The one value of a header, trimmed; an error if it is there twice or has characters that it may
/// not have.
pub(crate) fn literal<'a>(field: Field<'a>, name: &HeaderName) -> Result<Option<&'a str>, Error> {
    if field.repeated {
        return Err(mismatch(format!("the header `{name}` stands twice")));
    }
    match field.checked() {
        Ok(value) => Ok(value.map(|value| value.trim_matches([' ', '\t']))),
        Err(_) => Err(mismatch(format!(
            "the header `{name}` has characters outside ASCII"
        ))),
    }
}

/// Everything that a modern request's headers must repeat, in the order in which the conformance
/// suite tells the errors apart: version, method, and for a method that is served the name and the
/// annotated arguments.
pub(crate) fn check(
    headers: &HeaderMap,
    fields: &Fields<'_>,
    meta: &RequestMeta<'_>,
    envelope: &Envelope<'_>,
    server: &Server,
) -> Result<(), Error> {
    version(fields.protocol_version, meta)?;
    let revision = meta.revision()?;
    require(
        literal(fields.method, &METHOD)?,
        &METHOD,
        &envelope.method,
        "method",
    )?;
    if !server.serves(&envelope.method, revision) {
        // dispatch says so, with the right code
        return Ok(());
    }
    name(fields.name, envelope)?;
    parameters(headers, envelope, server)
}

/// `MCP-Protocol-Version` must repeat the body's version.
fn version(field: Field<'_>, meta: &RequestMeta<'_>) -> Result<(), Error> {
    require(
        literal(field, &PROTOCOL_VERSION)?,
        &PROTOCOL_VERSION,
        &meta.version,
        "params._meta[\"io.modelcontextprotocol/protocolVersion\"]",
    )
}

fn require(
    found: Option<&str>,
    name: &HeaderName,
    expected: &str,
    member: &str,
) -> Result<(), Error> {
    match found {
        Some(found) if found == expected => Ok(()),
        Some(_) => Err(mismatch(format!(
            "the header `{name}` differs from the body's `{member}`"
        ))),
        None => Err(mismatch(format!(
            "the header `{name}` is required and must repeat the body's `{member}`"
        ))),
    }
}

/// `Mcp-Name` must repeat the tool's or prompt's name, or the resource's URI.
fn name(field: Field<'_>, envelope: &Envelope<'_>) -> Result<(), Error> {
    let Some(target) = envelope.target()? else {
        return event_name(field, envelope);
    };
    let member = match envelope.method.as_ref() {
        "resources/read" => "params.uri",
        method if method.starts_with("tasks/") => "params.taskId",
        _ => "params.name",
    };
    let found = decoded(field, &NAME)?;
    require(found.as_deref(), &NAME, &target, member)
}

/// Events may be named too, and need not be: drafts of their extension differ.
fn event_name(field: Field<'_>, envelope: &Envelope<'_>) -> Result<(), Error> {
    let Some(event) = envelope.event() else {
        return Ok(());
    };
    match decoded(field, &NAME)? {
        Some(found) => require(Some(&found), &NAME, &event, "params.name"),
        None => Ok(()),
    }
}

fn decoded<'a>(field: Field<'a>, name: &HeaderName) -> Result<Option<Cow<'a, str>>, Error> {
    let Some(value) = field.value else {
        return Ok(None);
    };
    let value = sentinel::decode(value.as_bytes()).filter(|_| !field.repeated);
    value.map(Some).ok_or_else(|| {
        mismatch(format!(
            "the header `{name}` can't be decoded: write plain ASCII, or `=?base64?...?=` with \
             standard Base64 of UTF-8, once"
        ))
    })
}

/// `Mcp-Param-*` must repeat the arguments that the tool's schema annotates.
fn parameters(headers: &HeaderMap, envelope: &Envelope<'_>, server: &Server) -> Result<(), Error> {
    if envelope.method != "tools/call" {
        return Ok(());
    }
    let Some(tool) = envelope.target()? else {
        return Ok(());
    };
    let parameters = server.header_parameters(&tool);
    if parameters.is_empty() {
        return Ok(());
    }
    let arguments = envelope.arguments::<Value>()?.unwrap_or_default();
    parameters
        .iter()
        .try_for_each(|parameter| one_parameter(headers, parameter, &arguments))
}

fn one_parameter(
    headers: &HeaderMap,
    parameter: &HeaderParameter,
    arguments: &Value,
) -> Result<(), Error> {
    // checked to be a token when the server was built
    let Ok(name) = HeaderName::try_from(&parameter.header) else {
        return Ok(());
    };
    let argument = parameter
        .path
        .iter()
        .try_fold(arguments, |value, member| value.get(member));
    let found = decoded(Field::of(headers, &name), &name)?;
    let member = format!("params.arguments.{}", parameter.path.join("."));
    let equal = match (argument, &found) {
        (None | Some(Value::Null), None) => true,
        (None | Some(Value::Null), Some(_)) => false,
        (Some(Value::String(text)), Some(found)) => text == found,
        (Some(Value::Bool(value)), Some(found)) => found == if *value { "true" } else { "false" },
        (Some(Value::Number(number)), Some(found)) => same_number(number, found),
        (Some(Value::String(_) | Value::Bool(_) | Value::Number(_)), None) => {
            return require(None, &name, "", &member);
        }
        // of the wrong type anyway: the schema's refusal says more
        (Some(Value::Array(_) | Value::Object(_)), _) => true,
    };
    if equal {
        Ok(())
    } else {
        Err(mismatch(format!(
            "the header `{name}` differs from the body's `{member}`"
        )))
    }
}

/// Numbers are compared as numbers: `42.0` is 42. Integers from 2^53 on only by their digits.
fn same_number(number: &serde_json::Number, found: &str) -> bool {
    if number.to_string() == found {
        return true;
    }
    let plain = !found.is_empty()
        && found
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let exact = |value: f64| value.abs() < 9_007_199_254_740_992.0;
    match (number.as_f64(), found.parse::<f64>()) {
        (Some(number), Ok(found)) if plain => exact(number) && number == found,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_one(header: Option<&str>, argument: &Value) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("mcp-param-n", header.parse().unwrap());
        }
        let server = Server::builder("t", "1")
            .tool(
                mcpfn_core::Tool::new("t")
                    .description("t")
                    .input_schema(json!({"type": "object", "properties": {"a": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}}}}))
                    .handler(|_: mcpfn_core::JsonObject| async { "" }),
            )
            .build()
            .unwrap();
        one_parameter(
            &headers,
            &server.header_parameters("t")[0],
            &json!({"a": {"n": argument}}),
        )
    }

    #[test]
    fn parameters_repeat_their_argument() {
        for (header, argument) in [
            (Some("42"), json!(42)),
            (Some("42.0"), json!(42)),
            (Some("true"), json!(true)),
            (Some("=?base64?SGVsbG8=?="), json!("Hello")),
            (None, json!(null)),
        ] {
            assert!(
                check_one(header, &argument).is_ok(),
                "{header:?} {argument}"
            );
        }
        for (header, argument) in [
            (Some("43"), json!(42)),
            (Some("True"), json!(true)),
            (Some("inf"), json!(1)),
            (Some("9007199254740993"), json!(9_007_199_254_740_992_u64)),
            (Some("x"), json!(null)),
            (None, json!("Hello")),
            (Some("=?base64?SGVsbG8?="), json!("Hello")),
        ] {
            assert_eq!(
                check_one(header, &argument).unwrap_err().code,
                ErrorCode::HEADER_MISMATCH,
                "{header:?} {argument}"
            );
        }
    }
}
