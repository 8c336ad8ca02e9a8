//! A client that goes away, as a future. It listens only once it is waited for: most calls are over before.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::AbortSignal;

/// The other end of a request. Needs the compatibility flag `enable_request_signal`; without it nobody is told.
pub(crate) struct Hangup {
    signal: AbortSignal,
    listening: Option<Listening>,
}

struct Listening {
    waker: Rc<RefCell<Waker>>,
    /// Kept as long as the signal may call it.
    _closure: Closure<dyn FnMut()>,
}

impl Hangup {
    pub(crate) fn of(signal: AbortSignal) -> Self {
        Self { signal, listening: None }
    }

    /// Ready once the client is gone.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.signal.aborted() {
            return Poll::Ready(());
        }
        match &self.listening {
            Some(listening) => listening.waker.borrow_mut().clone_from(cx.waker()),
            None => {
                let waker = Rc::new(RefCell::new(cx.waker().clone()));
                let called = Rc::clone(&waker);
                let closure = Closure::wrap_assert_unwind_safe(Box::new(move || called.borrow().wake_by_ref()) as Box<dyn FnMut()>);
                self.signal.set_onabort(Some(closure.as_ref().unchecked_ref()));
                self.listening = Some(Listening { waker, _closure: closure });
            }
        }
        Poll::Pending
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        // a signal that outlives its request must not call what is gone
        if self.listening.is_some() {
            self.signal.set_onabort(None);
        }
    }
}
