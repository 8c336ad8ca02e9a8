//! Every file of `fixtures/wire` and `fixtures/refuse`, and the limit that no file can say.

use crate::support::runner;
use crate::{Host as _, Request, Worker};

fn over_workerd(folder: &str) {
    runner::over_http(folder, |server| Box::new(Worker::named(server().build().unwrap().name())));
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
    let large = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"a\":\"{}\"}}}}", "x".repeat(5 << 20));
    for chunked in [false, true] {
        let mut request = Request::post(large.clone());
        request.chunked = chunked;
        let response = Worker::named("everything").send(&request);
        assert_eq!(response.status, 413, "chunked: {chunked}: {}", response.text());
        assert!(response.error().1.contains("larger than 4194304 bytes"), "{}", response.text());
    }
}
