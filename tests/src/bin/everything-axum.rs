//! The fixture server in a router of axum, below a path of its own.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mcpfn::round_trip::Keyring;
use mcpfn_core::host::{Listening, Subscriptions};
use mcpfn_http::{Config, Endpoint, Service};
use mcpfn_native::TaskRuns;
use mcpfn_native::memory::MemoryStores;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let listening = Listening::new(Duration::from_secs(1), Duration::from_secs(60));
    let subscriptions = Subscriptions {
        poll: true,
        listen: Some(listening),
    };
    let server = mcpfn_it::everything()
        .subscriptions(subscriptions)
        .build()?;
    let service = Service::new(server.clone(), Config::loopback()).assume_local_user();
    let (stores, runs) = (Arc::new(MemoryStores::default()), TaskRuns::default());
    let platform = mcpfn_local::platform(Keyring::new([7; 32]))
        .with_mailbox(Arc::clone(&stores) as _)
        .with_topics(Arc::clone(&stores) as _)
        .with_tasks(stores, Arc::new(runs.clone()));
    let platform = Arc::new(platform);
    runs.serve(&server, &platform);
    let endpoint = Endpoint::new(service, platform)?;
    let router = Router::new().nest_service("/tools", endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("listening on http://{}/tools/mcp", listener.local_addr()?);
        axum::serve(listener, router).await
    })?;
    Ok(())
}
