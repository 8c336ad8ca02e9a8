//! Two processes of the program `mcpfn` that share a rate limit, results and idempotent writes through
//! one service, whichever that is.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    context::Context,
    lambda::http,
    report::{Counts, Error, Result, While, checked},
    workspace,
};

const LIMIT: Duration = Duration::from_secs(30);

/// Calls in an hour that both processes allow together.
const CALLS: u32 = 20;

/// Of these, repeats of one write.
const WRITES: u32 = 8;

/// What two processes share, as settings.
pub(super) struct Sharing<'a> {
    /// As `/ready` names it.
    pub(super) service: &'a str,
    /// Where it is, and how long a question may take.
    pub(super) variables: &'a [(&'a str, &'a str)],
}

/// A process that ends with its test.
pub(crate) struct Started(pub(super) Child);

impl Drop for Started {
    fn drop(&mut self) {
        // it may have ended already, and then there is nothing to stop
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `server` is the service, which ends when dropped.
pub(super) fn share<S>(
    cx: &Context,
    sharing: &Sharing<'_>,
    server: S,
    counts: &mut Counts,
) -> Result<()> {
    println!("\ntwo processes over one {}", sharing.service);
    let (one, two) = (
        Instance::start(cx, sharing, "one", "allow")?,
        Instance::start(cx, sharing, "two", "deny")?,
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
    drop(server);
    checked(
        "without it, an instance is ready unless every call needs it",
        ready(&one, &two, sharing.service),
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
    fn start(cx: &Context, sharing: &Sharing<'_>, name: &str, on_error: &str) -> Result<Self> {
        let program = workspace::build_program(cx, "mcpfn")?;
        let folder = format!("{}-{name}", sharing.service);
        let folder = cx.target.join("stores").join(folder);
        std::fs::create_dir_all(&folder)
            .while_doing(format_args!("create {}", folder.display()))?;
        let log = folder.join("log");
        let output = File::create(&log).while_doing(format_args!("create {}", log.display()))?;
        let mut command = Command::new(program);
        command
            .args(["--port", "0"])
            .env("MCPFN_TOOLKITS", "inventory")
            .env("MCPFN_DATA_DIR", &folder)
            .envs(sharing.variables.iter().copied())
            .env("MCPFN_RATE_LIMIT", format!("{CALLS}/h"))
            .env("MCPFN_RATE_LIMIT_ON_ERROR", on_error)
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

/// Once the service is gone: `/ready` of one that goes on without it, and of one that can't.
fn ready(one: &Instance, two: &Instance, service: &str) -> Result<()> {
    let (open, closed) = (get(one.address, "/ready")?, get(two.address, "/ready")?);
    let as_it_is = open.starts_with("HTTP/1.1 200")
        && closed.starts_with("HTTP/1.1 503")
        && closed.contains(service);
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
