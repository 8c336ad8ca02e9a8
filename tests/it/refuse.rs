//! What must be refused: every file of `fixtures/refuse` through every host, and what no file can
//! say: sizes, depths, bytes, callers, time.

use std::time::Duration;

use mcpfn::prelude::*;
use mcpfn::{
    Principal, PrincipalKind,
    round_trip::{Keyring, UrlElicitation},
};
use mcpfn_http::Config;
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::invariants::{broken, unfit};
use crate::support::lambda::{Front, Lambda};
use crate::support::socket::{Local, encode, send_raw};
use crate::support::{Host, Request, Response, everything, hosts, runner, stdio};

#[test]
fn in_process() {
    runner::over_http("refuse", |server| Box::new(InProcess::new(server)));
}

#[test]
fn over_a_socket() {
    runner::over_http("refuse", |server| Box::new(Local::start(server)));
}

#[test]
fn over_stdio() {
    runner::over_stdio("refuse");
}

const OTHER_HOSTS: [&str; 8] = [
    "host_address",
    "host_and_origin",
    "host_empty",
    "host_other",
    "host_port",
    "host_port_userinfo",
    "host_suffix",
    "host_userinfo",
];

fn through_lambda(front: Front, made_one: &[&str]) {
    runner::over_http_except("refuse", &[&OTHER_HOSTS, made_one].concat(), |server| {
        Box::new(Lambda::start(server, front))
    });
}

const HEADERS_TWICE: [&str; 2] = ["method_header_twice", "version_header_twice"];

#[test]
fn through_a_function_url() {
    through_lambda(Front::Url, &HEADERS_TWICE);
}

#[test]
fn through_a_function_url_that_streams() {
    through_lambda(Front::UrlStreaming, &HEADERS_TWICE);
}

#[test]
fn through_a_rest_api() {
    through_lambda(Front::Rest, &[]);
}

#[test]
fn through_a_rest_api_that_streams() {
    through_lambda(Front::RestStreaming, &[]);
}

#[test]
fn headers_that_a_function_url_makes_one() {
    let url = Lambda::start(mcpfn_it::everything, Front::Url);
    let list = Request::modern("tools/list", json!({}));
    for (name, value) in [
        ("mcp-method", "tools/list"),
        ("mcp-protocol-version", "2026-07-28"),
    ] {
        let response = url.send(&list.clone().and_header(name, value));
        assert_eq!(
            (response.status, response.error().0),
            (400, -32020),
            "{name}: {}",
            response.text()
        );
    }
}

/// Every host must refuse it alike.
fn check(request: &Request, status: u16, code: i64, part: &str) {
    for host in hosts(mcpfn_it::everything) {
        if host.impossible(request).is_some() {
            continue;
        }
        let response = host.send(request);
        let (found, message) = response.error();
        assert_eq!(
            (response.status, found),
            (status, code),
            "{}: {message}",
            host.name()
        );
        assert!(message.contains(part), "{}: {message}", host.name());
        assert_eq!(
            broken(request, &response),
            Vec::<String>::new(),
            "{}",
            host.name()
        );
    }
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// As deep as the number of values allows.
const ARRAYS: usize = 99_900;
const OBJECTS: usize = 19_900;

fn nested_objects(depth: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth))
}

/// A modern request around raw parameters.
fn raw_call(members: &str) -> Request {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{meta},"name":"add",{members}}}}}"#
    );
    Request::post(body)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "add")
}

#[test]
fn deep_nesting_as_the_body() {
    // an array is a batch of one item, which is no message
    for host in hosts(mcpfn_it::everything) {
        let response = host.send(&Request::post(nested(ARRAYS)));
        assert_eq!(response.status, 200, "{}", host.name());
        assert_eq!(
            response.json()[0]["error"]["code"],
            -32600,
            "{}",
            host.name()
        );
    }
    check(
        &Request::post(nested_objects(OBJECTS)),
        400,
        -32600,
        "`jsonrpc`",
    );
    check(
        &Request::post("[".repeat(ARRAYS)),
        400,
        -32700,
        "not valid JSON",
    );
}

#[test]
fn deep_nesting_in_a_member_nobody_reads() {
    for host in hosts(mcpfn_it::everything) {
        let response = host.send(&raw_call(&format!(
            r#""arguments":{{"a":1,"b":2}},"extra":{}"#,
            nested(ARRAYS)
        )));
        assert_eq!(
            response.json()["result"]["structuredContent"]["sum"],
            3,
            "{}",
            host.name()
        );
    }
}

#[test]
fn deep_nesting_in_arguments() {
    check(
        &raw_call(&format!(r#""arguments":{}"#, nested_objects(OBJECTS))),
        200,
        -32602,
        "nests deeper",
    );
    check(
        &raw_call(&format!(r#""arguments":{{"a":{},"b":1}}"#, nested(ARRAYS))),
        200,
        -32602,
        "nests deeper",
    );
}

#[test]
fn numbers_out_of_range() {
    for number in ["1e400", "-1e400"] {
        check(
            &raw_call(&format!(r#""arguments":{{"a":{number},"b":1}}"#)),
            200,
            -32602,
            "holds a number",
        );
    }
}

#[test]
fn deep_nesting_in_answers() {
    check(
        &raw_call(&format!(
            r#""arguments":{{"a":1,"b":1}},"inputResponses":{{"x":{}}}"#,
            nested(ARRAYS)
        )),
        200,
        -32602,
        "inputResponses",
    );
}

#[test]
fn deep_nesting_in_metadata() {
    let deep = nested_objects(OBJECTS / 2);
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{"elicitation":{deep}}},"x":{deep}}}}}}}"#
    );
    let request = Request::post(body)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list");
    for host in hosts(mcpfn_it::everything) {
        // unknown members are skipped, however deep
        assert_eq!(host.send(&request).status, 200, "{}", host.name());
    }
}

#[test]
fn deep_nesting_in_every_other_parameter() {
    for (method, member) in [
        ("tools/call", "name"),
        ("tools/list", "cursor"),
        ("resources/read", "uri"),
        ("tools/call", "requestState"),
        ("completion/complete", "ref"),
        ("completion/complete", "context"),
        ("logging/setLevel", "level"),
        ("initialize", "protocolVersion"),
    ] {
        let rest = if method == "tools/call" && member != "name" {
            r#","name":"test_simple_text""#
        } else {
            ""
        };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"{member}":{}{rest}}}}}"#,
            nested(ARRAYS)
        );
        let response =
            everything().send(&Request::post(body).header("mcp-protocol-version", "2025-11-25"));
        assert_eq!(
            (response.status, response.error().0),
            (200, -32602),
            "{method} {member}"
        );
    }
}

#[test]
fn invalid_utf8() {
    for bytes in [
        &b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"[..],
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\xff\xfe{\0}\0",
    ] {
        check(&Request::post(bytes), 400, -32700, "not UTF-8");
    }
}

#[test]
fn a_body_over_the_limit_declared() {
    let mut request = Request::post(vec![b' '; 10 * 1024 * 1024]);
    check(&request, 413, -32600, "4194304");
    request = request.header("content-length", "99999999999999999999");
    let response = everything().send(&request);
    assert_eq!(response.status, 413);
}

#[test]
fn a_body_over_the_limit_in_pieces() {
    let mut request = Request::post(vec![b' '; 10 * 1024 * 1024]);
    request.chunked = true;
    check(&request, 413, -32600, "4194304");
}

#[test]
fn a_body_at_the_limit_is_read() {
    let message = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut body = message.as_bytes().to_vec();
    body.resize(4 * 1024 * 1024, b' ');
    assert_eq!(everything().send(&Request::post(body.clone())).status, 200);
    body.push(b' ');
    assert_eq!(everything().send(&Request::post(body)).status, 413);
}

/// One message, and a batch, that hold so many values together.
fn bodies_with(values: usize) -> [String; 2] {
    // an object with members counts as five: the message, its parameters and its arguments
    let message = |values: usize| {
        let list = vec!["1"; values - 20].join(",");
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"test_simple_text","arguments":{{"a":[{list}]}}}}}}"#
        )
    };
    [message(values), format!("[{}]", message(values - 1))]
}

#[test]
fn more_values_than_may_be() {
    for body in bodies_with(100_001) {
        let request = Request::post(body).header("mcp-protocol-version", "2025-03-26");
        check(&request, 400, -32600, "100000 JSON values");
    }
    for body in bodies_with(100_000) {
        let request = Request::post(body).header("mcp-protocol-version", "2025-03-26");
        let response = everything().send(&request);
        assert_eq!(response.status, 200, "{}", response.text());
    }
}

#[test]
fn a_body_that_ends_early() {
    let local = Local::start(mcpfn_it::everything);
    let mut bytes = encode(
        local.address,
        &Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
    );
    bytes.truncate(bytes.len() - 5);
    let mut stream = std::net::TcpStream::connect(local.address).unwrap();
    std::io::Write::write_all(&mut stream, &bytes).unwrap();
    drop(stream);
    // nobody is left to be told; the next client is served
    assert_eq!(
        local
            .send(&Request::post(
                r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            ))
            .status,
        200
    );
}

#[test]
fn http_that_is_none() {
    let local = Local::start(mcpfn_it::everything);
    for bytes in [
        &b"hello\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST /mcp HTTP/9.9\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: \
         6\r\n\r\nhello!",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nbad header: x\r\n\r\n",
    ] {
        let response = send_raw(local.address, bytes);
        assert!(
            (400..500).contains(&response.status),
            "{}: {}",
            String::from_utf8_lossy(bytes),
            response.status
        );
    }
    let long = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\nx-long: {}\r\n\r\n",
        "x".repeat(1_000_000)
    );
    assert_eq!(send_raw(local.address, long.as_bytes()).status, 431);
}

#[test]
fn hosts_that_are_several() {
    let local = Local::start(mcpfn_it::everything);
    let ping = Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let evil = ping
        .clone()
        .header("host", "localhost")
        .and_header("host", "evil.example");
    assert!(
        (400..500).contains(&local.send(&evil).status),
        "two Host headers: {}",
        local.send(&evil).text()
    );
    let mut absolute = ping.header("host", "localhost");
    absolute.path = "http://evil.example/mcp".to_owned();
    assert_eq!(
        local.send(&absolute).status,
        403,
        "the target's own authority counts"
    );
}

#[test]
fn health_is_only_asked() {
    for host in hosts(mcpfn_it::everything) {
        let mut request = Request::post("{}");
        request.path = "/health".to_owned();
        let response = host.send(&request);
        assert_eq!(response.status, 405, "{}", host.name());
        // RFC 9110, 15.5.6: a 405 must say what is allowed
        assert!(
            response
                .header("allow")
                .is_some_and(|allow| allow.contains("GET")),
            "{}: {:?}",
            host.name(),
            response.headers
        );
    }
}

#[test]
fn methods_of_every_length() {
    for method in ["x".repeat(1_000_000), "tools/".repeat(100_000)] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method}).to_string();
        let request = Request::post(body);
        check(&request, 200, -32601, "…");
        assert!(
            everything().send(&request).body.len() < 1000,
            "a long method is cut"
        );
    }
}

#[test]
fn long_text_is_cut_wherever_it_is_repeated() {
    let long = "\u{1b}[31m".repeat(200_000);
    let messages = [
        json!({"id": 1, "method": "tools/call", "params": {"name": long}}),
        json!({"id": 1, "method": "tools/call", "params": {"name": "add", "arguments": {"a": long, "b": 1}}}),
        json!({"id": 1, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2, &long: 1}}}),
        json!({"id": 1, "method": "prompts/get", "params": {"name": long}}),
        json!({"id": 1, "method": "resources/read", "params": {"uri": long}}),
        json!({"id": 1, "method": "tools/list", "params": {"cursor": long}}),
        json!({"id": 1, "method": "completion/complete", "params": {"ref": {"type": long, "name": long}, "argument": {"name": long, "value": long}}}),
        json!({"id": 1, "method": "completion/complete", "params": {"ref": {"type": "ref/prompt", "name": long}, "argument": {"name": long, "value": long}}}),
        json!({"id": 1, "method": "tools/call", "params": {"name": "test_simple_text", "requestState": long}}),
        json!({"id": 1, "method": "tools/call", "params": {"name": "test_simple_text", "_meta": {"io.modelcontextprotocol/logLevel": long}}}),
        json!({"id": 1, "method": long}),
        json!({"id": 1, "method": "tools/list", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": long}}}),
    ];
    // 2,048 characters of a URI are repeated for programs, as JSON escapes
    for answer in messages.iter().flat_map(|message| {
        stdio::exchange(
            mcpfn_it::everything,
            "2026-07-28",
            std::slice::from_ref(message),
        )
    }) {
        let text = answer.to_string();
        assert!(
            text.len() < 20_000,
            "{} bytes come back: {}",
            text.len(),
            &text[..text.floor_char_boundary(200)]
        );
        let said = answer["error"]["message"]
            .as_str()
            .or(answer["result"]["content"][0]["text"].as_str())
            .expect("a sentence");
        assert!(
            !said
                .chars()
                .any(|character| unfit(character) && character != '\n'),
            "{said:?}"
        );
    }
}

#[test]
fn an_id_is_repeated_however_it_is_written() {
    for id in [
        r#""\u001b[31m\u202e""#,
        r#""\/""#,
        "-0",
        "123456789012345678901234567890",
        "\"\u{202e}\"",
    ] {
        let response = everything().send(&Request::post(format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#
        )));
        assert_eq!(
            response.text(),
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
        );
    }
}

#[test]
fn an_id_that_is_half_a_character_is_refused() {
    // repeated as it was written, it would make an answer that strict readers of JSON can't read
    let response = everything().send(&Request::post(
        r#"{"jsonrpc":"2.0","id":"\ud800","method":"ping"}"#,
    ));
    assert_eq!(response.status, 400);
    assert!(
        response.text().contains("-32600") && !response.text().contains("ud800"),
        "{}",
        response.text()
    );
}

#[test]
fn a_progress_token_is_repeated_however_it_is_written() {
    for token in [
        r#""\u001b[31m\n\u202e""#,
        "-0",
        "123456789012345678901234567890",
    ] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"test_tool_with_progress","_meta":{{"progressToken":{token}}}}}}}"#
        );
        let text = everything().send(&Request::post(body)).text();
        assert_eq!(
            text.matches(&format!(r#""progressToken":{token},"#))
                .count(),
            3,
            "{token}: {text}"
        );
    }
}

#[test]
fn every_parameter_of_every_wrong_type() {
    let values = [
        json!(null),
        json!(true),
        json!(7),
        json!(1.5),
        json!("x"),
        json!([]),
        json!(["x", {}]),
        json!({}),
        json!({"x": 1}),
    ];
    // what each takes, by the position of the values above: null is what is left out
    let parameters: &[(&str, &str, &[usize])] = &[
        ("tools/call", "name", &[4]),
        ("tools/call", "arguments", &[0, 7, 8]),
        ("tools/call", "inputResponses", &[0, 7]),
        ("tools/call", "requestState", &[0]),
        ("tools/list", "cursor", &[0]),
        ("prompts/list", "cursor", &[0]),
        ("resources/list", "cursor", &[0]),
        ("resources/templates/list", "cursor", &[0]),
        ("prompts/get", "name", &[4]),
        ("prompts/get", "arguments", &[0, 7, 8]),
        ("resources/read", "uri", &[]),
        ("completion/complete", "ref", &[]),
        ("completion/complete", "argument", &[]),
        ("completion/complete", "context", &[0, 7, 8]),
    ];
    let mut wrong = Vec::new();
    for (method, member, fitting) in parameters {
        for (position, value) in values.iter().enumerate() {
            let mut params = match *method {
                "tools/call" => json!({"name": "test_simple_text"}),
                "prompts/get" => json!({"name": "test_simple_prompt"}),
                "completion/complete" => {
                    json!({"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "argument": {"name": "arg1", "value": "x"}})
                }
                _ => json!({}),
            };
            params[*member] = value.clone();
            for revision in ["2026-07-28", "2025-11-25"] {
                let request = Request::from_client(
                    revision,
                    json!({"id": 1, "method": method, "params": params}),
                );
                let response = everything().send(&request);
                let code = response.json()["error"]["code"].as_i64();
                let not_found = code == Some(-32002) && *member == "uri" && value.is_string();
                // a value of the right type may still name nothing
                let refused = code == Some(-32602) || not_found;
                if !refused && !fitting.contains(&position)
                    || !broken(&request, &response).is_empty()
                {
                    wrong.push(format!(
                        "{method} {member} = {value} under {revision}: {}",
                        response.text().chars().take(200).collect::<String>()
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong types are taken:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
}

/// A tool that asks for a confirmation and gives a state with it.
fn with_state(arguments: Value, client: Value) -> Value {
    json!({"name": "test_input_required_result_request_state", "arguments": arguments,
        "_meta": {"io.modelcontextprotocol/clientCapabilities": client}})
}

fn state_of(response: &Response) -> String {
    response.json()["result"]["requestState"]
        .as_str()
        .unwrap_or_else(|| panic!("no state in {}", response.text()))
        .to_owned()
}

fn retry(state: &str) -> Request {
    let mut params = with_state(json!({}), json!({"elicitation": {}}));
    params["requestState"] = state.into();
    params["inputResponses"] = json!({"confirm": {"action": "accept", "content": {"ok": true}}});
    Request::modern("tools/call", params)
}

fn first() -> Request {
    Request::modern(
        "tools/call",
        with_state(json!({}), json!({"elicitation": {}})),
    )
}

fn refused_state(host: &InProcess, state: &str, part: &str) {
    let response = host.send(&retry(state));
    let (code, message) = response.error();
    assert_eq!((response.status, code), (200, -32602), "{message}");
    assert!(message.contains(part), "{message}");
}

#[test]
fn a_state_with_any_byte_changed() {
    let host = everything();
    let state = state_of(&host.send(&first()));
    assert_eq!(
        host.send(&retry(&state)).json()["result"]["content"][0]["text"],
        "state-ok"
    );
    for position in (0..state.len()).step_by(7) {
        let mut forged = state.clone().into_bytes();
        forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
        refused_state(
            &host,
            &String::from_utf8(forged).unwrap(),
            "not one that this server gave",
        );
    }
    for forged in [
        format!("{state}A"),
        format!("{state}="),
        format!(" {state}"),
        state[..state.len() - 1].to_owned(),
        state.to_uppercase(),
    ] {
        refused_state(&host, &forged, "not one that this server gave");
    }
}

#[test]
fn a_state_that_has_expired() {
    let host = everything();
    let state = state_of(&host.send(&first()));
    host.time.pass(Duration::from_secs(599));
    assert_eq!(
        host.send(&retry(&state)).json()["result"]["content"][0]["text"],
        "state-ok"
    );
    host.time.pass(Duration::from_secs(1));
    refused_state(&host, &state, "expired");
}

#[test]
fn a_state_of_another_caller() {
    let callers = [
        Principal::local(),
        Principal::anonymous(),
        Principal::new(PrincipalKind::Jwt, "alice"),
        Principal::new(PrincipalKind::Jwt, "bob"),
        Principal::new(PrincipalKind::Iam, "alice"),
    ];
    for (position, giver) in callers.iter().enumerate() {
        let state = state_of(&everything().called_by(giver.clone()).send(&first()));
        for (other, taker) in callers.iter().enumerate() {
            let host = everything().called_by(taker.clone());
            if position == other {
                assert_eq!(
                    host.send(&retry(&state)).json()["result"]["content"][0]["text"],
                    "state-ok",
                    "any instance understands it"
                );
            } else {
                refused_state(&host, &state, "not one that this server gave");
            }
        }
    }
}

#[test]
fn a_state_of_another_key() {
    let state = state_of(&everything().send(&first()));
    refused_state(
        &everything().with_keys(Keyring::new([8; 32])),
        &state,
        "not one that this server gave",
    );
    let rotated = everything().with_keys(Keyring::new([8; 32]).and_old([7; 32]));
    assert_eq!(
        rotated.send(&retry(&state)).json()["result"]["content"][0]["text"],
        "state-ok"
    );
}

#[derive(serde::Deserialize, JsonSchema)]
struct Amount {
    /// How much.
    amount: u32,
    /// To whom.
    #[serde(default)]
    to: String,
}

fn paying(name: &str) -> Builder {
    Server::builder(name, "1").tool(Tool::new("pay").description("Pays.").handler(
        |args: Amount, cx: Cx| async move {
            match cx.request_state::<u32>() {
                Some(amount) if amount == args.amount => {
                    Ok(format!("paid {amount} to {}", args.to))
                }
                Some(_) => Err(ToolError::internal("the state is of another call")),
                None => Err(ToolError::from(cx.ask().state(args.amount))),
            }
        },
    ))
}

#[test]
fn a_state_of_another_call() {
    let host = InProcess::new(|| paying("bank"));
    let pay = |arguments: Value, state: Option<&str>| {
        let mut params = json!({"name": "pay", "arguments": arguments});
        if let Some(state) = state {
            params["requestState"] = state.into();
        }
        Request::modern("tools/call", params)
    };
    let state = state_of(&host.send(&pay(json!({"amount": 5, "to": "ada"}), None)));
    assert_eq!(
        host.send(&pay(json!({"to": "ada", "amount": 5}), Some(&state)))
            .json()["result"]["content"][0]["text"],
        "paid 5 to ada"
    );
    for other in [
        json!({"amount": 6, "to": "ada"}),
        json!({"amount": 5}),
        json!({"amount": 5, "to": "Ada"}),
    ] {
        assert_eq!(host.send(&pay(other, Some(&state))).error().0, -32602);
    }
    let elsewhere = InProcess::new(|| paying("other bank"));
    assert_eq!(
        elsewhere
            .send(&pay(json!({"amount": 5, "to": "ada"}), Some(&state)))
            .error()
            .0,
        -32602,
        "another server with the same key"
    );
}

#[test]
fn missing_capabilities_of_one_kind_are_named_together() {
    let server = || {
        Server::builder("asking", "1").tool(
            Tool::new("ask").description("Asks in two ways.").handler(
                |_: NoArguments, cx: Cx| async move {
                    let ask = cx
                        .ask()
                        .form("a", Form::new("Who?").text("name", "Name"))
                        .url("b", UrlElicitation::new("Sign in.", "https://example.com/"));
                    Err::<String, ToolError>(ask.into())
                },
            ),
        )
    };
    let response =
        InProcess::new(server).send(&Request::modern("tools/call", json!({"name": "ask"})));
    let error = response.json()["error"].clone();
    assert_eq!((response.status, &error["code"]), (400, &json!(-32021)));
    assert_eq!(
        error["data"],
        json!({"requiredCapabilities": {"elicitation": {"form": {}, "url": {}}}})
    );
}

#[test]
fn hidden_text_is_made_visible() {
    // bidirectional controls, zero-width characters, and the tag characters by which text is
    // smuggled past people
    let hidden = [
        '\u{61c}',
        '\u{ad}',
        '\u{2060}',
        '\u{2069}',
        '\u{feff}',
        '\u{e0041}',
        '\u{200b}',
        '\u{202e}',
        '\u{85}',
        '\u{2028}',
    ];
    let kept: Vec<String> = hidden
        .into_iter()
        .filter(|character| {
            let request = Request::from_client(
                "2025-11-25",
                json!({"id": 1, "method": format!("a{character}b")}),
            );
            everything().send(&request).error().1.contains(*character)
        })
        .map(|character| format!("U+{:04X}", character as u32))
        .collect();
    assert!(kept.is_empty(), "repeated as they came: {}", kept.join(" "));
}

#[test]
fn a_private_cause_stays_private() {
    let host = everything();
    let response = host.send(&Request::modern(
        "tools/call",
        json!({"name": "test_panic"}),
    ));
    let kept = host.log.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (
            kept[0].method.as_str(),
            kept[0].name.as_str(),
            kept[0].cause.as_str()
        ),
        ("tools/call", "test_panic", "panic: a private message")
    );
    assert!(
        response.text().contains(&kept[0].id),
        "the client is told the log's id"
    );
    assert!(!response.text().contains("private"));
}

#[test]
fn a_caller_that_nobody_recognised() {
    let discover = Request::modern("server/discover", json!({}));
    let deployed = || InProcess::with_config(mcpfn_it::everything, Config::default());
    let stranger = deployed().called_by(Principal::anonymous());
    let response = stranger.send(&discover);
    assert_eq!(response.status, 403);
    let (code, message) = response.error();
    assert_eq!(code, -32600);
    assert!(message.contains("authentication required"), "{message}");
    assert_eq!(
        deployed().send(&discover).status,
        200,
        "a recognised one may"
    );
    let mut open = Config::default();
    open.anonymous = true;
    let open = InProcess::with_config(mcpfn_it::everything, open).called_by(Principal::anonymous());
    assert_eq!(
        open.send(&discover).status,
        200,
        "everybody may where the operator says so"
    );
    let health = Request {
        method: "GET".to_owned(),
        path: "/health".to_owned(),
        ..Request::post("")
    };
    assert_eq!(
        stranger.send(&health).status,
        200,
        "a load balancer asks without a name"
    );
}
