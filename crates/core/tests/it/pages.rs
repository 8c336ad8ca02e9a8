//! Pages of MCP Apps as clients see them, and the tools that name them.

use mcpfn_core::page::{Page, Permission};
use mcpfn_core::{Builder, NoArguments, Revision, Server, Tool, tool};
use mcpfn_testing::TestClient;
use serde_json::{Value, json};

const HTML: &str = "<!doctype html><html><head><title>a</title></head><body></body></html>";

/// Shows something.
#[tool(read_only, ui = "ui://shop/orders")]
async fn orders() -> &'static str {
    "7 orders"
}

/// Loads the next rows.
#[tool(read_only, ui = "ui://shop/orders", app_only)]
async fn more_orders() -> &'static str {
    "2 orders"
}

fn server() -> Builder {
    let page = Page::new("ui://shop/orders", HTML)
        .title("Orders")
        .connect("https://api.shop.example")
        .resources("https://*.cdn.example")
        .frames("https://maps.example")
        .base("https://shop.example")
        .permission(Permission::ClipboardWrite)
        .permission(Permission::Camera)
        .domain("shop.example")
        .border(false);
    let model = Tool::new("think").description("Thinks.").model_only();
    Server::builder("shop", "1.0.0")
        .page(page)
        .tool(orders)
        .tool(more_orders)
        .tool(model.handler(|_: NoArguments| async { "" }))
}

fn ask(client: &TestClient, method: &str, params: Value) -> Value {
    client.request(method, params).wait().unwrap()
}

fn ui() -> Value {
    json!({
        "csp": {
            "connectDomains": ["https://api.shop.example"],
            "resourceDomains": ["https://*.cdn.example"],
            "frameDomains": ["https://maps.example"],
            "baseUriDomains": ["https://shop.example"],
        },
        "permissions": {"clipboardWrite": {}, "camera": {}},
        "domain": "shop.example",
        "prefersBorder": false,
    })
}

#[test]
fn a_tool_names_its_page_under_both_keys() {
    let client = TestClient::new(server());
    let listed = ask(&client, "tools/list", json!({}));
    let meta = |tool: usize| listed["tools"][tool]["_meta"].clone();
    let page = "ui://shop/orders";
    assert_eq!(
        meta(0),
        json!({"ui": {"resourceUri": page}, "ui/resourceUri": page})
    );
    let app = json!({"resourceUri": page, "visibility": ["app"]});
    assert_eq!(meta(1), json!({"ui": app, "ui/resourceUri": page}));
    assert_eq!(meta(2), json!({"ui": {"visibility": ["model"]}}));
    // a host without pages has the text
    assert_eq!(
        client.call("orders", json!({})).wait().unwrap().text(),
        "7 orders"
    );
}

#[test]
fn what_a_page_may_load_stands_in_the_list_and_with_the_contents() {
    for revision in [Revision::LATEST, Revision::LATEST_LEGACY] {
        let client = TestClient::new(server()).revision(revision);
        let listed = ask(&client, "resources/list", json!({}));
        let entry = &listed["resources"][0];
        assert_eq!(
            (&entry["_meta"]["ui"], &entry["name"]),
            (&ui(), &json!("orders"))
        );
        let read = ask(
            &client,
            "resources/read",
            json!({"uri": "ui://shop/orders"}),
        );
        let expected = json!([{"uri": "ui://shop/orders", "mimeType": "text/html;profile=mcp-app", "text": HTML, "_meta": {"ui": ui()}}]);
        assert_eq!(read["contents"], expected);
    }
}

#[test]
fn the_extension_is_declared_where_there_is_meta() {
    let extension =
        |result: &Value| result["capabilities"]["extensions"]["io.modelcontextprotocol/ui"].clone();
    let discovered = ask(&TestClient::new(server()), "server/discover", json!({}));
    assert_eq!(extension(&discovered), json!({}));
    for (version, expected) in [
        ("2025-11-25", json!({})),
        ("2025-06-18", json!({})),
        ("2025-03-26", Value::Null),
        ("2024-11-05", Value::Null),
    ] {
        let client = TestClient::new(server()).revision(Revision::LATEST_LEGACY);
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}});
        assert_eq!(
            extension(&ask(&client, "initialize", params)),
            expected,
            "{version}"
        );
    }
    let without = Server::builder("shop", "1.0.0");
    assert_eq!(
        extension(&ask(
            &TestClient::new(without),
            "server/discover",
            json!({})
        )),
        Value::Null
    );
}

#[test]
fn a_page_that_needs_a_scope_is_read_by_those_who_have_it() {
    let page = Page::new("ui://shop/orders", HTML).scope("orders:read");
    let client = TestClient::new(Server::builder("shop", "1.0.0").page(page)).scopes("");
    assert!(client.list_resources().wait().unwrap().is_empty());
    assert_eq!(
        client.read("ui://shop/orders").wait().unwrap_err().code(),
        Some(403)
    );
}

#[test]
fn every_mistake_of_a_page_is_reported_at_once() {
    let wrong = Page::new("https://shop/orders", "<p>hello")
        .connect("https://api.shop.example/path")
        .resources("*")
        .frames("https://*.maps.example")
        .base("https://a.example; script-src *")
        .domain("https://shop.example");
    let large = format!("<!doctype html>{}</html>", " ".repeat(2 * 1024 * 1024));
    let tool = Tool::new("lost")
        .description("Shows.")
        .ui("ui://shop/nowhere");
    let server = Server::builder("shop", "1.0.0")
        .page(wrong)
        .page(Page::new("ui://shop/large", large))
        .page(Page::new("ui://shop/twice", HTML))
        .page(Page::new("ui://shop/twice", HTML))
        .page(Page::new("ui://shop/twice", HTML).border(true))
        .tool(tool.handler(|_: NoArguments| async { "" }));
    let mistakes = server.build().unwrap_err().mistakes;
    for part in [
        "begins with `ui://`",
        "no complete document",
        "`https://api.shop.example/path`",
        "`*`",
        "`https://*.maps.example`",
        "script-src",
        "its domain",
        "`ui://shop/large`: it has",
        "`ui://shop/twice` is registered twice",
        "there is no page `ui://shop/nowhere`",
    ] {
        assert!(
            mistakes.iter().any(|mistake| mistake.contains(part)),
            "{part}: {mistakes:#?}"
        );
    }
}
