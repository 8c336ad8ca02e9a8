//! An R2 bucket behind the `Blobs` port. A path is a key as it stands, so no request names anything
//! outside the bucket; there are no links.
//!
//! Conditions of a write are decided by R2, so they hold among all isolates. There are no
//! directories: one is there while a key goes through it, and a file may have the path of a
//! directory.
//!
//! R2 knows no rename. The object flows from its old key to the new one without being kept in
//! memory (at most 5 GiB, R2's limit for one write), under R2's conditions for both, and its old
//! key is deleted then. R2 deletes without a condition: what another writer puts under the old key
//! between the last look at it and its deletion, an instant later, is lost. Where it can't be
//! deleted, or changed before that look, both keys stay and the error is [`BlobError::Copied`].

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{
    BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs,
    WriteCondition,
};
use worker::{Bucket, Conditional, Data, Object, ObjectBody, Range, ResponseBody};

/// The most bytes that are read or written at once: an isolate has 128 MB for all of its calls.
const MAX: usize = 16 * 1024 * 1024;
/// The most bytes of one write of R2.
const MAX_SIZE: u64 = 5 * 1024 * 1024 * 1024;
/// No object of R2 has more bytes, and a number of JavaScript holds them exactly.
const MAX_LENGTH: u64 = 1 << 50;
/// The most entries that R2 lists at once.
const MAX_LISTED: usize = 1000;

/// Files in an R2 bucket.
#[derive(Debug)]
pub struct R2(Bucket);

impl R2 {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    async fn head(&self, path: &BlobPath) -> Result<Object, BlobError> {
        self.0
            .head(key(path)?)
            .await
            .map_err(failed)?
            .ok_or(BlobError::NotFound)
    }

    async fn part(
        &self,
        path: &BlobPath,
        offset: u64,
        length: usize,
    ) -> Result<BlobPart, BlobError> {
        let length = length.min(MAX) as u64;
        let nothing = |metadata| {
            Ok(BlobPart {
                bytes: Bytes::new(),
                metadata,
            })
        };
        if length == 0 || offset > MAX_LENGTH {
            return nothing(known(&self.head(path).await?));
        }
        let object = match self
            .0
            .get(key(path)?)
            .range(Range::OffsetWithLength { offset, length })
            .execute()
            .await
        {
            Ok(object) => object.ok_or(BlobError::NotFound)?,
            // a part that begins at the end is an error, and not everywhere one that says so
            Err(error) => {
                let metadata = known(&self.head(path).await?);
                return if offset >= metadata.size {
                    nothing(metadata)
                } else {
                    Err(failed(error))
                };
            }
        };
        let metadata = known(&object);
        let Some(body) = object.body() else {
            return Err(BlobError::Unavailable("R2 gives no body".to_owned()));
        };
        Ok(BlobPart {
            bytes: body.bytes().await.map_err(failed)?.into(),
            metadata,
        })
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
        let above = if directory.is_top() {
            String::new()
        } else {
            format!("{directory}/")
        };
        let most = u32::try_from(most.clamp(1, MAX_LISTED)).unwrap_or(1);
        let mut list = self
            .0
            .list()
            .prefix(format!("{above}{start}"))
            .delimiter("/")
            .limit(most);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let listed = list.execute().await.map_err(|error| match cursor {
            // R2 says it in words only
            Some(_) if error.to_string().to_ascii_lowercase().contains("cursor") => {
                BlobError::BadCursor
            }
            _ => failed(error),
        })?;
        let files = listed.objects().into_iter().map(|object| {
            let BlobMetadata {
                size, modified_ms, ..
            } = known(&object);
            BlobEntry {
                name: object.key(),
                kind: BlobKind::File,
                size,
                modified_ms,
            }
        });
        let next = listed.truncated().then(|| listed.cursor()).flatten();
        Ok(BlobPage::of_keys(
            &above,
            files,
            listed.delimited_prefixes(),
            next,
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
        let put = self.0.put(key(path)?, Data::Bytes(bytes.into()));
        let put = match condition {
            WriteCondition::Always => put,
            WriteCondition::Absent => put.only_if(absent()),
            WriteCondition::Version(version) => put.only_if(unchanged(version)?),
        };
        let written = put.execute().await.map_err(failed)?;
        Ok(known(&written.ok_or(BlobError::Changed)?))
    }

    async fn moved(
        &self,
        from: &BlobPath,
        to: &BlobPath,
        replace: bool,
    ) -> Result<BlobMetadata, BlobError> {
        let (source, target) = (key(from)?, key(to)?);
        let object = self
            .0
            .get(&source)
            .execute()
            .await
            .map_err(failed)?
            .ok_or(BlobError::NotFound)?;
        if from == to {
            return Err(BlobError::Changed);
        }
        if object.size() > MAX_SIZE {
            return Err(BlobError::TooLarge(MAX_SIZE));
        }
        let body = object
            .body()
            .map(ObjectBody::response_body)
            .transpose()
            .map_err(failed)?;
        let Some(ResponseBody::Stream(stream)) = body else {
            return Err(BlobError::Unavailable("R2 gives no body".to_owned()));
        };
        let put = self
            .0
            .put(target, stream)
            .http_metadata(object.http_metadata());
        let put = put.custom_metadata(object.custom_metadata().map_err(failed)?);
        let put = if replace { put } else { put.only_if(absent()) };
        let written = put
            .execute()
            .await
            .map_err(failed)?
            .ok_or(BlobError::Changed)?;
        self.take_away(&source, &object.etag())
            .await
            .map_err(BlobError::Copied)?;
        Ok(known(&written))
    }

    /// Deletes an object that was copied, unless it was written meanwhile.
    async fn take_away(&self, key: &str, etag: &str) -> Result<(), String> {
        match self.0.head(key).await.map_err(|error| error.to_string())? {
            None => Ok(()),
            Some(object) if object.etag() == etag => {
                self.0.delete(key).await.map_err(|error| error.to_string())
            }
            Some(_) => Err("it was written meanwhile".to_owned()),
        }
    }
}

impl Blobs for R2 {
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
        Box::pin(async move { Ok(known(&self.head(path).await?)) })
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

fn key(path: &BlobPath) -> Result<String, BlobError> {
    if path.is_top() {
        Err(BlobError::NotAFile)
    } else {
        Ok(path.to_string())
    }
}

fn known(object: &Object) -> BlobMetadata {
    BlobMetadata {
        size: object.size(),
        modified_ms: Some(object.uploaded().as_millis()),
        version: object.etag(),
    }
}

fn absent() -> Conditional {
    Conditional {
        etag_does_not_match: Some("*".to_owned()),
        ..Conditional::default()
    }
}

/// A version that R2 can't have given names no object: it may come from anybody, and `*` would mean
/// every one.
fn unchanged(version: &str) -> Result<Conditional, BlobError> {
    let given = !version.is_empty()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !given {
        return Err(BlobError::Changed);
    }
    Ok(Conditional {
        etag_matches: Some(version.to_owned()),
        ..Conditional::default()
    })
}

fn failed(error: impl std::fmt::Display) -> BlobError {
    BlobError::Unavailable(error.to_string())
}
