//! A bare hyper server: reads each request to its end and answers with bytes that it was given at
//! its start, as files: the answer of `tools/list` for requests whose `Mcp-Method` says so, the
//! other for all others. No checks, and no JSON; with a fourth argument `json` it reads each request
//! to a `Value` and writes the answer from one with the id of the request, which is the least that a
//! server can do that knows what it was asked.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(list), Some(call)) = (arguments.next(), arguments.next(), arguments.next()) else {
        panic!("arguments: PORT, two files (the answer of tools/list, the answer of tools/call), and \
            `json` to read and write them");
    };
    let reads = arguments.next().is_some_and(|how| how == "json");
    let answers = [list, call].map(|file| Arc::new(Answer::read(&file, reads)));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse().expect("a port"))).await?;
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answers = answers.clone();
        let answer = service_fn(move |request| answer(request, answers.clone()));
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), answer));
    }
}

/// What is answered.
enum Answer {
    Bytes(Bytes),
    Result(Value),
}

#[derive(Serialize)]
struct Written<'a> {
    jsonrpc: &'a str,
    id: &'a Value,
    result: &'a Value,
}

impl Answer {
    fn read(file: &str, reads: bool) -> Self {
        let bytes = std::fs::read(file).expect("an answer");
        if !reads {
            return Self::Bytes(bytes.into());
        }
        let mut message: Value = serde_json::from_slice(&bytes).expect("an answer in JSON");
        Self::Result(message["result"].take())
    }

    fn to(&self, request: &[u8]) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Result(result) => {
                let request: Value = serde_json::from_slice(request).unwrap_or_default();
                let written = Written { jsonrpc: "2.0", id: &request["id"], result };
                serde_json::to_vec(&written).expect("JSON").into()
            }
        }
    }
}

async fn answer(request: Request<Incoming>, [list, call]: [Arc<Answer>; 2]) -> Result<Response<Full<Bytes>>, Infallible> {
    let listed = request.headers().get("mcp-method").is_some_and(|method| method == "tools/list");
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let answer = if listed { list } else { call };
    let mut response = Response::new(Full::new(answer.to(&body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
