//! What a probe learns of a SQLite file: whether it is there as a whole, while others write it, too.

use std::fs::{self, OpenOptions};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use mcpfn_ports::Sql;
use mcpfn_sql::Sqlite;
use rusqlite::Connection;

/// Some forty pages, the last of them with the end of a table.
const FILL: &str = "CREATE TABLE t (v); \
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) \
    INSERT INTO t SELECT randomblob(4000) FROM n;";

fn check(database: &Sqlite) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(database.check())
        .map_err(|error| error.to_string())
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mcpfn-whole-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("shop.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn cut(path: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

/// Every way to open a database, in each of its two modes, and every kind of cut.
#[test]
fn a_file_that_was_cut_off_is_seen() {
    for mode in ["delete", "wal"] {
        let scratch = Scratch::new(mode);
        let path = scratch.file();
        let made = Connection::open(&path).unwrap();
        made.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))
            .unwrap();
        made.execute_batch(FILL).unwrap();
        made.close().unwrap();
        let whole = fs::read(&path).unwrap();
        assert!(whole.len() > 40 * 4096);
        let length = whole.len() as u64;
        for cut_to in [
            0,
            1,
            99,
            100,
            4096,
            8192,
            length / 2,
            length - 4096,
            length - 1,
        ] {
            for writable in [true, false] {
                fs::write(&path, &whole).unwrap();
                let database = if writable {
                    Sqlite::open(&path)
                } else {
                    Sqlite::open_read_only(&path)
                };
                let database = database.unwrap();
                assert_eq!(check(&database), Ok(()), "{mode} {cut_to} {writable}");
                cut(&path, cut_to);
                assert!(check(&database).is_err(), "{mode} {cut_to} {writable}");
                fs::write(&path, &whole).unwrap();
                assert_eq!(
                    check(&database),
                    Ok(()),
                    "restored: {mode} {cut_to} {writable}"
                );
                drop(database);
                for rest in ["shop.db-wal", "shop.db-shm"] {
                    let _ = fs::remove_file(scratch.0.join(rest));
                }
            }
        }
        fs::write(&path, &whole).unwrap();
        let database = Sqlite::open_read_only(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(check(&database).is_err(), "{mode}: a file that is gone");
    }
    assert_eq!(check(&Sqlite::memory().unwrap()), Ok(()));
}

/// The file is shorter than it says while its log has the rest.
#[test]
fn pages_in_the_log_are_not_missing() {
    let scratch = Scratch::new("log");
    let path = scratch.file();
    let writer = Connection::open(&path).unwrap();
    writer
        .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
        .unwrap();
    writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    writer.execute_batch(FILL).unwrap();
    let database = Sqlite::open_read_only(&path).unwrap();
    assert_eq!(check(&database), Ok(()), "nothing is in the file yet");
    writer
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .unwrap();
    assert_eq!(check(&database), Ok(()));
    // as a checkpoint leaves it that was stopped after three pages
    cut(&path, 3 * 4096);
    assert_eq!(check(&database), Ok(()));
    cut(&scratch.0.join("shop.db-wal"), 20 * 4120);
    assert!(check(&database).is_err(), "half of them are nowhere");
}

#[test]
fn slow_statements_are_no_sign() {
    let scratch = Scratch::new("slow");
    let database = Sqlite::open(scratch.file()).unwrap();
    let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) \
                SELECT count(*) FROM n";
    let mut running: Vec<_> = (0..8).map(|_| database.query(slow, &[], 1)).collect();
    let mut cx = Context::from_waker(Waker::noop());
    for statement in &mut running {
        assert!(pin!(statement).poll(&mut cx).is_pending());
    }
    let asked = Instant::now();
    assert_eq!(check(&database), Ok(()));
    assert!(asked.elapsed() < Duration::from_secs(1));
}
