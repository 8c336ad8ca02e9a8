//! When the process is asked to stop, or to read its files again.

/// A future that ends when the process is asked to stop. It listens from now on, not from its first
/// poll: a signal that comes while the server starts would end the process otherwise.
#[cfg(unix)]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| format!("signals can't be received: {error}"));
    let (mut terminate, mut interrupt) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A future that ends when the process is asked to stop.
#[cfg(not(unix))]
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, String> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// When the process is asked to read its files again: SIGHUP, where there is such a signal. Without
/// a handler, it would end the process.
pub(crate) struct Reloads {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

/// Listens from now on, where there are certificates to read again or a supervisor may ask for it: a
/// terminal that closes ends what was started in it.
pub(crate) fn reloads(certificates: bool) -> Option<Reloads> {
    use std::io::IsTerminal as _;
    (certificates || !std::io::stdin().is_terminal()).then(|| Reloads {
        #[cfg(unix)]
        signals: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
    })
}

impl Reloads {
    /// Says that there is nothing to read again, each time that somebody asks for it: a supervisor
    /// that reloads its services must not end one.
    pub(crate) async fn ignored(mut self) {
        loop {
            self.next().await;
            tracing::info!(
                event = "reload_ignored",
                "SIGHUP reads certificates again, and none are set; other settings are read at a \
                 start"
            );
        }
    }

    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
