//! The ports of an isolate: its clock, its timers, its randomness, work after an answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use mcpfn_core::{
    handler::BoxFuture,
    port::{AuditLog, Background, Clock, Platform, Random, Timer},
    round_trip::Keyring,
};
use worker::js_sys::{Date, global};
use worker::wasm_bindgen::JsCast;
use worker::web_sys::WorkerGlobalScope;

use crate::callback::Callback;
use crate::wait_until::wait_until;

/// The longest wait that `setTimeout` understands, some 24 days; it takes a longer one for none.
const MAX_DURATION: Duration = Duration::from_millis(i32::MAX as u64);

/// The platform of this isolate, to which a server adds the ports of its toolkits.
pub(crate) fn platform(keys: Keyring, log: Arc<dyn AuditLog>) -> Platform {
    Platform::new(
        Arc::new(Isolate),
        Arc::new(Isolate),
        Arc::new(Isolate),
        log,
        keys,
    )
    .with_background(Arc::new(Isolate))
}

/// This isolate as every port that needs nothing else.
pub(crate) struct Isolate;

impl Clock for Isolate {
    /// The time of the last I/O: Workers stop the clock while code runs.
    fn now_ms(&self) -> u64 {
        Date::now() as u64
    }
}

impl Timer for Isolate {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Timeout::new(duration))
    }
}

/// `setTimeout`, from the first poll.
pub(crate) struct Timeout {
    milliseconds: i32,
    running: Option<(i32, Callback)>,
}

impl Timeout {
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            milliseconds: duration.min(MAX_DURATION).as_millis() as i32,
            running: None,
        }
    }
}

impl Future for Timeout {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((_, callback)) = &self.running {
            return callback.poll(cx);
        }
        let callback = Callback::new();
        let started = scope().set_timeout_with_callback_and_timeout_and_arguments_0(
            callback.function(),
            self.milliseconds,
        );
        // a request that is over may start no timers; its calls are over too
        let Ok(id) = started else {
            return Poll::Pending;
        };
        let pending = callback.poll(cx);
        self.running = Some((id, callback));
        pending
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let Some((id, _)) = &self.running {
            scope().clear_timeout_with_handle(*id);
        }
    }
}

fn scope() -> WorkerGlobalScope {
    global().unchecked_into()
}

impl Random for Isolate {
    fn fill(&self, buffer: &mut [u8]) {
        // without randomness, sealed state and error ids would be guessable: better no isolate than
        // that one
        getrandom::fill(buffer).expect("Web Crypto gives randomness");
    }
}

impl Background for Isolate {
    fn run(&self, work: BoxFuture<'static, ()>) {
        wait_until(work);
    }
}
