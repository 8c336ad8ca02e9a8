//! The entry itself: its members, and the rules of the registry that its schema does not have.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use toml::Table;

use crate::arguments::PublishArguments;
use crate::bundle::sha256;
use crate::http::{endpoint, is_near};
use crate::output::CliError;
use crate::project::Project;

pub(super) const SCHEMA: &str =
    "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

pub(super) fn entry(project: &Project, arguments: &PublishArguments) -> Result<Value, CliError> {
    let package = &project.package;
    let name = name(project, arguments)?;
    let mut entry = json!({
        "$schema": SCHEMA,
        "name": name,
        "description": project.description(arguments.description.as_deref())?,
        "version": package.version,
    });
    let mut add = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            entry[member] = value;
        }
    };
    add("title", arguments.title.clone().map(Value::from));
    let website = arguments.website.as_ref().or(package.homepage.as_ref());
    let website = website.map(|url| public(url).map(|()| json!(url)));
    add("websiteUrl", website.transpose()?);
    add("repository", repository(project));
    let (remotes, packages) = (
        remotes(project, arguments)?,
        packages(project, arguments, &name)?,
    );
    if remotes.is_empty() && packages.is_empty() {
        return Err(
            "nothing says how to reach the server: give --url URL of its endpoint, --bundle-url of a \
             bundle, --oci of an image, or --crate"
                .into(),
        );
    }
    add("remotes", (!remotes.is_empty()).then(|| remotes.into()));
    add("packages", (!packages.is_empty()).then(|| packages.into()));
    Ok(entry)
}

/// The name that was given, else that of the repository's owner on GitHub.
fn name(project: &Project, arguments: &PublishArguments) -> Result<String, CliError> {
    let package = &project.package.name;
    if let Some(name) = &arguments.name {
        let (namespace, rest) = name.split_once('/').unwrap_or((name, package));
        if !namespace.contains('.') {
            return Err(format!(
                "--name {}: begin it with a name of yours, such as com.example/{package} or \
                 io.github.OWNER/{package}",
                name.escape_debug()
            )
            .into());
        }
        return Ok(format!("{namespace}/{rest}"));
    }
    let owner = project.package.repository.as_deref().and_then(|url| {
        let path = url.strip_prefix("https://github.com/")?;
        path.split('/').next().filter(|owner| !owner.is_empty())
    });
    let owner = owner.ok_or_else(|| {
        format!(
            "the server needs a name in the registry: give --name com.example/{package} for a domain of \
             yours, or name its repository on GitHub in Cargo.toml"
        )
    })?;
    Ok(format!("io.github.{owner}/{package}"))
}

/// Where the sources are, at a place that the registry knows.
fn repository(project: &Project) -> Option<Value> {
    let url = project.package.repository.as_deref()?;
    let source = ["github", "gitlab"]
        .into_iter()
        .find(|source| url.starts_with(&format!("https://{source}.com/")))?;
    let mut repository = json!({"url": url, "source": source});
    if let Ok(folder) = project.folder.strip_prefix(&project.workspace)
        && folder != Path::new("")
    {
        repository["subfolder"] = json!(folder.to_string_lossy().replace('\\', "/"));
    }
    Some(repository)
}

/// Endpoints, with the headers that callers have to bring.
fn remotes(project: &Project, arguments: &PublishArguments) -> Result<Vec<Value>, CliError> {
    let settings = worker_settings(project);
    let setting = |name: &str| settings.get(name).and_then(toml::Value::as_str);
    let mut urls = arguments.url.clone();
    if urls.is_empty() {
        urls.extend(setting("MCPFN_PUBLIC_URL").map(str::to_owned));
    }
    let mut headers: Vec<Value> = Vec::new();
    for given in &arguments.key_header {
        let (name, about) = given
            .split_once('=')
            .unwrap_or((given, "Key of this server"));
        headers.push(key_header(name, about));
    }
    // callers who have no way but a key need one
    if headers.is_empty() && setting("MCPFN_AUTH") == Some("api-key") {
        headers.push(key_header("X-API-Key", "Key of this server"));
    }
    let remote = |url: &String| {
        public(url)?;
        let mut remote = Map::new();
        remote.insert("type".to_owned(), json!("streamable-http"));
        remote.insert("url".to_owned(), json!(url));
        if !headers.is_empty() {
            remote.insert("headers".to_owned(), json!(headers));
        }
        Ok(Value::Object(remote))
    };
    urls.iter().map(remote).collect()
}

fn key_header(name: &str, about: &str) -> Value {
    json!({"name": name, "description": about, "isRequired": true, "isSecret": true})
}

/// `[vars]` of wrangler.toml: the settings that are no secrets.
fn worker_settings(project: &Project) -> Table {
    let text = fs::read_to_string(project.folder.join("wrangler.toml")).unwrap_or_default();
    let mut wrangler: Table = text.parse().unwrap_or_default();
    match wrangler.remove("vars") {
        Some(toml::Value::Table(vars)) => vars,
        _ => Table::new(),
    }
}

/// Files and images that start the server on a person's machine.
fn packages(
    project: &Project,
    arguments: &PublishArguments,
    name: &str,
) -> Result<Vec<Value>, CliError> {
    let version = &project.package.version;
    let stdio = json!({"type": "stdio"});
    let mut packages = Vec::new();
    if let Some(url) = &arguments.bundle_url {
        packages.push(bundle(url, arguments.bundle.as_deref(), version)?);
    }
    if let Some(image) = &arguments.oci {
        let tag = image
            .rsplit_once('/')
            .and_then(|(_, rest)| rest.split_once(':'));
        if tag.is_none_or(|(_, tag)| matches!(tag, "" | "latest")) {
            return Err(format!(
                "--oci {}: name a registry and a tag other than latest, such as \
                 ghcr.io/owner/image:{version}",
                image.escape_debug()
            )
            .into());
        }
        packages.push(
            json!({"registryType": "oci", "identifier": image, "runtimeHint": "docker",
            "transport": stdio}),
        );
    }
    if arguments.krate {
        marked(project, name)?;
        packages.push(
            json!({"registryType": "cargo", "identifier": project.package.name,
            "version": version, "transport": stdio,
            "packageArguments": [{"type": "named", "name": "--stdio"}]}),
        );
    }
    Ok(packages)
}

fn bundle(url: &str, file: Option<&Path>, version: &str) -> Result<Value, CliError> {
    public(url)?;
    let known = ["https://github.com/", "https://gitlab.com/"];
    if !known.iter().any(|known| url.starts_with(known)) || !url.contains("mcp") {
        return Err(
            "--bundle-url: the registry takes files of releases on github.com and gitlab.com with mcp \
             in their address"
                .into(),
        );
    }
    let file = file.ok_or("--bundle-url needs --bundle FILE, whose hash clients compare")?;
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(
        json!({"registryType": "mcpb", "identifier": url, "version": version,
        "fileSha256": sha256(&bytes), "transport": {"type": "stdio"}}),
    )
}

/// The registry looks for the server's name in the text of the crate's page.
fn marked(project: &Project, name: &str) -> Result<(), CliError> {
    let readme = project.package.readme.as_deref();
    let text = readme.and_then(|file| fs::read_to_string(project.folder.join(file)).ok());
    let mark = format!("mcp-name: {name}");
    // what is in a comment is not on the page
    let shown = |text: &str| {
        let line = text.lines().find(|line| line.contains(&mark));
        line.is_some_and(|line| !line.contains("<!--"))
    };
    if text.is_some_and(|text| shown(&text)) {
        return Ok(());
    }
    Err(format!(
        "--crate: the README of the crate must have the line `{mark}`, outside of comments, which crates.io \
         leaves out"
    )
    .into())
}

/// An address that everybody can reach.
fn public(text: &str) -> Result<(), CliError> {
    let url = endpoint(text)?;
    if url.scheme_str() == Some("https") && !url.host().is_some_and(is_near) {
        return Ok(());
    }
    Err(
        format!("{text} can't be reached by others: the registry wants a public https address")
            .into(),
    )
}
