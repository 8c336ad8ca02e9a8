//! Redis: the contract and outages, asked by tests/stores, and two processes of the program `mcpfn`
//! that share a rate limit, results and idempotent writes through one server.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::counted::counted;
use crate::{
    context::Context,
    lambda::http,
    report::{Counts, Error, Result, While, checked},
    setup, workspace,
};

const LIMIT: Duration = Duration::from_secs(30);

/// Calls in an hour that both processes allow together.
const CALLS: u32 = 20;

/// Of these, repeats of one write.
const WRITES: u32 = 8;

pub(super) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let redis = match setup::redis(cx) {
        Ok(redis) => redis,
        Err(why) => {
            println!("\nRedis SKIPPED: {why}");
            return Ok(());
        }
    };
    println!("\n{}", redis.description());
    let program = workspace::build_program(cx, "shared-stores")?;
    let mut command = Command::new(program);
    command.arg("--redis").arg(&redis.path);
    command.arg(cx.root.join("crates/sql/tests/tls"));
    counted(redis.environment(&mut command), counts)?;
    println!("\ntwo processes over one Redis");
    processes(cx, &redis, counts)
}

/// A process that ends with its test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // it may have ended already, and then there is nothing to stop
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn processes(cx: &Context, redis: &setup::DebianProgram, counts: &mut Counts) -> Result<()> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .while_doing("find a free port")?;
    let mut command = redis.command();
    command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
    command.arg(free.port().to_string()).stdout(Stdio::null());
    let redis = Started(command.spawn().while_doing("start redis-server")?);
    let start = Instant::now();
    while TcpStream::connect(free).is_err() {
        if start.elapsed() > LIMIT {
            return Err(Error::new("redis-server did not start"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    let url = format!("redis://{free}");
    let (one, two) = (
        Instance::start(cx, &url, "one", "allow")?,
        Instance::start(cx, &url, "two", "deny")?,
    );
    let said = shared(&one, &two);
    checked(
        "a write with a key is made once by two processes, whoever is asked",
        said,
        counts,
    )?;
    checked(
        "a rate limit counts the calls of both",
        limited(&one, &two),
        counts,
    )?;
    drop(redis);
    checked(
        "without it, an instance is ready unless every call needs it",
        ready(&one, &two),
        counts,
    )
}

/// A process of the program, with the inventory of the demo shop, each with a database of its own:
/// a write that is made twice is seen.
struct Instance {
    address: SocketAddr,
    _process: Started,
}

impl Instance {
    fn start(cx: &Context, url: &str, name: &str, on_error: &str) -> Result<Self> {
        let program = workspace::build_program(cx, "mcpfn")?;
        let folder = cx.target.join("stores").join(format!("redis-{name}"));
        std::fs::create_dir_all(&folder)
            .while_doing(format_args!("create {}", folder.display()))?;
        let log = folder.join("log");
        let output = File::create(&log).while_doing(format_args!("create {}", log.display()))?;
        let mut command = Command::new(program);
        command
            .args(["--port", "0"])
            .env("MCPFN_TOOLKITS", "inventory")
            .env("MCPFN_DATA_DIR", &folder)
            .env("MCPFN_REDIS_URL", url)
            .env("MCPFN_RATE_LIMIT", format!("{CALLS}/h"))
            .env("MCPFN_RATE_LIMIT_ON_ERROR", on_error)
            .env("MCPFN_REDIS_TIMEOUT_MS", "500")
            .env("MCPFN_LOG_FORMAT", "json");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(output)
            .spawn()
            .while_doing("start mcpfn")?;
        let stdout = child.stdout.take();
        let process = Started(child);
        let stdout = stdout.ok_or_else(|| Error::new("mcpfn has no standard output"))?;
        let address = BufReader::new(stdout)
            .lines()
            .map_while(std::result::Result::ok)
            .find_map(|line| address_in(&line));
        let address = address.ok_or_else(|| {
            Error::new(format!(
                "mcpfn did not say where it listens; its log is {}",
                log.display()
            ))
        })?;
        Ok(Self {
            address,
            _process: process,
        })
    }

    fn ask(&self, tool: &str, arguments: &Value) -> Result<Value> {
        let body = http::call(tool, arguments).to_string();
        Ok(http::post(self.address, "/mcp", &body, LIMIT)?.body())
    }
}

/// Once Redis is gone: `/ready` of one that goes on without it, and of one that can't.
fn ready(one: &Instance, two: &Instance) -> Result<()> {
    let (open, closed) = (get(one.address, "/ready")?, get(two.address, "/ready")?);
    let as_it_is = open.starts_with("HTTP/1.1 200")
        && closed.starts_with("HTTP/1.1 503")
        && closed.contains("redis");
    if as_it_is {
        Ok(())
    } else {
        Err(Error::new(format!("{open}\n{closed}")))
    }
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).while_doing("connect to mcpfn")?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .while_doing("ask mcpfn")?;
    let mut said = String::new();
    stream
        .read_to_string(&mut said)
        .while_doing("read an answer of mcpfn")?;
    Ok(said)
}

/// `127.0.0.1:PORT` in a line.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("127.0.0.1:")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let port = rest[..digits].parse().ok()?;
    Some((Ipv4Addr::LOCALHOST, port).into())
}

/// Calls of one write, at the same time and in both processes. An order has a random name, so that
/// two orders have two.
fn shared(one: &Instance, two: &Instance) -> Result<()> {
    let arguments = json!({"sku": "LGT-1050", "quantity": 10, "idempotency_key": "order-1"});
    let ask = |call: u32| {
        let instance = if call.is_multiple_of(2) { one } else { two };
        instance.ask("draft_purchase_order", &arguments)
    };
    let ask = &ask;
    let answers: Vec<Result<Value>> = thread::scope(|scope| {
        let asked: Vec<_> = (0..WRITES)
            .map(|call| scope.spawn(move || ask(call)))
            .collect();
        let joined = asked.into_iter().map(|asked| {
            let ended = asked.join();
            ended.unwrap_or_else(|_| Err(Error::new("a call panicked")))
        });
        joined.collect()
    });
    let mut orders = Vec::new();
    for answer in answers {
        let answer = answer?;
        let text = answer["result"]["content"][0]["text"].as_str();
        let order: Value = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| Error::new(format!("no order: {answer}")))?;
        orders.push(order["id"].to_string());
    }
    orders.sort();
    orders.dedup();
    if orders.len() == 1 && orders[0].contains("PO-") {
        Ok(())
    } else {
        Err(Error::new(format!("one write made {orders:?}")))
    }
}

/// After [`shared`]: what its calls left of the limit.
fn limited(one: &Instance, two: &Instance) -> Result<()> {
    let mut served = 0;
    for call in 0..CALLS + 10 {
        let instance = if call % 3 == 0 { one } else { two };
        let answer = instance.ask("get_stock_levels", &json!({}))?;
        match answer["error"]["message"].as_str() {
            Some(refused) if refused.contains("too many calls") => {}
            Some(other) => return Err(Error::new(other)),
            None => served += 1,
        }
    }
    if served + WRITES == CALLS {
        Ok(())
    } else {
        Err(Error::new(format!(
            "{served} calls were served after {WRITES}, of {CALLS} that are allowed"
        )))
    }
}
