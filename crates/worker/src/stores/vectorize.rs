//! An index of Vectorize behind the `VectorStore` port. A model is a namespace of it; what is put
//! there is found some seconds later. The index has one length and one metric for all.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{NearestVectors, VectorEntry, VectorError, VectorNames, VectorStore};
use serde_json::{Value, json};
use worker::js_sys::{JSON, Promise};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

use crate::error::message;
use crate::ports::Timeout;

/// The most that it finds at once, without metadata.
const MAX_NEAREST: usize = 100;
/// Vectors that go there at once; it takes a thousand.
const BATCH: usize = 500;
/// Ids whose metadata are asked for at once.
const ASKED: usize = 20;
/// How long it may take for an answer. A search has another way to go on then.
const PATIENCE: Duration = Duration::from_secs(3);

/// Vectors in an index of Vectorize.
///
/// Its ids have at most 64 bytes: a longer one is there under one of the [`VectorNames`], with the
/// whole id in its metadata, for which it takes another request.
#[derive(Debug)]
pub struct Vectorize(JsValue);

impl Vectorize {
    pub(crate) fn new(binding: JsValue) -> Self {
        Self(binding)
    }

    async fn upsert(&self, model: &str, entries: &[VectorEntry]) -> Result<(), VectorError> {
        let names = VectorNames::of(model);
        for entries in entries.chunks(BATCH) {
            let vectors = entries.iter().map(|entry| record(&names, entry));
            let vectors: Vec<Value> = vectors.collect::<Result<_, _>>()?;
            let vectors = to_js(&Value::Array(vectors))?;
            self.answer(self.binding().upsert(&vectors)).await?;
        }
        Ok(())
    }

    async fn delete(&self, model: &str, ids: &[String]) -> Result<(), VectorError> {
        let names = VectorNames::of(model);
        let ids: Vec<String> = ids.iter().map(|id| names.entry(id)).collect();
        for ids in ids.chunks(BATCH) {
            let ids = to_js(&json!(ids))?;
            self.answer(self.binding().delete_by_ids(&ids)).await?;
        }
        Ok(())
    }

    async fn query(
        &self,
        model: &str,
        vector: &[f32],
        most: usize,
    ) -> Result<NearestVectors, VectorError> {
        let names = VectorNames::of(model);
        let options = json!({
            "topK": most.clamp(1, MAX_NEAREST), "namespace": names.collection(),
            "returnValues": false, "returnMetadata": "none",
        });
        let vector = to_js(&json!(finite(vector)?))?;
        let asked = self.binding().query(&vector, &to_js(&options)?);
        let answer = self.answer(asked).await?;
        let matches = answer["matches"].as_array().ok_or_else(unreadable)?;
        let found: Vec<&str> = matches
            .iter()
            .take(most)
            .map(|found| found["id"].as_str().ok_or_else(unreadable))
            .collect::<Result<_, _>>()?;
        let whole = self.whole_ids(&found).await?;
        // what was removed since is left out
        let id = |entry: &&str| match names.id(entry) {
            Some(id) => Some(id.to_owned()),
            None => whole.get(*entry).cloned(),
        };
        Ok(NearestVectors {
            ids: found.iter().filter_map(id).collect(),
            partial: most > MAX_NEAREST && matches.len() == MAX_NEAREST,
        })
    }

    /// The ids of those whose names were shortened.
    async fn whole_ids(&self, names: &[&str]) -> Result<BTreeMap<String, String>, VectorError> {
        let mut whole = BTreeMap::new();
        let short = |name: &&&str| VectorNames::is_short(name);
        let short: Vec<&str> = names.iter().filter(short).copied().collect();
        for short in short.chunks(ASKED) {
            let asked = self.binding().get_by_ids(&to_js(&json!(short))?);
            let answer = self.answer(asked).await?;
            for found in answer.as_array().ok_or_else(unreadable)? {
                let texts = (found["id"].as_str(), found["metadata"]["id"].as_str());
                let (Some(name), Some(id)) = texts else {
                    return Err(unreadable());
                };
                whole.insert(name.to_owned(), id.to_owned());
            }
        }
        Ok(whole)
    }

    fn binding(&self) -> &Binding {
        self.0.unchecked_ref()
    }

    /// What it says, within a time.
    async fn answer(&self, asked: Result<Promise, JsValue>) -> Result<Value, VectorError> {
        let failed = |error: JsValue| VectorError(format!("Vectorize: {}", message(&error)));
        let mut asked = pin!(JsFuture::from(asked.map_err(failed)?));
        let mut time = Timeout::new(PATIENCE);
        let answered = poll_fn(|cx| match asked.as_mut().poll(cx) {
            Poll::Pending => Pin::new(&mut time).poll(cx).map(|()| None),
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
        });
        let answer = answered.await.ok_or_else(|| {
            VectorError(format!(
                "Vectorize gave no answer in {} s",
                PATIENCE.as_secs()
            ))
        })?;
        let text = JSON::stringify(&answer.map_err(failed)?).ok();
        let text = text.and_then(|text| text.as_string()).unwrap_or_default();
        serde_json::from_str(&text).map_err(|_| unreadable())
    }
}

impl VectorStore for Vectorize {
    fn put<'a>(
        &'a self,
        model: &'a str,
        entries: &'a [VectorEntry],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        Box::pin(self.upsert(model, entries))
    }

    fn remove<'a>(
        &'a self,
        model: &'a str,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        Box::pin(self.delete(model, ids))
    }

    fn nearest<'a>(
        &'a self,
        model: &'a str,
        vector: &'a [f32],
        most: usize,
    ) -> BoxFuture<'a, Result<NearestVectors, VectorError>> {
        Box::pin(self.query(model, vector, most))
    }
}

/// A vector as the index has it.
fn record(names: &VectorNames, entry: &VectorEntry) -> Result<Value, VectorError> {
    let id = names.entry(&entry.id);
    let metadata = match VectorNames::is_short(&id) {
        true => json!({"id": entry.id}),
        false => json!({}),
    };
    Ok(json!({
        "id": id, "values": finite(&entry.vector)?, "namespace": names.collection(),
        "metadata": metadata,
    }))
}

/// JSON has no other numbers.
fn finite(vector: &[f32]) -> Result<&[f32], VectorError> {
    match vector.iter().all(|number| number.is_finite()) {
        true => Ok(vector),
        false => Err(VectorError("a number of a vector is not finite".to_owned())),
    }
}

fn unreadable() -> VectorError {
    VectorError("Vectorize gave an answer of another shape".to_owned())
}

fn to_js(value: &Value) -> Result<JsValue, VectorError> {
    JSON::parse(&value.to_string()).map_err(|error| VectorError(message(&error)))
}

#[wasm_bindgen]
extern "C" {
    type Binding;

    #[wasm_bindgen(method, catch)]
    fn upsert(this: &Binding, vectors: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn query(this: &Binding, vector: &JsValue, options: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getByIds)]
    fn get_by_ids(this: &Binding, ids: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = deleteByIds)]
    fn delete_by_ids(this: &Binding, ids: &JsValue) -> Result<Promise, JsValue>;
}
