//! A prompt: a conversation that a person starts by name. An argument that is an enum is completed
//! without another word.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example prompts
//! ```

use mcpfn::prelude::*;

#[input]
struct Review {
    /// The code to review.
    code: String,
    /// What to look for.
    #[serde(default)]
    focus: Option<Focus>,
}

#[input]
#[serde(rename_all = "lowercase")]
enum Focus {
    Security,
    Speed,
    Style,
}

/// Reviews a piece of code.
#[prompt(title = "Code review")]
async fn review(args: Review) -> Vec<PromptMessage> {
    let focus = match args.focus {
        Some(Focus::Security) => "what an attacker could do with it",
        Some(Focus::Speed) => "what makes it slow",
        Some(Focus::Style) => "what is hard to read",
        None => "what is wrong with it",
    };
    vec![
        PromptMessage::user(format!(
            "Review this code and say {focus}:\n\n{}",
            args.code
        )),
        PromptMessage::assistant("I start with what matters most."),
    ]
}

pub(crate) fn server() -> Builder {
    Server::builder("reviewer", "1.0.0").prompt(review)
}

mcpfn::main!(server);
