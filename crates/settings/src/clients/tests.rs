//! Every entry is read as its client reads it, and says where the server is and what the key is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::{Hosts, SETTINGS, Setting};

const URL: &str = "https://mcp.example.com/mcp";

/// Settings of a program.
const PROGRAM: &[Setting] = &[
    Setting::new("MCPFN_TOOLKITS", "", "", ""),
    Setting::new("MCPFN_WEATHER_API_KEY", "KEY", "", "").secret(),
    Setting::new("MCPFN_DATABASE", "FILE|URL", "", "").secret(),
    Setting::new("MCPFN_FILES_ROOT", "DIRECTORY|URL", "", ""),
];

fn program() -> StdioProgram {
    StdioProgram {
        command: "/opt/my tools/acme".to_owned(),
        args: vec!["--stdio".to_owned()],
        env: vec![("MCPFN_TOOLKITS".to_owned(), "hello,it's".to_owned())],
    }
}

/// Words of a line, as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), None, false, false);
    for c in line.chars() {
        match c {
            _ if escaped => {
                word.get_or_insert_with(String::new).push(c);
                escaped = false;
            }
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            '\\' if !quoted => escaped = true,
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    assert!(!quoted && !escaped, "{line}");
    words.extend(word);
    words
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The server's member in an entry that is JSON, or a link with JSON in it.
fn member(entry: &ClientEntry, name: &str) -> Value {
    match entry.language {
        ClientLanguage::Json => {
            let content: Value = serde_json::from_str(&entry.text).unwrap();
            let roots = ["mcpServers", "servers", "context_servers"];
            let root = roots.iter().find(|root| content.get(**root).is_some());
            content[*root.unwrap()][name].clone()
        }
        ClientLanguage::Url if entry.text.starts_with("vscode:") => {
            let (_, query) = entry.text.split_once('?').unwrap();
            let content: Value = serde_json::from_str(&percent_decoded(query)).unwrap();
            assert_eq!(content["name"], name);
            content
        }
        ClientLanguage::Url => {
            let (_, query) = entry.text.split_once('?').unwrap();
            let (named, config) = query.split_once("&config=").unwrap();
            assert_eq!(named, format!("name={name}"));
            let config = STANDARD.decode(percent_decoded(config)).unwrap();
            serde_json::from_slice(&config).unwrap()
        }
        ClientLanguage::Shell => panic!("{entry:?}"),
    }
}

fn is_json(entry: &ClientEntry) -> bool {
    entry.language != ClientLanguage::Shell && entry.client != "ChatGPT"
}

#[test]
fn every_client_gets_the_url_and_a_place_for_the_key() {
    for key in [false, true] {
        let access = ClientAccess::new("acme-1").at(URL);
        let access = if key { access.with_key() } else { access };
        let entries = access.started_by(program()).entries();
        for entry in entries.iter().filter(|entry| is_json(entry)) {
            let member = member(entry, "acme-1");
            if entry.client == "Claude Desktop" {
                assert_eq!(member["command"], "/opt/my tools/acme");
                assert_eq!(member["env"]["MCPFN_TOOLKITS"], "hello,it's");
                continue;
            }
            let url = member.get("url").or(member.get("serverUrl"));
            assert_eq!(url.unwrap(), URL, "{entry:?}");
            let place = &member["headers"]["X-API-Key"];
            assert_eq!(place.is_string(), key, "{entry:?}");
            let known = [
                "${ACME_1_API_KEY}",
                "${env:ACME_1_API_KEY}",
                "${input:key}",
                "YOUR_KEY",
            ];
            assert!(
                !key || known.iter().any(|known| place == *known),
                "{entry:?}"
            );
        }
        let clients: Vec<&str> = entries.iter().map(|entry| entry.client).collect();
        assert_eq!(clients.contains(&"ChatGPT"), !key, "it sends no headers");
        for client in [
            "Claude Code",
            "Claude Desktop",
            "Cursor",
            "VS Code",
            "Windsurf",
            "Zed",
            "Cline",
        ] {
            assert!(clients.contains(&client), "{client}");
        }
    }
}

#[test]
fn commands_have_the_scopes_in_order_and_survive_a_shell() {
    let remote = ClientAccess::new("acme").at(URL).with_key();
    let local = ClientAccess::new("acme").started_by(program());
    let header = "X-API-Key: YOUR_KEY";
    for (access, expected) in [
        (
            remote,
            vec!["--transport", "http", "acme", URL, "--header", header],
        ),
        (
            local,
            vec![
                "--env",
                "MCPFN_TOOLKITS=hello,it's",
                "--transport",
                "stdio",
                "acme",
                "--",
                "/opt/my tools/acme",
                "--stdio",
            ],
        ),
    ] {
        let entries = access.entries();
        let added: Vec<Vec<String>> = entries
            .iter()
            .filter(|entry| entry.text.starts_with("claude mcp add"))
            .map(|entry| words(&entry.text))
            .collect();
        let scopes: Vec<&str> = added.iter().map(|words| words[4].as_str()).collect();
        assert_eq!(scopes, ["user", "local"]);
        assert!(
            added.iter().all(|words| words[5..] == expected),
            "{added:?}"
        );
        let project = entries
            .iter()
            .position(|entry| entry.text.contains("mcpServers"));
        assert_eq!(project, Some(1), "the project's file stands between them");
    }
}

#[test]
fn without_a_url_every_client_starts_the_program() {
    let entries = ClientAccess::new("acme").started_by(program()).entries();
    let json: Vec<_> = entries.iter().filter(|entry| is_json(entry)).collect();
    assert!(json.len() >= 9, "{entries:?}");
    for entry in json {
        let member = member(entry, "acme");
        assert_eq!(member["args"][0], "--stdio", "{entry:?}");
        assert!(member.get("headers").is_none(), "{entry:?}");
    }
}

#[test]
fn files_say_for_which_system_they_are() {
    let entries = ClientAccess::new("a")
        .at(URL)
        .started_by(program())
        .entries();
    for entry in &entries {
        assert_eq!(
            entry.language == ClientLanguage::Json,
            !entry.files.is_empty()
        );
        if entry.files.len() > 1 {
            assert!(entry.files.iter().all(|file| !file.system.is_empty()));
            let all = entry
                .files
                .iter()
                .map(|file| file.system)
                .collect::<String>();
            assert!(
                ["macOS", "Windows", "Linux"]
                    .iter()
                    .all(|one| all.contains(one))
            );
        }
    }
}

#[test]
fn a_server_over_stdio_has_the_settings_of_its_tools() {
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let found = stdio_environment(
        [
            variable("MCPFN_TOOLKITS", "weather"),
            variable("MCPFN_WEATHER_API_KEY", "hunter2"),
            variable("MCPFN_DATABASE", "postgres://u:hunter2@h/d"),
            variable("MCPFN_FILES_ROOT", "a=src,b=src/clients"),
            variable("MCPFN_AUTH", "api-key"),
            variable("MCPFN_API_KEYS", "hunter2"),
            variable("MCPFN_STATE_KEY", "hunter2"),
            variable("MCPFN_PORT", "1"),
            variable("MCPFN_LOG", " "),
            variable("MCPFN_LAMBDA_MODE", "buffer"),
            variable("PASSWORD", "hunter2"),
            variable("AWS_PROFILE", "acme"),
        ],
        PROGRAM,
    );
    let here = std::path::absolute("src").unwrap();
    let here = here.display();
    let expected = [
        variable("AWS_PROFILE", "acme"),
        variable("MCPFN_DATABASE", "YOUR_DATABASE"),
        variable("MCPFN_FILES_ROOT", &format!("a={here},b={here}/clients")),
        variable("MCPFN_TOOLKITS", "weather"),
        variable("MCPFN_WEATHER_API_KEY", "YOUR_WEATHER_API_KEY"),
    ];
    assert_eq!(found, expected);
    let file = stdio_environment([variable("MCPFN_DATABASE", "Cargo.toml")], PROGRAM);
    let path = std::path::absolute("Cargo.toml").unwrap();
    assert_eq!(file[0].1, path.display().to_string());
}

/// Whatever setting has an address in it, and wherever in an address a secret may be.
#[test]
fn no_secret_in_an_address_is_printed() {
    for (value, shown) in [
        (
            "crm=https://h/mcp?token=hunter2",
            "crm=https://h/mcp?YOUR_QUERY",
        ),
        (
            "a=https://h/?k=hunter2,b=https://i/mcp",
            "a=https://h/?YOUR_QUERY,b=https://i/mcp",
        ),
        (
            "a=https://i/mcp,b=https://h/mcp#hunter2",
            "a=https://i/mcp,b=https://h/mcp?YOUR_QUERY",
        ),
        ("https://h/?k=1,hunter2", "https://h/?YOUR_QUERY"),
        ("https://x:hunter2@h/a", "https://YOUR_CREDENTIALS@h/a"),
        (
            "https://hunter2@h?k=hunter2",
            "https://YOUR_CREDENTIALS@h?YOUR_QUERY",
        ),
        ("https://x:hun@hunter2@h", "https://YOUR_CREDENTIALS@h"),
        ("https://h/mcp", "https://h/mcp"),
        ("a=b,c", "a=b,c"),
    ] {
        let here = |setting: &&Setting| setting.hosts.meets(Hosts::LOCAL) && !setting.secret;
        let settings = SETTINGS.iter().chain(PROGRAM).filter(here);
        let all = settings.map(|setting| (setting.name.to_owned(), value.to_owned()));
        let foreign = [("AWS_ENDPOINT_URL_S3".to_owned(), value.to_owned())];
        let found = stdio_environment(all.chain(foreign), PROGRAM);
        assert!(found.len() > 5, "{found:?}");
        for (name, printed) in found {
            assert_eq!(printed, shown, "{name}={value}");
        }
    }
}

/// No secret of a host is needed over stdio, and none is named for nothing.
#[test]
fn settings_of_http_are_known() {
    let here = SETTINGS
        .iter()
        .filter(|setting| setting.hosts.meets(Hosts::LOCAL));
    let secret: Vec<&str> = here
        .filter(|setting| setting.secret && !is_of_http(setting))
        .map(|setting| setting.name)
        .collect();
    assert_eq!(secret, [""; 0]);
    let unknown: Vec<&&str> = stdio::OF_HTTP
        .iter()
        .filter(|name| !SETTINGS.iter().any(|setting| setting.name == **name))
        .collect();
    assert_eq!(unknown, [&""; 0]);
}

/// All that a server over HTTP can have set: what calls do not need stays behind. A new setting is
/// in this list, or says what it is about.
#[test]
fn of_all_settings_those_of_calls_are_for_stdio() {
    let all = SETTINGS
        .iter()
        .map(|setting| (setting.name.to_owned(), "1".to_owned()));
    let mut found = stdio_environment(all, &[]);
    found.dedup();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "MCPFN_CACHE",
        "MCPFN_CONFIRM",
        "MCPFN_EVENT_ERRORS",
        "MCPFN_IDEMPOTENCY_ON_ERROR",
        "MCPFN_LOG",
        "MCPFN_LOG_ARGUMENTS",
        "MCPFN_LOG_FORMAT",
        "MCPFN_MAX_BODY_BYTES",
        "MCPFN_MAX_VALUES",
        "MCPFN_RATE_LIMIT",
        "MCPFN_RATE_LIMIT_IPV6_PREFIX",
        "MCPFN_RATE_LIMIT_ON_ERROR",
        "MCPFN_TIMEOUTS",
        "MCPFN_WEBHOOK_HOSTS",
        "MCPFN_WEBHOOK_ID",
    ];
    assert_eq!(names, expected);
}

/// One entry as the document shows it.
fn documented(entry: &ClientEntry) -> String {
    let title = match entry.about {
        "" => entry.client.to_owned(),
        about => format!("{}, {about}", entry.client),
    };
    let files: Vec<String> = entry
        .files
        .iter()
        .map(|file| match file.system {
            "" => format!("- `{}`\n", file.path),
            system => format!("- {system}: `{}`\n", file.path),
        })
        .collect();
    let (language, text) = match entry.language {
        ClientLanguage::Json => {
            let content: Value = serde_json::from_str(&entry.text).unwrap();
            ("json", serde_json::to_string_pretty(&content).unwrap())
        }
        ClientLanguage::Shell => ("sh", entry.text.clone()),
        ClientLanguage::Url => ("text", entry.text.clone()),
    };
    let gap = if files.is_empty() { "" } else { "\n" };
    format!(
        "{title}:\n\n{}{gap}```{language}\n{text}\n```\n",
        files.concat()
    )
}

#[test]
fn the_document_shows_what_is_printed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    let document = std::fs::read_to_string(path).unwrap();
    let program = StdioProgram {
        command: "/path/to/mcpfn".to_owned(),
        args: vec!["--stdio".to_owned()],
        env: vec![("MCPFN_TOOLKITS".to_owned(), "hello,catalog".to_owned())],
    };
    let access = ClientAccess::new("acme").at("https://mcp.example.com/mcp");
    let open = access.clone().started_by(program).entries();
    let keyed = access.with_key().entries();
    let shown = |entries: &[ClientEntry]| -> Vec<String> {
        // a link is as long as it is unreadable
        let readable = entries.iter().filter(|entry| !entry.text.contains('%'));
        readable.map(documented).collect()
    };
    let with_key = shown(&keyed)
        .into_iter()
        .filter(|text| text.contains("KEY"));
    let missing: Vec<String> = shown(&open)
        .into_iter()
        .chain(with_key)
        .filter(|text| !document.contains(text.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/clients.md lacks:\n\n{}",
        missing.join("\n")
    );
}
