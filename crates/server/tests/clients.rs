//! What the ready server prints for clients is pasted: each entry is read as its client reads it, and
//! used. What answers is the server that printed it, with its tools and no others.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcpfn"));
    command.env_clear().envs(variables.iter().copied());
    command
}

/// A server over HTTP, and all that it printed at its start.
struct Served {
    child: Child,
    address: SocketAddr,
    printed: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables)
            .args(["--port", "0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !printed.contains("Stop with Ctrl-C") {
            printed.push_str(&lines.next().expect("it starts").unwrap());
            printed.push('\n');
        }
        let line = printed
            .lines()
            .find(|line| line.starts_with("listening on "));
        let address = line.unwrap().trim_start_matches("listening on http://");
        let address = address.split_once('/').unwrap().0.parse().unwrap();
        Self {
            child,
            address,
            printed,
        }
    }

    /// The names in `tools/list` at a URL of this server, or the status of a refusal.
    fn tools(&self, url: &str, headers: &[(String, String)]) -> Result<BTreeSet<String>, String> {
        let rest = url.strip_prefix(&format!("http://{}", self.address));
        let path = rest.unwrap_or_else(|| panic!("{url} is not {}", self.address));
        let body = list_request().to_string();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-method: tools/list\r\n\
             mcp-protocol-version: 2026-07-28\r\ncontent-length: {}\r\nconnection: close\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if &head[9..12] == "200" {
            Ok(names(&serde_json::from_str(body).unwrap()))
        } else {
            Err(head[9..12].to_owned())
        }
    }
}

fn list_request() -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}})
}

fn names(answer: &Value) -> BTreeSet<String> {
    let tools = answer["result"]["tools"].as_array().expect("a list");
    let names = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// Starts what a client would start, somewhere else and with nothing but what the entry says, and
/// lists its tools.
fn started(member: &Value) -> BTreeSet<String> {
    let words = member["args"].as_array().unwrap().iter();
    let env = member["env"].as_object().cloned().unwrap_or_default();
    let mut child = Command::new(member["command"].as_str().unwrap())
        .args(words.map(|word| word.as_str().unwrap()))
        .env_clear()
        .envs(
            env.iter()
                .map(|(name, value)| (name, value.as_str().unwrap())),
        )
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    // its input ends, and so does the program
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", list_request()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    names(&serde_json::from_str(line.lines().next().expect("an answer")).unwrap())
}

/// Lines to paste: those that are indented.
fn pasted(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter_map(|line| line.strip_prefix("    "))
}

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn base64_decoded(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.trim_end_matches('=').chars() {
        bits = bits << 6 | u32::try_from(alphabet.find(c).unwrap()).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// The server's member of a pasted line of JSON or a link; none of a command.
fn member(line: &str, name: &str) -> Option<Value> {
    if let Some(query) = line.strip_prefix("vscode:mcp/install?") {
        return serde_json::from_str(&percent_decoded(query)).ok();
    }
    if let Some((_, config)) = line.split_once("&config=") {
        return serde_json::from_slice(&base64_decoded(&percent_decoded(config))).ok();
    }
    let content: Value = serde_json::from_str(line).ok()?;
    let roots = ["mcpServers", "servers", "context_servers"];
    roots
        .iter()
        .find_map(|root| content.get(root)?.get(name).cloned())
}

/// The URL and the header of a command.
fn of_command(line: &str) -> Option<(String, Vec<(String, String)>)> {
    let url = line.split(' ').find(|word| word.starts_with("http://"))?;
    let header = line.split_once("--header '").map(|(_, rest)| {
        let (name, value) = rest.split_once('\'').unwrap().0.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    Some((url.to_owned(), header.into_iter().collect()))
}

fn of_member(member: &Value) -> Option<(String, Vec<(String, String)>)> {
    let url = member.get("url").or(member.get("serverUrl"))?.as_str()?;
    let headers = member["headers"].as_object().cloned().unwrap_or_default();
    let headers = headers.into_iter();
    let headers = headers.map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
    Some((url.to_owned(), headers.collect()))
}

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mcpfn-clients-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("shared")).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What each entry serves, used as it is but for the key; and how many were used.
fn check(served: &Served, printed: &str, name: &str, key: Option<&str>) -> usize {
    let direct: Vec<(String, String)> = key
        .map(|key| ("X-API-Key".to_owned(), key.to_owned()))
        .into_iter()
        .collect();
    let all = served.tools(&format!("http://{}/mcp", served.address), &direct);
    let all = all.expect("the printing server lists its tools");
    let mut used = 0;
    for line in pasted(printed) {
        let member = member(line, name);
        if let Some(member) = member
            .as_ref()
            .filter(|member| member.get("command").is_some())
        {
            assert_eq!(started(member), all, "{line}");
            used += 1;
            continue;
        }
        let found = member.as_ref().map_or_else(|| of_command(line), of_member);
        let Some((url, mut headers)) = found else {
            assert!(
                line.starts_with("claude mcp ") && !line.contains("add"),
                "unread: {line}"
            );
            continue;
        };
        assert_eq!(headers.len(), direct.len(), "{line}");
        for (_, value) in &mut headers {
            let placeholder = value.contains("KEY") || value == "${input:key}";
            assert!(placeholder, "{line}");
            key.unwrap().clone_into(value);
        }
        assert_eq!(served.tools(&url, &headers).as_ref(), Ok(&all), "{line}");
        used += 1;
    }
    used
}

#[test]
fn what_is_printed_reproduces_the_server() {
    let folder = Folder::new("open");
    let set = [
        ("MCPFN_TOOLKITS", "weather,files"),
        ("MCPFN_WEATHER_API_KEY", "hunter2"),
        ("MCPFN_FILES_ROOT", "shared"),
        ("MCPFN_SERVER_NAME", "acme"),
        ("MCPFN_LOG", "error"),
    ];
    let served = Served::start(&folder.0, &set);
    assert!(!served.printed.contains("hunter2"), "{}", served.printed);
    assert!(check(&served, &served.printed, "acme", None) >= 9);
    // the command prints the same, and more
    let port = served.address.port().to_string();
    let clients = command(&set)
        .arg("clients")
        .env("MCPFN_PORT", port)
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let clients = String::from_utf8(clients.stdout).unwrap();
    assert!(check(&served, &clients, "acme", None) >= 12, "{clients}");
    let greeted: BTreeSet<&str> = pasted(&served.printed).collect();
    let all: BTreeSet<&str> = pasted(&clients).collect();
    assert!(greeted.is_subset(&all), "{clients}");
}

#[test]
fn with_keys_each_entry_has_the_place_for_one() {
    let folder = Folder::new("keyed");
    let made = command(&[])
        .args(["key", "me", "--scopes", "*"])
        .output()
        .unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    let lines: Vec<&str> = made.lines().map(str::trim).collect();
    let (key, entry) = (lines[1], lines[3]);
    let set = [
        ("MCPFN_TOOLKITS", "hello"),
        ("MCPFN_AUTH", "api-key"),
        ("MCPFN_API_KEYS", entry),
    ];
    let served = Served::start(&folder.0, &set);
    let url = format!("http://{}/mcp", served.address);
    assert_eq!(served.tools(&url, &[]), Err("401".to_owned()));
    assert!(!served.printed.contains(entry) && !served.printed.contains(key));
    assert!(check(&served, &served.printed, "mcpfn", Some(key)) >= 9);
}

#[test]
fn a_file_of_variables_is_named_with_its_whole_path() {
    let folder = Folder::new("file");
    let lines = "MCPFN_TOOLKITS=hello\nMCPFN_WEATHER_API_KEY=hunter2\nMCPFN_SERVER_NAME=filed\n";
    fs::write(folder.0.join(".env"), lines).unwrap();
    let mut child = command(&[])
        .args(["clients", "--env-file", ".env"])
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    child.wait().unwrap();
    assert!(!printed.contains("hunter2"), "{printed}");
    let members = pasted(&printed).filter_map(|line| member(line, "filed"));
    let program = members
        .into_iter()
        .find(|member| member.get("command").is_some());
    let expected = BTreeSet::from(["hello_world".to_owned()]);
    assert_eq!(started(&program.expect("a program")), expected);
}

#[test]
fn two_deployments_are_added_under_two_names() {
    let folder = Folder::new("two");
    let line = |name: &str| {
        let set = [("MCPFN_TOOLKITS", "hello"), ("MCPFN_SERVER_NAME", name)];
        let output = command(&set).arg("clients").current_dir(&folder.0).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        pasted(&text).next().unwrap().to_owned()
    };
    let (one, other) = (line("sales"), line("stock"));
    assert_eq!(one.replace(" sales ", " stock "), other);
    assert_ne!(one, other);
}
