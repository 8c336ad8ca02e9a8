//! Instances of the fixture server, the nginx in front of them, and the Redis between them: started
//! on free ports of this machine, and stopped again.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    context::Context,
    fixture::{Fixture, STATE_KEY},
    report::{Error, Result, While},
    setup::DebianProgram,
};

const LIMIT: Duration = Duration::from_secs(20);

/// All of them; stopped when dropped.
pub(crate) struct Cluster {
    /// Where nginx listens.
    pub(crate) address: SocketAddr,
    program: PathBuf,
    redis: Option<String>,
    instances: Vec<(u16, Option<Fixture>)>,
    _nginx: ServerProcess,
    _redis: Option<ServerProcess>,
}

struct ServerProcess(Child);

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // asked to end, nginx takes its workers along; it may have ended already
        let asked = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

impl Cluster {
    pub(crate) fn start(
        cx: &Context,
        program: &Path,
        nginx: &DebianProgram,
        redis: Option<&DebianProgram>,
        instances: usize,
    ) -> Result<Self> {
        let folder = cx.target.join("load");
        fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
        let store = free_port()?;
        let start_redis = |redis: &DebianProgram| {
            let mut command = redis.command();
            command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
            server(command.arg(store.to_string()), store)
        };
        let redis_server = redis.map(start_redis).transpose()?;

        let ports = free_ports(instances)?;
        let (address, nginx_server) = balancer(&folder, nginx, &ports)?;

        let mut cluster = Self {
            address,
            program: program.to_owned(),
            redis: redis.map(|_| format!("redis://127.0.0.1:{store}")),
            instances: ports.into_iter().map(|port| (port, None)).collect(),
            _nginx: nginx_server,
            _redis: redis_server,
        };
        for instance in 0..instances {
            cluster.start_instance(instance)?;
        }
        Ok(cluster)
    }

    pub(crate) fn instances(&self) -> usize {
        self.instances.len()
    }

    /// The numbers of their processes.
    pub(super) fn processes(&self) -> Vec<u32> {
        let there = self
            .instances
            .iter()
            .filter_map(|(_, process)| process.as_ref());
        there.map(Fixture::id).collect()
    }

    /// Starts an instance once more, at its address.
    pub(crate) fn again(&mut self, instance: usize) -> Result<()> {
        self.start_instance(instance)
    }

    fn start_instance(&mut self, instance: usize) -> Result<()> {
        let (port, process) = &mut self.instances[instance];
        let mut command = Command::new(&self.program);
        command
            .args(["--port", &port.to_string()])
            .envs(self.redis.iter().map(|url| ("MCPFN_REDIS_URL", url)))
            .env("MCPFN_RATE_LIMIT", "1000000/min")
            // sealed state is opened by every instance
            .env("MCPFN_STATE_KEY", STATE_KEY)
            .env("MCPFN_SUBSCRIPTIONS", "poll")
            // balancers have this long to learn of it
            .env("MCPFN_DRAIN_DELAY_SECONDS", "1")
            .env("MCPFN_LOG", "error");
        *process = Some(Fixture::start_command(&mut command)?);
        Ok(())
    }

    /// Tells an instance to end, and waits until it has. nginx is told nothing: it asks nobody whether
    /// it is ready, and goes to the next instance when this one takes no connection.
    pub(crate) fn stop(&mut self, instance: usize) -> Result<()> {
        let process = self.instances[instance].1.take();
        process.map_or(Ok(()), |process| process.stop(LIMIT))
    }

    /// Ends an instance without a word.
    pub(crate) fn kill(&mut self, instance: usize) -> Result<()> {
        drop(self.instances[instance].1.take());
        Ok(())
    }

    /// Whether all of them are there.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        self.instances
            .iter_mut()
            .filter_map(|(_, process)| process.as_mut())
            .try_for_each(Fixture::still_runs)
    }
}

/// Other programs behind the same nginx; stopped when dropped.
pub(super) struct Peers {
    /// Where nginx listens.
    pub(super) address: SocketAddr,
    _nginx: ServerProcess,
    _servers: Vec<ServerProcess>,
}

impl Peers {
    /// So many of a program, each with its port as the last argument.
    pub(super) fn start(
        cx: &Context,
        program: &Path,
        arguments: &[&str],
        nginx: &DebianProgram,
        instances: usize,
    ) -> Result<Self> {
        let ports = free_ports(instances)?;
        let start = |port: &u16| {
            let mut command = Command::new(program);
            command.args(arguments).arg(port.to_string());
            server(command.env("MCPFN_LOG", "error"), *port)
        };
        let servers = ports.iter().map(start).collect::<Result<_>>()?;
        let (address, nginx) = balancer(&cx.target.join("load"), nginx, &ports)?;
        Ok(Self {
            address,
            _nginx: nginx,
            _servers: servers,
        })
    }
}

/// nginx in front of these ports, with its files in this folder, and where it listens.
fn balancer(
    folder: &Path,
    nginx: &DebianProgram,
    ports: &[u16],
) -> Result<(SocketAddr, ServerProcess)> {
    let front = free_port()?;
    let file = folder.join(format!("nginx-{front}.conf"));
    configure(&file, front, ports)?;
    let mut command = nginx.command();
    command.arg("-p").arg(folder).arg("-c").arg(&file);
    let server = server(command.args(["-e", "stderr"]), front)?;
    Ok(((Ipv4Addr::LOCALHOST, front).into(), server))
}

/// nginx as an operator has it, without TLS. A server is never set aside (`max_fails=0`): one that is
/// being restarted refuses connections at once, and two that are set aside would leave none.
fn configure(file: &Path, front: u16, ports: &[u16]) -> Result<()> {
    let servers: String = ports
        .iter()
        .map(|port| format!("server 127.0.0.1:{port} max_fails=0; "))
        .collect();
    let folder = file.parent().unwrap_or(Path::new("/")).display();
    let text = format!(
        "daemon off;\nuser root;\nerror_log {folder}/nginx-{front}.log;\npid {folder}/nginx-{front}.pid;\nworker_processes 1;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n\
         access_log off;\n\
         client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
         fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;\n\
         scgi_temp_path {folder}/scgi;\n\
         upstream mcpfn {{ {servers}keepalive 32; keepalive_timeout 60s; }}\n\
         server {{\n\
         listen 127.0.0.1:{front};\n\
         client_max_body_size 4m;\n\
         location / {{\n\
         proxy_pass http://mcpfn;\n\
         proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\";\n\
         proxy_set_header Host $http_host;\n\
         proxy_buffering off;\n\
         proxy_read_timeout 300s;\n\
         proxy_next_upstream error;\n\
         proxy_connect_timeout 2s;\n\
         }}\n}}\n}}\n"
    );
    fs::write(file, text).while_doing(format_args!("write {}", file.display()))
}

fn free_ports(count: usize) -> Result<Vec<u16>> {
    (0..count).map(|_| free_port()).collect()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.while_doing("find a free port")?.port())
}

/// Starts a server, and waits until it listens.
fn server(command: &mut Command, port: u16) -> Result<ServerProcess> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .while_doing("start a server")?;
    let mut process = ServerProcess(child);
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = process.0.try_wait().while_doing("look after a server")?;
        if ended.is_some() || start.elapsed() > LIMIT {
            return Err(Error::new(format!(
                "a server did not start on port {port}; what it said is above"
            )));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(process)
}
