//! Ends an alarm whose module has ended: where a panic aborts, nothing of the module is called
//! again, and the promise of its alarm would stay open, which keeps the next alarm away. What ends
//! it is the runtime's own: a timer and a promise, with no function of the module in them.

use std::cell::Cell;

use worker::js_sys::{Array, Function, Promise, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::WorkerGlobalScope;

/// From the last sign of life of a run. More than the 45 s for which it then still has its task.
const SILENCE_MS: i32 = 50_000;

/// A watch over one run.
#[derive(Debug)]
pub(crate) struct Watch {
    end: Function,
    ended: Promise,
    timer: Cell<Option<i32>>,
}

impl Watch {
    /// Begins to watch.
    pub(crate) fn new() -> Self {
        let given = Promise::with_resolvers::<JsValue, JsValue>();
        let watch = Self {
            end: given.resolve().unchecked_into(),
            ended: given.promise(),
            timer: Cell::default(),
        };
        watch.alive();
        watch
    }

    /// The promise of a run, or an end in its place once it is silent.
    pub(crate) fn over(&self, run: &Promise) -> Promise {
        Promise::race(&Array::of2(run, &self.ended))
    }

    /// A sign of life.
    pub(crate) fn alive(&self) {
        self.stop();
        let timer =
            scope().set_timeout_with_callback_and_timeout_and_arguments_0(&self.end, SILENCE_MS);
        self.timer.set(timer.ok());
    }

    /// The run has ended.
    pub(crate) fn stop(&self) {
        if let Some(timer) = self.timer.take() {
            scope().clear_timeout_with_handle(timer);
        }
    }
}

fn scope() -> WorkerGlobalScope {
    global().unchecked_into()
}
