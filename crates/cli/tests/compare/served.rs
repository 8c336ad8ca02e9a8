//! A server with two tools, on a port of its own.

use std::sync::mpsc::channel;
use std::time::Duration;

use mcpfn_core::{NoArguments, Server, Tool, round_trip::Keyring};
use mcpfn_http::{Config, Service};

/// Serves until the test ends; its endpoint.
pub(crate) fn start() -> String {
    let tool = |name: &str| {
        let tool = Tool::new(name).description("Greets.").read_only();
        tool.handler(|_: NoArguments| async { "Hello!" })
    };
    let builder = Server::builder("served", "1.2.3")
        .tool(tool("wave"))
        .tool(tool("greet"));
    let (ready, served) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let service = Service::new(builder.build().expect("a server"), Config::loopback());
            let service = service.assume_local_user();
            let platform = mcpfn_local::platform(Keyring::new([7; 32])).into();
            let say = |address: std::net::SocketAddr| ready.send(address.port()).expect("a test");
            let _ = mcpfn_local::serve(service, platform, 0, say, std::future::pending()).await;
        });
    });
    let port = served
        .recv_timeout(Duration::from_secs(20))
        .expect("the server listens");
    format!("http://127.0.0.1:{port}/mcp")
}
