//! The guarded server as a program, for this machine and for Lambda. Its clock runs ahead by as
//! many seconds as the file says that `MCPFN_TEST_CLOCK` names, so that a test can let time pass.

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mcpfn::{
    Setup,
    port::{Clock, Platform},
};

struct Ahead(PathBuf);

impl Clock for Ahead {
    fn now_ms(&self) -> u64 {
        let ahead = std::fs::read_to_string(&self.0)
            .ok()
            .and_then(|seconds| seconds.trim().parse::<u64>().ok())
            .unwrap_or(0);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        u64::try_from(now)
            .unwrap_or(u64::MAX)
            .saturating_add(ahead * 1000)
    }
}

fn main() -> ExitCode {
    let file = std::env::var_os("MCPFN_TEST_CLOCK").map(PathBuf::from);
    let ports = |platform: Platform| match file {
        Some(file) => platform.with_clock(Arc::new(Ahead(file))),
        None => platform,
    };
    mcpfn::run_with(
        || {
            Ok::<_, Infallible>(Setup {
                builder: mcpfn_auth_tests::guarded(),
                ports,
            })
        },
        &[],
    )
}
