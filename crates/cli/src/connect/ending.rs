//! What ends a bridge beside the end of stdin: a signal, and a client that is gone.

/// When the process is told to end.
pub(super) async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// When nobody reads stdout any more: a client that was killed wants no answers, and what it asked for
/// ends at the server. Elsewhere, and where stdout is no pipe, that shows with the next line.
pub(super) async fn reader_left() {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, poll};
        let (gone, left) = tokio::sync::oneshot::channel();
        // a thread of its own, which the end of the process ends
        std::thread::spawn(move || {
            let stdout = std::io::stdout();
            // that the other end is closed is always reported
            let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
            while poll(&mut watched, None) == Err(rustix::io::Errno::INTR) {}
            let _ = gone.send(watched[0].revents());
        });
        if left.await.is_ok_and(|seen| !seen.is_empty()) {
            return;
        }
    }
    std::future::pending::<()>().await;
}
