//! A JavaScript callback that a future waits for. It wakes the task that polled last: a call begins
//! under its request's task and goes on under its stream's (`worker::Delay` wakes the task that
//! polled first, and a stream would wait forever).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use worker::js_sys::Function;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::closure::Closure;

/// Ready once JavaScript has called [`Callback::function`]. Must outlive the call: drop it only
/// after telling JavaScript.
pub(crate) struct Callback {
    state: Rc<CallbackState>,
    closure: Closure<dyn FnMut()>,
}

struct CallbackState {
    called: Cell<bool>,
    waker: RefCell<Waker>,
}

impl Callback {
    pub(crate) fn new() -> Self {
        let state = Rc::new(CallbackState {
            called: Cell::new(false),
            waker: RefCell::new(Waker::noop().clone()),
        });
        let seen = Rc::clone(&state);
        let called = move || {
            seen.called.set(true);
            seen.waker.borrow().wake_by_ref();
        };
        Self {
            state,
            closure: Closure::wrap_assert_unwind_safe(Box::new(called) as Box<dyn FnMut()>),
        }
    }

    pub(crate) fn function(&self) -> &Function {
        self.closure.as_ref().unchecked_ref()
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.state.called.get() {
            return Poll::Ready(());
        }
        self.state.waker.borrow_mut().clone_from(cx.waker());
        Poll::Pending
    }
}
