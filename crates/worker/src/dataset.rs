//! The Analytics Engine dataset that points are written to. Writing one waits for nothing.

use worker::js_sys::{Array, Object, Reflect};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast as _, JsValue};

use crate::error::message;
use crate::metrics::Point;

/// A dataset.
pub(crate) struct Dataset(JsValue);

impl Dataset {
    pub(crate) fn new(binding: JsValue) -> Self {
        Self(binding)
    }

    /// Writes a point. One that is refused is a line of the log, and no more: the call is over.
    pub(crate) fn write(&self, point: &Point<'_>) {
        let texts = |texts: &[&str]| -> JsValue {
            texts
                .iter()
                .copied()
                .map(JsValue::from_str)
                .collect::<Array>()
                .into()
        };
        let numbers = point.doubles.map(|number| JsValue::from_f64(number as f64));
        let members = [
            ("indexes", texts(&[point.index])),
            ("blobs", texts(&point.blobs)),
            ("doubles", numbers.iter().collect::<Array>().into()),
        ];
        let event = Object::new();
        for (name, value) in members {
            // a new object takes any member
            let _ = Reflect::set(&event, &name.into(), &value);
        }
        let binding: &Binding = self.0.unchecked_ref();
        if let Err(error) = binding.write_data_point(&event) {
            tracing::warn!(
                event = "metrics_lost",
                cause = message(&error),
                "a call's metrics were refused"
            );
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type Binding;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write_data_point(this: &Binding, event: &Object) -> Result<(), JsValue>;
}
