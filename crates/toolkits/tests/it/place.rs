//! Where tests have their databases: in memory, or on the PostgreSQL server whose superuser's URL
//! is in MCPFN_TEST_POSTGRES.

use std::sync::atomic::{AtomicU32, Ordering};

/// Not to be found in any output.
pub(crate) const PASSWORD: &str = "hunter2-of-the-tests";

/// The superuser's URL, if the tests are to ask PostgreSQL.
pub(crate) fn postgres() -> Option<String> {
    std::env::var("MCPFN_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

/// The same server and another role or database.
pub(crate) fn url_of(role: Option<&str>, database: &str) -> String {
    let url = postgres().expect("asked only with PostgreSQL");
    let (start, _) = url.rsplit_once('/').expect("a URL with a database");
    let (who, place) = start.rsplit_once('@').expect("a URL with a user");
    match role {
        Some(role) => format!("postgres://{role}:{PASSWORD}@{place}/{database}"),
        None => format!("{who}@{place}/{database}"),
    }
}

/// A name that no other run and no other test has.
pub(crate) fn unique(name: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!(
        "mcpfn_{name}_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    )
}
