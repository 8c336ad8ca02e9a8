//! A service on loopback: answers each request as a test says, and remembers what it was asked.
//! Knows none of the real services.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What it gets.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    status: u16,
    headers: Vec<(String, String)>,
    body: Sends,
    after: Duration,
}

#[derive(Debug, Clone)]
enum Sends {
    Bytes(Vec<u8>),
    Endless,
    /// A piece, and then the connection is cut.
    Cut,
    /// Nothing at all, and the connection stays.
    Silence,
}

impl Says {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Sends::Bytes(body.into()),
            after: Duration::ZERO,
        }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string())
            .header("content-type", "application/json; charset=utf-8")
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body).header("content-type", "text/html; charset=utf-8")
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "").header("location", to)
    }

    pub(crate) fn endless() -> Self {
        Self {
            body: Sends::Endless,
            ..Self::new(200, "")
        }
    }

    pub(crate) fn cut() -> Self {
        Self {
            body: Sends::Cut,
            ..Self::new(200, "")
        }
    }

    pub(crate) fn silence() -> Self {
        Self {
            body: Sends::Silence,
            ..Self::new(200, "")
        }
    }

    /// With this in place of `ID` in its body.
    pub(crate) fn answering(mut self, id: &str) -> Self {
        if let Sends::Bytes(body) = &mut self.body {
            *body = String::from_utf8_lossy(body).replace("ID", id).into_bytes();
        }
        self
    }

    /// Only after so long.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

pub(crate) struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, asked) = (Arc::new(answer), Arc::<Mutex<Vec<Asked>>>::default());
        let kept = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                let service = service_fn(move |request| {
                    let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                    async move {
                        let asked = read(request).await;
                        kept.lock().unwrap().push(asked.clone());
                        respond(answer(&asked)).await
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// The same answer to everything.
    pub(crate) async fn saying(says: Says) -> Self {
        Self::start(move |_| says.clone()).await
    }

    /// These answers one after the other, and then the last again.
    pub(crate) async fn saying_in_turn(says: Vec<Says>) -> Self {
        let next = Mutex::new(says.into_iter().peekable());
        Self::start(move |_| {
            let mut next = next.lock().unwrap();
            let says = next.next().expect("an answer is left");
            if next.peek().is_none() {
                *next = vec![says.clone()].into_iter().peekable();
            }
            says
        })
        .await
    }

    /// Where no server listens any more.
    pub(crate) async fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(request: Request<Incoming>) -> Asked {
    let (head, body) = request.into_parts();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = body
        .collect()
        .await
        .map(Collected::to_bytes)
        .unwrap_or_default();
    let path = head
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    Asked {
        method: head.method.to_string(),
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

async fn respond(says: Says) -> Result<Response<BoxBody<Bytes, io::Error>>, Infallible> {
    tokio::time::sleep(says.after).await;
    let body = match says.body {
        Sends::Bytes(bytes) => Full::new(Bytes::from(bytes)).map_err(never).boxed(),
        Sends::Endless => Endless.map_err(never).boxed(),
        Sends::Cut => Cut(false).boxed(),
        Sends::Silence => future::pending().await,
    };
    let mut response = Response::builder().status(says.status);
    for (name, value) in says.headers {
        response = response.header(name, value);
    }
    Ok(response.body(body).unwrap())
}

fn never(error: Infallible) -> io::Error {
    match error {}
}

/// Whether the piece was sent.
struct Cut(bool);

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = Ok(Frame::data(Bytes::from_static(b"{\"a\": ")));
        let cut = Err(io::ErrorKind::ConnectionReset.into());
        Poll::Ready(Some(if std::mem::replace(&mut self.0, true) {
            cut
        } else {
            piece
        }))
    }
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 8192])))))
    }
}
