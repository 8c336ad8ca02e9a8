//! Registration: every mistake is reported by `build()`, all at once and in words that say what to
//! change; what a macro writes is what an author can write by hand, byte for byte. How macros judge
//! their input is tested beside them.

use std::time::Duration;

use mcpfn::{
    Builder, Cx, JsonObject, JsonSchema, NoArguments, Principal, Prompt, Resource, Server, Tool,
    ToolError, input, output, prompt, resource, tool,
};
use serde_json::{Value, json};

use crate::support::answer;

fn mistakes(builder: Builder) -> Vec<String> {
    builder.build().expect_err("it has mistakes").mistakes
}

fn tool(name: &str) -> Tool {
    Tool::new(name)
        .description("A tool.")
        .handler(|_: JsonObject| async { "" })
}

fn with_schema(name: &str, schema: Value) -> Tool {
    tool(name).input_schema(schema)
}

#[derive(serde::Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Tree {
    children: Vec<Self>,
}

#[derive(serde::Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Forest {
    trees: Vec<Tree>,
}

#[derive(serde::Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Counted {
    /// How many.
    count: u32,
}

#[derive(serde::Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Named {
    /// Who.
    name: String,
}

#[test]
fn every_mistake_is_reported_at_once() {
    let header = |property: Value| json!({"type": "object", "properties": {"a": property}});
    let builder = Server::builder(" ", "1")
        .page_size(0)
        .state(1_u8)
        .state(2_u8)
        .tool(tool("twice"))
        .tool(tool("twice"))
        .tool(tool("a name with spaces"))
        .tool(Tool::new("mute").handler(|| async { "" }))
        .tool(Tool::new("idle").description("Does nothing."))
        .tool(tool("hasty").timeout(Duration::ZERO))
        .tool(with_schema("list", json!({"type": "array"})))
        .tool(with_schema("remote", json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/schema"}}})))
        .tool(with_schema("header_number", header(json!({"type": "number", "x-mcp-header": "A"}))))
        .tool(with_schema("header_name", header(json!({"type": "string", "x-mcp-header": "A b"}))))
        .tool(with_schema("header_nested", header(json!({"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}))))
        .tool(with_schema(
            "header_twice",
            json!({"type": "object", "properties": {"a": {"type": "string", "x-mcp-header": "N"}, "b": {"type": "string", "x-mcp-header": "n"}}}),
        ))
        .tool(Tool::new("forest").description("Takes trees.").handler(|_: Forest| async { "" }))
        .prompt(Prompt::new("numbers").description("Takes a number.").handler(|_: Counted| async { "" }))
        .prompt(Prompt::new("stray").description("Completes nothing.").handler(|_: Named| async { "" }).complete("other", |_, _| async { vec![] }))
        .prompt(Prompt::new("silent"))
        .resource(Resource::new("no-scheme", "a").description("Has no scheme.").handler(|_: Cx| async { "" }))
        .resource(Resource::new("x:{a}{b}", "b").description("Can't be told apart.").handler(|_: Named| async { "" }))
        .resource(Resource::new("x:{id}", "c").description("Has another field.").handler(|_: Named| async { "" }))
        .resource(Resource::new("x:fixed", "d").description("Takes what nobody gives.").handler(|_: Named| async { "" }))
        .resource(Resource::new("x:nameless", " ").description("Has no name.").handler(|_: Cx| async { "" }))
        .resource(Resource::new("x:same", "e").description("Is there twice.").handler(|_: Cx| async { "" }))
        .resource(Resource::new("x:same", "f").description("Is there twice.").handler(|_: Cx| async { "" }));
    let error = builder.build().expect_err("it has mistakes");
    let expected = [
        "state of type u8 was given twice",
        "the server needs a name and a version",
        "a page needs at least one entry",
        "tool `a name with spaces`: a name has 1 to 128 of the characters A-Z a-z 0-9 _ - .",
        "tool `mute`: it has no description: add a doc comment or `.description(..)`, a model chooses \
         by it",
        "tool `idle`: it has no handler: add `.handler(..)`",
        "tool `hasty`: its timeout is zero: no call could end in time",
        "tool `list`: its arguments must be a JSON object: take a struct with named fields",
        "tool `remote`: its schema refers to `https://example.com/schema`: only references inside \
         the schema (`#...`) are resolved",
        "tool `header_number`: `x-mcp-header` at /a: only a string, an integer or a boolean can be \
         repeated in a header",
        "tool `header_name`: `x-mcp-header` at /a: the name must be a non-empty HTTP token such as \
         `Region`",
        "tool `header_nested`: `x-mcp-header` at /a: it may stand only on a property reached \
         through `properties` alone",
        "tool `header_twice`: two properties have the same `x-mcp-header`, `mcp-param-n`",
        "tool `forest`: the type `Tree` contains itself, and clients drop tools whose schemas have \
         `$ref`: flatten it, or take `serde_json::Value` there",
        "prompt `numbers`: its argument `count` must be a string, an enum of words or an `Option` \
         of these: prompt arguments are strings",
        "prompt `stray`: it completes `other`, which is not one of its arguments",
        "prompt `silent`: it has no description: add a doc comment or `.description(..)`, a model \
         chooses by it",
        "prompt `silent`: it has no handler: add `.handler(..)`",
        "resource `no-scheme`: its URI needs a scheme, such as `shop://products`, and no spaces",
        "resource `x:{a}{b}`: its template can't be used: put some text between `{a}` and `{b}`: \
         without it the end of the first is ambiguous",
        "resource `x:{id}`: its variable `id` has no field in the handler's argument type",
        "resource `x:{id}`: the field `name` of the handler's argument type is not a variable of \
         the template",
        "resource `x:fixed`: its handler takes variables and its URI has none: put them in braces, \
         such as `shop://products/{id}`",
        "resource `x:nameless`: it needs a name",
        "tool `twice` is registered twice",
        "resource `x:same` is registered twice",
    ];
    assert_eq!(error.mistakes, expected);
    let said = error.to_string();
    assert!(
        said.starts_with(
            "server ` ` can't be built, 26 mistakes to correct:\n  - state of type u8"
        ),
        "{said}"
    );
}

#[test]
fn a_type_that_contains_itself_is_named() {
    let found = mistakes(
        Server::builder("s", "1").tool(
            Tool::new("tree")
                .description("Takes a tree.")
                .handler(|_: Tree| async { "" }),
        ),
    );
    assert!(
        found[0].contains("contains itself") && !found[0].contains("`#`"),
        "nobody knows a type by the name of `#`: {}",
        found[0]
    );
}

#[test]
fn one_mistake_is_singular() {
    let error = Server::builder("s", "1")
        .tool(Tool::new("t").handler(|| async { "" }))
        .build()
        .expect_err("it has a mistake");
    assert!(
        error
            .to_string()
            .starts_with("server `s` can't be built, 1 mistake to correct:\n  - tool `t`: "),
        "{error}"
    );
}

#[test]
fn a_name_given_twice_is_seen_beside_other_mistakes() {
    let found = mistakes(
        Server::builder("s", "1")
            .tool(tool("same"))
            .tool(Tool::new("same").description("Does nothing.")),
    );
    assert_eq!(
        found,
        [
            "tool `same`: it has no handler: add `.handler(..)`",
            "tool `same` is registered twice"
        ]
    );
}

#[test]
fn a_schema_that_is_none_is_named_with_its_place() {
    let found = mistakes(
        Server::builder("s", "1")
            .tool(with_schema(
                "typo",
                json!({"type": "object", "properties": {"a": {"type": "strin"}}}),
            ))
            .tool(with_schema(
                "bound",
                json!({"type": "object", "properties": {"b": {"minLength": -1}}}),
            ))
            .tool(with_schema(
                "dialect",
                json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}),
            ))
            .tool(with_schema(
                "dangling",
                json!({"type": "object", "properties": {"c": {"$ref": "#/$defs/nothing"}}}),
            ))
            .tool(tool("output").output_schema(json!({"type": "objekt"}))),
    );
    assert_eq!(found.len(), 5, "{found:#?}");
    for (found, parts) in found.iter().zip([
        ["tool `typo`: its input schema is not valid", "/a"],
        ["tool `bound`: its input schema is not valid", "/b"],
        ["tool `dialect`: its input schema is not valid", "2020-12"],
        ["tool `dangling`: its input schema is not valid", "nothing"],
        ["tool `output`: its output schema is not valid", "/type"],
    ]) {
        assert!(parts.iter().all(|part| found.contains(part)), "{found}");
    }
}

#[test]
fn names_at_their_limits() {
    for name in ["a", "A-z_0.9", &"x".repeat(128)] {
        assert!(
            Server::builder("s", "1").tool(tool(name)).build().is_ok(),
            "{name}"
        );
    }
    for name in ["", "é", "a/b", "a b", &"x".repeat(129)] {
        assert_eq!(
            mistakes(Server::builder("s", "1").tool(tool(name))).len(),
            1,
            "{name}"
        );
    }
}

#[test]
fn nothing_registered_is_no_mistake() {
    let server = Server::builder("empty", "1")
        .build()
        .expect("an empty server");
    assert_eq!(server.counts(), (0, 0, 0));
}

#[input]
struct Search {
    /// Words to look for.
    #[schemars(length(min = 2, max = 200))]
    query: String,
    /// Most results.
    #[serde(default)]
    limit: Option<u32>,
}

#[output]
struct Found {
    /// How many there are.
    total: u32,
}

/// Search the catalog.
///
/// Use this when the user asks about products.
#[tool(
    title = "Search",
    read_only,
    idempotent,
    open_world = false,
    timeout = "2s"
)]
async fn search(args: Search) -> Result<Found, ToolError> {
    Ok(Found {
        total: u32::try_from(args.query.len())? + args.limit.unwrap_or_default(),
    })
}

/// Greets.
#[prompt(title = "Greeting")]
async fn greet(args: Person) -> String {
    format!("Hello, {}!", args.name)
}

#[input]
struct Person {
    /// Whom to greet.
    name: String,
}

/// A product.
#[resource("shop://product/{name}", name = "product", mime = "text/plain")]
async fn product(args: Person) -> String {
    args.name
}

/// Says who calls.
#[tool(read_only)]
async fn whoami(cx: &Cx) -> String {
    subject(cx.principal())
}

fn subject(principal: &Principal) -> String {
    principal.subject.clone()
}

fn by_macros() -> Builder {
    Server::builder("shop", "1")
        .tool(search)
        .tool(whoami)
        .prompt(greet)
        .resource(product)
}

fn by_hand() -> Builder {
    let search = Tool::new("search")
        .title("Search")
        .description("Search the catalog.\n\nUse this when the user asks about products.")
        .read_only()
        .idempotent()
        .open_world(false)
        .timeout(Duration::from_secs(2))
        .handler(|args: Search| async move {
            Ok::<_, ToolError>(Found {
                total: u32::try_from(args.query.len())? + args.limit.unwrap_or_default(),
            })
        });
    let whoami = Tool::new("whoami")
        .description("Says who calls.")
        .read_only()
        .handler(|_: NoArguments, cx: Cx| async move { subject(cx.principal()) });
    let greet = Prompt::new("greet")
        .title("Greeting")
        .description("Greets.")
        .handler(|person: Person| async move { format!("Hello, {}!", person.name) });
    let product = Resource::new("shop://product/{name}", "product")
        .description("A product.")
        .mime("text/plain")
        .handler(|person: Person| async move { person.name });
    Server::builder("shop", "1")
        .tool(search)
        .tool(whoami)
        .prompt(greet)
        .resource(product)
}

#[test]
fn a_macro_and_the_builder_give_the_same_bytes() {
    let (macros, hand) = (by_macros().build().unwrap(), by_hand().build().unwrap());
    let asks = [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        (
            "tools/call",
            json!({"name": "search", "arguments": {"query": "tea", "limit": 2}}),
        ),
        (
            "tools/call",
            json!({"name": "search", "arguments": {"query": "t", "limit": -2, "page": 1}}),
        ),
        ("tools/call", json!({"name": "whoami"})),
        (
            "tools/call",
            json!({"name": "whoami", "arguments": {"x": 1}}),
        ),
        (
            "prompts/get",
            json!({"name": "greet", "arguments": {"name": "Ada"}}),
        ),
        ("prompts/get", json!({"name": "greet"})),
        ("resources/read", json!({"uri": "shop://product/tea"})),
    ];
    for (method, params) in asks {
        let (one, other) = (
            answer(&macros, method, &params),
            answer(&hand, method, &params),
        );
        assert_eq!(one, other, "{method} {params}");
        assert!(!one.contains("-32601"), "{method} is served");
    }
}
