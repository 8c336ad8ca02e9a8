//! The echo that every contestant has, as an author writes it for mcpfn. `BENCH_TOOLS` adds tools
//! that nobody calls and one that reports progress: those are for `--part scale`, where mcpfn is
//! measured alone.

use std::time::Duration;

use mcpfn::prelude::*;

#[input]
struct Text {
    /// What to say again.
    text: String,
}

/// Says it again.
#[tool(read_only)]
async fn echo(args: Text) -> String {
    args.text
}

/// Says it again after five reports of progress, for as long as it takes a thousand others to open
/// their streams.
#[tool(read_only, timeout = "60s")]
async fn steps(args: Text, cx: &Cx) -> String {
    for step in 1..=5 {
        cx.progress(f64::from(step), Some(5.0), None);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    args.text
}

fn server() -> Builder {
    let builder = Server::builder("echo", "1.0.0").tool(echo);
    let Some(tools) = std::env::var("BENCH_TOOLS").ok().and_then(|tools| tools.parse::<usize>().ok()) else { return builder };
    let more =
        |number| Tool::new(format!("echo_{number}")).description("Says it again.").read_only().handler(|args: Text| async move { args.text });
    (2..tools).fold(builder.tool(steps), |builder, number| builder.tool(more(number)))
}

mcpfn::main!(server());
