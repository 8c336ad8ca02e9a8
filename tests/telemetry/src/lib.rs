//! A collector that takes spans as OTLP over HTTP, in protobuf, and shows them to a test. Not a
//! host, and no part of one.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// One request to the collector.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path, type and the header `x-test`.
    pub head: [String; 3],
    /// The message as it came.
    pub raw: Vec<u8>,
    /// The name of the service, and the spans.
    pub service: String,
    /// All spans in it.
    pub spans: Vec<Span>,
}

/// A running collector; it ends with its runtime.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    came: Arc<Notify>,
}

impl Collector {
    /// Starts one that answers everything with this status.
    pub async fn start(status: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let collector = Self {
            address: listener.local_addr()?,
            received: Arc::default(),
            came: Arc::default(),
        };
        let shared = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let answer = service_fn(move |request| shared.clone().answer(request, status));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answer),
                );
            }
        });
        Ok(collector)
    }

    async fn answer(
        self,
        request: Request<Incoming>,
        status: u16,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let head = [
            request.uri().path().to_owned(),
            header("content-type").unwrap_or_default(),
            header("x-test").unwrap_or_default(),
        ];
        let raw = request
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes().to_vec())
            .unwrap_or_default();
        let message = ExportTraceServiceRequest::decode(raw.as_slice()).unwrap_or_default();
        let resource = message
            .resource_spans
            .first()
            .and_then(|spans| spans.resource.clone())
            .unwrap_or_default();
        let service = attribute(&resource.attributes, "service.name").unwrap_or_default();
        let spans = message
            .resource_spans
            .into_iter()
            .flat_map(|of| of.scope_spans)
            .flat_map(|of| of.spans)
            .collect();
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Received {
                head,
                raw,
                service,
                spans,
            });
        self.came.notify_waiters();
        let mut response = Response::new(Full::default());
        *response.status_mut() = status.try_into().unwrap_or_default();
        Ok(response)
    }

    /// What came until now.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All spans, once there are so many.
    pub async fn spans(&self, count: usize) -> Vec<Span> {
        loop {
            let came = self.came.notified();
            let spans: Vec<Span> = self
                .received()
                .into_iter()
                .flat_map(|received| received.spans)
                .collect();
            if spans.len() >= count {
                return spans;
            }
            came.await;
        }
    }
}

/// The text of an attribute.
#[must_use]
pub fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let AnyValue { value } = attributes
        .iter()
        .find(|known| known.key == key)?
        .value
        .clone()?;
    match value? {
        Value::StringValue(text) => Some(text),
        other => Some(format!("{other:?}")),
    }
}
