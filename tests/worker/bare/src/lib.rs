//! The smallest Worker that the crate `worker` makes: one answer to everything.

#![cfg(target_arch = "wasm32")]

#[worker::event(fetch)]
async fn fetch(_: worker::Request, _: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    worker::Response::ok("hello")
}
