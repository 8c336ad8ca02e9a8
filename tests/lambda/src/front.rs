//! A function URL on this machine: HTTP in front of execution environments, each of which works on
//! one request at a time.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited, channel::Channel, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::environment::{Bootstrap, Environment, Parts};
use crate::reply::{Head, Prelude, Reply};
use crate::runtime_api::{Deadline, Invocation, Part};
use crate::url_event;

/// The largest event that AWS takes.
const LIMIT: usize = 6 * 1024 * 1024;

type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A function URL.
#[derive(Debug)]
pub struct Front {
    /// What it starts.
    pub bootstrap: Bootstrap,
    /// The function's timeout.
    pub timeout: Duration,
    /// The caller that IAM would have recognised; nobody without.
    pub caller: Option<String>,
    idle: Mutex<Vec<Environment>>,
    places: Arc<Semaphore>,
}

impl Front {
    /// A front that starts at most `most` environments.
    #[must_use]
    pub fn new(bootstrap: Bootstrap, most: usize) -> Self {
        let places = Arc::new(Semaphore::new(most));
        Self {
            bootstrap,
            timeout: Duration::from_secs(30),
            caller: None,
            idle: Mutex::default(),
            places,
        }
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When connections can't be accepted.
    pub async fn serve(self, listener: TcpListener) -> io::Result<Infallible> {
        let front = Arc::new(self);
        loop {
            let (stream, from) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let front = Arc::clone(&front);
            let answer = service_fn(move |request| {
                let front = Arc::clone(&front);
                async move { Ok::<_, Infallible>(front.answer(request, from).await) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer),
            );
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        from: SocketAddr,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LIMIT).collect().await else {
            return plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request is larger than an event can be",
            );
        };
        // 204 and answers to HEAD have no body in HTTP, whatever the function sent
        let bodiless = parts.method == Method::HEAD;
        match self.invoke(&parts, &body.to_bytes(), from.ip()).await {
            Ok(mut response) => {
                if bodiless || response.status() == StatusCode::NO_CONTENT {
                    *response.body_mut() = whole(Bytes::new());
                }
                response
            }
            Err(why) => {
                eprintln!("no answer: {why}");
                plain(StatusCode::BAD_GATEWAY, "Internal Server Error")
            }
        }
    }

    async fn invoke(
        self: &Arc<Self>,
        request: &http::request::Parts,
        body: &Bytes,
        from: IpAddr,
    ) -> Result<Response<Body>, String> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|error| error.to_string())?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let environment = match idle {
            Some(environment) => environment,
            None => Environment::start(&self.bootstrap)
                .await
                .map_err(|error| error.to_string())?,
        };
        let event = url_event::event(request, body, from, self.caller.as_deref());
        let mut parts = environment.send(Invocation {
            deadline: Deadline::In(self.timeout),
            ..Invocation::new(event)
        });
        let mut prelude = Prelude::default();
        loop {
            let part = tokio::time::timeout(self.timeout, parts.next())
                .await
                .map_err(|_| "the function took too long".to_owned())?;
            match part {
                Some((at, Part::Whole(bytes))) => {
                    self.release(environment, place);
                    let reply =
                        Reply::buffered(at, &bytes).map_err(|failure| format!("{failure:?}"))?;
                    return Ok(respond(&reply.head, whole(reply.body())));
                }
                Some((_, Part::Piece(piece))) => {
                    let Some((head, rest)) = prelude
                        .push(&piece)
                        .map_err(|failure| format!("{failure:?}"))?
                    else {
                        continue;
                    };
                    let (sender, body) = Channel::new(64);
                    tokio::spawn(Arc::clone(self).relay(environment, place, parts, rest, sender));
                    return Ok(respond(&head, body.boxed()));
                }
                Some((_, Part::Failed(error))) => {
                    self.release(environment, place);
                    return Err(error.to_string());
                }
                other => return Err(format!("{other:?}")),
            }
        }
    }

    /// Passes a stream on to its end, also when the client is gone: the platform does not tell a
    /// function.
    async fn relay(
        self: Arc<Self>,
        environment: Environment,
        place: OwnedSemaphorePermit,
        mut parts: Parts,
        rest: Bytes,
        mut client: http_body_util::channel::Sender<
            Bytes,
            Box<dyn std::error::Error + Send + Sync>,
        >,
    ) {
        let mut piece = Some(rest).filter(|rest| !rest.is_empty());
        loop {
            if let Some(piece) = piece.take() {
                let _ = client.send_data(piece).await;
            }
            match tokio::time::timeout(self.timeout, parts.next()).await {
                Ok(Some((_, Part::Piece(next)))) => piece = Some(next),
                Ok(Some((_, Part::End(None)))) => {
                    self.release(environment, place);
                    return;
                }
                broken => {
                    client.abort(format!("{broken:?}").into());
                    return;
                }
            }
        }
    }

    fn release(&self, environment: Environment, place: OwnedSemaphorePermit) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(environment);
        drop(place);
    }
}

fn respond(head: &Head, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers.clone();
    response
}

fn plain(status: StatusCode, said: &str) -> Response<Body> {
    let body = whole(Bytes::from(
        serde_json::json!({"Message": said}).to_string(),
    ));
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        http::HeaderValue::from_static("application/json"),
    );
    respond(&Head { status, headers }, body)
}

fn whole(bytes: Bytes) -> Body {
    http_body_util::Full::new(bytes)
        .map_err(|never| match never {})
        .boxed()
}
