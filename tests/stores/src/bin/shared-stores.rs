//! `shared-stores --redis PROGRAM FOLDER` and `shared-stores --postgres URL FOLDER`: the contract
//! against the services by which instances share what they know, and what happens when there is
//! something wrong with one. FOLDER has the certificates of the tests (`ca.pem`, `server.pem`,
//! `server.key`). `shared-stores --redis-groups PROGRAM FOLDER DISK`: the contract through a cluster
//! and a sentinel, whose servers write into DISK. `cargo xtask stores` starts it.

use std::path::Path;
use std::process::ExitCode;

use mcpfn_store_tests::report::Report;
use mcpfn_store_tests::{on_postgres, on_redis, on_redis_cluster, on_redis_sentinel};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut report = Report::default();
    match arguments[..] {
        ["--redis", program, folder] => {
            on_redis::check(Path::new(program), Path::new(folder), &mut report).await;
        }
        ["--redis-groups", program, folder, disk] => {
            let (program, disk) = (Path::new(program), Path::new(disk));
            let certificates = Path::new(folder);
            on_redis_cluster::check(program, disk, certificates, &mut report).await;
            on_redis_sentinel::check(program, disk, certificates, &mut report).await;
        }
        ["--postgres", url, folder] => {
            on_postgres::check(url, Path::new(folder), &mut report).await;
        }
        _ => {
            eprintln!(
                "usage: shared-stores --redis PROGRAM FOLDER | --redis-groups PROGRAM FOLDER DISK | \
                 --postgres URL FOLDER"
            );
            return ExitCode::FAILURE;
        }
    }
    if report.end() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
