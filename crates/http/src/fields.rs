//! The header fields that the endpoint itself reads, found in one pass over a request's. What they
//! must say is `guard`'s and `headers`' business; authenticators look for their own.

use http::header::ToStrError;
use http::{HeaderMap, HeaderName, HeaderValue};

/// One header field of a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    /// Its first value.
    pub(crate) value: Option<&'a HeaderValue>,
    /// It stands more than once.
    pub(crate) repeated: bool,
}

impl<'a> Field<'a> {
    /// A field that the endpoint knows from a tool's schema only.
    pub(crate) fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name).iter();
        Self {
            value: values.next(),
            repeated: values.next().is_some(),
        }
    }

    /// The first value, if there is one and it is visible ASCII.
    pub(crate) fn text(self) -> Option<&'a str> {
        self.checked().ok().flatten()
    }

    /// The first value, if there is one; an error if it is not visible ASCII.
    pub(crate) fn checked(self) -> Result<Option<&'a str>, ToStrError> {
        self.value.map(HeaderValue::to_str).transpose()
    }

    fn found(&mut self, value: &'a HeaderValue) {
        // remembered, because what is in front of this server may have checked the other value
        self.repeated = self.value.is_some();
        self.value.get_or_insert(value);
    }
}

/// The fields that the endpoint reads.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) host: Field<'a>,
    pub(crate) origin: Field<'a>,
    pub(crate) content_type: Field<'a>,
    pub(crate) content_length: Field<'a>,
    pub(crate) content_encoding: Field<'a>,
    pub(crate) protocol_version: Field<'a>,
    pub(crate) method: Field<'a>,
    pub(crate) name: Field<'a>,
    pub(crate) session_id: Field<'a>,
    pub(crate) last_event_id: Field<'a>,
    pub(crate) traceparent: Field<'a>,
    pub(crate) tracestate: Field<'a>,
}

impl<'a> Fields<'a> {
    /// Looks at each field of the request once.
    pub(crate) fn find(headers: &'a HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            let field = match name.as_str() {
                "host" => &mut fields.host,
                "origin" => &mut fields.origin,
                "content-type" => &mut fields.content_type,
                "content-length" => &mut fields.content_length,
                "content-encoding" => &mut fields.content_encoding,
                "mcp-protocol-version" => &mut fields.protocol_version,
                "mcp-method" => &mut fields.method,
                "mcp-name" => &mut fields.name,
                "mcp-session-id" => &mut fields.session_id,
                "last-event-id" => &mut fields.last_event_id,
                "traceparent" => &mut fields.traceparent,
                "tracestate" => &mut fields.tracestate,
                _ => continue,
            };
            field.found(value);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_found_with_its_first_value() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Origin", "https://one.example"),
            ("accept", "*/*"),
            ("origin", "https://two.example"),
            ("mcp-name", "a"),
        ] {
            headers.append(
                HeaderName::try_from(name).unwrap(),
                HeaderValue::from_static(value),
            );
        }
        let fields = Fields::find(&headers);
        assert_eq!(
            (fields.origin.text(), fields.origin.repeated),
            (Some("https://one.example"), true)
        );
        assert_eq!(
            (fields.name.text(), fields.name.repeated),
            (Some("a"), false)
        );
        assert!(fields.host.value.is_none());
        assert!(Field::of(&headers, &http::header::ORIGIN).repeated);
    }
}
