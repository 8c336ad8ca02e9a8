//! The manifest of a bundle: version 0.3 of MCPB. 0.4 adds only what servers in Python need, and says of
//! itself that it may still change.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::arguments::BundleArguments;
use crate::output::CliError;
use crate::project::Project;

const VERSION: &str = "0.3";
/// Bytes of a program. The client unpacks them in memory.
const MAX_PROGRAM: u64 = 512 * 1024 * 1024;

/// Systems that bundles are for, as Node names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Darwin,
    Windows,
    Linux,
}

/// A program in the bundle.
pub(super) struct BundledProgram {
    pub(super) platform: Platform,
    /// Its path in the bundle.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
}

impl Platform {
    pub(super) fn here() -> Result<Self, CliError> {
        match std::env::consts::OS {
            "macos" => Ok(Self::Darwin),
            "windows" => Ok(Self::Windows),
            "linux" => Ok(Self::Linux),
            other => Err(format!(
                "bundles are for macOS, Windows and Linux, and this is {other}: give --binary \
                 PLATFORM=FILE"
            )
            .into()),
        }
    }

    pub(super) fn named(text: &str) -> Result<Self, CliError> {
        match text {
            "darwin" | "macos" => Ok(Self::Darwin),
            "win32" | "windows" => Ok(Self::Windows),
            "linux" => Ok(Self::Linux),
            other => Err(format!(
                "--binary: the platform is darwin, win32 or linux, not {}",
                other.escape_debug()
            )
            .into()),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Darwin => "darwin",
            Self::Windows => "win32",
            Self::Linux => "linux",
        }
    }

    /// The file of a program there.
    pub(super) fn file(self, program: &str) -> String {
        let ending = if self == Self::Windows { ".exe" } else { "" };
        format!("{program}{ending}")
    }
}

impl BundledProgram {
    pub(super) fn read(platform: Platform, name: &str, path: &Path) -> Result<Self, CliError> {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let size = fs::metadata(path).map_err(told)?.len();
        if size > MAX_PROGRAM {
            return Err(format!("{} is larger than {MAX_PROGRAM} bytes", path.display()).into());
        }
        Ok(Self {
            platform,
            place: format!("server/{}/{}", platform.name(), platform.file(name)),
            bytes: fs::read(path).map_err(told)?,
        })
    }

    fn command(&self) -> String {
        format!("${{__dirname}}/{}", self.place)
    }
}

/// At least one program.
pub(super) fn manifest(
    project: &Project,
    arguments: &BundleArguments,
    programs: &[BundledProgram],
) -> Result<Value, CliError> {
    let package = &project.package;
    let (first, rest) = programs.split_first().ok_or("a bundle needs a program")?;
    let (user_config, env) = asked(project, arguments);
    let platforms: Vec<&str> = programs
        .iter()
        .map(|program| program.platform.name())
        .collect();
    let mut manifest = json!({
        "manifest_version": VERSION,
        "name": package.name,
        "version": package.version,
        "description": project.description(arguments.description.as_deref())?,
        "author": author(project, arguments)?,
        "server": {"type": "binary", "entry_point": first.place, "mcp_config": start(first, rest, env)},
        // they are what the server says, when it is asked
        "tools_generated": true,
        "prompts_generated": true,
        "compatibility": {"platforms": platforms},
    });
    let mut add = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            manifest[member] = value;
        }
    };
    add("display_name", arguments.title.clone().map(Value::from));
    let repository = package.repository.as_ref();
    add(
        "repository",
        repository.map(|url| json!({"type": "git", "url": url})),
    );
    add("homepage", package.homepage.clone().map(Value::from));
    add("license", package.license.clone().map(Value::from));
    add(
        "keywords",
        (!package.keywords.is_empty()).then(|| json!(package.keywords)),
    );
    add(
        "user_config",
        (!user_config.is_empty()).then(|| user_config.into()),
    );
    Ok(manifest)
}

/// How a client starts a program, and the others on their systems.
fn start(first: &BundledProgram, rest: &[BundledProgram], env: Map<String, Value>) -> Value {
    let mut start = json!({"command": first.command(), "args": ["--stdio"]});
    if !env.is_empty() {
        start["env"] = env.into();
    }
    let mut others = Map::new();
    for program in rest {
        others.insert(
            program.platform.name().to_owned(),
            json!({"command": program.command()}),
        );
    }
    if !others.is_empty() {
        start["platform_overrides"] = others.into();
    }
    start
}

/// `Name <address>` of Cargo.toml, or what was given.
fn author(project: &Project, arguments: &BundleArguments) -> Result<Value, CliError> {
    let own = project.package.authors.first();
    let text = arguments.author.as_ref().or(own);
    let text = text.map(|text| text.trim()).filter(|text| !text.is_empty());
    let text = text.ok_or(
        "a bundle needs an author: give --author 'Name <address>', or add authors to Cargo.toml",
    )?;
    let (name, address) = match text.split_once('<') {
        Some((name, rest)) => (name.trim(), rest.split('>').next()),
        None => (text, None),
    };
    let mut author = json!({"name": name});
    if let Some(address) = address {
        author["email"] = json!(address.trim());
    }
    Ok(author)
}

/// What a person is asked for at the installation, and the variables that it becomes: those that
/// `.env.example` sets, and those that were named.
fn asked(
    project: &Project,
    arguments: &BundleArguments,
) -> (Map<String, Value>, Map<String, Value>) {
    let example = fs::read_to_string(project.folder.join(".env.example")).unwrap_or_default();
    let mut names: Vec<(String, Option<String>)> = Vec::new();
    for line in example.lines().map(str::trim) {
        if let Some((name, value)) = line.split_once('=')
            && is_variable(name)
        {
            names.push((name.to_owned(), Some(value.trim_matches('"').to_owned())));
        }
    }
    for given in &arguments.ask {
        let (name, value) = match given.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (given.as_str(), None),
        };
        names.retain(|(other, _)| other != name);
        names.push((name.to_owned(), value));
    }
    let (mut user_config, mut env) = (Map::new(), Map::new());
    for (name, value) in names {
        let key = name.to_ascii_lowercase();
        let secret = is_secret(&name) || value.as_deref().is_some_and(has_password);
        let mut option = json!({
            "type": "string", "title": name, "description": format!("The variable {name} of this server"),
            "sensitive": secret,
            // what a client does not know stays `${..}` in the variable
            "required": secret || value.is_none(),
        });
        if let Some(value) = value.filter(|_| !secret) {
            option["default"] = json!(value);
        }
        env.insert(name, json!(format!("${{user_config.{key}}}")));
        user_config.insert(key, option);
    }
    (user_config, env)
}

fn is_variable(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(legal)
}

/// The example's value of a secret is none. A name that only sounds like one costs a person's typing,
/// and one that is missed is in everybody's bundle.
fn is_secret(name: &str) -> bool {
    let words = ["KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "DSN"];
    let of_store = ["DATABASE", "REDIS", "POSTGRES", "MYSQL", "MONGO"];
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    // addresses of stores have passwords in them
    let is_address = name.ends_with("URL") || name.ends_with("URI") || name.ends_with("DATABASE");
    has(&words) || is_address && has(&of_store)
}

/// Whether it is a URL of somebody: `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let rest = value.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_or_value() {
        for name in [
            "MCPFN_API_KEYS",
            "GITHUB_TOKEN",
            "SMTP_PASS",
            "DATABASE_PASS",
            "DB_PWD",
            "SENTRY_DSN",
            "MCPFN_DATABASE",
            "MCPFN_DATABASE_READONLY_URL",
            "MCPFN_REDIS_URL",
            "MCPFN_POSTGRES_STORE_URL",
            "AWS_CREDENTIALS",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["GREETING", "API_URL", "MCPFN_TOOLKITS", "MCPFN_AUTH"] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(has_password("https://me:hunter2@mail.example.com/x"));
        assert!(!has_password("https://example.com/@me?to=a@b"));
    }
}
