//! The command line, the settings, and what goes to the log.

use std::net::TcpListener;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::Request;
use crate::support::process::{Process, command, run};
use crate::support::socket::send;

use super::{call, message};

#[test]
fn a_taken_port_is_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, stdout, stderr) = run(&mut command(&["--port", &port]));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.starts_with(&format!("error: port {port} is taken: ")),
        "{stderr}"
    );
    assert!(
        stderr.contains("--port N") && stderr.contains("MCPFN_PORT"),
        "{stderr}"
    );
    let (code, _, stderr) = run(command(&[]).env("MCPFN_PORT", &port));
    assert_eq!(code, Some(1), "{stderr}");
}

#[test]
fn wrong_settings_are_reported_together() {
    let wrong = [
        ("MCPFN_PORT", "eighty"),
        ("MCPFN_ALLOWED_ORIGINS", "app.example.com"),
        ("MCPFN_MAX_BODY_BYTES", "-1"),
        ("MCPFN_MAX_VALUES", "many"),
        ("MCPFN_STATE_KEY", "hunter2"),
        ("MCPFN_LOG", "loud"),
        ("MCPFN_LOG_FORMAT", "xml"),
    ];
    let (code, stdout, stderr) = run(command(&[]).envs(wrong));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    for (name, _) in wrong {
        assert!(
            stderr.contains(&format!("  - {name}")),
            "{name} is not reported: {stderr}"
        );
    }
    assert!(
        !stderr.contains("hunter2"),
        "a secret is repeated: {stderr}"
    );
}

/// A file of this test alone.
fn file(name: &str, text: &str) -> String {
    let name = format!("mcpfn-it-cli-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_file_of_variables_is_named_at_the_start_and_for_development_alone() {
    let hash = "0".repeat(64);
    let keys = format!("MCPFN_AUTH=api-key\nMCPFN_API_KEYS='ci:{hash}'\n");
    let env = file("env", &keys);
    let mut process = Process::start(&mut command(&["--port", "0", "--env-file", &env]));
    process.stdout.find("listening on ");
    process.terminate();
    process.wait();
    let greeting = process.stdout.collect_all();
    let named = format!("variables that are not set come from {env}\n");
    assert!(greeting.contains(&named), "{greeting}");
    let mut reachable = command(&["--port", "0", "--env-file", &env]);
    reachable.envs([("MCPFN_LISTEN", "0.0.0.0"), ("MCPFN_ALLOWED_HOSTS", "*")]);
    let (code, _, stderr) = run(&mut reachable);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("--env-file is for development") && !stderr.contains(&hash),
        "{stderr}"
    );
    std::fs::remove_file(env).unwrap();
}

#[test]
fn a_secret_in_a_file_is_a_secret() {
    let key = file("key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
    let mut process = Process::start(command(&["--port", "0"]).env("MCPFN_STATE_KEY_FILE", &key));
    process.stdout.find("listening on ");
    process.terminate();
    process.wait();
    let greeting = process.stdout.collect_all();
    assert!(
        !greeting.contains("sealed with a key made at this start"),
        "{greeting}"
    );
    let wrong = file("wrong", "hunter2");
    let (code, _, stderr) = run(command(&[]).env("MCPFN_STATE_KEY_FILE", &wrong));
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("MCPFN_STATE_KEY") && !stderr.contains("hunter2"),
        "{stderr}"
    );
    let both = [
        ("MCPFN_STATE_KEY_FILE", key.as_str()),
        ("MCPFN_STATE_KEY", "x"),
    ];
    let (code, _, stderr) = run(command(&[]).envs(both));
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("MCPFN_STATE_KEY and MCPFN_STATE_KEY_FILE are both set"),
        "{stderr}"
    );
    for path in [key, wrong] {
        std::fs::remove_file(path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_unicode_is_not_ignored() {
    use std::os::unix::ffi::OsStrExt as _;
    let strange = std::ffi::OsStr::from_bytes(b"\xff");
    let (code, _, stderr) = run(command(&["tools"]).env("MCPFN_STATE_KEY", strange));
    assert_eq!(
        code,
        Some(1),
        "a key that can't be read is taken for no key"
    );
    assert!(stderr.contains("MCPFN_STATE_KEY"), "{stderr}");
}

#[test]
fn the_log_has_arguments_only_where_wanted() {
    for (variable, expected) in [
        ("off", None),
        (
            "redacted",
            Some("{\"name\":\"Ada\",\"password\":\"[left out]\"}"),
        ),
    ] {
        let mut command = command(&["--stdio"]);
        let mut process = Process::start(
            command
                .stdin(Stdio::piped())
                .env("MCPFN_LOG_FORMAT", "json")
                .env("MCPFN_LOG_ARGUMENTS", variable),
        );
        process.say(&call(
            1,
            "add",
            json!({"name": "Ada", "password": "hunter2"}),
        ));
        process.end_input();
        process.wait();
        let log = process.stderr.collect_all();
        assert!(!log.contains("hunter2"), "{log}");
        let line = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .find(|line| line["name"] == "add");
        let line = line.unwrap_or_else(|| panic!("the call is not in the log: {log}"));
        assert_eq!(
            line.get("input").and_then(Value::as_str),
            expected,
            "{line}"
        );
    }
    let (code, _, stderr) = run(command(&["tools"]).env("MCPFN_LOG_ARGUMENTS", "everything"));
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("MCPFN_LOG_ARGUMENTS must be redacted or off"),
        "{stderr}"
    );
}

#[test]
fn logs_are_json_where_wanted() {
    let mut process = Process::start(
        command(&["--stdio"])
            .stdin(Stdio::piped())
            .env("MCPFN_LOG_FORMAT", "json"),
    );
    process.say(&call(1, "test_panic", json!({})));
    process.end_input();
    process.wait();
    let log = process.stderr.collect_all();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["cause"] == "panic: a private message"
                && line["method"] == "tools/call"),
        "{log}"
    );
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
    assert_eq!(
        answer(Some(key), &retry)["result"]["content"][0]["text"],
        "the state is untouched"
    );
    assert_eq!(
        answer(None, &retry)["error"]["code"],
        -32602,
        "a key of its own opens nothing"
    );
}

#[test]
fn the_command_line_explains_itself() {
    let (code, stdout, stderr) = run(&mut command(&["--help"]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for word in [
        "Usage:",
        "tools",
        "call",
        "--port",
        "--stdio",
        "MCPFN_PORT",
        "MCPFN_ALLOWED_ORIGINS",
        "MCPFN_MAX_BODY_BYTES",
        "MCPFN_MAX_VALUES",
        "MCPFN_STATE_KEY",
        "MCPFN_LOG",
    ] {
        assert!(stdout.contains(word), "no word of {word}: {stdout}");
    }
    let (code, stdout, _) = run(&mut command(&["--version"]));
    assert_eq!(
        (code, stdout),
        (
            Some(0),
            format!("everything {}\n", env!("CARGO_PKG_VERSION"))
        )
    );
    for wrong in [
        &["--prot", "1"][..],
        &["--port", "x"],
        &["--stdio", "--port", "1"],
        &["serve"],
        &["call"],
        &["tools", "x"],
    ] {
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
    assert_eq!(
        listed,
        mcpfn_it::everything_with_events()
            .build()
            .unwrap()
            .counts()
            .0
    );
}

#[test]
fn the_command_line_calls_a_tool() {
    let call = |arguments: &[&str]| run(&mut command(&[&["call"], arguments].concat()));
    assert_eq!(
        call(&["add", r#"{"a":2,"b":40}"#]),
        (Some(0), "{\n  \"sum\": 42\n}\n".to_owned(), String::new())
    );
    assert_eq!(
        call(&["test_simple_text"]).1,
        "This is a simple text response for testing.\n"
    );
    let (code, stdout, _) = call(&["test_error_handling"]);
    assert_eq!(
        (code, stdout.as_str()),
        (
            Some(1),
            "This tool intentionally returns an error for testing\n"
        )
    );
    let (code, stdout, _) = call(&["add", r#"{"a":"x"}"#]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("/a") && stdout.contains("/b"), "{stdout}");
    let (code, stdout, stderr) = call(&["ad", "{}"]);
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (
            Some(1),
            "",
            "error: unknown tool `ad`; did you mean `add`?\n"
        )
    );
    let (code, _, stderr) = call(&["add", "a=1"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with("error: the arguments are not JSON"),
        "{stderr}"
    );
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
        send(
            address,
            &Request::modern("tools/call", json!({"name": "add", "arguments": arguments})),
        );
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
    let (_process, address) = Process::http_with(&[("MCPFN_RATE_LIMIT", "2/min")]);
    let add = Request::modern(
        "tools/call",
        json!({"name": "add", "arguments": {"a": 1, "b": 2}}),
    );
    assert_eq!(
        [(); 3].map(|()| send(address, &add).status),
        [200, 200, 429]
    );
}

#[test]
fn api_keys_are_made_asked_for_and_taken() {
    let (code, made, _) = run(&mut command(&["key", "ci", "--scopes", "crm:read"]));
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = made.lines().collect();
    let (key, entry) = (lines[1].trim(), lines[3].trim());
    let (_process, address) =
        Process::http_with(&[("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", entry)]);
    let add = Request::modern(
        "tools/call",
        json!({"name": "add", "arguments": {"a": 1, "b": 2}}),
    );
    let refused = send(address, &add);
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, Some(r#"Bearer realm="everything""#))
    );
    assert_eq!(
        send(address, &add.clone().header("x-api-key", key)).status,
        200
    );
    assert_eq!(
        send(
            address,
            &add.clone()
                .header("authorization", &format!("Bearer {key}"))
        )
        .status,
        200
    );
    assert_eq!(
        send(address, &add.header("x-api-key", &format!("{key}x"))).status,
        401
    );
    let (code, _, stderr) = run(&mut command(&["key", "a name"]));
    assert_eq!(
        (code, stderr.starts_with("error: ")),
        (Some(1), true),
        "{stderr}"
    );
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
    assert!(
        stderr.contains("MCPFN_AUTH must be one or more of oauth, api-key, none"),
        "{stderr}"
    );
}

/// What the settings are wrong in, and what shows only with the server that they configure.
#[test]
fn mistakes_of_settings_and_of_tools_are_told_in_one_go() {
    let (code, stdout, stderr) = run(command(&[])
        .env("MCPFN_PORT", "eighty")
        .env("MCPFN_LOG", "loud")
        .env("MCPFN_CACHE", "no_such_tool=60s")
        .env("MCPFN_TIMEOUTS", "nor_this=3s"));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    for part in ["MCPFN_PORT", "MCPFN_LOG", "`no_such_tool`", "`nor_this`"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    // who asks for health again and again is told of the settings alone
    let (_, _, stderr) = run(command(&["health"])
        .env("MCPFN_PORT", "eighty")
        .env("MCPFN_CACHE", "no_such_tool=60s"));
    assert!(
        stderr.contains("MCPFN_PORT") && !stderr.contains("no_such_tool"),
        "{stderr}"
    );
}
