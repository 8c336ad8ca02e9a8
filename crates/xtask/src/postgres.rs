//! The step `postgres`: a PostgreSQL server of this run's own, and the tests that ask one: the
//! driver's, and the toolkits' whole suite, which `unit` runs over SQLite; then one with the extension
//! pgvector, and the tests of vectors.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    cargo_steps,
    context::Context,
    embeddings, process as programs,
    report::{Counts, Error, Result, While},
    setup, workspace,
};

const START_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let programs = match setup::postgres(cx) {
        Ok(programs) => programs,
        Err(why) => {
            println!("PostgreSQL SKIPPED: {why}");
            return Ok(());
        }
    };
    let server = Server::start(&programs, Some(&cx.root.join("crates/sql/tests/tls")))?;
    // the driver's and the toolkits': both have a test target of this name
    let mut tests = workspace::test(cx, "postgres");
    tests.arg("--no-fail-fast");
    cargo_steps::tests(tests.env("MCPFN_TEST_POSTGRES", &server.url), counts)?;
    embeddings::recall(cx, Some(&server.url), counts)?;
    drop(server);
    vectors(cx, counts)
}

/// The tests of vectors, on a server that has the extension.
fn vectors(cx: &Context, counts: &mut Counts) -> Result<()> {
    let programs = match setup::pgvector(cx) {
        Ok(programs) => programs,
        Err(why) => {
            println!("pgvector SKIPPED: {why}");
            return Ok(());
        }
    };
    let server = Server::start(&programs, None)?;
    let mut tests = workspace::test(cx, "postgres");
    tests.args(["--", "vector_", "--nocapture"]);
    tests
        .env("MCPFN_TEST_POSTGRES", &server.url)
        .env("MCPFN_TEST_PGVECTOR", "1");
    cargo_steps::tests(&mut tests, counts)
}

/// A running server with its data, both gone when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    /// The user that the programs run as, where it is not our own.
    user: Option<u32>,
    pub(crate) url: String,
    child: Option<Child>,
}

impl Server {
    /// `tls` is the folder with the server's certificate and key, if it is to have one.
    pub(crate) fn start(programs: &Path, tls: Option<&Path>) -> Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcpfn-postgres-{}-{number}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
        let user = other_user(&folder)?;
        let mut server = Self {
            folder,
            programs: programs.to_owned(),
            user,
            url: String::new(),
            child: None,
        };
        server.prepare()?;
        let password = format!("hunter2-{}", process::id());
        server.make_data(&password)?;
        if let Some(tls) = tls {
            server.take_keys(tls)?;
        }
        let address = server.listen(tls.is_some())?;
        server.url = format!("postgres://postgres:{password}@{address}/postgres");
        Ok(server)
    }

    fn make_data(&self, password: &str) -> Result<()> {
        let password_file = self.folder.join("password");
        let mut file = File::create(&password_file).while_doing("create a password file")?;
        writeln!(file, "{password}").while_doing("write a password file")?;
        own(&password_file, self.user)?;
        let mut initdb = self.program("initdb");
        initdb.args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        initdb
            .arg(format!("--pwfile={}", password_file.display()))
            .arg("-D")
            .arg(self.data());
        programs::read(&mut initdb).map(drop)
    }

    /// Under the names that PostgreSQL looks for; it takes no key that others can read.
    fn take_keys(&self, tls: &Path) -> Result<()> {
        for name in ["server.pem", "server.key"] {
            let copy = self.data().join(name.replace(".pem", ".crt"));
            fs::copy(tls.join(name), &copy).while_doing(format_args!("copy {name}"))?;
            programs::read(Command::new("chmod").arg("600").arg(&copy))?;
            own(&copy, self.user)?;
        }
        Ok(())
    }

    /// Starts it, waits until it listens, and says where.
    fn listen(&mut self, tls: bool) -> Result<SocketAddr> {
        // free now, and in the moment in which the server takes it
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = listener.while_doing("find a free port")?;
        let log = self.folder.join("log");
        let output = File::create(&log).while_doing(format_args!("create {}", log.display()))?;
        let errors = output
            .try_clone()
            .while_doing("share a log between two streams")?;
        let mut postgres = self.program("postgres");
        let port = address.port().to_string();
        postgres.arg("-D").arg(self.data());
        postgres.args(["-h", "127.0.0.1,127.0.0.2", "-p", &port, "-k", ""]);
        // nothing here has to survive a power cut
        let ssl = if tls { "ssl=on" } else { "ssl=off" };
        for setting in ["fsync=off", "max_connections=300", ssl] {
            postgres.args(["-c", setting]);
        }
        let child = postgres
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .while_doing("start PostgreSQL")?;
        let child = self.child.insert(child);
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().while_doing("look after PostgreSQL")?;
            if ended.is_some() || start.elapsed() > START_LIMIT {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(Error::new(format!(
                    "PostgreSQL did not start; it says:\n{said}"
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(address)
    }

    /// PostgreSQL refuses to run as root, and nobody else may look into root's tool cache.
    fn prepare(&mut self) -> Result<()> {
        own(&self.folder, self.user)?;
        if self.user.is_some() {
            let copy = self.folder.join("programs");
            programs::read(Command::new("cp").arg("-r").arg(&self.programs).arg(&copy))?;
            programs::read(Command::new("chmod").args(["-R", "a+rX"]).arg(&copy))?;
            self.programs = copy;
        }
        // npm leaves the bits away that make a file a program
        programs::read(Command::new("chmod").arg("a+x").args(
            ["initdb", "pg_ctl", "postgres"].map(|name| self.programs.join("bin").join(name)),
        ))?;
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join("bin").join(name));
        command
            .env("LD_LIBRARY_PATH", self.programs.join("lib"))
            .current_dir(&self.folder);
        as_user(&mut command, self.user);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // asked to end, it takes its shared memory along; whatever goes wrong, the process ends
            let stopped = programs::read(
                self.program("pg_ctl")
                    .args(["stop", "-m", "immediate", "-D"])
                    .arg(self.data()),
            );
            if stopped.is_err() {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The number of the user `nobody`, if we are root.
#[cfg(unix)]
fn other_user(folder: &Path) -> Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = fs::metadata(folder)
        .while_doing(format_args!("look at {}", folder.display()))?
        .uid();
    Ok((owner == 0).then_some(65_534))
}

#[cfg(unix)]
fn own(path: &Path, user: Option<u32>) -> Result<()> {
    match user {
        Some(user) => std::os::unix::fs::chown(path, Some(user), Some(user))
            .while_doing(format_args!("give {} away", path.display())),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn as_user(command: &mut Command, user: Option<u32>) {
    use std::os::unix::process::CommandExt as _;
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
}

#[cfg(not(unix))]
fn other_user(_: &Path) -> Result<Option<u32>> {
    Ok(None)
}

#[cfg(not(unix))]
fn own(_: &Path, _: Option<u32>) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn as_user(_: &mut Command, _: Option<u32>) {}
