//! Answers of clients to questions that a running call asked on its stream: each is put where the
//! call waits for it, which may be another instance.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::jsonrpc::{ClientAnswer, to_json};
use crate::policy::asked::asked;
use crate::port::{Platform, milliseconds};
use crate::principal::Principal;
use crate::round_trip::ANSWER_WITHIN;
use crate::round_trip::letter::Correspondence;
use crate::send::BoxFuture;
use crate::server::Server;

/// Most bytes of an answer, as JSON: a form, or what a model wrote.
pub const LETTER_BYTES: usize = 256 * 1024;

/// What becomes of a client's answer.
pub enum Delivery {
    /// It answers nothing that this server asked this caller: there is nothing to do.
    Nothing,
    /// It has more than [`LETTER_BYTES`].
    TooLarge,
    /// It is to be kept for the call that waits; ends with whether it could be.
    Keep(BoxFuture<'static, bool>),
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::TooLarge => "TooLarge",
            Self::Keep(_) => "Keep",
        })
    }
}

/// An answer as it is kept: the client's own JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Letter {
    Result(Box<RawValue>),
    Error(Box<RawValue>),
}

impl Server {
    /// Takes the answer to a question of a call that may run on another instance.
    #[must_use]
    pub fn receive(
        &self,
        answer: &ClientAnswer<'_>,
        principal: &Principal,
        platform: &Arc<Platform>,
    ) -> Delivery {
        let correspondence = Correspondence {
            server: self.name(),
            principal: &principal.key(),
        };
        // the id first: a made-up one costs no request to a store
        let address = answer
            .id
            .and_then(|id| correspondence.find(&platform.keys, id.as_json()));
        let (Some(address), true) = (address, platform.mailbox.is_some()) else {
            return Delivery::Nothing;
        };
        let letter = match answer.outcome {
            Ok(result) => Letter::Result(result.to_owned()),
            Err(error) => Letter::Error(error.to_owned()),
        };
        let letter = Bytes::from(to_json(&letter));
        if letter.len() > LETTER_BYTES {
            return Delivery::TooLarge;
        }
        let platform = Arc::clone(platform);
        Delivery::Keep(Box::pin(async move {
            let Some(mailbox) = &platform.mailbox else {
                return false;
            };
            let now_ms = platform.clock.now_ms();
            let expires_ms = now_ms.saturating_add(milliseconds(ANSWER_WITHIN));
            let put = mailbox.put(&address.key, letter, now_ms, expires_ms);
            // a second answer is as good as none: the first one counts
            let kept = asked(&platform.timer, put).await;
            kept.inspect_err(|error| platform.store_failed("mailbox", error))
                .is_ok()
        }))
    }
}
