//! Servers of the TypeScript SDK and of FastMCP, and the fixture server, behind the deployable server: started
//! here, asked by a script in tests/e2e.

use std::path::Path;
use std::process::Command;

use super::script;
use crate::{
    context::Context,
    fixture::Fixture,
    report::{Counts, Error, Result},
    setup::{self, Node},
};

/// `ready` is the deployable server, `everything` the address of the fixture server.
pub(super) fn run(
    cx: &Context,
    node: &Node,
    python: &Path,
    ready: &Path,
    everything: &str,
    counts: &mut Counts,
) -> Result<()> {
    let folder = cx.root.join(setup::CLIENTS);
    let servers = Fixture::start_command(node.command().current_dir(&folder).arg("servers.mjs"))?;
    let fast = Fixture::start_command(Command::new(python).args([
        folder.join("python/server.py").as_os_str(),
        "fastmcp".as_ref(),
    ]))?;
    // nobody listens on port 9
    let (url, fast) = (&servers.url, &fast.url);
    let list = format!(
        "kept={url}/sessions,plain={url}/stateless,fast={fast},everything={everything},\
         gone=http://127.0.0.1:9/mcp"
    );
    let mut front = Fixture::start_command(
        Command::new(ready)
            .args(["--port", "0"])
            .env("MCPFN_TOOLKITS", "hello,upstream")
            .env("MCPFN_UPSTREAMS", list)
            .env("MCPFN_UPSTREAM_KEPT_TOKEN", "own-token"),
    )?;
    let mut failed = 0;
    for era in ["modern", "legacy"] {
        let mut command = node.command();
        command
            .current_dir(&folder)
            .args(["front.mjs", &front.url, url, era]);
        failed += usize::from(script::run("front.mjs", &mut command, counts).is_err());
        front.still_runs()?;
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Error::new(format!("front.mjs failed in {failed} eras")))
    }
}
