//! Credentials in headers: one of each kind at most, of a bounded size. What they mean is decided
//! elsewhere.

use http::{HeaderMap, header};
use mcpfn_core::{Principal, handler::BoxFuture, port::Platform};
use mcpfn_http::{AuthError, Authenticator};

use crate::denied::{invalid, malformed};

/// Most bytes of a token or key. Real tokens have one to four thousand.
const MAX: usize = 16 * 1024;

/// The token in `Authorization: Bearer`. Other schemes, such as the signature of IAM, are not ours
/// to judge.
pub(crate) fn token(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let Some(value) = only(headers, header::AUTHORIZATION.as_str())? else {
        return Ok(None);
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim_matches(' ');
    // RFC 6750, section 2.1
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(legal) {
        return Err(malformed(
            "the Authorization header must be `Bearer`, one space, and a token of letters, digits \
             and -._~+/=",
        ));
    }
    Ok(Some(token))
}

/// The one value of a header. A second one is refused: what is in front of this server may have
/// looked at another than we do.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed(format!(
            "there is more than one `{name}` header: send one"
        )));
    }
    if value.len() > MAX {
        return Err(malformed(format!(
            "the `{name}` header has more than {MAX} bytes: send a shorter token"
        )));
    }
    match value.to_str() {
        Ok(value) if !value.trim().is_empty() => Ok(Some(value.trim())),
        _ => Err(malformed(format!(
            "the `{name}` header must be printable ASCII, and not empty"
        ))),
    }
}

/// The last authenticator of a list: refuses a bearer token that none before it took for its own.
#[derive(Debug, Clone, Copy)]
pub struct RejectUnknownBearer;

impl Authenticator for RejectUnknownBearer {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        _: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async move {
            match token(headers)? {
                None => Ok(None),
                Some(_) => Err(invalid(
                    "bearer token not accepted: get one from the operator of this server or its \
                     issuer",
                )),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_is_taken_up_to_a_length() {
        for (length, is_taken) in [(1, true), (16 * 1024, true), (16 * 1024 + 1, false)] {
            let text = "x".repeat(length);
            let value = HeaderValue::from_str(&text).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            match only(&headers, "authorization") {
                Ok(taken) => assert!(is_taken && taken == Some(&*text), "{length}"),
                Err(refused) => {
                    let sentence = "more than 16384 bytes: send a shorter token";
                    assert!(refused.message.ends_with(sentence), "{}", refused.message);
                    assert!(!is_taken, "{length}");
                }
            }
        }
    }
}
