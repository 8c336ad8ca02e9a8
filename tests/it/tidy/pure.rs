//! What core, http and the other pure crates may know, name and depend on.

use super::source::{PURE, lines_with, none, root, sources, table};

#[test]
fn schema_core_http_and_auth_are_pure() {
    let forbidden = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::io",
        "SystemTime",
        "Instant::now",
        "tokio",
        "println!",
        "eprintln!",
        "print!",
        "dbg!",
        "thread::spawn",
        "thread::sleep",
        "thread_local!",
        "static mut",
        "getrandom",
        "tracing",
    ];
    none(
        &lines_with(&sources(&PURE), &forbidden),
        "schema, core, http and auth do no I/O and know no clock, randomness, environment or log: take it \
         through a port (`Platform`) or as an argument",
    );
}

#[test]
fn only_one_file_knows_schemars() {
    let mut sources = sources(&["crates/core/src"]);
    sources.retain(|source| {
        source.path != "crates/core/src/tool/schema.rs" && source.path != "crates/core/src/lib.rs"
    });
    none(
        &lines_with(&sources, &["schemars"]),
        "schemars is public interface: keep it behind core/src/tool/schema.rs, where a new version \
         of it is one change",
    );
}

#[test]
fn only_one_file_knows_the_target() {
    let mut sources = sources(&PURE);
    sources.retain(|source| source.path != "crates/core/src/send.rs");
    none(
        &lines_with(&sources, &["target_arch", "target_family", "target_os"]),
        "what differs by target stands in core/src/send.rs, documented, and nowhere else",
    );
}

#[test]
fn dependencies_of_schema_core_http_and_auth_are_these() {
    let allowed = [
        // a crate of use alone: its users compile these two and no more
        ("schema", ["serde_json", "regex-lite"].as_slice()),
        (
            "core",
            [
                "serde",
                "serde_json",
                "schemars",
                "sha2",
                // signatures of webhooks; linked only where a server has events
                "hmac",
                "chacha20poly1305",
                "base64",
                "bytes",
                "memchr",
                "mcpfn-embed",
                "mcpfn-schema",
                "mcpfn-macros",
            ]
            .as_slice(),
        ),
        (
            "http",
            [
                "mcpfn-core",
                "http",
                "http-body",
                "http-body-util",
                "bytes",
                "serde_json",
                "base64",
                // hashes of the page's script and style, with the feature `page`; the core has it anyway
                "sha2",
                // traits alone, with the feature `tower`: a module without it has neither
                "tower-layer",
                "tower-service",
            ]
            .as_slice(),
        ),
        (
            "auth",
            [
                "mcpfn-core",
                "mcpfn-http",
                "async-lock",
                "base64",
                "http",
                "ring",
                "serde",
                "serde_json",
                "sha2",
                "subtle",
            ]
            .as_slice(),
        ),
    ];
    for (name, allowed) in allowed {
        let manifest = std::fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml")))
            .expect("a manifest");
        let found: Vec<String> = table(&manifest, "dependencies")
            .into_iter()
            .filter(|dependency| !allowed.contains(&dependency.as_str()))
            .collect();
        none(
            &found,
            &format!(
                "{name} has a new dependency: measure what it adds to the wasm module, say why in \
                 its Cargo.toml, and list it here"
            ),
        );
        assert!(
            !manifest.contains("[target."),
            "{name} depends on nothing for one target only"
        );
        assert!(!manifest.contains("build ="), "{name} has no build script");
    }
}

#[test]
fn schema_core_http_and_auth_explain_their_unwraps() {
    let mut found = Vec::new();
    for source in sources(&PURE) {
        let lines: Vec<(usize, &str)> = source.code().collect();
        for (position, (number, line)) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if [
                ".unwrap()",
                ".expect(",
                "unreachable!",
                "panic!(",
                "unsafe ",
            ]
            .iter()
            .any(|word| code.contains(word))
            {
                let explained = position > 0 && lines[position - 1].1.trim().starts_with("//");
                if !explained {
                    found.push(format!("{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    none(
        &found,
        "input never panics: return an error, or write the invariant that makes this impossible in \
         a comment on the line before",
    );
}

#[test]
fn only_jsonrpc_knows_the_envelope() {
    let mut sources = sources(&["crates"]);
    sources.retain(|source| {
        source.path.contains("/src/")
            && !source.path.starts_with("crates/core/src/jsonrpc")
            && !source.path.starts_with("crates/xtask")
            // a client of any server, which also reads what is no message
            && !source.path.starts_with("crates/cli")
    });
    let found = lines_with(&sources, &["\"jsonrpc\"", "\\\"jsonrpc\\\""]);
    none(
        &found,
        "the envelope is read and written in core/src/jsonrpc/ alone: call its functions",
    );
}
