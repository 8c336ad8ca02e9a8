//! Asynchronous invocations: an event that is taken with 202, delivered in its own time, again after a
//! failure, and twice where a test says so. Of the API there is `Invoke` with the type `Event` alone.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::fleet::Fleet;
use crate::runtime_api::{Deadline, Invocation};

/// How events are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Deliveries {
    /// How often each is, at the same time.
    pub copies: usize,
    /// How often it is again after a failure.
    pub retries: usize,
    /// And how long after it.
    pub pause: Duration,
    /// The function's timeout.
    pub timeout: Duration,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            copies: 1,
            retries: 0,
            pause: Duration::from_millis(300),
            timeout: Duration::from_secs(900),
        }
    }
}

/// One event, as it was ordered.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The function, as the request names it.
    pub function: String,
    /// Its event.
    pub event: Value,
}

/// The queue in front of a function.
#[derive(Debug)]
pub struct Queue {
    /// Where it is asked.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fleet: Arc<Fleet>,
    deliveries: Deliveries,
    ordered: Mutex<Vec<Ordered>>,
    /// What became of each delivery, in the order in which they ended.
    ended: Mutex<Vec<Result<(), String>>>,
}

impl Queue {
    /// Takes events from now on. The function may be told the address: it starts with its first event.
    ///
    /// # Errors
    /// When there is no port for it.
    pub async fn start(
        fleet: impl FnOnce(SocketAddr) -> Arc<Fleet>,
        deliveries: Deliveries,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            fleet: fleet(address),
            deliveries,
            ordered: Mutex::default(),
            ended: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok(Self { address, shared })
    }

    /// Every event that was ordered.
    #[must_use]
    pub fn ordered(&self) -> Vec<Ordered> {
        locked(&self.shared.ordered).clone()
    }

    /// What became of each delivery that has ended: nothing, or why it failed.
    #[must_use]
    pub fn ended(&self) -> Vec<Result<(), String>> {
        locked(&self.shared.ended).clone()
    }

    /// The function's environments.
    #[must_use]
    pub fn fleet(&self) -> &Arc<Fleet> {
        &self.shared.fleet
    }
}

impl Shared {
    async fn deliver(self: Arc<Self>, event: Value) {
        for delivery in 0..=self.deliveries.retries {
            if delivery > 0 {
                tokio::time::sleep(self.deliveries.pause).await;
            }
            let mut invocation = Invocation::new(event.clone());
            invocation.deadline = Deadline::In(self.deliveries.timeout);
            let answer = self.fleet.event(invocation).await;
            let ended = answer.map(drop).map_err(|failure| format!("{failure:?}"));
            let failed = ended.is_err();
            locked(&self.ended).push(ended);
            if !failed {
                return;
            }
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let refused = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        Ok(response)
    };
    let path = parts.uri.path();
    let function = path
        .strip_prefix("/2015-03-31/functions/")
        .and_then(|rest| rest.strip_suffix("/invocations"));
    let (Some(function), &Method::POST) = (function, &parts.method) else {
        return refused(StatusCode::NOT_FOUND);
    };
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let signed = header("authorization").unwrap_or_default();
    if !signed.contains("/eu-west-1/lambda/aws4_request") {
        return refused(StatusCode::FORBIDDEN);
    }
    if header("x-amz-invocation-type") != Some("Event") {
        return refused(StatusCode::BAD_REQUEST);
    }
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return refused(StatusCode::BAD_REQUEST);
    };
    locked(&shared.ordered).push(Ordered {
        function: function.replace("%3A", ":"),
        event: event.clone(),
    });
    for _ in 0..shared.deliveries.copies {
        tokio::spawn(Arc::clone(&shared).deliver(event.clone()));
    }
    refused(StatusCode::ACCEPTED)
}

// held for a few instructions and never across a wait
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
