//! Signature Version 4 in the headers of a request. The arithmetic is the SDK's `aws-sigv4`; the
//! rest of the SDK brings an HTTP client, retries and profiles of its own, and is not here.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign as signed,
};
use aws_sigv4::sign::v4;
use mcpfn_core::port::HttpRequest;

use crate::AccessKeys;

/// Adds the headers that authenticate the request. `service` is its name in addresses, such as
/// `ssm`; every header that the request has already is signed too, and the URL must be encoded as
/// it is sent.
///
/// # Errors
/// When the request can't be sent as it is: an invalid URL or header.
pub fn sign(
    mut request: HttpRequest,
    service: &str,
    region: &str,
    keys: &AccessKeys,
    now: SystemTime,
) -> Result<HttpRequest, String> {
    let unsigned = |error: &dyn fmt::Display| format!("the request can't be signed: {error}");
    let AccessKeys {
        id,
        secret,
        session,
    } = keys;
    let identity = Credentials::new(id, secret, session.clone(), None, "environment").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now);
    let parameters = parameters
        .settings(settings(service))
        .build()
        .map_err(|error| unsigned(&error))?
        .into();
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(
        request.method,
        &request.url,
        headers,
        SignableBody::Bytes(&request.body),
    );
    let (signature, _) = signed(signable.map_err(|error| unsigned(&error))?, &parameters)
        .map_err(|error| unsigned(&error))?
        .into_parts();
    request.headers.extend(
        signature
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    Ok(request)
}

/// S3 takes the path as it is sent, for keys may be any text; it wants the body's digest as a
/// header.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Friday, 24 May 2013, and the account of the examples in Amazon's documentation of S3.
    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const SECONDS: u64 = 1_369_353_600;

    fn keys(session: Option<&str>) -> AccessKeys {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
        AccessKeys {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret,
            session: session.map(str::to_owned),
        }
    }

    fn authorization(request: HttpRequest, session: Option<&str>) -> String {
        let signed = sign(
            request,
            "s3",
            "us-east-1",
            &keys(session),
            NOW + Duration::from_secs(SECONDS),
        )
        .unwrap();
        signed
            .headers
            .into_iter()
            .find(|(name, _)| name == "authorization")
            .map(|(_, value)| value)
            .unwrap()
    }

    #[test]
    fn the_examples_of_the_documentation_of_s3() {
        let get = || {
            HttpRequest::get("https://examplebucket.s3.amazonaws.com/test.txt")
                .header("range", "bytes=0-9")
        };
        let object = authorization(get(), None);
        assert!(
            object.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            "{object}"
        );
        let listed = authorization(
            HttpRequest::get("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"),
            None,
        );
        assert!(
            listed.ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{listed}"
        );
        let temporary = authorization(get(), Some("token"));
        assert!(
            temporary.contains("x-amz-security-token") && !temporary.contains("f0e8bdb8"),
            "{temporary}"
        );
    }

    #[test]
    fn what_can_not_be_sent_is_not_signed() {
        let refused = sign(
            HttpRequest::get("no url"),
            "s3",
            "us-east-1",
            &keys(None),
            NOW,
        )
        .unwrap_err();
        assert!(
            refused.starts_with("the request can't be signed") && !refused.contains("EXAMPLEKEY"),
            "{refused}"
        );
    }
}
