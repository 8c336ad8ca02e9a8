//! One tool, and beside it the least that uses an extension, where its feature is on.

use mcpfn::prelude::*;

#[input]
struct Text {
    /// What to say again.
    text: String,
}

/// Says it again.
#[tool(read_only)]
async fn echo(args: Text) -> String {
    args.text
}

/// Says it again, in its time.
#[cfg(feature = "tasks")]
#[tool(task, read_only)]
async fn echo_later(args: Text) -> String {
    args.text
}

/// Says it to those who listen.
#[cfg(feature = "events")]
#[tool]
async fn echo_around(args: Text, cx: &Cx) -> Result<String, ToolError> {
    let said = serde_json::json!({"text": args.text});
    cx.emit("text.said", &said).await
}

fn server() -> Builder {
    let server = Server::builder("echo", "1.0.0").tool(echo);
    #[cfg(feature = "tasks")]
    let server = server.tool(echo_later);
    #[cfg(feature = "events")]
    let server = {
        let said = mcpfn::event::Event::new("text.said").description("Somebody said something.");
        let said = said.payload_schema(serde_json::json!({"type": "object"}));
        server.event(said).tool(echo_around)
    };
    #[cfg(feature = "skills")]
    let server = {
        use mcpfn::skill::{Skill, SkillFile, Skills};
        let header = r#"{"name":"echo","description":"How to say things again."}"#;
        let text = "---\nname: echo\ndescription: How to say things again.\n---\nSay it.\n";
        let skill = Skill::new("echo", header.to_owned()).file(SkillFile::new("SKILL.md", text));
        server.skills(Skills::new().skill(skill))
    };
    #[cfg(feature = "pages")]
    let server = {
        let page = "<!doctype html><html><head><title>Echo</title></head><body></body></html>";
        server.page(mcpfn::page::Page::new("ui://echo/page", page))
    };
    server
}

mcpfn::main!(server);
