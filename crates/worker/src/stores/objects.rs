//! Durable Objects as JavaScript has them: how one is asked, and what it keeps things in. Nothing of
//! what is asked and kept.

use worker::ResponseBuilder;
use worker::js_sys::{Array, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, RequestInit, Response};

use crate::error::message;

const BAD_REQUEST: u16 = 400;

/// Objects of one class, by their names.
#[derive(Debug)]
pub(crate) struct Objects {
    namespace: Namespace,
    /// A placeholder: a request to an object never leaves Cloudflare.
    url: &'static str,
}

impl Objects {
    pub(crate) fn new(namespace: JsValue, url: &'static str) -> Self {
        Self {
            namespace: namespace.into(),
            url,
        }
    }

    /// Sends bytes to the object of a name: what it answers, or why there is no answer.
    pub(crate) async fn exchange(&self, name: &str, request: &[u8]) -> Result<Vec<u8>, String> {
        self.asked(name, request)
            .await
            .map_err(|error| message(&error))?
            .map_err(|status| format!("it answered with status {status}"))
    }

    async fn asked(&self, name: &str, request: &[u8]) -> Result<Result<Vec<u8>, u16>, JsValue> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&Uint8Array::from(request));
        let object = self.namespace.get_by_name(name)?;
        let response = Response::from(JsFuture::from(object.fetch(self.url, &init)?).await?);
        if !response.ok() {
            return Ok(Err(response.status()));
        }
        let body = JsFuture::from(response.array_buffer()?).await?;
        Ok(Ok(Uint8Array::new(&body).to_vec()))
    }
}

/// The bytes of a request to an object.
pub(crate) async fn bytes(request: &Request) -> Result<Vec<u8>, JsValue> {
    let body = JsFuture::from(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&body).to_vec())
}

/// What an object answers: bytes, or that it was asked what it does not understand.
pub(crate) fn response(answer: Option<Vec<u8>>) -> JsValue {
    let response = ResponseBuilder::new();
    let response = match answer {
        Some(bytes) => response.fixed(bytes),
        None => response.with_status(BAD_REQUEST).empty(),
    };
    Response::from(response).into()
}

#[wasm_bindgen]
extern "C" {
    #[derive(Debug)]
    type Namespace;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str) -> Result<Object, JsValue>;

    type Object;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Object, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    /// What the runtime gives an object.
    pub type ObjectState;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn storage(this: &ObjectState) -> Storage;

    #[derive(Debug, Clone)]
    pub(crate) type Storage;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn sql(this: &Storage) -> Sql;

    /// Values by their names. A read of one that is not there writes nothing.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn kv(this: &Storage) -> Values;

    #[wasm_bindgen(method, catch, js_name = getAlarm)]
    pub(crate) fn get_alarm(this: &Storage) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub(crate) fn set_alarm(this: &Storage, at_ms: f64) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = deleteAlarm)]
    pub(crate) fn delete_alarm(this: &Storage) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    pub(crate) fn delete_all(this: &Storage) -> Result<Promise, JsValue>;

    pub(crate) type Sql;

    #[wasm_bindgen(method, catch, variadic)]
    pub(crate) fn exec(this: &Sql, statement: &str, parameters: &Array) -> Result<Cursor, JsValue>;

    pub(crate) type Cursor;

    #[wasm_bindgen(method)]
    pub(crate) fn raw(this: &Cursor) -> JsValue;

    pub(crate) type Values;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn get(this: &Values, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn put(this: &Values, name: &str, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn delete(this: &Values, name: &str) -> Result<bool, JsValue>;
}
