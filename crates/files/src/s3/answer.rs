//! What the store answers: headers, and XML. A body is read as data only; entities that it declares
//! are not expanded.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use mcpfn_core::port::HttpResponse;
use mcpfn_ports::{BlobError, BlobMetadata};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Nothing, or why the store did not do it.
pub(super) fn success(response: &HttpResponse) -> Result<(), BlobError> {
    if response.is_success() {
        Ok(())
    } else {
        Err(failure(response))
    }
}

/// Why the store did not do it.
fn failure(response: &HttpResponse) -> BlobError {
    let status = response.status;
    if let Some(region) = response
        .header("x-amz-bucket-region")
        .filter(|_| matches!(status, 301 | 307 | 400))
    {
        return BlobError::Unavailable(format!(
            "the bucket is in the region {region}: set AWS_REGION to that"
        ));
    }
    let cause = || {
        format!(
            "status {status}{}",
            said(response)
                .map(|said| said.to_string())
                .unwrap_or_default()
        )
    };
    match status {
        404 => absent(response).unwrap_or(BlobError::NotFound),
        // 409: another write in the same instant
        409 | 412 => BlobError::Changed,
        429 => BlobError::Unavailable(cause()),
        400..500 => BlobError::Refused(cause()),
        _ => BlobError::Unavailable(cause()),
    }
}

/// What is said of a bucket that is not there.
pub(super) fn absent(response: &HttpResponse) -> Option<BlobError> {
    let said = said(response).filter(|said| said.code == "NoSuchBucket")?;
    Some(BlobError::Unavailable(format!(
        "status {}{said}",
        response.status
    )))
}

/// An error as the store writes it. Its other members may have parts of the request.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    code: String,
    message: String,
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ", {}: {}", self.code, self.message)
    }
}

fn said(response: &HttpResponse) -> Option<Said> {
    xml::<Said>(response)
        .ok()
        .filter(|said| !said.code.is_empty())
}

fn xml<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, BlobError> {
    let strange = |cause: String| {
        BlobError::Unavailable(format!(
            "status {} with a body that is not understood: {cause}",
            response.status
        ))
    };
    if response.truncated {
        return Err(strange("it is too long".to_owned()));
    }
    let text = std::str::from_utf8(&response.body).map_err(|error| strange(error.to_string()))?;
    quick_xml::de::from_str(text).map_err(|error| strange(error.to_string()))
}

/// The version of a file that was written or read.
pub(super) fn version(response: &HttpResponse) -> Result<String, BlobError> {
    success(response)?;
    response
        .header("etag")
        .map(unquoted)
        .ok_or_else(|| BlobError::Unavailable("the store gives no ETag".to_owned()))
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// A version as a header. One that the store can't have given names no file: it may come from
/// anybody.
pub(super) fn quoted(version: &str) -> Result<String, BlobError> {
    let given = !version.is_empty()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte));
    if given {
        Ok(format!("\"{version}\""))
    } else {
        Err(BlobError::Changed)
    }
}

/// What is known of a file, whose size stands elsewhere than in a part's headers.
fn metadata(response: &HttpResponse, size: Option<&str>) -> Result<BlobMetadata, BlobError> {
    let version = version(response)?;
    let size = size.and_then(|size| size.trim().parse().ok());
    let size = size.ok_or_else(|| BlobError::Unavailable("the store gives no size".to_owned()))?;
    let modified_ms = response
        .header("last-modified")
        .and_then(|date| milliseconds(date, Format::HttpDate));
    Ok(BlobMetadata {
        size,
        modified_ms,
        version,
    })
}

pub(super) fn head(response: &HttpResponse) -> Result<BlobMetadata, BlobError> {
    metadata(response, response.header("content-length"))
}

/// What is known of the file that a part from `offset` on belongs to.
pub(super) fn part(response: &HttpResponse, offset: u64) -> Result<BlobMetadata, BlobError> {
    if response.status != 206 {
        // some stores answer with the file where all of it was asked for
        return match head(response) {
            Ok(_) if offset > 0 => Err(BlobError::Unavailable(
                "the store gives no parts of files".to_owned(),
            )),
            head => head,
        };
    }
    let range = response
        .header("content-range")
        .and_then(|range| range.trim().strip_prefix("bytes ")?.split_once('/'));
    let begins = range.and_then(|(range, _)| range.split_once('-')?.0.parse().ok());
    if begins != Some(offset) {
        return Err(BlobError::Unavailable(
            "the store gives another part of the file".to_owned(),
        ));
    }
    metadata(response, range.map(|(_, size)| size))
}

/// A date, in milliseconds since 1970.
fn milliseconds(date: &str, format: Format) -> Option<u64> {
    DateTime::from_str(date.trim(), format)
        .ok()?
        .to_millis()
        .ok()?
        .try_into()
        .ok()
}

/// A page of keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ObjectListing {
    pub(super) files: Vec<ListedPage>,
    pub(super) directories: Vec<String>,
    /// For the next page.
    pub(super) next: Option<String>,
}

/// A file in a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListedPage {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    contents: Vec<ListedObject>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
    is_truncated: bool,
    #[serde(default)]
    next_continuation_token: Option<String>,
    #[serde(default)]
    encoding_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedObject {
    key: String,
    size: u64,
    #[serde(default)]
    last_modified: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

impl ObjectListing {
    pub(super) fn read(response: &HttpResponse) -> Result<Self, BlobError> {
        success(response)?;
        let result: ListBucketResult = xml(response)?;
        // keys may have characters that XML can't; a store that does not know the parameter writes
        // them as they are
        let encoded = result
            .encoding_type
            .is_some_and(|encoding| encoding == "url");
        let key = |key: String| {
            if encoded {
                percent_decode_str(&key.replace('+', " "))
                    .decode_utf8_lossy()
                    .into_owned()
            } else {
                key
            }
        };
        let file = |ListedObject {
                        key: name,
                        size,
                        last_modified,
                    }| ListedPage {
            key: key(name),
            size,
            modified_ms: milliseconds(&last_modified, Format::DateTime),
        };
        let next = result
            .next_continuation_token
            .filter(|_| result.is_truncated);
        if result.is_truncated && next.is_none() {
            return Err(BlobError::Unavailable(
                "the store gives no way to the next page".to_owned(),
            ));
        }
        let directories = result
            .common_prefixes
            .into_iter()
            .map(|common| key(common.prefix))
            .collect();
        Ok(Self {
            files: result.contents.into_iter().map(file).collect(),
            directories,
            next,
        })
    }
}

/// A copy that was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) version: String,
    pub(super) modified_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CopyObjectResult {
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(default)]
    last_modified: String,
}

impl Copied {
    pub(super) fn read(response: &HttpResponse) -> Result<Self, BlobError> {
        success(response)?;
        // the status is sent before the copy is done, so what fails then is a body only
        let CopyObjectResult {
            etag,
            last_modified,
        } = xml(response).map_err(|strange| match said(response) {
            Some(said) => BlobError::Unavailable(format!("status {}{said}", response.status)),
            None => strange,
        })?;
        Ok(Self {
            version: unquoted(&etag),
            modified_ms: milliseconds(&last_modified, Format::DateTime),
        })
    }
}
