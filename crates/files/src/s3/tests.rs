//! `S3` over a client that answers what it is told: which requests are sent, and what each answer
//! means. What real stores answer is tested in tests/stores.

use std::collections::VecDeque;
use std::sync::Mutex;

use mcpfn_core::port::HttpError;
use mcpfn_core::port::HttpResponse;
use mcpfn_ports::WriteCondition::{Absent, Always, Version};

use super::*;

type Answered = Result<HttpResponse, HttpError>;

/// Answers in their order, and what was asked.
#[derive(Default)]
struct Told {
    answers: Mutex<VecDeque<Answered>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl HttpClient for Told {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Answered> {
        self.asked.lock().unwrap().push(request);
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("nobody expected this request");
        Box::pin(async move { answer })
    }
}

fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Answered {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Ok(HttpResponse {
        status,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        truncated: false,
    })
}

fn refused(code: u16, name: &str) -> Answered {
    status(
        code,
        &[],
        &format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{name}</Code><Message>why &amp; \
             how</Message><Key>a</Key></Error>"
        ),
    )
}

fn file(size: &str) -> Answered {
    status(
        200,
        &[
            ("etag", "\"e1\""),
            ("content-length", size),
            ("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT"),
        ],
        "",
    )
}

const VARIABLES: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "hunter1"),
    ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ("AWS_SESSION_TOKEN", "hunter3"),
];

fn open(url: &str, variables: &[(&str, &str)], client: Arc<Told>) -> Result<S3, SettingsError> {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    };
    S3::open("MCPFN_FILES_ROOT", url, variable, client)
}

/// A store behind these answers.
fn store(answers: impl IntoIterator<Item = Answered>) -> (S3, Arc<Told>) {
    let client = Arc::new(Told {
        answers: Mutex::new(answers.into_iter().collect()),
        ..Told::default()
    });
    (
        open("s3://files/p", &VARIABLES, Arc::clone(&client)).unwrap(),
        client,
    )
}

fn path(text: &str) -> BlobPath {
    BlobPath::parse(text).unwrap()
}

/// Method, URL and the headers that are about the file.
fn asked(client: &Told) -> Vec<String> {
    let about = |(name, value): &(String, String)| {
        let signature = [
            "x-amz-date",
            "authorization",
            "x-amz-security-token",
            "x-amz-content-sha256",
        ]
        .contains(&name.as_str());
        (!signature).then(|| format!(" {name}={value}"))
    };
    let shown = |request: &HttpRequest| {
        let url = request
            .url
            .strip_prefix("https://files.s3.eu-west-1.amazonaws.com")
            .expect("the bucket's address");
        format!(
            "{} {url}{}",
            request.method,
            request.headers.iter().filter_map(about).collect::<String>()
        )
    };
    client.asked.lock().unwrap().iter().map(shown).collect()
}

#[tokio::test]
async fn a_part_is_a_range() {
    let part = status(
        206,
        &[
            ("etag", "\"e1\""),
            ("content-length", "3"),
            ("content-range", "bytes 4-6/10"),
        ],
        "456",
    );
    let (s3, client) = store([part]);
    let part = s3.read(&path("a b"), 4, 3).await.unwrap();
    assert_eq!(
        (
            part.bytes.as_ref(),
            part.metadata.size,
            part.metadata.version.as_str()
        ),
        (b"456".as_slice(), 10, "e1")
    );
    assert_eq!(
        asked(&client),
        ["GET /p/a%20b range=bytes=4-6 accept-encoding=identity"]
    );
}

#[tokio::test]
async fn after_the_end_there_is_nothing() {
    for (offset, length) in [(10, 5), (0, 0), (u64::MAX, 5)] {
        let first = (length > 0 && offset == 10).then(|| refused(416, "InvalidRange"));
        let (s3, _) = store(first.into_iter().chain([file("10")]));
        let part = s3.read(&path("a"), offset, length).await.unwrap();
        assert_eq!(
            (
                part.bytes.len(),
                part.metadata.size,
                part.metadata.modified_ms
            ),
            (0, 10, Some(1_795_255_200_000)),
            "{offset}"
        );
    }
}

#[tokio::test]
async fn another_part_than_the_one_that_was_asked_for_is_none() {
    let elsewhere = status(
        206,
        &[("etag", "\"e1\""), ("content-range", "bytes 0-2/10")],
        "012",
    );
    for answer in [elsewhere, file("10")] {
        let (s3, _) = store([answer]);
        assert!(matches!(
            s3.read(&path("a"), 4, 3).await,
            Err(BlobError::Unavailable(_))
        ));
    }
}

#[tokio::test]
async fn conditions_are_headers() {
    let written = || status(200, &[("etag", "\"e2\"")], "");
    for (condition, header) in [
        (Always, ""),
        (Absent, " if-none-match=*"),
        (Version("e1".to_owned()), " if-match=\"e1\""),
    ] {
        let (s3, client) = store([written()]);
        let metadata = s3
            .write(&path("d/a"), Bytes::from_static(b"text"), &condition)
            .await
            .unwrap();
        assert_eq!((metadata.size, metadata.version.as_str()), (4, "e2"));
        assert_eq!(asked(&client), [format!("PUT /p/d/a{header}")]);
    }
    for (code, name) in [
        (412, "PreconditionFailed"),
        (409, "ConditionalRequestConflict"),
        (404, "NoSuchKey"),
    ] {
        let (s3, _) = store([refused(code, name)]);
        assert_eq!(
            s3.write(&path("a"), Bytes::new(), &Version("e1".to_owned()))
                .await,
            Err(BlobError::Changed),
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_version_can_not_hold_another_condition() {
    for version in ["*", "\"", "e1\", \"e2", "e1\r\nx: y", "", "ü"] {
        let (s3, client) = store([]);
        assert_eq!(
            s3.write(&path("a"), Bytes::new(), &Version(version.to_owned()))
                .await,
            Err(BlobError::Changed),
            "{version}"
        );
        assert!(asked(&client).is_empty());
    }
}

fn copied() -> Answered {
    let xml = "<CopyObjectResult><LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>&quot;e2&quot;</ETag></CopyObjectResult>";
    status(200, &[], xml)
}

const COPY: &str = "PUT /p/b x-amz-copy-source=files/p/a%20b x-amz-copy-source-if-match=\"e1\"";

#[tokio::test]
async fn a_rename_copies_and_deletes_under_conditions() {
    let (s3, client) = store([
        file("4"),
        refused(404, "NoSuchKey"),
        copied(),
        status(204, &[], ""),
    ]);
    let moved = s3.rename(&path("a b"), &path("b"), false).await.unwrap();
    assert_eq!(
        moved,
        BlobMetadata {
            size: 4,
            modified_ms: Some(1_795_255_200_000),
            version: "e2".to_owned()
        }
    );
    let copy = format!("{COPY} if-none-match=* cf-copy-destination-if-none-match=*");
    assert_eq!(
        asked(&client),
        [
            "HEAD /p/a%20b",
            "HEAD /p/b",
            &copy,
            "DELETE /p/a%20b if-match=\"e1\""
        ]
    );

    let (s3, client) = store([file("4"), copied(), status(204, &[], "")]);
    s3.rename(&path("a b"), &path("b"), true).await.unwrap();
    assert_eq!(
        asked(&client),
        ["HEAD /p/a%20b", COPY, "DELETE /p/a%20b if-match=\"e1\""]
    );
}

#[tokio::test]
async fn a_copy_that_fails_deletes_nothing() {
    // the last is a failure after the status was sent
    for (failure, expected) in [
        (
            refused(412, "PreconditionFailed"),
            "the condition does not hold",
        ),
        (refused(404, "NoSuchKey"), "nothing is there"),
        (
            refused(403, "AccessDenied"),
            "not allowed: status 403, AccessDenied: why & how",
        ),
        (
            refused(200, "InternalError"),
            "files unavailable: status 200, InternalError: why & how",
        ),
    ] {
        let (s3, client) = store([file("4"), failure]);
        assert_eq!(
            s3.rename(&path("a b"), &path("b"), true)
                .await
                .unwrap_err()
                .to_string(),
            expected
        );
        assert_eq!(asked(&client).len(), 2);
    }
}

#[tokio::test]
async fn a_file_that_is_copied_and_not_deleted_is_said_to_be_at_both_places() {
    // written meanwhile, or not to be deleted at all
    for failure in [
        refused(412, "PreconditionFailed"),
        refused(403, "AccessDenied"),
    ] {
        let (s3, _) = store([file("4"), copied(), failure]);
        assert!(matches!(
            s3.rename(&path("a b"), &path("b"), true).await,
            Err(BlobError::Copied(_))
        ));
    }
    // the first of two tries did it
    let (s3, _) = store([
        file("4"),
        copied(),
        Err(HttpError::TimedOut),
        refused(404, "NoSuchKey"),
    ]);
    assert!(s3.rename(&path("a b"), &path("b"), true).await.is_ok());
}

#[tokio::test]
async fn a_store_without_conditional_deletions_is_looked_at_before() {
    let unknown = || refused(501, "NotImplemented");
    let (s3, client) = store([
        file("4"),
        copied(),
        unknown(),
        file("4"),
        status(204, &[], ""),
    ]);
    s3.rename(&path("a b"), &path("b"), true).await.unwrap();
    let look_and_delete = [
        "DELETE /p/a%20b if-match=\"e1\"",
        "HEAD /p/a%20b",
        "DELETE /p/a%20b",
    ];
    assert_eq!(asked(&client)[2..], look_and_delete);
    let meanwhile = status(200, &[("etag", "\"e9\""), ("content-length", "4")], "");
    let (s3, client) = store([file("4"), copied(), unknown(), meanwhile]);
    assert!(matches!(
        s3.rename(&path("a b"), &path("b"), true).await,
        Err(BlobError::Copied(_))
    ));
    assert_eq!(asked(&client).len(), 4, "nothing is deleted");
}

#[tokio::test]
async fn what_reads_is_tried_again_once_and_what_writes_is_not() {
    let passing = || {
        [
            refused(503, "SlowDown"),
            refused(500, "InternalError"),
            Err(HttpError::TimedOut),
        ]
    };
    for failure in passing() {
        let (s3, client) = store([failure, file("4")]);
        assert!(s3.metadata(&path("a")).await.is_ok());
        let times: Vec<Duration> = client
            .asked
            .lock()
            .unwrap()
            .iter()
            .map(|request| request.timeout)
            .collect();
        assert_eq!(times, [READING, READING]);
    }
    for failure in passing() {
        let (s3, _) = store([failure.clone(), failure]);
        assert!(matches!(
            s3.metadata(&path("a")).await,
            Err(BlobError::Unavailable(_))
        ));
    }
    for failure in passing() {
        let (s3, client) = store([failure]);
        assert!(matches!(
            s3.write(&path("a"), Bytes::new(), &Always).await,
            Err(BlobError::Unavailable(_))
        ));
        assert_eq!(client.asked.lock().unwrap()[0].timeout, WRITING);
    }
}

const LISTED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>files</Name><Prefix>p/d/</Prefix><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c=</NextContinuationToken>
<Contents><Key>p/d/</Key><Size>0</Size><LastModified>2026-11-21T10:00:00.000Z</LastModified></Contents>
<Contents><Key>p/d/b+%26%0A</Key><Size>7</Size><LastModified>2026-11-21T10:00:00.000Z</LastModified></Contents>
<CommonPrefixes><Prefix>p/d/a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>p/d//</Prefix></CommonPrefixes></ListBucketResult>"#;

#[tokio::test]
async fn a_page_of_a_directory() {
    let (s3, client) = store([status(200, &[], LISTED)]);
    let page = s3.list(&path("d"), "", None, 5000).await.unwrap();
    let seen: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind, entry.size))
        .collect();
    // the name that is empty and the one with a line break are no paths: the toolkit leaves them
    // out
    assert_eq!(
        seen,
        [
            ("", BlobKind::Directory, 0),
            ("a", BlobKind::Directory, 0),
            ("b &\n", BlobKind::File, 7)
        ]
    );
    assert_eq!(page.cursor.as_deref(), Some("a+b/c="));
    assert_eq!(
        asked(&client),
        ["GET /?list-type=2&delimiter=%2F&encoding-type=url&max-keys=1000&prefix=p%2Fd%2F"]
    );

    let (s3, client) = store([refused(400, "InvalidArgument")]);
    assert_eq!(
        s3.list(&BlobPath::top(), "x y", Some("a+b/c="), 10).await,
        Err(BlobError::BadCursor)
    );
    let query = "list-type=2&delimiter=%2F&encoding-type=url&max-keys=10&prefix=p%2Fx%20y&continuation-token=a%2Bb%2Fc%3D";
    assert_eq!(asked(&client), [format!("GET /?{query}")]);
}

#[tokio::test]
async fn no_list_leaves_the_prefix() {
    let elsewhere = LISTED.replace("p/d/", "other/");
    let (s3, _) = store([status(200, &[], &elsewhere)]);
    assert!(
        s3.list(&path("d"), "", None, 10)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    let (s3, _) = store([]);
    assert!(
        s3.list(&path("d"), "../x", None, 10)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
}

#[tokio::test]
async fn bodies_that_are_not_understood_are_failures() {
    for body in [
        "",
        "<html>",
        "<ListBucketResult/>",
        &"<a>".repeat(100_000),
        "<!DOCTYPE x [<!ENTITY e 'z'>]><Error><Code>&e;</Code></Error>",
    ] {
        let (s3, _) = store([status(200, &[], body)]);
        assert!(
            matches!(
                s3.list(&path("d"), "", None, 10).await,
                Err(BlobError::Unavailable(_))
            ),
            "{body:.40}"
        );
    }
    let mut long = status(200, &[], LISTED).unwrap();
    long.truncated = true;
    let (s3, _) = store([Ok(long)]);
    assert!(
        s3.list(&path("d"), "", None, 10)
            .await
            .unwrap_err()
            .to_string()
            .contains("too long")
    );
}

#[tokio::test]
async fn causes_say_what_to_change() {
    for (answer, expected) in [
        (
            refused(404, "NoSuchBucket"),
            "files unavailable: status 404, NoSuchBucket: why & how",
        ),
        (
            status(301, &[("x-amz-bucket-region", "eu-north-1")], ""),
            "the region eu-north-1: set AWS_REGION",
        ),
        (
            refused(403, "SignatureDoesNotMatch"),
            "not allowed: status 403, SignatureDoesNotMatch: why & how",
        ),
        (
            refused(400, "ExpiredToken"),
            "not allowed: status 400, ExpiredToken",
        ),
        (
            Err(HttpError::BadUrl("x".to_owned())),
            "files unavailable: the URL can't be used",
        ),
    ] {
        let (s3, _) = store([answer]);
        let said = s3
            .list(&path("d"), "", None, 10)
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn bounds() {
    let (s3, _) = store([]);
    let large = Bytes::from(vec![0; MAX + 1]);
    assert_eq!(
        s3.write(&path("a"), large, &Always).await,
        Err(BlobError::TooLarge(MAX as u64))
    );
    let (s3, client) = store([refused(404, "NoSuchKey")]);
    assert_eq!(
        s3.read(&path("a"), 0, usize::MAX).await,
        Err(BlobError::NotFound)
    );
    assert_eq!(client.asked.lock().unwrap()[0].max_body, MAX);
}

#[tokio::test]
async fn every_request_is_signed_and_no_secret_is_shown() {
    let (s3, client) = store([file("4")]);
    s3.metadata(&path("a")).await.unwrap();
    let request = client.asked.lock().unwrap()[0].clone();
    let header = |name: &str| {
        request
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .unwrap()
    };
    assert!(
        header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=hunter1/"),
        "{}",
        header("authorization")
    );
    assert!(
        header("authorization")
            .contains("host;x-amz-content-sha256;x-amz-date;x-amz-security-token")
    );
    assert!(
        !request
            .headers
            .iter()
            .any(|(_, value)| value.contains("hunter2"))
    );
    assert!(!format!("{s3:?}").contains("hunter"));
}

#[test]
fn everything_that_is_missing_is_said_at_once() {
    let mistakes = open(
        "s3://Files",
        &[
            ("AWS_REGION", "eu west"),
            ("AWS_ACCESS_KEY_ID", "hunter2"),
            ("AWS_ENDPOINT_URL_S3", "somewhere"),
        ],
        Arc::default(),
    )
    .unwrap_err()
    .mistakes;
    for part in [
        "AWS_REGION must be",
        "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
        "AWS_ENDPOINT_URL_S3",
        "MCPFN_FILES_ROOT: a bucket is named",
    ] {
        assert!(
            mistakes.iter().any(|mistake| mistake.contains(part)),
            "{part}: {mistakes:?}"
        );
    }
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
}

/// What S3 says to a role whose right to list ends at a prefix.
#[tokio::test]
async fn a_forbidden_file_that_no_list_has_is_missing() {
    let listed = |key: Option<&str>| {
        let entry = key.map_or_else(String::new, |key| {
            format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>")
        });
        status(
            200,
            &[],
            &format!(
                "<ListBucketResult><IsTruncated>false</IsTruncated>\
                 <EncodingType>url</EncodingType>{entry}</ListBucketResult>"
            ),
        )
    };
    let denied = || refused(403, "AccessDenied");
    for (list, missing) in [
        (listed(None), true),
        (listed(Some("p/a+bc")), true),
        (listed(Some("p/a+b")), false),
        (denied(), false),
        (Err(HttpError::TimedOut), false),
    ] {
        let answers = || [denied(), list.clone(), list.clone()];
        let error = |expected: BlobError| match missing {
            true => expected.to_string(),
            false => "not allowed: status 403, AccessDenied: why & how".to_owned(),
        };
        let (s3, client) = store(answers());
        let read = s3.read(&path("a b"), 0, 4).await.unwrap_err();
        assert_eq!(read.to_string(), error(BlobError::NotFound));
        assert_eq!(
            asked(&client)[1],
            "GET /?list-type=2&encoding-type=url&max-keys=1&prefix=p%2Fa%20b"
        );
        let (s3, _) = store(answers());
        let read = s3.metadata(&path("a b")).await.unwrap_err();
        assert_eq!(read.to_string(), error(BlobError::NotFound));
        let (s3, _) = store(answers());
        let version = Version("e1".to_owned());
        let written = s3.write(&path("a b"), Bytes::new(), &version).await;
        assert_eq!(written.unwrap_err().to_string(), error(BlobError::Changed));
    }
}
