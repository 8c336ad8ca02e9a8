//! Which request a line of the log is of. All calls of an isolate share one thread, so each poll of
//! one says whose it is, and says so no longer after it.

use std::cell::RefCell;
use std::rc::Rc;

#[cfg(target_arch = "wasm32")]
use http::HeaderMap;

thread_local! {
    /// The request that the thread works for.
    static CURRENT: RefCell<Option<Rc<RequestId>>> = const { RefCell::new(None) };
}

/// The longest id that a line repeats; Cloudflare's has 20 characters.
const MAX: usize = 64;

/// What the lines of one request say about it.
#[derive(Debug)]
pub(crate) struct RequestId {
    /// Cloudflare's name for the request; empty on a machine of one's own.
    pub(crate) ray: String,
    /// The trace of the client, from `traceparent`; empty without one.
    pub(crate) trace_id: String,
    /// Whether the isolate was made for it.
    pub(crate) cold_start: bool,
}

impl RequestId {
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn of(headers: &HeaderMap, cold_start: bool) -> Rc<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self::new(text("cf-ray"), text("traceparent"), cold_start)
    }

    pub(crate) fn new(ray: Option<&str>, traceparent: Option<&str>, cold_start: bool) -> Rc<Self> {
        let ray = ray.unwrap_or_default();
        Rc::new(Self {
            // found by whole ids only, so a part of one is none
            ray: if ray.len() <= MAX { ray } else { "" }.to_owned(),
            trace_id: traceparent
                .and_then(trace_id)
                .unwrap_or_default()
                .to_owned(),
            cold_start,
        })
    }

    /// The request that the thread works for, if any.
    pub(crate) fn current() -> Option<Rc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Does something for this request: what it logs says so.
    pub(crate) fn during<T>(self: &Rc<Self>, work: impl FnOnce() -> T) -> T {
        let before = CURRENT.replace(Some(Rc::clone(self)));
        // restored also when the work panics
        let _restored = Restored(before);
        work()
    }
}

struct Restored(Option<Rc<RequestId>>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// The id of the trace in a W3C `traceparent`.
fn trace_id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    let legal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (id.len() == 32 && id.bytes().all(legal)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_line_repeats_whole_ids_and_nothing_else() {
        let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let id = RequestId::new(Some("9a1b2c3d4e5f6071-FRA"), Some(&traceparent), true);
        assert_eq!(
            (id.ray.as_str(), id.trace_id.as_str()),
            ("9a1b2c3d4e5f6071-FRA", TRACE)
        );
        let long = "x".repeat(65);
        for traceparent in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-0-0",
            "00-\n-0-0",
        ] {
            let id = RequestId::new(Some(&long), Some(traceparent), false);
            assert_eq!(
                (id.ray.as_str(), id.trace_id.as_str()),
                ("", ""),
                "{traceparent}"
            );
        }
    }

    #[test]
    fn the_request_ends_with_its_work_also_when_that_panics() {
        let ray = || RequestId::current().map(|id| id.ray.clone());
        let (one, two) = (
            RequestId::new(Some("one"), None, true),
            RequestId::new(Some("two"), None, false),
        );
        one.during(|| {
            assert_eq!(ray().as_deref(), Some("one"));
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                two.during(|| assert_eq!(ray().as_deref(), Some("one")));
            }));
            assert!(panicked.is_err());
            assert_eq!(ray().as_deref(), Some("one"));
        });
        assert_eq!(ray(), None);
        assert!(one.cold_start && !two.cold_start);
    }
}
