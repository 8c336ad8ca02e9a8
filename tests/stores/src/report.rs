//! One line per check, and the counts. A check is a task of its own, so that its panic is its
//! failure.

use std::future::Future;

/// What passed and what failed.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Runs one check and says how it went.
    pub async fn check(&mut self, name: &str, check: impl Future<Output = ()> + Send + 'static) {
        // the panic's own message is on standard error already
        if tokio::spawn(check).await.is_ok() {
            println!("ok {name}");
            self.passed += 1;
        } else {
            println!("FAILED {name}");
            self.failed += 1;
        }
    }

    /// Says the counts, and whether all is well.
    #[must_use]
    pub fn end(&self) -> bool {
        println!("{} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}
