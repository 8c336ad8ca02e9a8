//! Work after an answer, for which the platform keeps the isolate.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};

use crate::request_id::RequestId;
use crate::uncaught::uncaught;

/// Does work after the answer: the isolate is kept for it, at most 30 seconds beyond the answer's
/// end.
pub fn wait_until(work: impl Future<Output = ()> + 'static) {
    let request = RequestId::current();
    let work = uncaught(async move {
        let mut work = pin!(work);
        // what it logs is of the request that began it
        poll_fn(|cx| match &request {
            Some(request) => request.during(|| work.as_mut().poll(cx)),
            None => work.as_mut().poll(cx),
        })
        .await;
    });
    keep(&future_to_promise(AssertUnwindSafe(async move {
        // the panic hook has logged it
        let _ = work.await;
        Ok(JsValue::UNDEFINED)
    })));
}

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    #[wasm_bindgen(js_name = "waitUntil")]
    fn keep(work: &Promise);
}
