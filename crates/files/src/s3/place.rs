//! Where the files are: address, bucket, prefix, and the keys of paths. Sends no request.

use mcpfn_ports::{BlobError, BlobPath};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest key, in bytes.
const MAX_LENGTH: usize = 1024;

/// What stands for itself in signatures; `/` does in paths.
const TEXT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &TEXT.remove(b'/');

/// A part of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ObjectPlace {
    /// Another store than Amazon's, without a slash at its end.
    endpoint: Option<String>,
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl ObjectPlace {
    /// Reads `s3://BUCKET/PREFIX`. The sentence says what to change.
    pub(super) fn parse(text: &str, endpoint: Option<&str>) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let legal =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !(3..=63).contains(&bucket.len())
            || !bucket.bytes().all(legal)
            || bucket.starts_with(['-', '.'])
            || bucket.contains("..")
        {
            return Err(
                "a bucket is named as s3://BUCKET or s3://BUCKET/PREFIX, in small letters, \
                digits, `-` and `.`"
                    .to_owned(),
            );
        }
        let prefix = match prefix.trim_end_matches('/') {
            "" => String::new(),
            prefix => format!(
                "{}/",
                BlobPath::parse(prefix)
                    .map_err(|why| format!("the prefix `{prefix}` can't be used: {why}"))?
            ),
        };
        Ok(Self {
            endpoint: endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
            bucket: bucket.to_owned(),
            prefix,
        })
    }

    /// The bucket's URL, with a slash at its end.
    pub(super) fn url(&self, region: &str) -> String {
        let bucket = &self.bucket;
        let domain = mcpfn_aws::domain(region);
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{bucket}/"),
            // the certificate of Amazon's is for names without more dots
            None if bucket.contains('.') => format!("https://s3.{region}.{domain}/{bucket}/"),
            None => format!("https://{bucket}.s3.{region}.{domain}/"),
        }
    }

    /// The key of a file.
    pub(super) fn key(&self, path: &BlobPath) -> Result<String, BlobError> {
        if path.is_top() {
            return Err(BlobError::NotAFile);
        }
        let key = format!("{}{path}", self.prefix);
        if key.len() > MAX_LENGTH {
            return Err(BlobError::Refused(format!(
                "with its prefix the key has more than {MAX_LENGTH} bytes"
            )));
        }
        Ok(key)
    }

    /// What the keys of the files in a directory begin with.
    pub(super) fn above(&self, directory: &BlobPath) -> Result<String, BlobError> {
        if directory.is_top() {
            Ok(self.prefix.clone())
        } else {
            Ok(format!("{}/", self.key(directory)?))
        }
    }

    /// A key as the source of a copy.
    pub(super) fn source(&self, key: &str) -> String {
        format!("{}/{}", self.bucket, encoded(key, true))
    }
}

/// A key below the bucket's URL, or the bucket itself.
pub(super) fn path(key: &str) -> String {
    encoded(key, true)
}

/// A text in a URL: in its path, or in its query.
pub(super) fn encoded(text: &str, path: bool) -> String {
    utf8_percent_encode(text, if path { PATH } else { TEXT }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let url = |text, region, endpoint| {
            ObjectPlace::parse(text, endpoint)
                .map(|place| format!("{}{}", place.url(region), path("a b/ü")))
        };
        for (text, region, endpoint, expected) in [
            (
                "s3://my-files",
                "eu-west-1",
                None,
                "https://my-files.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC",
            ),
            (
                "s3://my.files/x",
                "eu-west-1",
                None,
                "https://s3.eu-west-1.amazonaws.com/my.files/a%20b/%C3%BC",
            ),
            (
                "s3://files/",
                "cn-north-1",
                None,
                "https://files.s3.cn-north-1.amazonaws.com.cn/a%20b/%C3%BC",
            ),
            (
                "s3://files",
                "auto",
                Some("https://1.r2.example/"),
                "https://1.r2.example/files/a%20b/%C3%BC",
            ),
        ] {
            assert_eq!(url(text, region, endpoint).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn keys_are_below_the_prefix() {
        let place = ObjectPlace::parse("s3://files/a/b/", None).unwrap();
        let path = |text| BlobPath::parse(text).unwrap();
        assert_eq!(place.key(&path("c/d")).as_deref(), Ok("a/b/c/d"));
        assert_eq!(place.above(&path("c")).as_deref(), Ok("a/b/c/"));
        assert_eq!(place.above(&BlobPath::top()).as_deref(), Ok("a/b/"));
        assert_eq!(place.key(&BlobPath::top()), Err(BlobError::NotAFile));
        assert_eq!(place.source("a/b/x+y"), "files/a/b/x%2By");
        let long = path(&"xx/".repeat(341)[..1022]);
        assert!(matches!(place.key(&long), Err(BlobError::Refused(_))));
    }

    #[test]
    fn what_names_no_bucket_is_refused() {
        for text in [
            "s3://",
            "s3://ab",
            "s3://Files",
            "s3://a_b",
            "s3:///x",
            "s3://-ab",
            "s3://a..b",
            "s3://user:pass@files",
            "files",
        ] {
            assert!(
                ObjectPlace::parse(text, None)
                    .unwrap_err()
                    .contains("s3://BUCKET/PREFIX"),
                "{text}"
            );
        }
        for text in ["s3://files/../x", "s3://files//x", "s3://files/a%2fb"] {
            assert!(
                ObjectPlace::parse(text, None)
                    .unwrap_err()
                    .contains("prefix"),
                "{text}"
            );
        }
    }
}
