//! What the crate `worker` alone costs: each request is read to its end and answered with bytes
//! that were given, as the variables `list` and `call`. No JSON, no checks.

#![cfg(target_arch = "wasm32")]

use std::cell::OnceCell;

use worker::{Context, Env, Request, Response, Result, event};

thread_local! {
    /// Read once: variables are on the other side of the border to JavaScript.
    static ANSWERS: OnceCell<[String; 2]> = const { OnceCell::new() };
}

#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _: Context) -> Result<Response> {
    let listed = request.headers().get("mcp-method")?.as_deref() == Some("tools/list");
    request.bytes().await?;
    let answer = ANSWERS.with(|answers| {
        let variable = |name| {
            env.var(name)
                .map(|text| text.to_string())
                .unwrap_or_default()
        };
        let [list, call] = answers.get_or_init(|| ["list", "call"].map(variable));
        if listed { list.clone() } else { call.clone() }
    });
    let mut response = Response::from_bytes(answer.into_bytes())?;
    response
        .headers_mut()
        .set("content-type", "application/json")?;
    Ok(response)
}
