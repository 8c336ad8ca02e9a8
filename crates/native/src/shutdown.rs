//! The end of this process, as it is known before it comes.

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::Shutdown;
use tokio::sync::watch;

/// Says that this process ends soon. Copies share it.
///
/// ```
/// use mcpfn_core::port::Shutdown as _;
/// use mcpfn_native::ProcessShutdown;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let shutdown = ProcessShutdown::default();
/// let waits = shutdown.begun();
/// shutdown.begin();
/// waits.await;
/// shutdown.begun().await; // who asks later is told, too
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct ProcessShutdown(watch::Sender<bool>);

impl ProcessShutdown {
    /// From now on no more requests are taken: streams end, and tasks are given back to their
    /// store. Saying it again changes nothing.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown for ProcessShutdown {
    fn begun(&self) -> BoxFuture<'static, ()> {
        let shutdown = self.clone();
        Box::pin(async move {
            // an error where nobody is left who could say it, and this is one who could
            let _ = shutdown.0.subscribe().wait_for(|begun| *begun).await;
        })
    }
}
