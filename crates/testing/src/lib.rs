//! Tests of servers made with `mcpfn`: no socket, no process, no waiting. Not a host, and nothing
//! that a server in production needs.
//!
//! An author takes it as a feature of `mcpfn`, for tests alone:
//!
//! ```toml
//! [dev-dependencies]
//! mcpfn = { version = "0.1", features = ["testing"] }
//! ```
//!
//! | to test | use |
//! |---|---|
//! | a handler that takes `&Cx` | [`TestCx`] makes the [`Cx`](mcpfn_core::Cx) |
//! | a whole server, with schemas, scopes and caches before it | [`TestClient`] sends it JSON-RPC |
//! | what needs a future's value in a plain `#[test]` | [`block_on`], or `.wait()` on a request |
//! | what depends on the time | [`TestClock`], which stands still until it is told to go on |
//! | what asks another HTTP service | [`TestHttp`] answers in its place |
//!
//! A tool that asks the user something, tested both ways:
//!
//! ```
//! use mcpfn::prelude::*;
//! use mcpfn::testing::{Answer, TestClient, TestCx, block_on, questions};
//! use serde_json::json;
//!
//! #[input]
//! struct Order {
//!     /// What to order.
//!     item: String,
//! }
//!
//! /// Orders something, once the user has chosen a size.
//! #[tool]
//! async fn order(args: Order, cx: &Cx) -> Result<String, ToolError> {
//!     let form = Form::new("Which size?").choice("size", "The size", &["S", "M", "L"]);
//!     let answer = cx.elicit("size", form)?;
//!     match answer.text("size") {
//!         Some(size) => Ok(format!("Ordered {} in {size}.", args.item)),
//!         None => Ok("Nothing was ordered.".to_owned()),
//!     }
//! }
//!
//! // #[test] fn the_handler_asks_first()
//! let cx = TestCx::new().build();
//! let error = block_on(order(Order { item: "shirt".into() }, &cx)).unwrap_err();
//! assert_eq!(questions(&error)[0].message(), "Which size?");
//!
//! // #[test] fn the_handler_uses_the_answer()
//! let cx = TestCx::new().answer("size", Answer::accept(json!({"size": "M"}))).build();
//! let text = block_on(order(Order { item: "shirt".into() }, &cx)).unwrap();
//! assert_eq!(text, "Ordered shirt in M.");
//!
//! // #[test] fn a_client_that_declines()
//! let client = TestClient::new(Server::builder("shop", "1.0.0").tool(order))
//!     .answer("size", Answer::decline());
//! let result = client.call("order", json!({"item": "shirt"})).wait().unwrap();
//! assert_eq!(result.text(), "Nothing was ordered.");
//! ```

mod answer;
mod audit;
mod client;
mod clock;
mod cx;
mod events;
mod executor;
mod http;
mod notification;
mod ports;
mod stores;
mod tasks;

pub use answer::{Answer, Question, carried_state, private_cause, questions};
pub use audit::{AuditedCall, AuditedDelivery, RecordedFailure, TestAudit};
pub use client::error::{ClientError, ProtocolError};
pub use client::request::TestRequest;
pub use client::results::{
    CompletedValues, CompletionTarget, Discovery, PromptEntry, PromptEntryArgument, ResourceEntry,
    ResourceResult, ToolEntry, ToolResult,
};
pub use client::{IntoServer, TestClient};
pub use clock::TestClock;
pub use cx::TestCx;
pub use events::TestEvents;
pub use executor::block_on;
pub use http::TestHttp;
pub use notification::{LoggedMessage, ReportedProgress};
pub use ports::TestRandom;
pub use stores::TestStores;
pub use tasks::{TestTask, TestTasks};
