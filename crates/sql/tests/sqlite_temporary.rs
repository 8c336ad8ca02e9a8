//! What one statement may put aside while it sorts, groups and joins: bounded, in memory, and gone
//! after it. A process of its own, because SQLite's limit is one for each process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use mcpfn_ports::{ReadLimits, Sql as _, SqlError};
use mcpfn_sql::Sqlite;

const LIMITS: ReadLimits = ReadLimits {
    rows: 3,
    bytes: 1000,
    time: Duration::from_secs(20),
};
const MB: u64 = 1024 * 1024;
/// SQLite's 64 MB, as much that its allocator has not given back, and the process itself.
const MOST: u64 = 64 + 64 + 32;

/// Ways to put rows aside: to sort, to group, to be told apart, to be joined, to be kept.
const GREEDY: [&str; 7] = [
    "SELECT i, hex(zeroblob(400)) AS x FROM n ORDER BY x, i DESC",
    "SELECT DISTINCT i || hex(zeroblob(400)) FROM n LIMIT 1 OFFSET 3000000",
    "SELECT count(*) FROM (SELECT 1 FROM n GROUP BY i || hex(zeroblob(400)))",
    "SELECT i || hex(zeroblob(400)) FROM n UNION SELECT i FROM n LIMIT 1 OFFSET 3000000",
    "SELECT count(*) FROM n JOIN (SELECT i AS j, hex(zeroblob(400)) AS x FROM n) m ON m.j = n.i + 1 \
     WHERE m.x > ''",
    "SELECT sum(length(x)) OVER (ORDER BY x DESC) FROM (SELECT i || hex(zeroblob(400)) AS x FROM n)",
    "SELECT count(*) FROM (SELECT i || hex(zeroblob(400)) AS x FROM n EXCEPT SELECT i FROM n)",
];

fn rows() -> &'static str {
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) "
}

/// The most memory of this process, and the most bytes of files of SQLite's that nothing names,
/// until it is dropped.
struct Watch {
    stop: Arc<AtomicBool>,
    memory: Arc<AtomicU64>,
    files: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    fn begin() -> Self {
        let (stop, memory, files) = (Arc::default(), Arc::default(), Arc::default());
        let (stopped, most, most_files): (Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>) =
            (Arc::clone(&stop), Arc::clone(&memory), Arc::clone(&files));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                most.fetch_max(resident(), Ordering::Relaxed);
                most_files.fetch_max(temporary_files(), Ordering::Relaxed);
                thread::yield_now();
            }
        });
        Self {
            stop,
            memory,
            files,
            thread: Some(thread),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(thread::JoinHandle::join);
    }
}

fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}

fn temporary_files() -> u64 {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return 0;
    };
    open.flatten()
        .filter(|file| {
            let target = std::fs::read_link(file.path()).unwrap_or_default();
            target.to_string_lossy().ends_with(" (deleted)")
        })
        .filter_map(|file| std::fs::metadata(file.path()).ok())
        .map(|file| file.len())
        .sum()
}

#[tokio::test]
async fn what_a_statement_puts_aside_is_bounded() {
    let folder = std::env::temp_dir().join(format!("mcpfn-temporary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = Sqlite::open(folder.join("shop.sqlite")).unwrap();
    database.execute("CREATE TABLE t (a)", &[]).await.unwrap();
    database
        .execute("INSERT INTO t VALUES (1)", &[])
        .await
        .unwrap();
    for sql in GREEDY {
        let watch = Watch::begin();
        let outcome = database.read(&format!("{}{sql}", rows()), LIMITS).await;
        let (memory, files) = (
            watch.memory.load(Ordering::Relaxed) / MB,
            watch.files.load(Ordering::Relaxed) / MB,
        );
        drop(watch);
        println!("{memory:>4} MB of memory, {files:>4} MB of files: {sql}: {outcome:?}");
        assert_eq!(files, 0, "{sql}");
        assert!(memory < MOST, "{memory} MB: {sql}");
        if let Err(error) = &outcome {
            let SqlError::Rejected(said) = error else {
                panic!("{error:?}: {sql}");
            };
            assert!(said.contains("fewer rows"), "{said}");
        }
        // it had it for itself: the next one is not refused
        let next = database.read("SELECT a FROM t ORDER BY a", LIMITS).await;
        assert_eq!(next.unwrap().rows.len(), 1, "{sql}");
    }
    drop(database);
    std::fs::remove_dir_all(&folder).unwrap();
}
