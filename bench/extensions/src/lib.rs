//! The program of `main.rs` as a Worker.

#![cfg(target_arch = "wasm32")]

#[path = "main.rs"]
mod server;
