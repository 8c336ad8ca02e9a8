//! A server as a module that imports nothing: what a host would be asked for, a clock, randomness,
//! an executor, is made up inside. One request as text in, one response as text out; what the
//! answers must be is checked in `run.mjs`.
//!
//! ```text
//! POST /mcp            200
//! accept: text/plain   content-type: application/json
//!
//! {"jsonrpc": ...      {"jsonrpc": ...
//! ```

// expansions of the macros begin with `::mcpfn`, and this package sees the core only
extern crate mcpfn_core as mcpfn;

mod host;
mod server;

use std::cell::RefCell;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mcpfn_http::{Body, Config, Service};

thread_local! {
    static SERVICE: Service = Service::new(server::builder().build().expect("the server is valid"), config());
    /// The request, then the response. Safe code on both sides of the border: the caller writes
    /// where `alloc` told it to.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Nobody in front of this module recognises callers.
fn config() -> Config {
    let mut config = Config::default();
    config.anonymous = true;
    config
}

/// Makes room for a request and says where.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    BUFFER.set(vec![0; length]);
    BUFFER.with_borrow_mut(Vec::as_mut_ptr)
}

/// Answers the request that was written there and says where the response is; `length` says how
/// long.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
pub extern "C" fn call() -> *const u8 {
    BUFFER.set(match request(&BUFFER.take()) {
        Ok(request) => SERVICE.with(|service| host::run(answer(service, request))),
        Err(error) => format!("0\n\n{error}").into_bytes(),
    });
    BUFFER.with_borrow(Vec::as_ptr)
}

/// How long the response is.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    BUFFER.with_borrow(Vec::len)
}

async fn answer(service: &Service, request: Request<Full<Bytes>>) -> Vec<u8> {
    written(service.call(request, &host::platform()).await).await
}

fn request(text: &[u8]) -> Result<Request<Full<Bytes>>, String> {
    let end = text
        .windows(2)
        .position(|window| window == b"\n\n")
        .ok_or("no empty line after the head")?;
    let head = std::str::from_utf8(&text[..end]).map_err(|error| error.to_string())?;
    let mut lines = head.lines();
    let (method, path) = lines
        .next()
        .and_then(|line| line.split_once(' '))
        .ok_or("the first line is no method and path")?;
    let builder = lines.try_fold(
        Request::builder().method(method).uri(path),
        |builder, line| {
            line.split_once(": ")
                .map(|(name, value)| builder.header(name, value))
                .ok_or(format!("`{line}` is no header"))
        },
    )?;
    builder
        .body(Bytes::copy_from_slice(&text[end + 2..]).into())
        .map_err(|error| error.to_string())
}

async fn written(response: Response<Body>) -> Vec<u8> {
    let (head, body) = response.into_parts();
    let mut out = format!("{}\n", head.status.as_u16()).into_bytes();
    for (name, value) in &head.headers {
        out.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    out.push(b'\n');
    let Ok(body) = body.collect().await;
    out.extend_from_slice(&body.to_bytes());
    out
}
