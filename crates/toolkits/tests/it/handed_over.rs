//! An instance that ends in the middle of a task: when it is to, and time to see it.

use std::sync::Arc;
use std::task::Poll;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::Shutdown;

/// Lets others look in between: a database that answers at once would leave them no time.
pub(crate) async fn pause() {
    let mut passed = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The instance is to end once this is so.
pub(crate) struct EndsOnce(Arc<dyn Fn() -> bool + Send + Sync>);

impl EndsOnce {
    pub(crate) fn new(is_so: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_so))
    }
}

impl Shutdown for EndsOnce {
    fn begun(&self) -> BoxFuture<'static, ()> {
        let is_so = Arc::clone(&self.0);
        Box::pin(async move {
            while !is_so() {
                pause().await;
            }
        })
    }
}
