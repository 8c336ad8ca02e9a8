//! rmcp behind axum on the loopback address; the port is the argument.

use std::net::Ipv4Addr;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse::<u16>().ok()).expect("the argument is a port");
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, peer_rmcp::router(Some(&["127.0.0.1"]))).await
}
