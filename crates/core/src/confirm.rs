//! The person's consent to one call, asked before it does what can't be taken back. One question for
//! every tool: when it is asked, what counts as an answer to it, and what a refusal says. What the
//! question tells is the tool's business.

use std::str::FromStr;

use crate::context::Cx;
use crate::error::ToolError;
use crate::model::capabilities::Capability;
use crate::model::input::{ElicitAction, Form, InputResponse};
use crate::text;

/// The key of the question.
const KEY: &str = "confirm";
/// The longest question, in characters: what a person reads before they press a button.
const MAX_QUESTION: usize = 1000;

const DECLINED: &str = "Nothing was done: the user was asked and declined. Do not repeat the call; \
    ask the user what to do instead.";
const CANCELLED: &str = "Nothing was done: the user closed the question without an answer. Ask the \
    user before you repeat the call.";
const CANNOT_ASK: &str = "Nothing was done: this server does this only after its user has agreed, and \
    this client can't show the question. Use a client with elicitation that speaks 2026-07-28, or \
    ask the operator about MCPFN_CONFIRM.";

/// Whether people are asked before a tool does what can't be taken back ([`Cx::confirm`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConfirmMode {
    /// Where the client can show the question. Elsewhere the call goes on.
    #[default]
    Auto,
    /// Always. Where the client can't show the question the call is refused.
    Always,
    /// Never.
    Never,
}

impl FromStr for ConfirmMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(()),
        }
    }
}

/// A question that has to be asked before the call goes on; see [`Cx::confirmation`].
#[derive(Debug)]
#[must_use = "nobody is asked before `.ask(..)`"]
pub struct Confirmation<'a>(&'a Cx);

impl Cx {
    /// Whether the client can be asked this in the middle of this call: it declared so, and a question
    /// reaches it. That is always so from 2026-07-28 on; with a handshake, where the client sends its
    /// session and reads streams, and the host has a [`Mailbox`](crate::port::Mailbox).
    #[must_use]
    pub fn can_ask(&self, capability: Capability) -> bool {
        self.reaches_client() && capability.is_in(self.client())
    }

    /// Asks the person before the call does what can't be taken back, as the operator decided
    /// (`Builder::confirm`; `MCPFN_CONFIRM` on every host). `question` says what will happen.
    ///
    /// The handler starts again with the answer: ask before anything is done. Only an answer to
    /// this question, of this caller, for these arguments, counts; where the question has changed
    /// since it was shown, it is asked again. It takes the place of
    /// [`InputRequired::state`](crate::round_trip::InputRequired::state).
    ///
    /// ```
    /// use mcpfn_core::{Cx, NoArguments, Server, Tool, ToolError};
    /// use mcpfn_testing::{Answer, TestClient};
    /// use serde_json::json;
    ///
    /// async fn empty(_: NoArguments, cx: Cx) -> Result<&'static str, ToolError> {
    ///     cx.confirm(|| "Delete all 12 drafts?".to_owned())?;
    ///     Ok("deleted")
    /// }
    ///
    /// let tool = Tool::new("empty").description("Deletes the drafts.").handler(empty);
    /// let client = TestClient::new(Server::builder("post", "1.0.0").tool(tool));
    /// let answers = |answer| client.clone().answer("confirm", answer);
    /// let done = answers(Answer::accept(json!({}))).call("empty", json!({})).wait().unwrap();
    /// assert_eq!(done.text(), "deleted");
    /// let refused = answers(Answer::decline()).call("empty", json!({})).wait().unwrap();
    /// assert!(refused.is_error() && refused.text().contains("the user was asked and declined"));
    /// ```
    ///
    /// # Errors
    /// The question, to be returned with `?`; or that the person did not agree, or can't be asked.
    pub fn confirm(&self, question: impl FnOnce() -> String) -> Result<(), ToolError> {
        match self.confirmation()? {
            Some(confirmation) => confirmation.ask(&question()),
            None => Ok(()),
        }
    }

    /// The same for a question that has to be looked up: nothing where nobody is to be asked.
    ///
    /// # Errors
    /// That the person has to be asked and can't be.
    pub fn confirmation(&self) -> Result<Option<Confirmation<'_>>, ToolError> {
        let mode = self.state().copied().unwrap_or_default();
        let can_ask = self.can_ask(Capability::ElicitationForm);
        match mode {
            ConfirmMode::Never => Ok(None),
            ConfirmMode::Auto if !can_ask => Ok(None),
            ConfirmMode::Always if !can_ask => Err(ToolError::new(CANNOT_ASK)),
            ConfirmMode::Auto | ConfirmMode::Always => Ok(Some(Confirmation(self))),
        }
    }
}

impl Confirmation<'_> {
    /// Asks, or reads the answer. The question is cut after 1,000 characters, and nothing that
    /// people do not see stays in it.
    ///
    /// # Errors
    /// As [`Cx::confirm`].
    pub fn ask(self, question: &str) -> Result<(), ToolError> {
        let Self(cx) = self;
        let question: String = text::visible(question).chars().take(MAX_QUESTION).collect();
        // the state is sealed with the arguments: without one, or with another question in it, the
        // answer is to something that the person did not see
        let shown = cx.request_state::<String>();
        let answer = cx.answer(KEY).filter(|_| shown.as_ref() == Some(&question));
        if let Some(InputResponse::Elicitation(answer)) = answer {
            return match answer.action {
                ElicitAction::Accept => Ok(()),
                ElicitAction::Decline => Err(ToolError::new(DECLINED)),
                ElicitAction::Cancel => Err(ToolError::new(CANCELLED)),
            };
        }
        // no fields: to accept is the answer
        let form = Form::new(question.clone());
        Err(cx.ask().form(KEY, form).state(question).into())
    }
}
