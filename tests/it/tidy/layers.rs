//! Which of our crates may see which: hosts never see each other, toolkits see the protocol and its
//! ports, and only `mcpfn` and what is built on it sees a host.

use super::source::{lines_with, none, packages, sources, table};

const HOSTS: [&str; 3] = ["local", "lambda", "worker"];
/// Core, crates of ports, and the rules of skills. A driver behind a port is the host's business.
const BELOW_TOOLKITS: [&str; 3] = ["mcpfn-core", "mcpfn-embed", "mcpfn-ports"];
/// What picks a host, and programs that run one.
const ABOVE_HOSTS: [&str; 3] = ["mcpfn", "server", "xtask"];

/// Our crates that a package depends on, by its manifest, for any target.
fn ours(manifest: &str) -> Vec<String> {
    let tables = manifest
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
        .filter(|name| name.ends_with("dependencies") && !name.ends_with("dev-dependencies"));
    tables
        .flat_map(|name| table(manifest, name))
        .map(|name| name.split('.').next().unwrap_or_default().to_owned())
        .filter(|name| name == "mcpfn" || name.starts_with("mcpfn-"))
        .collect()
}

/// What a package may not depend on, of what it depends on.
fn misplaced(package: &str, manifest: &str) -> Vec<String> {
    let is_host = |name: &str| HOSTS.iter().any(|host| name == format!("mcpfn-{host}"));
    let is_wrong = |name: &String| {
        let above = !ABOVE_HOSTS.contains(&package) && (is_host(name) || name == "mcpfn");
        let beside = package == "toolkits" && !BELOW_TOOLKITS.contains(&name.as_str());
        above || beside
    };
    ours(manifest).into_iter().filter(is_wrong).collect()
}

#[test]
fn hosts_and_toolkits_see_what_is_below_them() {
    let packages = packages();
    let known = |host: &str| packages.iter().any(|(name, _)| name == host);
    assert!(
        HOSTS.iter().all(|host| known(host)),
        "a host has moved: {HOSTS:?}"
    );
    let found: Vec<String> = packages
        .iter()
        .flat_map(|(name, manifest)| {
            let wrong = misplaced(name, manifest).into_iter();
            wrong.map(move |dependency| format!("crates/{name}/Cargo.toml: {dependency}"))
        })
        .collect();
    none(
        &found,
        "hosts never see each other and nothing below `mcpfn` sees a host; toolkits see core and \
         crates of ports. Move what both need into a crate below (`crates/settings`, `crates/native`), \
         or take it through a port; a new crate of ports is added to BELOW_TOOLKITS",
    );
}

#[test]
fn hosts_do_not_name_each_other() {
    let mut found = Vec::new();
    for host in HOSTS {
        let others: Vec<String> = HOSTS
            .iter()
            .filter(|other| **other != host)
            .map(|other| format!("mcpfn_{other}"))
            .collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        found.extend(lines_with(
            &sources(&[&format!("crates/{host}/src")]),
            &others,
        ));
    }
    none(
        &found,
        "a host knows nothing of another host: move what both need into a crate below them",
    );
}

#[test]
fn a_dependency_on_a_host_is_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nmcpfn-core = { workspace = true }\n\
        mcpfn-sql = { workspace = true }\n[target.'cfg(unix)'.dependencies]\nmcpfn-local.workspace \
        = true\n[dev-dependencies]\nmcpfn-worker = { workspace = true }\n";
    assert_eq!(misplaced("lambda", manifest), ["mcpfn-local"]);
    assert_eq!(
        misplaced("toolkits", manifest),
        ["mcpfn-sql", "mcpfn-local"]
    );
    assert!(misplaced("mcpfn", manifest).is_empty());
}
