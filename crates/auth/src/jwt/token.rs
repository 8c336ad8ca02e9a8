//! The three parts of a token (RFC 7515, compact), read but not believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcpfn_http::AuthError;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::claims::Claims;
use super::object::UniqueObject;
use crate::denied::{invalid, malformed};

pub(crate) struct Token<'a> {
    pub(crate) algorithm: Algorithm,
    /// The id of the key that signed it.
    pub(crate) key: Option<String>,
    pub(crate) is_access_token: bool,
    pub(crate) claims: Claims,
    /// What was signed.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

/// The algorithms that are taken. All are of public keys: with a shared secret, anyone who can
/// check a token can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

/// Whether it has the three parts. Everything else is another kind of token.
pub(crate) fn has_three_parts(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl<'a> Token<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, AuthError> {
        let (signed, signature) = text.rsplit_once('.').ok_or_else(not_written_as_one)?;
        let (header, claims) = signed.split_once('.').ok_or_else(not_written_as_one)?;
        let UniqueObject(header) = object(header)?;
        let header: Header =
            serde_json::from_value(Value::Object(header)).map_err(|_| not_written_as_one())?;
        let algorithm = Algorithm::named(&header.alg).ok_or_else(|| {
            invalid(
                "the token is signed with an algorithm that is not taken: it \
                must be RS256, ES256 or EdDSA",
            )
        })?;
        // RFC 7515, section 4.1.11: an extension that is critical and unknown must be refused
        if header.crit.is_some() {
            return Err(invalid(
                "the token has critical extensions (`crit`), which this server does not know",
            ));
        }
        let kind = header.typ.map(|kind| kind.to_ascii_lowercase());
        let kind = kind
            .as_deref()
            .map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
        let is_access_token = match kind {
            Some("at+jwt") => true,
            Some("jwt") | None => false,
            // the same key may sign ID tokens and logout tokens
            Some(_) => {
                return Err(invalid(
                    "the token is of another type (`typ`): send an access token, at+jwt or JWT",
                ));
            }
        };
        let claims = Claims::read(object(claims)?).ok_or_else(not_written_as_one)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| not_written_as_one())?;
        Ok(Self {
            algorithm,
            key: header.kid,
            is_access_token,
            claims,
            signed: signed.as_bytes(),
            signature,
        })
    }
}

fn object(part: &str) -> Result<UniqueObject, AuthError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| not_written_as_one())?;
    // the error would repeat what it read
    serde_json::from_slice(&bytes).map_err(|_| not_written_as_one())
}

fn not_written_as_one() -> AuthError {
    malformed(
        "the token is not written as a JSON Web Token: header, claims and signature in Base64, the \
         first two JSON objects without a repeated member",
    )
}
