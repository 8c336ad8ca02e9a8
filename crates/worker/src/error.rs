//! Errors of JavaScript as text.

use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;

/// What a JavaScript error says.
pub(crate) fn message(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into())
        .ok()
        .and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}
