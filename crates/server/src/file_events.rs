//! Files that were written to the bucket of the toolkit `files`, as the event `file.written`: what S3 says
//! of it, by itself, through EventBridge or through a queue. What is said of another bucket, or of what
//! is not served, is passed over.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn::event::EventOccurrence;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{Platform, PlatformEvents};
use mcpfn::{Server, ToolError};
use mcpfn_toolkits::files::{FILE_WRITTEN, written_file};
use serde_json::{Value, json};

/// The part of a bucket that is served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BucketEvents {
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

/// An object that was written.
#[derive(Debug, PartialEq, Eq)]
struct WrittenObject {
    bucket: String,
    key: String,
    size: u64,
    version: String,
    id: String,
}

impl BucketEvents {
    /// Of `s3://BUCKET/PREFIX`; nothing of directories.
    pub(crate) fn of(root: Option<OsString>) -> Option<Self> {
        let root = root?.into_string().ok()?;
        let rest = root.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        Some(Self {
            bucket: bucket.to_owned(),
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
        })
    }

    /// The path by which the toolkit knows an object.
    fn path<'a>(&self, object: &'a WrittenObject) -> Option<&'a str> {
        let path = object.key.strip_prefix(&self.prefix)?;
        let served = object.bucket == self.bucket && !path.is_empty() && !path.ends_with('/');
        served.then_some(path)
    }
}

impl PlatformEvents for BucketEvents {
    fn take<'a>(
        &'a self,
        event: Value,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<Value, ToolError>> {
        Box::pin(async move {
            let objects = written(&event).ok_or_else(|| {
                ToolError::new(
                    "the event is neither an HTTP request nor what S3 says of a bucket: map \
                     nothing else to this function",
                )
            })?;
            for object in &objects {
                let Some(path) = self.path(object) else {
                    continue;
                };
                let file = written_file(path.to_owned(), object.size, Some(object.version.clone()));
                let happened = EventOccurrence::new(&object.id, platform.now_ms(), &file);
                server.emit(platform, FILE_WRITTEN, happened).await?;
            }
            Ok(json!({"batchItemFailures": []}))
        })
    }
}

/// What was written, of any event that is about a bucket; nothing of another one.
fn written(event: &Value) -> Option<Vec<WrittenObject>> {
    if event["source"] == "aws.s3" {
        return Some(of_bridge(event).into_iter().collect());
    }
    if event["Event"] == "s3:TestEvent" {
        return Some(Vec::new());
    }
    let mut found = Vec::new();
    for record in event["Records"].as_array()? {
        match record["eventSource"].as_str()? {
            "aws:s3" => found.extend(of_record(record)),
            "aws:sqs" => {
                let message = serde_json::from_str(record["body"].as_str()?).ok()?;
                // a queue brings events, and no queue of events
                let inner: Option<Vec<WrittenObject>> = match &message {
                    Value::Object(message) if message.contains_key("Records") => {
                        let records = message["Records"].as_array()?;
                        let all = records.iter().all(|it| it["eventSource"] == "aws:s3");
                        all.then(|| records.iter().filter_map(of_record).collect())
                    }
                    message if message["Event"] == "s3:TestEvent" => Some(Vec::new()),
                    message if message["source"] == "aws.s3" => {
                        Some(of_bridge(message).into_iter().collect())
                    }
                    _ => None,
                };
                found.extend(inner?);
            }
            _ => return None,
        }
    }
    Some(found)
}

/// Of EventBridge: keys are as they are.
fn of_bridge(event: &Value) -> Option<WrittenObject> {
    if event["detail-type"] != "Object Created" {
        return None;
    }
    let (detail, object) = (&event["detail"], &event["detail"]["object"]);
    Some(WrittenObject {
        bucket: detail["bucket"]["name"].as_str()?.to_owned(),
        key: object["key"].as_str()?.to_owned(),
        size: object["size"].as_u64().unwrap_or(0),
        version: object["etag"].as_str()?.trim_matches('"').to_owned(),
        id: id(&detail["request-id"], &object["sequencer"])?,
    })
}

/// Of S3 itself: keys are encoded as those of forms.
fn of_record(record: &Value) -> Option<WrittenObject> {
    let name = record["eventName"].as_str()?;
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return None;
    }
    let (bucket, object) = (&record["s3"]["bucket"], &record["s3"]["object"]);
    Some(WrittenObject {
        bucket: bucket["name"].as_str()?.to_owned(),
        key: decoded(object["key"].as_str()?)?,
        size: object["size"].as_u64().unwrap_or(0),
        version: object["eTag"].as_str()?.trim_matches('"').to_owned(),
        id: id(
            &record["responseElements"]["x-amz-request-id"],
            &object["sequencer"],
        )?,
    })
}

/// The request that wrote it, and the place of that among those of the same object.
fn id(request: &Value, sequencer: &Value) -> Option<String> {
    let plain = |value: &Value| {
        let letters = value.as_str().unwrap_or_default().chars();
        letters
            .filter(char::is_ascii_alphanumeric)
            .take(64)
            .collect()
    };
    let (request, sequencer): (String, String) = (plain(request), plain(sequencer));
    (!request.is_empty() || !sequencer.is_empty()).then(|| format!("s3-{request}-{sequencer}"))
}

/// `+` is a space, `%41` a byte.
fn decoded(key: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(key.len()), key.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use mcpfn::testing::{TestClient, block_on};
    use mcpfn_toolkits::register;

    use super::*;

    /// The toolkit `files`, whose store says what is written to it.
    fn client() -> TestClient {
        let on = |name: &str| {
            let on = ["MCPFN_EVENTS", "MCPFN_FILES_NOTICES"].contains(&name);
            on.then(|| "on".to_owned())
        };
        let builder = Server::builder("files", "1.0.0");
        TestClient::new(register(builder, "files", &on).unwrap())
    }

    fn record(name: &str, bucket: &str, key: &str) -> Value {
        json!({"eventSource": "aws:s3", "eventName": name,
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
            "s3": {"bucket": {"name": bucket},
                "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f", "sequencer": "0A1B2C3D4E5F678901"}}})
    }

    fn bridge(kind: &str, bucket: &str, key: &str) -> Value {
        json!({"source": "aws.s3", "detail-type": kind, "detail": {
            "bucket": {"name": bucket}, "request-id": "C3D1", "reason": "PutObject",
            "object": {"key": key, "size": 7, "etag": "d41d8cd98f", "sequencer": "00617F08299329D189"}}})
    }

    fn message(body: &Value) -> Value {
        json!({"eventSource": "aws:sqs", "body": body.to_string()})
    }

    fn bucket(root: &str) -> Option<BucketEvents> {
        BucketEvents::of(Some(root.into()))
    }

    #[test]
    fn a_bucket_has_events_and_a_directory_has_none() {
        for (root, prefix) in [
            ("s3://plans", Some("")),
            ("s3://plans/", Some("")),
            ("s3://plans/a/b", Some("a/b/")),
            ("/srv/files", None),
            ("a=/srv,b=/srv/b", None),
        ] {
            assert_eq!(
                bucket(root).map(|it| it.prefix).as_deref(),
                prefix,
                "{root}"
            );
        }
        assert_eq!(BucketEvents::of(None), None);
    }

    /// What is mapped to the function, and the paths that clients hear of; nothing where it is refused.
    #[test]
    fn what_s3_says_is_an_event_whatever_way_it_comes() {
        let created = |key: &str| record("ObjectCreated:Put", "plans", key);
        let cases: Vec<(Value, Option<Vec<&str>>)> = vec![
            (
                json!({"Records": [created("team/a.txt")]}),
                Some(vec!["a.txt"]),
            ),
            (
                json!({"Records": [created("team/a+b%2Bc%C3%A4.txt"), created("team/x/y")]}),
                Some(vec!["a b+cä.txt", "x/y"]),
            ),
            (
                bridge("Object Created", "plans", "team/a+b.txt"),
                Some(vec!["a+b.txt"]),
            ),
            (
                json!({"Records": [message(&json!({"Records": [created("team/q")]})),
                    message(&bridge("Object Created", "plans", "team/r"))]}),
                Some(vec!["q", "r"]),
            ),
            // of others, what is not served, what is no file, what is gone
            (
                json!({"Records": [record("ObjectCreated:Put", "other", "team/a")]}),
                Some(vec![]),
            ),
            (
                json!({"Records": [created("teams/a"), created("team/dir/"), created("team/")]}),
                Some(vec![]),
            ),
            (
                json!({"Records": [record("ObjectRemoved:Delete", "plans", "team/a")]}),
                Some(vec![]),
            ),
            (bridge("Object Deleted", "plans", "team/a"), Some(vec![])),
            (
                json!({"Event": "s3:TestEvent", "Bucket": "plans"}),
                Some(vec![]),
            ),
            (
                json!({"Records": [message(&json!({"Event": "s3:TestEvent"}))]}),
                Some(vec![]),
            ),
            // and what is none of a bucket
            (
                json!({"Records": [created("team/a"), {"eventSource": "aws:dynamodb"}]}),
                None,
            ),
            (json!({"Records": [message(&json!("hello"))]}), None),
            (
                json!({"Records": [{"eventSource": "aws:sqs", "body": "{"}]}),
                None,
            ),
            (
                json!({"Records": [message(&json!({"Records": [message(&created("team/a"))]}))]}),
                None,
            ),
            (json!({"source": "aws.ec2"}), None),
            (json!({}), None),
            (json!(null), None),
        ];
        for (event, expected) in cases {
            let served = bucket("s3://plans/team").unwrap();
            let client = client();
            let (server, platform) = (client.server(), client.platform());
            let begins = client.request("events/poll", json!({"name": FILE_WRITTEN}));
            let begins = begins.wait().unwrap();
            let taken = block_on(served.take(event.clone(), server, platform));
            assert_eq!(taken.is_ok(), expected.is_some(), "{event}: {taken:?}");
            let params = json!({"name": FILE_WRITTEN, "cursor": begins["cursor"]});
            let polled = client.request("events/poll", params).wait().unwrap();
            let events = polled["events"].as_array().unwrap();
            let paths = events
                .iter()
                .map(|event| event["data"]["path"].as_str().unwrap());
            assert_eq!(
                paths.collect::<Vec<_>>(),
                expected.unwrap_or_default(),
                "{event}"
            );
        }
    }

    #[test]
    fn what_comes_twice_has_one_id() {
        let twice = || written(&json!({"Records": [record("s3:ObjectCreated:Copy", "b", "k")]}));
        let [one, other] = [twice(), twice()].map(|found| found.unwrap().remove(0));
        assert_eq!(one, other);
        assert_eq!(one.id, "s3-C3D13FE58DE4C810-0A1B2C3D4E5F678901");
    }
}
