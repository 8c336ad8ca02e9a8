//! A request as a host without HTTP makes it, for tests that compare bytes or look at a call while
//! it runs. Other tests use `TestClient`.

use mcpfn::jsonrpc::{Incoming, MAX_VALUES, Message, read, write_request};
use mcpfn::{
    Principal, Server,
    host::{Call, Envelope},
};
use mcpfn_testing::{TestClient, block_on};
use serde_json::{Value, json};

/// Gives the call of a request of 2026-07-28 with id 1, by the local user.
pub(crate) fn with_call<T>(method: &str, params: &Value, then: impl FnOnce(Call<'_>) -> T) -> T {
    let mut params = params.clone();
    for (key, value) in [
        ("protocolVersion", json!("2026-07-28")),
        ("clientCapabilities", json!({})),
    ] {
        params["_meta"][format!("io.modelcontextprotocol/{key}")] = value;
    }
    let message = write_request("1", method, params.to_string().as_bytes());
    let Ok(Incoming::Single(Message::Request(request))) = read(&message, MAX_VALUES) else {
        panic!("{method} {params} is no request")
    };
    let envelope = Envelope::new(request);
    let era = envelope.era(None).expect("an era");
    then(envelope.into_call(era, Principal::local()).expect("a call"))
}

/// The answer as it is written.
pub(crate) fn answer(server: &Server, method: &str, params: &Value) -> String {
    let client = TestClient::new(server.clone());
    let execution = with_call(method, params, |call| server.reply(call, client.platform()));
    let message = block_on(execution.into_response()).message;
    String::from_utf8(message.to_vec()).expect("JSON is UTF-8")
}
