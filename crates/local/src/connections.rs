//! Which connections there are, and which of them wait for their clients: for a request, or for the
//! rest of one. A client that keeps the server waiting has no claim to its place: it goes to the
//! next one, so that no number of stalled requests keeps others out. Knows no HTTP.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// The connections of a server.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    table: Mutex<Table>,
    /// One left, or began to wait for its client.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    open: usize,
    /// Those that have had no request yet.
    fresh: usize,
    /// Counts beginnings of waits: who began first has waited longest.
    began: u64,
    /// Those that wait for their clients, by when that began.
    waiting: BTreeMap<u64, Arc<Notify>>,
}

impl Shared {
    /// Every change is one on a map or a number, so what is behind the lock is whole after a panic.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            most,
            table: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// A place for one more, which is waiting for its client: at once, if another one is, which
    /// then is closed.
    pub(crate) async fn enter(&self) -> Connection {
        loop {
            let changed = self.0.changed.notified();
            if let Some(connection) = self.try_enter() {
                return connection;
            }
            changed.await;
        }
    }

    fn try_enter(&self) -> Option<Connection> {
        let close = Arc::new(Notify::new());
        let mut table = self.0.table();
        if table.open >= self.0.most {
            let (_, idlest) = table.waiting.pop_first()?;
            idlest.notify_one();
            // its task still has to run to its end, and its place is the new one's already
            table.open -= 1;
        }
        table.open += 1;
        table.fresh += 1;
        let activity = Activity {
            shared: Arc::clone(&self.0),
            close,
            state: Arc::new(Mutex::new(State::Closed)),
            whole: Arc::default(),
        };
        *activity.state() = State::Fresh(begin(&mut table, &activity.close));
        drop(table);
        Some(Connection(activity))
    }

    /// Ends once each connection has had a request: one that is on its way is not to meet the end of
    /// its connection.
    pub(crate) async fn first_requests(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.table().fresh == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Closes the connection that has waited longest for its client, if one does.
    pub(crate) fn close_idlest(&self) {
        let mut table = self.0.table();
        if let Some((_, idlest)) = table.waiting.pop_first() {
            table.open -= 1;
            idlest.notify_one();
        }
    }
}

fn begin(table: &mut Table, close: &Arc<Notify>) -> u64 {
    table.began += 1;
    table.waiting.insert(table.began, Arc::clone(close));
    table.began
}

/// One connection; its place is free once it is dropped.
#[derive(Debug)]
pub(crate) struct Connection(Activity);

/// What a connection does at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    shared: Arc<Shared>,
    close: Arc<Notify>,
    state: Arc<Mutex<State>>,
    /// Its request was read to its end and is being answered.
    whole: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// With so many requests; never none.
    Busy(usize),
    /// For its first request, since this beginning.
    Fresh(u64),
    /// For its client, since this beginning.
    Waiting(u64),
    Closed,
}

impl Connection {
    pub(crate) fn activity(&self) -> Activity {
        self.0.clone()
    }

    /// Ends once it has waited for its client for so long, and at most twice as long.
    #[cfg(feature = "http2")]
    pub(crate) async fn is_idle_for(&self, time: std::time::Duration) {
        let waits_since = || match *self.0.state() {
            State::Fresh(since) | State::Waiting(since) => Some(since),
            State::Busy(_) | State::Closed => None,
        };
        loop {
            let before = waits_since();
            tokio::time::sleep(time).await;
            if before.is_some() && waits_since() == before {
                return;
            }
        }
    }

    /// Another connection has its place now.
    pub(crate) async fn told_to_close(&self) {
        self.0.close.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Activity { shared, .. } = &self.0;
        let mut table = shared.table();
        let mut state = self.0.state();
        let has_place = match *state {
            // one that was told to close is not in the table any more, and gave its place away
            State::Fresh(since) | State::Waiting(since) => table.waiting.remove(&since).is_some(),
            State::Busy(_) | State::Closed => true,
        };
        table.fresh -= usize::from(matches!(*state, State::Fresh(_)));
        // what is left of a request is of no connection any more
        *state = State::Closed;
        drop(state);
        table.open -= usize::from(has_place);
        drop(table);
        shared.changed.notify_one();
    }
}

impl Activity {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It works on a request until what is given is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.whole.store(false, Ordering::Relaxed);
        let request = OpenRequest {
            activity: self.clone(),
            phase: Arc::new(AtomicU8::new(WAITS)),
        };
        request.work();
        Busy(request)
    }

    /// A request was read to its end and is being answered.
    pub(crate) fn has_whole_request(&self) -> bool {
        self.whole.load(Ordering::Relaxed)
    }

    fn begin_work(&self) {
        let mut table = self.shared.table();
        let mut state = self.state();
        match *state {
            State::Busy(requests) => *state = State::Busy(requests + 1),
            // unless it was told to close
            State::Fresh(since) | State::Waiting(since)
                if table.waiting.remove(&since).is_some() =>
            {
                let had_none = matches!(*state, State::Fresh(_));
                *state = State::Busy(1);
                table.fresh -= usize::from(had_none);
                drop((state, table));
                if had_none {
                    self.shared.changed.notify_one();
                }
            }
            _ => {}
        }
    }

    fn end_work(&self) {
        let mut table = self.shared.table();
        let mut state = self.state();
        match *state {
            State::Busy(1) => {
                *state = State::Waiting(begin(&mut table, &self.close));
                drop(table);
                self.shared.changed.notify_one();
            }
            State::Busy(requests) => *state = State::Busy(requests - 1),
            _ => {}
        }
    }
}

/// A request of a connection that may have several at a time.
#[derive(Debug, Clone)]
struct OpenRequest {
    activity: Activity,
    /// One of those below.
    phase: Arc<AtomicU8>,
}

/// For its client.
const WAITS: u8 = 0;
/// The server works on it.
const WORKS: u8 = 1;
/// It is answered: what is read of its body after that is nothing that the connection does.
const ENDED: u8 = 2;

impl OpenRequest {
    fn work(&self) {
        if self.goes_from(WAITS, WORKS) {
            self.activity.begin_work();
        }
    }

    fn wait(&self) {
        if self.goes_from(WORKS, WAITS) {
            self.activity.end_work();
        }
    }

    fn end(&self) {
        if self.phase.swap(ENDED, Ordering::Relaxed) == WORKS {
            self.activity.end_work();
        }
    }

    fn goes_from(&self, phase: u8, next: u8) -> bool {
        let order = Ordering::Relaxed;
        let gone = self.phase.compare_exchange(phase, next, order, order);
        gone.is_ok()
    }
}

/// A request is being worked on.
#[derive(Debug)]
pub(crate) struct Busy(OpenRequest);

impl Busy {
    /// The body of the request.
    pub(crate) fn reading<B: Body>(&self, body: B) -> Reported<B> {
        if body.is_end_stream() {
            self.0.activity.whole.store(true, Ordering::Relaxed);
        }
        Reported {
            body,
            request: self.0.clone(),
            waits: false,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.activity.whole.store(false, Ordering::Relaxed);
        self.0.end();
    }
}

/// The body of a request: while it does not come, the server waits for its client.
#[derive(Debug)]
pub(crate) struct Reported<B> {
    body: B,
    request: OpenRequest,
    /// The last poll had nothing.
    waits: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Reported<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let waits = polled.is_pending();
        // most bodies are there already, and change nothing
        if waits != std::mem::replace(&mut self.waits, waits) {
            if waits {
                self.request.wait();
            } else {
                self.request.work();
            }
        }
        if let Poll::Ready(None) = polled {
            self.request.activity.whole.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response: until it is sent, the connection is busy.
pub(crate) struct Reporting<B> {
    pub(crate) body: B,
    pub(crate) _busy: Busy,
}

impl<B: Body + Unpin> Body for Reporting<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn now<F: Future>(future: F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn closed(connection: &Connection) -> bool {
        now(connection.told_to_close()).is_some()
    }

    #[test]
    fn the_one_that_waited_longest_makes_room() {
        let connections = Connections::new(2);
        let (first, second) = (now(connections.enter()), now(connections.enter()));
        let (first, second) = (first.unwrap(), second.unwrap());
        let work = first.activity().busy();
        let third = now(connections.enter()).unwrap();
        assert!(!closed(&first) && closed(&second) && !closed(&third));
        drop(second);
        let more = third.activity().busy();
        assert!(now(connections.enter()).is_none(), "both are at work");
        drop(work);
        let fourth = now(connections.enter()).unwrap();
        assert!(closed(&first) && !closed(&third) && !closed(&fourth));
        drop((first, more, third, fourth));
        assert_eq!(connections.0.table().open, 0);
        assert!(connections.0.table().waiting.is_empty());
    }

    #[test]
    fn who_opened_a_connection_may_send_its_first_request() {
        let connections = Connections::new(9);
        let [first, second, third] = [(); 3].map(|()| now(connections.enter()).unwrap());
        let mut all_had_one = Box::pin(connections.first_requests());
        let mut cx = Context::from_waker(Waker::noop());
        drop(first);
        let work = second.activity().busy();
        assert!(all_had_one.as_mut().poll(&mut cx).is_pending(), "the third");
        // one that makes room is there until its task has ended
        connections.close_idlest();
        assert!(all_had_one.as_mut().poll(&mut cx).is_pending());
        drop(third);
        assert!(all_had_one.as_mut().poll(&mut cx).is_ready());
        drop(work);
        assert!(now(connections.first_requests()).is_some());
    }

    #[test]
    fn a_connection_with_several_requests_waits_once_all_of_them_do() {
        struct Slow;
        impl Body for Slow {
            type Data = Bytes;
            type Error = std::convert::Infallible;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
                Poll::Pending
            }
        }
        let connections = Connections::new(1);
        let connection = now(connections.enter()).unwrap();
        let (first, second) = (connection.activity().busy(), connection.activity().busy());
        let mut body = first.reading(Slow);
        let mut cx = Context::from_waker(Waker::noop());
        let waiting = || connections.0.table().waiting.len();
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        assert_eq!(waiting(), 0, "the second one is at work");
        drop(second);
        assert_eq!(
            waiting(),
            1,
            "one is answered, and one waits for its client"
        );
        drop(first);
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        assert_eq!(
            waiting(),
            1,
            "what is read after an answer counts for nothing"
        );
        drop(connection.activity().busy());
        assert_eq!(waiting(), 1);
        drop((connection, body));
        assert!(connections.0.table().open == 0 && connections.0.table().waiting.is_empty());
    }

    #[test]
    fn a_free_place_is_for_the_next_one() {
        let connections = Connections::new(1);
        let first = now(connections.enter()).unwrap();
        let work = first.activity().busy();
        let mut next = Box::pin(connections.enter());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut cx).is_pending());
        drop(first);
        let Poll::Ready(second) = next.as_mut().poll(&mut cx) else {
            panic!("there is a place");
        };
        drop(work);
        assert_eq!(
            connections.0.table().waiting.len(),
            1,
            "the second one waits"
        );
        drop(second);
        connections.close_idlest();
        assert_eq!(connections.0.table().open, 0);
    }
}
