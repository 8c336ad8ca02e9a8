//! A receiver of events over TLS, with a certificate that it signed itself. It keeps what it was sent,
//! and answers as it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it was sent.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The header `webhook-id`.
    pub id: String,
    /// The body.
    pub body: Value,
    /// What it answered; nothing for none.
    pub status: Option<u16>,
}

/// A receiver, which ends with its runtime.
#[derive(Debug)]
pub struct Receiver {
    /// Where it is.
    pub address: SocketAddr,
    /// Its certificate, as DER.
    pub root: Vec<u8>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    status: Option<u16>,
    delivered: Vec<Delivered>,
}

impl Receiver {
    /// Answers with a status; with none it never answers.
    ///
    /// # Panics
    /// Where there is no port or no certificate.
    pub async fn start(status: Option<u16>) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate");
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            status,
            delivered: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, state) = (tls.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            root: made.cert.der().to_vec(),
            state,
        }
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Answers so from now on.
    pub fn becomes(&self, status: Option<u16>) {
        locked(&self.state).status = status;
    }

    /// What it was sent, in order.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        locked(&self.state).delivered.clone()
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let id = request.headers().get("webhook-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let id = id.to_owned();
    let body = request
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let status = {
        let mut state = locked(&state);
        let status = state.status;
        state.delivered.push(Delivered { id, body, status });
        status
    };
    let Some(status) = status else {
        return std::future::pending().await;
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

// held for a few instructions and never across a wait
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
