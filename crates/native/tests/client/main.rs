//! The client against real servers on loopback: good ones, slow ones, endless ones, broken ones,
//! and names that lie.

mod server;
mod webhooks;

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use mcpfn_native::{Client, Resolve};
use server::{RpcResponse, Server};

async fn get(server: &Server) -> Result<HttpResponse, HttpError> {
    Client::new()
        .send(HttpRequest::get(server.url("/")).timeout(Duration::from_secs(5)))
        .await
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut compressed, 4096, 9, 22);
    encoder.write_all(plain).unwrap();
    drop(encoder);
    compressed
}

#[tokio::test]
async fn a_part_of_something_compressed_comes_as_it_is() {
    let bytes = gzip(b"a page")[2..9].to_vec();
    let server = Server::start(
        RpcResponse::new(206)
            .header("Content-Encoding", "gzip")
            .body(bytes.clone()),
    )
    .await;
    let response = get(&server).await.unwrap();
    assert_eq!(
        (&response.body[..], response.header("content-encoding")),
        (&bytes[..], Some("gzip"))
    );
}

#[tokio::test]
async fn sends_what_it_was_given_and_reads_any_status() {
    let server = Server::start(
        RpcResponse::new(404)
            .header("X-Thing", "Some Value")
            .body("gone"),
    )
    .await;
    let request = HttpRequest::post(server.url("/path?q=1#fragment"), "text/plain", "the body")
        .header("x-own", "yes");
    let response = Client::new().send(request).await.unwrap();
    assert_eq!(
        (response.status, &response.body[..], response.truncated),
        (404, &b"gone"[..], false)
    );
    assert_eq!(response.header("x-thing"), Some("Some Value"));
    let seen = server.requests().remove(0).to_lowercase();
    assert!(seen.starts_with("post /path?q=1 http/1.1\r\n"), "{seen}");
    for part in [
        "content-type: text/plain",
        "x-own: yes",
        "accept-encoding: gzip, deflate, br",
        "content-length: 8",
        "\r\n\r\nthe body",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn follows_no_redirect() {
    let server = Server::start(
        RpcResponse::new(302)
            .header("Location", "http://127.0.0.1:1/")
            .body(""),
    )
    .await;
    let response = get(&server).await.unwrap();
    assert_eq!(
        (response.status, response.header("location")),
        (302, Some("http://127.0.0.1:1/"))
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn keeps_connections_and_notices_when_they_were_closed() {
    let server = Server::start(RpcResponse::new(200).body("one")).await;
    let client = Client::new();
    for _ in 0..5 {
        client
            .send(HttpRequest::get(server.url("/")))
            .await
            .unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 5));

    let closing = Server::start(
        RpcResponse::new(200)
            .header("Connection", "close")
            .body("one"),
    )
    .await;
    for _ in 0..3 {
        client
            .send(HttpRequest::get(closing.url("/")))
            .await
            .unwrap();
    }
    assert_eq!(closing.connections(), 3);
}

#[tokio::test]
async fn takes_compression_off() {
    let plain = "word ".repeat(5000).into_bytes();
    let kinds = [
        ("gzip", gzip(&plain)),
        ("deflate", zlib(&plain)),
        ("deflate", raw_deflate(&plain)),
        ("br", brotli(&plain)),
        ("GZIP", gzip(&plain)),
    ];
    for (coding, compressed) in kinds {
        assert!(compressed.len() < 1000);
        let server = Server::start(
            RpcResponse::new(200)
                .header("Content-Encoding", coding)
                .body(compressed),
        )
        .await;
        let response = get(&server).await.unwrap();
        assert_eq!(
            (&response.body[..], response.truncated),
            (&plain[..], false),
            "{coding}"
        );
        assert_eq!(
            (
                response.header("content-encoding"),
                response.header("content-length")
            ),
            (None, None)
        );
    }
    let empty = Server::start(
        RpcResponse::new(200)
            .header("Content-Encoding", "gzip")
            .body(""),
    )
    .await;
    assert_eq!(get(&empty).await.unwrap().body.len(), 0);
}

#[tokio::test]
async fn the_limit_counts_after_decompression() {
    let zeros = vec![0; 8 * 1024 * 1024];
    for (coding, compressed) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("deflate", raw_deflate(&zeros)),
        ("br", brotli(&zeros)),
    ] {
        assert!(compressed.len() < 20_000, "{coding}: a bomb is small");
        let server = Server::start(
            RpcResponse::new(200)
                .header("Content-Encoding", coding)
                .body(compressed),
        )
        .await;
        let response = Client::new()
            .send(HttpRequest::get(server.url("/")).max_body(100_000))
            .await
            .unwrap();
        assert_eq!(
            (response.body.len(), response.truncated),
            (100_000, true),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    // a linear congruence, which does not compress
    let noise = |length: usize| {
        (0..length).scan(1_u32, |seed, _| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*seed >> 24) as u8)
        })
    };
    let long: Vec<u8> = noise(100_000).collect();
    for (answer, whole) in [
        (vec![7; 1000], true),
        (vec![7; 1001], false),
        (long[..1000].to_vec(), true),
        (long[..1001].to_vec(), false),
        (long, false),
    ] {
        for compressed in [false, true] {
            let body = if compressed {
                gzip(&answer)
            } else {
                answer.clone()
            };
            let coding = if compressed { "gzip" } else { "identity" };
            let server = Server::start(
                RpcResponse::new(200)
                    .header("Content-Encoding", coding)
                    .body(body),
            )
            .await;
            let response = Client::new()
                .send(HttpRequest::get(server.url("/")).max_body(1000))
                .await
                .unwrap();
            assert_eq!(
                (&response.body[..], response.truncated),
                (&answer[..1000], !whole),
                "{} compressed: {compressed}",
                answer.len()
            );
        }
    }
}

#[tokio::test]
async fn refuses_compression_that_is_broken_or_not_asked_for() {
    let good = gzip(&b"word ".repeat(5000));
    let cut = good[..good.len() - 10].to_vec();
    let answers = [
        ("gzip", b"no gzip".to_vec()),
        ("gzip", cut),
        ("br", vec![0xff; 50]),
        ("deflate", vec![0xff; 50]),
    ];
    for (coding, body) in answers {
        let server = Server::start(
            RpcResponse::new(200)
                .header("Content-Encoding", coding)
                .body(body),
        )
        .await;
        let error = get(&server).await.unwrap_err();
        assert!(
            matches!(error, HttpError::Undecodable(_)),
            "{coding}: {error}"
        );
    }
    for coding in ["zstd", "compress", "gzip, gzip", "aws-chunked"] {
        let server = Server::start(
            RpcResponse::new(200)
                .header("Content-Encoding", coding)
                .body("x"),
        )
        .await;
        assert!(
            get(&server)
                .await
                .unwrap_err()
                .to_string()
                .contains("not asked for"),
            "{coding}"
        );
    }
    let twice = Server::start(
        RpcResponse::new(200)
            .header("Content-Encoding", "gzip")
            .header("Content-Encoding", "gzip")
            .body("x"),
    )
    .await;
    assert!(get(&twice).await.is_err());
}

#[tokio::test]
async fn refuses_windows_that_would_take_a_gigabyte() {
    let params = brotli::enc::BrotliEncoderParams {
        large_window: true,
        lgwin: 28,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &b"word ".repeat(5000)[..], &mut compressed, &params).unwrap();
    let server = Server::start(
        RpcResponse::new(200)
            .header("Content-Encoding", "br")
            .body(compressed),
    )
    .await;
    assert!(
        get(&server)
            .await
            .unwrap_err()
            .to_string()
            .contains("window")
    );
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    let server = Server::start(RpcResponse::new(200).endless()).await;
    let request = HttpRequest::get(server.url("/"))
        .max_body(50_000)
        .timeout(Duration::from_secs(20));
    let response = Client::new().send(request).await.unwrap();
    assert_eq!((response.body.len(), response.truncated), (50_000, true));
}

#[tokio::test]
async fn the_time_is_over_wherever_the_server_is_slow() {
    let slow = [
        RpcResponse::silent(),
        RpcResponse::new(200).body("x").declaring(2),
        RpcResponse::new(200).dripping(),
    ];
    for answer in slow {
        let server = Server::start(answer).await;
        let started = Instant::now();
        let request = HttpRequest::get(server.url("/")).timeout(Duration::from_millis(300));
        assert_eq!(Client::new().send(request).await, Err(HttpError::TimedOut));
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn broken_answers_are_told_from_servers_that_are_not_there() {
    let head = "HTTP/1.1 200 OK\r\n";
    let endless_head = format!("{head}{}", "x-filler: y\r\n".repeat(20_000));
    for bytes in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfive!",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        &endless_head,
    ] {
        let server = Server::start(RpcResponse::bytes(bytes)).await;
        let error = get(&server).await.unwrap_err();
        assert!(
            matches!(error, HttpError::Interrupted(_)),
            "{bytes:.60}: {error}"
        );
    }
    let closed = Server::start(RpcResponse::new(200).body(""))
        .await
        .closed()
        .await;
    let error = Client::new()
        .send(HttpRequest::get(closed))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn refuses_headers_of_the_connection_and_broken_ones_without_repeating_them() {
    let server = Server::start(RpcResponse::new(200).body("x")).await;
    let headers = [
        ("Host", "other"),
        ("transfer-encoding", "chunked"),
        ("content-length", "1"),
        ("connection", "x"),
        ("x-a", "s3cret\r\nx: y"),
        ("b a d\n", "s3cret"),
    ];
    for (name, value) in headers {
        let error = Client::new()
            .send(HttpRequest::get(server.url("/")).header(name, value))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, HttpError::Unreachable(_)),
            "{name}: {error}"
        );
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn urls_are_checked_before_anything_is_opened() {
    for url in [
        "ftp://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://2130706433/",
        "nonsense",
    ] {
        let error = Client::new().send(HttpRequest::get(url)).await.unwrap_err();
        assert!(matches!(error, HttpError::BadUrl(_)), "{url}: {error}");
    }
}

#[tokio::test]
async fn tls_needs_a_trusted_certificate_of_the_right_name() {
    let (server, root) = Server::tls("localhost", RpcResponse::new(200).body("sealed")).await;
    let url = server
        .url("/")
        .replace("http://127.0.0.1", "https://localhost");
    let stranger = Client::new()
        .send(HttpRequest::get(&url))
        .await
        .unwrap_err();
    assert!(stranger.to_string().contains("certificate"), "{stranger}");

    let friend = Client::new().with_root(&root).unwrap();
    assert_eq!(
        friend.send(HttpRequest::get(&url)).await.unwrap().body,
        "sealed"
    );
    let other_name = friend
        .send(HttpRequest::get(url.replace("localhost", "127.0.0.1")))
        .await
        .unwrap_err();
    assert!(
        other_name.to_string().contains("certificate"),
        "{other_name}"
    );
    assert!(Client::new().with_root(b"no certificate").is_err());
}

/// Answers with one list after another, and with the last one from then on.
struct Script {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses =
            |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().rev().map(addresses).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Script {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop().unwrap()
        } else {
            answers[0].clone()
        };
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn only_public_addresses_when_that_is_asked() {
    let server = Server::start(RpcResponse::new(200).body("secret")).await;
    let port = server.port();
    let public = |url: String| {
        HttpRequest::get(url)
            .public_only()
            .timeout(Duration::from_secs(5))
    };
    let written = [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "0.0.0.0",
    ];
    for host in written {
        let error = Client::new()
            .send(public(format!("http://{host}:{port}/")))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::NotPublic(_)), "{host}: {error}");
    }
    let resolved: [&[&str]; 7] = [
        &["127.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["8.8.8.8", "127.0.0.1"],
        &["2606:4700::1111", "::1"],
    ];
    for addresses in resolved {
        let client = Client::new().with_resolver(Script::new(&[addresses]));
        let error = client
            .send(public(format!("http://metadata.example:{port}/")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HttpError::NotPublic(_)),
            "{addresses:?}: {error}"
        );
    }
    assert_eq!(server.connections(), 0);
    // the same name without the limit does reach it
    let client = Client::new().with_resolver(Script::new(&[&["127.0.0.1"]]));
    assert_eq!(
        client
            .send(HttpRequest::get(format!("http://metadata.example:{port}/")))
            .await
            .unwrap()
            .body,
        "secret"
    );
    // and what that left open is not used by a request with the limit
    let error = client
        .send(public(format!("http://metadata.example:{port}/")))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::NotPublic(_)), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_name_that_changes_between_check_and_use_gains_nothing() {
    let server = Server::start(RpcResponse::new(200).body("secret")).await;
    // 192.31.196.0/24 is public, and drops what it is sent
    let script = Script::new(&[&["192.31.196.1"], &["127.0.0.1"]]);
    let client = Client::new().with_resolver(Arc::clone(&script) as _);
    let request = || {
        HttpRequest::get(format!("http://rebinding.example:{}/", server.port()))
            .public_only()
            .timeout(Duration::from_millis(300))
    };
    let first = client.send(request()).await.unwrap_err();
    assert!(
        matches!(first, HttpError::TimedOut | HttpError::Unreachable(_)),
        "{first}"
    );
    assert_eq!(
        script.asked.load(Ordering::SeqCst),
        1,
        "the address that was checked is the one that was used"
    );
    let second = client.send(request()).await.unwrap_err();
    assert!(matches!(second, HttpError::NotPublic(_)), "{second}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn nothing_is_made_before_the_first_request() {
    let client = Client::new();
    assert!(format!("{client:?}").contains("used: false"));
    let _ = client.send(HttpRequest::get("http://127.0.0.1:9/")).await;
    assert!(format!("{client:?}").contains("used: true"));
}
