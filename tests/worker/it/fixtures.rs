//! Every file of `fixtures/wire` and `fixtures/refuse`, and the limit that no file can say.

use crate::support::eager::{Refused, SIZES, all_arrive};
use crate::support::runner;
use crate::{Host as _, Request, Worker};

/// What the runtime decides before a Worker sees the request: it refuses methods that it does not
/// know, leaves out headers without a value, and joins headers of one name (which are refused then,
/// in other words).
const RUNTIME: [&str; 5] = [
    "http_unknown",
    "content_type_empty",
    "origin_empty",
    "method_header_twice",
    "version_header_twice",
];

fn over_workerd(folder: &str) {
    // which Worker answers to which host name is Cloudflare's business: a route or a domain decides
    // it
    let wanted = |file: &str| !file.starts_with("host_") && !RUNTIME.contains(&file);
    runner::over_http_where(folder, wanted, |server| {
        let server = server().build().unwrap();
        // the one with tasks declares an extension that others do not
        Box::new(Worker::named(match server.name() {
            "everything" => "within-calls",
            name => name,
        }))
    });
}

#[test]
fn wire() {
    over_workerd("wire");
}

#[test]
fn refuse() {
    over_workerd("refuse");
}

/// Over the limit: refused by its declared length, or as soon as its pieces are too long.
#[test]
fn a_large_body_is_refused() {
    let large = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"a\":\"{}\"}}}}",
        "x".repeat(5 << 20)
    );
    for chunked in [false, true] {
        let mut request = Request::post(large.clone());
        request.chunked = chunked;
        let response = Worker::named("everything").send(&request);
        assert_eq!(
            response.status,
            413,
            "chunked: {chunked}: {}",
            response.text()
        );
        assert!(
            response.error().1.contains("larger than 2097152 bytes"),
            "{}",
            response.text()
        );
    }
}

/// Whatever is refused before its body was read, and the next request on the same connection.
#[test]
fn a_refusal_arrives_whatever_is_still_being_sent() {
    const REFUSED: [Refused; 4] = [
        (
            403,
            "POST /mcp",
            "host: localhost\r\norigin: https://evil.example",
        ),
        (404, "POST /elsewhere", "host: localhost"),
        (405, "PUT /mcp", "host: localhost"),
        (
            415,
            "POST /mcp",
            "host: localhost\r\ncontent-type: text/plain",
        ),
    ];
    let Worker(address) = Worker::named("everything");
    all_arrive(address, &REFUSED, &SIZES, "host: localhost");
    let too_large = [(413, "POST /mcp", "host: localhost")];
    all_arrive(
        address,
        &too_large,
        &[3 << 20, 6 << 20, 48 << 20],
        "host: localhost",
    );
}
