//! The local host as a person meets it: the binary `everything` with its pipes, exit codes and signals, and connections that
//! go away. What a message means is in `wire.rs` and `refuse.rs`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use mcpfn::prelude::*;
use serde_json::{Value, json};

use crate::support::process::{PATIENCE, Process, command, run};
use crate::support::socket::{Local, encode, send, send_raw};
use crate::support::{Request, complete, servers, stdio};

fn message(id: u32, method: &str, params: Value) -> String {
    let mut message = json!({"id": id, "method": method, "params": params});
    complete("2026-07-28", &mut message);
    message.to_string()
}

fn call(id: u32, tool: &str, arguments: Value) -> String {
    message(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

fn ids(output: &str) -> Vec<u64> {
    let read = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("stdout has a line that is no message ({error}): {line}"))
    };
    output.lines().map(read).filter_map(|message| message["id"].as_u64()).collect()
}

#[test]
fn stdio_writes_one_line_per_message_and_nothing_else() {
    let mut process = Process::stdio();
    process.say(&message(1, "server/discover", json!({})));
    process.say("");
    process.say(&call(2, "test_panic", json!({})));
    process.say(&call(3, "test_simple_text", json!({})));
    process.say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\"}");
    process.say("not json");
    process.end_input();
    assert!(process.wait().success());
    let output = process.stdout.collect_all();
    let messages: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("a line is a message")).collect();
    assert_eq!(messages.len(), 4, "{output}");
    let mut answered = ids(&output);
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
    assert!(messages.iter().any(|message| message["error"]["code"] == -32700 && message.get("id").is_none()));
    let panicked = messages.iter().find(|message| message["id"] == 2).expect("an answer");
    let said = panicked["result"]["content"][0]["text"].as_str().expect("text");
    assert!(!said.contains("private"), "{said}");
    let id = said.split("(error id ").nth(1).and_then(|rest| rest.split(')').next()).expect("an error id");
    let log = process.stderr.collect_all();
    assert!(log.contains(id) && log.contains("a private message"), "the log has the cause under the id {id}: {log}");
}

#[test]
fn stdio_answers_as_calls_end() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [2]);
    assert_eq!(ids(&process.stdout.next()), [1]);
}

#[test]
fn stdio_reports_before_the_answer() {
    let mut process = Process::stdio();
    process.say(&message(1, "tools/call", json!({"name": "test_tool_with_progress", "_meta": {"progressToken": "p"}})));
    let lines: Vec<Value> = (0..4).map(|_| serde_json::from_str(&process.stdout.next()).expect("JSON")).collect();
    assert!(lines[..3].iter().all(|line| line["method"] == "notifications/progress"), "{lines:?}");
    assert_eq!(lines[3]["id"], 1);
}

#[test]
fn stdio_cancels_a_call_and_says_nothing_of_it() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_slow", json!({"milliseconds": 200})));
    process.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"changed my mind"}}"#);
    process.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"2"}}"#);
    process.end_input();
    assert!(process.wait().success());
    assert_eq!(ids(&process.stdout.collect_all()), [2], "calls in flight end before the process does; the cancelled one is gone");
}

#[test]
fn stdio_drops_a_cancelled_handler() {
    let (dropped, when_dropped) = channel();
    let (started, when_started) = channel();
    let input = [call(1, "wait", json!({})), r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#.to_owned()];
    let output = stdio::raw(move || waiting(started, dropped, Reports::None), (input.join("\n") + "\n").as_bytes(), 1000);
    assert_eq!(output, "");
    // it may be cancelled before it was polled at all, and then there was nothing to drop
    assert_eq!(when_started.try_recv().is_ok(), when_dropped.try_recv().is_ok());
}

#[test]
fn stdio_finishes_calls_in_flight_at_the_end_of_input() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 150})));
    process.end_input();
    assert!(process.wait().success());
    assert_eq!(ids(&process.stdout.collect_all()), [1]);
}

#[test]
fn stdio_finishes_calls_in_flight_when_told_to_stop() {
    let mut process = Process::stdio();
    process.say(&call(1, "test_slow", json!({"milliseconds": 200})));
    process.say(&call(2, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [2]);
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(ids(&process.stdout.collect_all()), [1]);
}

#[test]
fn stdio_refuses_a_line_that_is_too_long_and_goes_on() {
    let mut process = Process::start(command(&["--stdio"]).stdin(Stdio::piped()).env("MCPFN_MAX_BODY", "1000"));
    process.say(&"x".repeat(100_000));
    let refused: Value = serde_json::from_str(&process.stdout.next()).expect("JSON");
    assert_eq!((&refused["error"]["code"], refused.get("id")), (&json!(-32600), None));
    assert!(refused["error"]["message"].as_str().is_some_and(|message| message.contains("1000")), "{refused}");
    process.say(&call(7, "test_simple_text", json!({})));
    assert_eq!(ids(&process.stdout.next()), [7]);
    process.end_input();
    assert!(process.wait().success());
}

#[test]
fn stdio_takes_a_last_line_without_line_break_and_windows_line_breaks() {
    let input = format!("{}\r\n{}", call(1, "test_simple_text", json!({})), call(2, "test_simple_text", json!({})));
    let mut answered = ids(&stdio::raw(mcpfn_it::everything, input.as_bytes(), 10_000));
    answered.sort_unstable();
    assert_eq!(answered, [1, 2]);
}

#[test]
fn stdio_ends_when_nobody_reads_any_more() {
    let mut child = command(&["--stdio"]).stdin(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("stdin");
    for id in 1..200 {
        if writeln!(stdin, "{}", call(id, "test_simple_text", json!({}))).is_err() {
            break;
        }
    }
    drop(stdin);
    let start = std::time::Instant::now();
    while child.try_wait().expect("the process can be asked").is_none() {
        assert!(start.elapsed() < PATIENCE, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn stdio_remembers_what_the_handshake_agreed_on() {
    let list = json!({"id": 1, "method": "tools/list"});
    let titled = |revision: &str| {
        stdio::exchange(servers::rich, revision, std::slice::from_ref(&list))[0]["result"]["tools"][0].get("title").is_some()
    };
    assert!(!titled("2024-11-05"));
    assert!(!titled("2025-03-26"));
    assert!(titled("2025-06-18"));
    assert!(titled("2025-11-25"));
}

#[test]
fn http_greets_with_addresses_and_configuration() {
    let (process, address) = Process::http();
    assert_eq!(process.stdout.next(), format!("health at http://{address}/health"));
    assert!(process.stdout.find("serving ").contains("test_simple_text"));
    assert!(process.stdout.find("speaking MCP ").contains("2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05"));
    assert_eq!(process.stdout.find("    claude mcp add"), format!("    claude mcp add --transport http everything http://{address}/mcp"));
    process.stdout.find("Stop with Ctrl-C.");
    assert!(address.ip().is_loopback());
}

#[test]
fn http_lets_a_call_end_when_told_to_stop() {
    let (mut process, address) = Process::http();
    let request = Request::modern("tools/call", json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}}));
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&encode(address, &request)).unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    // the first report: the handler is at work
    while !String::from_utf8_lossy(&received).contains("started") {
        let read = stream.read(&mut buffer).expect("the stream begins");
        assert_ne!(read, 0, "the stream ends too early");
        received.extend_from_slice(&buffer[..read]);
    }
    process.terminate();
    stream.read_to_end(&mut received).expect("the stream ends");
    assert!(String::from_utf8_lossy(&received).contains(r#""text":"done""#), "{}", String::from_utf8_lossy(&received));
    assert_eq!(process.wait().code(), Some(0));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn http_stops_at_once_when_nothing_is_in_flight() {
    let (mut process, address) = Process::http();
    // a connection that is kept open and idle does not hold the process back
    let mut idle = TcpStream::connect(address).expect("a connection");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    write!(idle, "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{ping}", ping.len()).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_ne!(idle.read(&mut [0; 1024]).expect("an answer"), 0);
    let told = std::time::Instant::now();
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5), "it took {:?}", told.elapsed());
}

#[test]
fn a_signal_counts_from_the_first_moment() {
    // told to stop as soon as it says where it listens: a service manager may do that
    let codes: Vec<Option<i32>> = (0..8)
        .map(|_| {
            let (mut process, _) = Process::http();
            process.terminate();
            process.wait().code()
        })
        .collect();
    assert_eq!(codes, [Some(0); 8], "no code: the signal killed it, because nothing listened for signals yet");
}

#[test]
fn http_keeps_a_connection_for_the_next_request() {
    let local = Local::start(mcpfn_it::everything);
    let mut first = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    first.headers.push(("x-first".to_owned(), "1".to_owned()));
    let first = String::from_utf8(encode(local.address, &first)).unwrap().replace("connection: close\r\n", "");
    let second = encode(local.address, &Request::post(r#"{"jsonrpc":"2.0","id":"second","method":"ping"}"#));
    let both = [first.as_bytes(), &second].concat();
    let response = send_raw(local.address, &both);
    assert!(String::from_utf8_lossy(&response.body).contains("second"), "both are answered on one connection");
}

enum Reports {
    None,
    One,
}

/// A tool that says when it starts, waits for a minute, and says when it is dropped.
fn waiting(started: Sender<()>, dropped: Sender<()>, reports: Reports) -> Builder {
    struct Guard(Sender<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let report = matches!(reports, Reports::One);
    Server::builder("waiting", "1").tool(Tool::new("wait").describe("Waits.").timeout(Duration::from_secs(120)).handler(
        move |_: NoArguments, cx: Cx| {
            let (started, dropped) = (started.clone(), dropped.clone());
            async move {
                let _guard = Guard(dropped);
                if report {
                    cx.progress(1.0, None, None);
                }
                let _ = started.send(());
                cx.sleep(Duration::from_secs(60)).await;
                "waited"
            }
        },
    ))
}

fn client_goes_away(reports: Reports) {
    let (started, when_started) = channel();
    let (dropped, when_dropped) = channel();
    let local = Local::start(move || waiting(started, dropped, reports));
    let request = Request::modern("tools/call", json!({"name": "wait", "_meta": {"progressToken": 1}}));
    let mut stream = TcpStream::connect(local.address).expect("a connection");
    stream.write_all(&encode(local.address, &request)).unwrap();
    when_started.recv_timeout(PATIENCE).expect("the handler starts");
    assert!(when_dropped.try_recv().is_err(), "it is at work");
    drop(stream);
    when_dropped.recv_timeout(PATIENCE).expect("the handler is dropped when its client goes away");
}

#[test]
fn http_drops_the_handler_of_a_client_that_goes_away() {
    client_goes_away(Reports::None);
}

#[test]
fn http_drops_the_handler_of_a_stream_that_nobody_reads() {
    client_goes_away(Reports::One);
}

#[test]
fn a_slow_tool_is_stopped_and_the_server_goes_on() {
    let (_process, address) = Process::http();
    let slow = Request::modern("tools/call", json!({"name": "test_slow", "arguments": {"milliseconds": 60_000}}));
    let result = send(address, &slow).json()["result"].clone();
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"][0]["text"],
        "`test_slow` did not finish within 250 ms and was stopped. Try a narrower request, or the same one later."
    );
    let panic = Request::modern("tools/call", json!({"name": "test_panic"}));
    assert_eq!(send(address, &panic).json()["result"]["isError"], true);
    let text = Request::modern("tools/call", json!({"name": "test_simple_text"}));
    assert_eq!(send(address, &text).status, 200);
}

#[test]
fn a_panic_outside_of_the_future_is_contained_too() {
    let server = || {
        Server::builder("panics", "1")
            .tool(
                Tool::new("early")
                    .describe("Panics before its future.")
                    .handler(|_: NoArguments| -> std::future::Ready<String> { panic!("early") }),
            )
            .prompt(
                Prompt::new("words")
                    .describe("Has words.")
                    .handler(|words: Words| async move { words.word })
                    .complete("word", |_: String, _| -> std::future::Ready<Vec<String>> { panic!("while completing") }),
            )
    };
    let local = Local::start(server);
    let early = send(local.address, &Request::modern("tools/call", json!({"name": "early"})));
    assert_eq!(early.json()["result"]["isError"], true);
    let params = json!({"ref": {"type": "ref/prompt", "name": "words"}, "argument": {"name": "word", "value": "a"}});
    let completed = send(local.address, &Request::modern("completion/complete", params));
    assert_eq!(completed.json()["result"]["completion"]["values"], json!([]));
}

#[derive(serde::Deserialize, JsonSchema)]
struct Words {
    /// A word.
    word: String,
}

#[test]
fn a_taken_port_is_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, stdout, stderr) = run(&mut command(&["--port", &port]));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with(&format!("error: port {port} is taken: ")), "{stderr}");
    assert!(stderr.contains("--port N") && stderr.contains("MCPFN_PORT"), "{stderr}");
    let (code, _, stderr) = run(command(&[]).env("MCPFN_PORT", &port));
    assert_eq!(code, Some(1), "{stderr}");
}

#[test]
fn wrong_settings_are_reported_together() {
    let wrong = [
        ("MCPFN_PORT", "eighty"),
        ("MCPFN_ORIGINS", "app.example.com"),
        ("MCPFN_MAX_BODY", "-1"),
        ("MCPFN_STATE_KEY", "hunter2"),
        ("MCPFN_LOG", "loud"),
        ("MCPFN_LOG_FORMAT", "xml"),
    ];
    let (code, stdout, stderr) = run(command(&[]).envs(wrong));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    for (name, _) in wrong {
        assert!(stderr.contains(&format!("  - {name}")), "{name} is not reported: {stderr}");
    }
    assert!(!stderr.contains("hunter2"), "a secret is repeated: {stderr}");
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_unicode_is_not_ignored() {
    use std::os::unix::ffi::OsStrExt as _;
    let strange = std::ffi::OsStr::from_bytes(b"\xff");
    let (code, _, stderr) = run(command(&["tools"]).env("MCPFN_STATE_KEY", strange));
    assert_eq!(code, Some(1), "a key that can't be read is taken for no key");
    assert!(stderr.contains("MCPFN_STATE_KEY"), "{stderr}");
}

#[test]
fn the_log_has_arguments_only_where_wanted() {
    for (variable, expected) in [("off", None), ("redacted", Some("{\"name\":\"Ada\",\"password\":\"[left out]\"}"))] {
        let mut command = command(&["--stdio"]);
        let mut process = Process::start(command.stdin(Stdio::piped()).env("MCPFN_LOG_FORMAT", "json").env("MCPFN_LOG_INPUT", variable));
        process.say(&call(1, "add", json!({"name": "Ada", "password": "hunter2"})));
        process.end_input();
        process.wait();
        let log = process.stderr.collect_all();
        assert!(!log.contains("hunter2"), "{log}");
        let line = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).find(|line| line["name"] == "add");
        let line = line.unwrap_or_else(|| panic!("the call is not in the log: {log}"));
        assert_eq!(line.get("input").and_then(Value::as_str), expected, "{line}");
    }
    let (code, _, stderr) = run(command(&["tools"]).env("MCPFN_LOG_INPUT", "everything"));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("MCPFN_LOG_INPUT must be redacted or off"), "{stderr}");
}

#[test]
fn logs_are_json_where_wanted() {
    let mut process = Process::start(command(&["--stdio"]).stdin(Stdio::piped()).env("MCPFN_LOG_FORMAT", "json"));
    process.say(&call(1, "test_panic", json!({})));
    process.end_input();
    process.wait();
    let log = process.stderr.collect_all();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert!(lines.iter().any(|line| line["cause"] == "panic: a private message" && line["method"] == "tools/call"), "{log}");
}

#[test]
fn state_is_understood_by_every_process_with_the_key() {
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let ask = json!({"name": "test_input_required_result_tampered_state", "_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}});
    let answer = |key: Option<&str>, params: &Value| -> Value {
        let mut command = command(&["--stdio"]);
        command.stdin(Stdio::piped());
        if let Some(key) = key {
            command.env("MCPFN_STATE_KEY", key);
        }
        let mut process = Process::start(&mut command);
        process.say(&message(1, "tools/call", params.clone()));
        serde_json::from_str(&process.stdout.next()).expect("JSON")
    };
    let mut retry = ask.clone();
    retry["requestState"] = answer(Some(key), &ask)["result"]["requestState"].clone();
    retry["inputResponses"] = json!({"confirm": {"action": "accept", "content": {"ok": true}}});
    assert_eq!(answer(Some(key), &retry)["result"]["content"][0]["text"], "the state is untouched");
    assert_eq!(answer(None, &retry)["error"]["code"], -32602, "a key of its own opens nothing");
}

#[test]
fn the_command_line_explains_itself() {
    let (code, stdout, stderr) = run(&mut command(&["--help"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for word in
        ["Usage:", "tools", "call", "--port", "--stdio", "MCPFN_PORT", "MCPFN_ORIGINS", "MCPFN_MAX_BODY", "MCPFN_STATE_KEY", "MCPFN_LOG"]
    {
        assert!(stdout.contains(word), "no word of {word}: {stdout}");
    }
    let (code, stdout, _) = run(&mut command(&["--version"]));
    assert_eq!((code, stdout), (Some(0), format!("everything {}\n", env!("CARGO_PKG_VERSION"))));
    for wrong in [&["--prot", "1"][..], &["--port", "x"], &["--stdio", "--port", "1"], &["serve"], &["call"], &["tools", "x"]] {
        let (code, stdout, stderr) = run(&mut command(wrong));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(stderr.contains("error: "), "{stderr}");
    }
}

#[test]
fn the_command_line_lists_the_tools() {
    let (code, stdout, stderr) = run(&mut command(&["tools"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("add\n    Adds two integers.\n"), "{stdout}");
    let listed = stdout.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(listed, mcpfn_it::everything().build().unwrap().counts().0);
}

#[test]
fn the_command_line_calls_a_tool() {
    let call = |arguments: &[&str]| run(&mut command(&[&["call"], arguments].concat()));
    assert_eq!(call(&["add", r#"{"a":2,"b":40}"#]), (Some(0), "{\n  \"sum\": 42\n}\n".to_owned(), String::new()));
    assert_eq!(call(&["test_simple_text"]).1, "This is a simple text response for testing.\n");
    let (code, stdout, _) = call(&["test_error_handling"]);
    assert_eq!((code, stdout.as_str()), (Some(1), "This tool intentionally returns an error for testing\n"));
    let (code, stdout, _) = call(&["add", r#"{"a":"x"}"#]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("/a") && stdout.contains("/b"), "{stdout}");
    let (code, stdout, stderr) = call(&["ad", "{}"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", "error: unknown tool `ad`; did you mean `add`?\n"));
    let (code, _, stderr) = call(&["add", "a=1"]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("error: the arguments are not JSON"), "{stderr}");
    let (code, stdout, _) = call(&["test_slow", r#"{"milliseconds":5000}"#]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("250 ms"), "{stdout}");
    let (code, _, stderr) = call(&["test_input_required_result_elicitation"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("elicitation"), "{stderr}");
}

#[test]
fn metrics_are_served_where_they_are_asked_for() {
    let get = |address| {
        let mut request = Request::post("");
        (request.method, request.path) = ("GET".to_owned(), "/metrics".to_owned());
        send(address, &request)
    };
    let (_process, address) = Process::http_with(&[("MCPFN_METRICS", "on")]);
    for arguments in [json!({"a": 1, "b": 2}), json!({"a": "x"})] {
        send(address, &Request::modern("tools/call", json!({"name": "add", "arguments": arguments})));
    }
    let text = get(address).text();
    for line in [
        r#"mcpfn_calls_total{method="tools/call",name="add",outcome="ok"} 1"#,
        r#"mcpfn_calls_total{method="tools/call",name="add",outcome="invalid_arguments"} 1"#,
        r#"mcpfn_call_duration_seconds_count{method="tools/call",name="add"} 2"#,
        r#"mcpfn_call_duration_quantile_seconds{method="tools/call",name="add",quantile="0.99"} "#,
    ] {
        assert!(text.contains(line), "no line {line}: {text}");
    }
    let (_process, address) = Process::http();
    assert_eq!(get(address).status, 404);
}

#[test]
fn a_rate_is_taken_from_the_environment() {
    let (_process, address) = Process::http_with(&[("MCPFN_RATE", "2/min")]);
    let add = Request::modern("tools/call", json!({"name": "add", "arguments": {"a": 1, "b": 2}}));
    assert_eq!([(); 3].map(|()| send(address, &add).status), [200, 200, 429]);
}

#[test]
fn api_keys_are_made_asked_for_and_taken() {
    let (code, made, _) = run(&mut command(&["key", "ci", "--scopes", "crm:read"]));
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = made.lines().collect();
    let (key, entry) = (lines[1].trim(), lines[3].trim());
    let (_process, address) = Process::http_with(&[("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", entry)]);
    let add = Request::modern("tools/call", json!({"name": "add", "arguments": {"a": 1, "b": 2}}));
    let refused = send(address, &add);
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some(r#"Bearer realm="everything""#)));
    assert_eq!(send(address, &add.clone().header("x-api-key", key)).status, 200);
    assert_eq!(send(address, &add.clone().header("authorization", &format!("Bearer {key}"))).status, 200);
    assert_eq!(send(address, &add.header("x-api-key", &format!("{key}x"))).status, 401);
    let (code, _, stderr) = run(&mut command(&["key", "a name"]));
    assert_eq!((code, stderr.starts_with("error: ")), (Some(1), true), "{stderr}");
}

#[test]
fn ways_to_prove_who_calls_that_lack_something_are_a_sentence() {
    let (code, _, stderr) = run(command(&["--port", "0"]).env("MCPFN_AUTH", "oauth,api-key"));
    assert_eq!(code, Some(1));
    for word in ["MCPFN_ISSUER", "MCPFN_PUBLIC_URL", "MCPFN_API_KEYS"] {
        assert!(stderr.contains(word), "no word of {word}: {stderr}");
    }
    let (code, _, stderr) = run(command(&["--port", "0"]).env("MCPFN_AUTH", "iam"));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("MCPFN_AUTH must be of oauth, api-key, none"), "{stderr}");
}
