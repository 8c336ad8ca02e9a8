//! The fixture server as a Lambda bootstrap, with a tool that says who calls.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use mcpfn::Platform;
use mcpfn::prelude::*;
use mcpfn_lambda::Setup;

/// Says how the caller was recognised, and as whom.
#[tool(read_only)]
async fn whoami(cx: &Cx) -> String {
    let principal = cx.principal();
    format!("{:?} {}", principal.kind, principal.subject)
}

/// Reports progress five times, every tenth of a second, and logs if it is given up.
#[tool(read_only)]
async fn count(cx: &Cx) -> &'static str {
    let watch = Watch { done: false };
    for step in 1..=5 {
        cx.progress(f64::from(step), Some(5.0), None);
        cx.sleep(Duration::from_millis(100)).await;
    }
    watch.done()
}

struct Watch {
    done: bool,
}

impl Watch {
    fn done(mut self) -> &'static str {
        self.done = true;
        "done"
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done {
            println!("count was given up");
        }
    }
}

fn main() -> ExitCode {
    let setup = || {
        let builder = mcpfn_it::everything().tool(whoami).tool(count);
        Ok::<_, Infallible>(Setup { builder, ports: |platform: Platform| platform })
    };
    mcpfn_lambda::run(setup)
}
