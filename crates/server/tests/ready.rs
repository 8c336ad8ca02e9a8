//! What a load balancer learns of the ready server: whether its database and its files are there,
//! and nothing of why not, which is for the log.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcpfn"))
            .args(["--port", "0"])
            .env_clear()
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("listening on "))
            .expect("it listens");
        let address = line
            .trim_start_matches("listening on http://")
            .trim_end_matches("/mcp")
            .parse()
            .unwrap();
        Self { child, address }
    }

    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].to_owned(), body.to_owned())
    }

    /// An answer is kept for a second.
    fn until_ready_says(&self, status: &str, document: &str) {
        let began = Instant::now();
        loop {
            let said = self.get("/ready");
            if said == (status.to_owned(), document.to_owned()) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{said:?}");
            std::thread::yield_now();
        }
    }

    fn log(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        log
    }
}

#[test]
fn a_database_or_a_directory_that_is_gone_is_named_without_a_cause() {
    let folder = std::env::temp_dir().join(format!("mcpfn-ready-{}", std::process::id()));
    let files = folder.join("files");
    let database = folder.join("hunter2.db");
    fs::create_dir_all(&files).unwrap();
    let made = rusqlite::Connection::open(&database).unwrap();
    made.execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(100000))")
        .unwrap();
    made.close().unwrap();
    let whole = fs::read(&database).unwrap();
    let server = Server::start(&[
        ("MCPFN_TOOLKITS", "database,files"),
        ("MCPFN_DATABASE", database.to_str().unwrap()),
        ("MCPFN_FILES_ROOT", files.to_str().unwrap()),
    ]);
    let ready = r#"{"status":"ready"}"#;
    server.until_ready_says("200", ready);
    let cut = fs::OpenOptions::new().write(true).open(&database).unwrap();
    cut.set_len(8192).unwrap();
    server.until_ready_says("503", r#"{"missing":["database"],"status":"unavailable"}"#);
    fs::remove_dir(&files).unwrap();
    server.until_ready_says(
        "503",
        r#"{"missing":["database","files"],"status":"unavailable"}"#,
    );
    fs::write(&database, &whole).unwrap();
    server.until_ready_says("503", r#"{"missing":["files"],"status":"unavailable"}"#);

    let (status, health) = server.get("/health");
    assert_eq!(status, "200", "the process lives");
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    let time = health["time"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(health["uptime_seconds"].as_u64().unwrap() <= PATIENCE.as_secs());
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));

    let log = server.log();
    let lines = |words: [&str; 3]| {
        let has = |line: &&str| words.iter().all(|word| line.contains(word));
        log.lines().filter(has).count()
    };
    let _ = fs::remove_dir_all(&folder);
    assert_eq!(
        lines(["dependency_missing", "database", "malformed"]),
        1,
        "{log}"
    );
    assert_eq!(
        lines(["dependency_missing", "files", "was removed"]),
        1,
        "{log}"
    );
    assert_eq!(lines(["dependency_back", "database", ""]), 1, "{log}");
}
