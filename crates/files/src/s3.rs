//! A bucket, or what is below one prefix of it, behind the port `Blobs`: Amazon S3, and what speaks
//! its API (R2, MinIO). No paths are checked by their text here; a key is the prefix and a path,
//! and no request names another.
//!
//! Without the AWS SDK: the requests that are needed, signed by `aws-sigv4` and sent over the
//! `HttpClient` port, add 73 KB to a zip.

mod answer;
mod exchange;
mod place;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcpfn_aws::AwsAccount;
use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpRequest},
};
use mcpfn_ports::{
    BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs,
    WriteCondition,
};
use mcpfn_settings::{EnvReader, SettingsError};

use answer::{Copied, ObjectListing};
use place::{ObjectPlace, encoded};

/// How long one try of a request that changes nothing may take.
const READING: Duration = Duration::from_secs(3);
/// How long a request that changes something may take.
const WRITING: Duration = Duration::from_secs(8);
/// The most bytes that are read or written at once. Each is held in memory.
const MAX: usize = 64 * 1024 * 1024;
/// No object of any store has more bytes.
const MAX_LENGTH: u64 = 1 << 50;
/// What a store answers to what a role may not do.
const FORBIDDEN: u16 = 403;
/// What a store answers to a header that it does not know.
const NOT_IMPLEMENTED: u16 = 501;
/// The most entries that a store lists at once.
const MAX_LISTED: usize = 1000;
/// The most bytes of such a list: a thousand keys of 1,024 bytes, each of them escaped.
const LIST: usize = 4 * 1024 * 1024;

/// A bucket of S3, or what is below one prefix of it. Asks nothing before it is used.
///
/// A file is written whole. Conditions are decided by the store, so they hold among all programs
/// that write: `If-None-Match: *` and `If-Match` of S3. A version is the store's ETag: the same
/// bytes written again may get the same one.
///
/// There are no directories: one is there while a key goes through it, and a file may have the path
/// of a directory. Links are none.
///
/// A store knows no rename. A file is copied inside the store, if it is still the one that was
/// looked at, and then deleted, if it still is. Where the deletion fails, both paths have the file
/// and the error is [`BlobError::Copied`]; nothing is lost. Stores that know no condition on a
/// copy's target (R2 has its own name for it, which is sent too) were asked beforehand whether the
/// new path is free, so there a write in the same instant is overwritten; and those that know none
/// on a deletion may delete what was written to the old path meanwhile. A copy is one request: at
/// most 5 GB, and as much as the store copies in 8 seconds.
///
/// Nothing is repeated but what changes nothing, and deletions, and those once. An answer of a
/// write that does not come leaves open whether it happened; its condition keeps a second try from
/// doing harm.
///
/// A role needs `s3:ListBucket` and `s3:GetObject`, both may be limited to the prefix; for writing
/// also `s3:PutObject` and `s3:DeleteObject`. To a role that may list a part of a bucket only, S3
/// calls a missing file forbidden, so what it forbids is looked for in a list. Keys that [`BlobPath`] refuses are listed
/// with their names, and can't be asked for.
pub struct S3 {
    place: ObjectPlace,
    account: AwsAccount,
    client: Arc<dyn HttpClient>,
}

impl S3 {
    /// What `s3://BUCKET/PREFIX` names, in the region and with the credentials of this process: see
    /// [`AwsAccount::read`]. Nothing is asked before the first use. `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`, is the address of
    /// another store than Amazon's. `named` is the variable that the URL is from.
    ///
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn open(
        named: &str,
        url: &str,
        variable: impl Fn(&str) -> Option<OsString>,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, SettingsError> {
        let mut reader = EnvReader::new(&variable);
        let account = AwsAccount::read(&mut reader, named, &client);
        let endpoint = mcpfn_aws::endpoint(&mut reader, "AWS_ENDPOINT_URL_S3");
        let place = ObjectPlace::parse(url, endpoint.as_deref()).unwrap_or_else(|why| {
            reader.mistake(format!("{named}: {why}"));
            ObjectPlace::default()
        });
        reader.finish(Self {
            place,
            account,
            client,
        })
    }

    fn request(&self, method: &'static str, key: &str, time: Duration) -> HttpRequest {
        let mut request = HttpRequest::get(place::path(key)).timeout(time);
        request.method = method;
        request
    }

    async fn part(
        &self,
        path: &BlobPath,
        offset: u64,
        length: usize,
    ) -> Result<BlobPart, BlobError> {
        let length = length.min(MAX);
        if length == 0 || offset > MAX_LENGTH {
            return Ok(BlobPart {
                bytes: Bytes::new(),
                metadata: self.known(path).await?,
            });
        }
        let last = offset + length as u64 - 1;
        let key = self.place.key(path)?;
        let request = self
            .request("GET", &key, READING)
            .header("range", format!("bytes={offset}-{last}"));
        // an object that is stored compressed has its size and its parts so
        let request = request
            .header("accept-encoding", "identity")
            .max_body(length);
        let response = self.ask(request).await?;
        if response.status == 416 {
            return Ok(BlobPart {
                bytes: Bytes::new(),
                metadata: self.known(path).await?,
            });
        }
        if response.status == FORBIDDEN && self.is_absent(&key).await {
            return Err(BlobError::NotFound);
        }
        let metadata = answer::part(&response, offset)?;
        Ok(BlobPart {
            bytes: response.body,
            metadata,
        })
    }

    async fn known(&self, path: &BlobPath) -> Result<BlobMetadata, BlobError> {
        let key = self.place.key(path)?;
        let response = self.ask(self.request("HEAD", &key, READING)).await?;
        if response.status == FORBIDDEN && self.is_absent(&key).await {
            return Err(BlobError::NotFound);
        }
        answer::head(&response)
    }

    /// Whether a list says that there is no such key. A role that may list below a prefix only is
    /// told that a missing object is forbidden: the right to list is then asked without a prefix.
    async fn is_absent(&self, key: &str) -> bool {
        let url = format!(
            "{}?list-type=2&encoding-type=url&max-keys=1&prefix={}",
            place::path(""),
            encoded(key, false)
        );
        let request = HttpRequest::get(url).timeout(READING).max_body(LIST);
        match self
            .ask(request)
            .await
            .map(|said| ObjectListing::read(&said))
        {
            // in order, so the key itself comes before those that begin with it
            Ok(Ok(listing)) => !listing.files.iter().any(|file| file.key == key),
            // what can't be found out stays forbidden
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn page(
        &self,
        directory: &BlobPath,
        start: &str,
        cursor: Option<&str>,
        most: usize,
    ) -> Result<BlobPage, BlobError> {
        if start.contains('/') {
            return Ok(BlobPage::default());
        }
        let above = self.place.above(directory)?;
        let most = most.clamp(1, MAX_LISTED);
        let mut url = format!(
            "{}?list-type=2&delimiter=%2F&encoding-type=url&max-keys={most}&prefix={}",
            place::path(""),
            encoded(&format!("{above}{start}"), false)
        );
        if let Some(cursor) = cursor {
            url = format!("{url}&continuation-token={}", encoded(cursor, false));
        }
        let response = self
            .ask(HttpRequest::get(url).timeout(READING).max_body(LIST))
            .await?;
        if response.status == 400 && cursor.is_some() {
            return Err(BlobError::BadCursor);
        }
        let listing = ObjectListing::read(&response)?;
        let files = listing.files.into_iter().map(|file| BlobEntry {
            name: file.key,
            kind: BlobKind::File,
            size: file.size,
            modified_ms: file.modified_ms,
        });
        Ok(BlobPage::of_keys(
            &above,
            files,
            listing.directories,
            listing.next,
        ))
    }

    async fn put(
        &self,
        path: &BlobPath,
        bytes: Bytes,
        condition: &WriteCondition,
    ) -> Result<BlobMetadata, BlobError> {
        if bytes.len() > MAX {
            return Err(BlobError::TooLarge(MAX as u64));
        }
        let size = bytes.len() as u64;
        let key = self.place.key(path)?;
        let mut request = self.request("PUT", &key, WRITING);
        request.body = bytes;
        let request = match condition {
            WriteCondition::Always => request,
            WriteCondition::Absent => request.header("if-none-match", "*"),
            WriteCondition::Version(version) => {
                request.header("if-match", answer::quoted(version)?)
            }
        };
        let replaces = matches!(condition, WriteCondition::Version(_));
        let response = match self.change(request).await {
            Err(BlobError::Refused(_)) if replaces && self.is_absent(&key).await => {
                return Err(BlobError::Changed);
            }
            response => response?,
        };
        if response.status == 404 && replaces {
            return Err(answer::absent(&response).unwrap_or(BlobError::Changed));
        }
        Ok(BlobMetadata {
            size,
            modified_ms: None,
            version: answer::version(&response)?,
        })
    }

    async fn moved(
        &self,
        from: &BlobPath,
        to: &BlobPath,
        replace: bool,
    ) -> Result<BlobMetadata, BlobError> {
        let (source, target) = (self.place.key(from)?, self.place.key(to)?);
        let BlobMetadata { size, version, .. } = self.known(from).await?;
        if from == to {
            return Err(BlobError::Changed);
        }
        if !replace {
            match self.known(to).await {
                Err(BlobError::NotFound) => {}
                there => return Err(there.err().unwrap_or(BlobError::Changed)),
            }
        }
        let version = answer::quoted(&version)?;
        let copy = self.request("PUT", &target, WRITING);
        let copy = copy
            .header("x-amz-copy-source", self.place.source(&source))
            .header("x-amz-copy-source-if-match", &version);
        let copy = if replace {
            copy
        } else {
            copy.header("if-none-match", "*")
                .header("cf-copy-destination-if-none-match", "*")
        };
        let copied = Copied::read(&self.change(copy).await?)?;
        self.take_away(&source, &version).await?;
        Ok(BlobMetadata {
            size,
            modified_ms: copied.modified_ms,
            version: copied.version,
        })
    }

    /// Deletes a file that was copied, unless it was written meanwhile.
    async fn take_away(&self, key: &str, version: &str) -> Result<(), BlobError> {
        let request = self
            .request("DELETE", key, WRITING)
            .header("if-match", version);
        let deleted = match self.ask(request).await {
            // another writer did, or the first of two tries
            Ok(response) if response.status == 404 => Ok(()),
            Ok(response) if response.status == NOT_IMPLEMENTED => {
                self.look_and_delete(key, version).await
            }
            Ok(response) => answer::success(&response),
            Err(error) => Err(error),
        };
        deleted.map_err(|error| BlobError::Copied(error.to_string()))
    }

    /// For a store that refuses conditions of a deletion.
    async fn look_and_delete(&self, key: &str, version: &str) -> Result<(), BlobError> {
        let there = answer::head(&self.ask(self.request("HEAD", key, READING)).await?)?;
        if answer::quoted(&there.version)? != version {
            return Err(BlobError::Changed);
        }
        answer::success(&self.ask(self.request("DELETE", key, WRITING)).await?)
    }
}

impl Blobs for S3 {
    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        Box::pin(self.part(path, offset, length))
    }

    fn metadata<'a>(
        &'a self,
        path: &'a BlobPath,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(self.known(path))
    }

    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        Box::pin(self.page(directory, start, cursor, most))
    }

    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(self.put(path, bytes, condition))
    }

    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        Box::pin(self.moved(from, to, replace))
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
