//! The DynamoDB of the stores' tests behind HTTP, for functions that are processes of their own.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mcpfn_store_tests::fake::Fake;
use tokio::net::TcpListener;

/// Serves the table, and says where.
///
/// # Errors
/// When there is no port for it.
pub async fn serve(table: Fake) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let table = table.clone();
            let service = service_fn(move |request| answer(table.clone(), request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Ok(address)
}

/// An error here breaks the connection, which is what a lost request is.
async fn answer(table: Fake, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    let operation = target.unwrap_or_default().rsplit('.').next();
    let operation = operation.unwrap_or_default().to_owned();
    let body = request.collect().await.map_err(io::Error::other)?;
    let body = serde_json::from_slice(&body.to_bytes())?;
    let lost = || io::Error::from(io::ErrorKind::ConnectionReset);
    let (status, said) = table.ask(operation, body).await.ok_or_else(lost)?;
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::from(said.to_string()));
    response.map_err(io::Error::other)
}
