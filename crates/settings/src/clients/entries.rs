//! Each client's own form of the same: where it is written, and how a key is kept out of it.

use serde_json::{Value, json};

use super::access::{ClientAccess, KEY_HEADER, KEY_PLACEHOLDER, StdioProgram};
use super::command_line::line;
use super::entry::{ClientEntry, ClientFile, ClientLanguage};
use super::{links, paths};

impl ClientAccess {
    /// What to paste where, the usual clients first.
    #[must_use]
    pub fn entries(&self) -> Vec<ClientEntry> {
        let mut entries = claude(self);
        entries.extend(cursor(self));
        entries.extend(vs_code(self));
        entries.extend(others(self));
        entries.extend(inspector(self));
        entries
    }
}

fn entry(
    client: &'static str,
    about: &'static str,
    language: ClientLanguage,
    text: String,
) -> ClientEntry {
    ClientEntry {
        client,
        about,
        language,
        text,
        files: &[],
    }
}

fn file(
    client: &'static str,
    about: &'static str,
    content: &Value,
    files: &'static [ClientFile],
) -> ClientEntry {
    ClientEntry {
        files,
        ..entry(client, about, ClientLanguage::Json, content.to_string())
    }
}

/// The server's member, as most clients have it: the URL under this name, or the program.
fn member(access: &ClientAccess, url_name: &str, key: &str) -> Option<Value> {
    let Some(url) = &access.url else {
        return access.program.as_ref().map(started);
    };
    let mut member = json!({url_name: url});
    if let Some(headers) = access.headers(key) {
        member["headers"] = headers;
    }
    Some(member)
}

/// With the kind of transport, for clients that want it.
fn typed_member(access: &ClientAccess, kind: &str, key: &str) -> Option<Value> {
    let mut found = member(access, "url", key)?;
    found["type"] = if access.url.is_some() { kind } else { "stdio" }.into();
    Some(found)
}

fn started(program: &StdioProgram) -> Value {
    let mut member = json!({"command": program.command, "args": program.args});
    if !program.env.is_empty() {
        let env = program.env.iter();
        member["env"] = env
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
    }
    member
}

fn servers(root: &str, name: &str, member: &Value) -> Value {
    json!({root: {name: member}})
}

fn claude(access: &ClientAccess) -> Vec<ClientEntry> {
    let name = &access.name;
    let mut entries = Vec::new();
    let shell = |about, text| entry("Claude Code", about, ClientLanguage::Shell, text);
    if let Some(text) = claude_add(access, "user") {
        entries.push(shell("for you, in every project", text));
    }
    let variable = format!("${{{}}}", access.key_variable());
    if let Some(member) = typed_member(access, "http", &variable) {
        let content = servers("mcpServers", name, &member);
        entries.push(file(
            "Claude Code",
            "for everybody in one project",
            &content,
            paths::CLAUDE_PROJECT,
        ));
    }
    if let Some(text) = claude_add(access, "local") {
        entries.push(shell("for you, in one project", text));
    }
    let text = format!("claude mcp list\n{}", line(["claude", "mcp", "get", name]));
    entries.push(shell("whether it is there", text));
    if let Some(program) = &access.program {
        let content = servers("mcpServers", name, &started(program));
        entries.push(file(
            "Claude Desktop",
            "which starts it",
            &content,
            paths::CLAUDE_DESKTOP,
        ));
    }
    entries
}

fn claude_add(access: &ClientAccess, scope: &str) -> Option<String> {
    let mut words = vec!["claude".to_owned(), "mcp".to_owned(), "add".to_owned()];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
    add(&["--scope", scope]);
    match (&access.url, &access.program) {
        (Some(url), _) => {
            add(&["--transport", "http", &access.name, url]);
            // it takes all words that follow: behind the others
            if access.key {
                add(&["--header", &format!("{KEY_HEADER}: {KEY_PLACEHOLDER}")]);
            }
        }
        (None, Some(program)) => {
            for (name, value) in &program.env {
                add(&["--env", &format!("{name}={value}")]);
            }
            // so does `--env`: another option ends it
            add(&["--transport", "stdio", &access.name, "--", &program.command]);
            words.extend(program.args.iter().cloned());
        }
        (None, None) => return None,
    }
    Some(line(words.iter().map(String::as_str)))
}

fn cursor(access: &ClientAccess) -> Vec<ClientEntry> {
    let variable = format!("${{env:{}}}", access.key_variable());
    let Some(member) = member(access, "url", &variable) else {
        return Vec::new();
    };
    let link = links::cursor(&access.name, &member);
    let content = servers("mcpServers", &access.name, &member);
    vec![
        file("Cursor", "", &content, paths::CURSOR),
        entry("Cursor", "a link that adds it", ClientLanguage::Url, link),
    ]
}

fn vs_code(access: &ClientAccess) -> Vec<ClientEntry> {
    let Some(member) = typed_member(access, "http", "${input:key}") else {
        return Vec::new();
    };
    let mut content = servers("servers", &access.name, &member);
    let mut link = member;
    link["name"] = access.name.as_str().into();
    // asked once and kept by the editor
    if access.key && access.url.is_some() {
        let inputs = json!([{
            "id": "key", "type": "promptString", "password": true,
            "description": format!("API key of {}", access.name),
        }]);
        content["inputs"] = inputs.clone();
        link["inputs"] = inputs;
    }
    vec![
        file("VS Code", "", &content, paths::VS_CODE),
        entry(
            "VS Code",
            "a link that adds it",
            ClientLanguage::Url,
            links::vs_code(&link),
        ),
    ]
}

fn others(access: &ClientAccess) -> Vec<ClientEntry> {
    let name = &access.name;
    let mut entries = Vec::new();
    let variable = format!("${{env:{}}}", access.key_variable());
    if let Some(member) = member(access, "serverUrl", &variable) {
        let content = servers("mcpServers", name, &member);
        entries.push(file("Windsurf", "", &content, paths::WINDSURF));
    }
    if let Some(member) = member(access, "url", KEY_PLACEHOLDER) {
        let content = servers("context_servers", name, &member);
        entries.push(file("Zed", "", &content, paths::ZED));
    }
    if let Some(member) = typed_member(access, "streamableHttp", KEY_PLACEHOLDER) {
        let content = servers("mcpServers", name, &member);
        entries.push(file("Cline", "", &content, paths::CLINE));
    }
    // it sends no headers of one's own, and reaches nothing but public addresses
    let public = access
        .url
        .as_ref()
        .filter(|url| url.starts_with("https://"));
    if let Some(url) = public.filter(|_| !access.key) {
        entries.push(entry(
            "ChatGPT",
            "in developer mode, Settings, Apps & Connectors, Create: the URL",
            ClientLanguage::Url,
            url.clone(),
        ));
    }
    entries
}

fn inspector(access: &ClientAccess) -> Option<ClientEntry> {
    let mut words = vec!["npx", "@modelcontextprotocol/inspector"];
    let header = format!("{KEY_HEADER}: {KEY_PLACEHOLDER}");
    match (&access.url, &access.program) {
        (Some(url), _) => {
            let http = [
                "--transport",
                "http",
                "--protocol-era",
                "modern",
                "--server-url",
                url,
            ];
            words.extend(http);
            if access.key {
                words.extend(["--header", &header]);
            }
            let text = line(words);
            Some(entry("MCP Inspector", "", ClientLanguage::Shell, text))
        }
        (None, Some(program)) => {
            words.push(&program.command);
            words.extend(program.args.iter().map(String::as_str));
            let text = line(words);
            Some(entry("MCP Inspector", "", ClientLanguage::Shell, text))
        }
        (None, None) => None,
    }
}
