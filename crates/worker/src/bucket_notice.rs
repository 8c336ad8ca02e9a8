//! Notices of R2 that an object changed, as a queue brings them. No queue, and no event of a server.

use serde_json::Value;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketChange {
    /// It was written: put, copied, or put together from parts.
    Written,
    /// It was deleted, by somebody or by a rule of the bucket.
    Deleted,
}

/// A notice: `wrangler r2 bucket notification create` says which come.
///
/// ```
/// use mcpfn_worker::{BucketChange, BucketNotice};
/// use serde_json::json;
///
/// let message = json!({
///     "account": "3f4b", "action": "PutObject", "bucket": "reports",
///     "object": {"key": "2026/may.csv", "size": 120, "eTag": "c8ad"},
///     "eventTime": "2026-05-24T19:36:44.379Z",
/// });
/// let notice = BucketNotice::read(&message).unwrap();
/// assert_eq!((notice.change, &*notice.path), (BucketChange::Written, "2026/may.csv"));
/// assert_eq!(notice.bytes, Some(120));
/// assert_eq!(BucketNotice::read(&json!({"action": "PutObject"})), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketNotice {
    /// What happened.
    pub change: BucketChange,
    /// The bucket.
    pub bucket: String,
    /// The object.
    pub path: String,
    /// How large it is; nothing where it was deleted.
    pub bytes: Option<u64>,
}

impl BucketNotice {
    /// From the body of a message; nothing for one that is no notice.
    #[must_use]
    pub fn read(message: &Value) -> Option<Self> {
        let change = match message["action"].as_str()? {
            "PutObject" | "CopyObject" | "CompleteMultipartUpload" => BucketChange::Written,
            "DeleteObject" | "LifecycleDeletion" => BucketChange::Deleted,
            _ => return None,
        };
        let object = &message["object"];
        Some(Self {
            change,
            bucket: message["bucket"].as_str()?.to_owned(),
            path: object["key"].as_str()?.to_owned(),
            bytes: object["size"].as_u64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notices_are_told_from_other_messages() {
        let notice = |action: &str, object: Value| {
            let message = json!({"action": action, "bucket": "b", "object": object});
            BucketNotice::read(&message).map(|notice| (notice.change, notice.path, notice.bytes))
        };
        let (written, deleted) = (BucketChange::Written, BucketChange::Deleted);
        let put = json!({"key": "a/b", "size": 0, "eTag": "e"});
        for (action, object, expected) in [
            ("PutObject", put.clone(), Some((written, Some(0)))),
            ("CopyObject", put.clone(), Some((written, Some(0)))),
            (
                "CompleteMultipartUpload",
                put.clone(),
                Some((written, Some(0))),
            ),
            ("DeleteObject", json!({"key": "a/b"}), Some((deleted, None))),
            (
                "LifecycleDeletion",
                json!({"key": "a/b"}),
                Some((deleted, None)),
            ),
            ("GetObject", put, None),
            ("PutObject", json!({"size": 1}), None),
            ("PutObject", json!("a/b"), None),
            ("", json!(null), None),
        ] {
            let expected = expected.map(|(change, bytes)| (change, "a/b".to_owned(), bytes));
            assert_eq!(notice(action, object), expected, "{action}");
        }
        assert_eq!(BucketNotice::read(&json!("text")), None);
        assert_eq!(BucketNotice::read(&json!([1])), None);
    }
}
