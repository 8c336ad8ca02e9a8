//! A bare hyper server: reads each request to its end and answers with bytes that it was given at
//! its start, as files: the answer of `tools/list` for requests whose `Mcp-Method` says so, the
//! other for all others. No JSON, no checks.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(list), Some(call)) = (arguments.next(), arguments.next(), arguments.next()) else {
        panic!("arguments: PORT, and two files: the answer of tools/list, the answer of \
            tools/call");
    };
    let [list, call] = [Bytes::from(std::fs::read(list)?), Bytes::from(std::fs::read(call)?)];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse().expect("a port"))).await?;
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = [list.clone(), call.clone()];
        let answer = service_fn(move |request| answer(request, answers.clone()));
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(request: Request<Incoming>, [list, call]: [Bytes; 2]) -> Result<Response<Full<Bytes>>, Infallible> {
    let listed = request.headers().get("mcp-method").is_some_and(|method| method == "tools/list");
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(if listed { list } else { call }));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
