//! Runs a future on the test's own thread. The runtime beside it is for PostgreSQL's sockets alone.

use std::future::Future;
use std::sync::LazyLock;

use mcpfn_testing::block_on;
use tokio::runtime::{Builder, Runtime};

static SOCKETS: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread for sockets")
});

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let _entered = SOCKETS.enter();
    block_on(future)
}
