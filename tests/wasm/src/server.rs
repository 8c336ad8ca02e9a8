//! A server with one of everything: a typed tool, a round trip, reports, a limit in time, a prompt,
//! resources, two pages.

use std::time::Duration;

use mcpfn::{
    Builder, Cx, Server, ToolError, content::Content, input, output, prompt, resource,
    round_trip::Form, tool,
};

pub(crate) fn builder() -> Builder {
    let builder = Server::builder("wasm-check", "1.0.0").page_size(3);
    builder
        .tool(add)
        .tool(greet)
        .tool(count)
        .tool(slow)
        .tool(picture)
        .prompt(introduce)
        .resource(all_notes)
        .resource(note)
}

#[input]
#[serde(deny_unknown_fields)]
struct Numbers {
    /// The first number.
    #[schemars(range(min = -1000, max = 1000))]
    a: i32,
    /// The second number.
    b: i32,
}

#[output]
struct Sum {
    /// a + b.
    sum: i64,
}

/// Adds two integers.
#[tool(read_only)]
async fn add(args: Numbers) -> Sum {
    Sum {
        sum: i64::from(args.a) + i64::from(args.b),
    }
}

/// Greets, once it knows whom. The state of the first round is the greeting.
#[tool]
async fn greet(cx: &Cx) -> Result<String, ToolError> {
    let form = || Form::new("Who are you?").text("name", "Your name");
    let Some(greeting) = cx.request_state::<String>() else {
        return Err(cx.ask().form("name", form()).state("Good morning").into());
    };
    let answer = cx.elicit("name", form())?;
    Ok(format!(
        "{greeting}, {}!",
        answer.text("name").unwrap_or("nobody")
    ))
}

/// Counts to three and says so.
#[tool(read_only)]
async fn count(cx: &Cx) -> &'static str {
    for step in 1..=3 {
        cx.progress(f64::from(step), Some(3.0), None);
        cx.sleep(Duration::from_millis(50)).await;
    }
    "three"
}

/// Takes an hour, and has a second.
#[tool(timeout = "1s")]
async fn slow(cx: &Cx) -> &'static str {
    cx.sleep(Duration::from_secs(3600)).await;
    "done"
}

/// Gives the first bytes of a picture.
#[tool(read_only)]
async fn picture() -> Content {
    Content::image(b"\x89PNG\r\n", "image/png")
}

#[input]
struct Person {
    /// Whom to introduce.
    name: String,
}

/// Introduces somebody.
#[prompt]
async fn introduce(args: Person) -> String {
    format!("Introduce {}.", args.name)
}

/// The names of all notes.
#[resource("notes://all", name = "all")]
async fn all_notes() -> &'static str {
    "one, two"
}

#[input]
struct Note {
    /// Which note.
    id: String,
}

/// One note.
#[resource("notes://{id}", name = "one")]
async fn note(args: Note) -> String {
    format!("This is note {}.", args.id)
}
