//! What the ready server publishes with every toolkit, against `crates/server/published.json`: a change
//! that breaks clients is seen in the test that it fails.

use std::path::Path;

use mcpfn_core::Server;
use mcpfn_testing::TestClient;
use serde_json::{Value, json};

use crate::{Folder, err, out, run};

/// Set to write the file anew.
const WRITE: &str = "MCPFN_TEST_WRITE";

/// Every toolkit with all of its tools. What stands behind another server is that one's.
fn ready() -> Value {
    let variable = |name: &str| match name {
        "MCPFN_FILES_WRITABLE" | "MCPFN_KNOWLEDGE_WRITABLE" => Some("on".to_owned()),
        "MCPFN_EMBEDDINGS_URL" | "MCPFN_UPSTREAMS" => None,
        name if name.ends_with("_KEY") || name.ends_with("_TOKEN") => Some("key".to_owned()),
        _ => None,
    };
    let names = mcpfn_toolkits::names().filter(|name| *name != "upstream");
    let names = names.collect::<Vec<_>>().join(",");
    let builder = Server::builder("mcpfn", "0");
    let builder = mcpfn_toolkits::register(builder, &names, &variable).expect("toolkits");
    let client = TestClient::new(builder);
    let mut lists = json!({"server": {"name": "mcpfn"}});
    for (method, member) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let mut page = client.request(method, json!({})).wait().expect("a list");
        assert!(page["nextCursor"].is_null(), "all of {member} on one page");
        let mut items = page[member].take();
        let name = |item: &Value| {
            let uri = item["uriTemplate"].as_str().or(item["uri"].as_str());
            uri.or(item["name"].as_str()).unwrap_or_default().to_owned()
        };
        items.as_array_mut().expect("items").sort_by_key(name);
        lists[member] = items;
    }
    lists
}

#[test]
fn the_ready_server_breaks_no_client() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/published.json");
    let now = serde_json::to_string_pretty(&ready()).expect("JSON") + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, now).expect("the file is written");
        return;
    }
    let before = std::fs::read_to_string(&file).expect("the file is there");
    if before == now {
        return;
    }
    let folder = Folder::new("published");
    let old = file.display().to_string();
    let new = folder.0.join("now.json");
    std::fs::write(&new, now).expect("a file");
    let compared = run(&["compare", &old, &new.display().to_string()]);
    panic!(
        "what the ready server publishes is not what crates/server/published.json has.\n{}{}\
         Where clients break, keep the old name for a release (old_name, deprecated), or say so in \
         CHANGELOG.md. Then write the file with {WRITE}=1 set and the same test.",
        out(&compared),
        err(&compared),
    );
}
