//! Hears an event stream while it comes: progress at once, and no more than its answer.

use std::sync::{Arc, Mutex, PoisonError};

use mcpfn_core::Cx;
use mcpfn_core::port::{HttpResponse, Listen};

use super::answer::{Reading, UpstreamProgress};
use super::foreign::Cleaner;

/// The longest message of progress, in characters.
const MAX_MESSAGE_LENGTH: usize = 500;
/// Most bytes of one stream, all events together, as a multiple of those of one event. They are not
/// kept: this bounds the work.
const MAX_EVENTS: usize = 8;

/// Reads the events of one answer, and keeps none of them but the one that ends it.
pub(super) struct StreamListener {
    cx: Cx,
    cleaner: Arc<Cleaner>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    reading: Reading,
    bytes: usize,
}

impl StreamListener {
    pub(super) fn new(cx: &Cx, cleaner: &Arc<Cleaner>, reading: Reading) -> Self {
        Self {
            cx: cx.clone(),
            cleaner: Arc::clone(cleaner),
            heard: Mutex::new(Heard { reading, bytes: 0 }),
        }
    }

    /// What was heard, with what was not: a client that can't hand out pieces, or that heard
    /// something compressed, has the body at its end.
    pub(super) fn finish(&self, response: Option<&HttpResponse>) -> Reading {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut reading, bytes) = (std::mem::take(&mut heard.reading), heard.bytes);
        let progress = |progress: &UpstreamProgress| self.report(progress);
        match response {
            Some(response) if is_stream(response) => {
                reading.stream(response.body.get(bytes..).unwrap_or_default(), progress);
                reading.end(progress);
            }
            Some(response) => reading.message(&response.body, &mut |_| {}),
            None => {}
        }
        reading
    }

    fn report(&self, progress: &UpstreamProgress) {
        let message = progress.message.as_ref().map(|message| {
            // cleaned before it is cut: half of a token is not found
            let seen = self.cleaner.text(message);
            seen.chars().take(MAX_MESSAGE_LENGTH).collect::<String>()
        });
        self.cx
            .progress(progress.progress, progress.total, message.as_deref());
    }
}

impl Listen for StreamListener {
    fn hear(&self, response: &HttpResponse, piece: &[u8]) -> bool {
        if !self.takes(response) {
            return true;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.bytes += piece.len();
        heard
            .reading
            .stream(piece, |progress| self.report(progress));
        heard.reading.ended.is_none() && heard.bytes <= heard.reading.most * MAX_EVENTS
    }

    fn takes(&self, response: &HttpResponse) -> bool {
        is_stream(response) && response.is_success()
    }
}

fn is_stream(response: &HttpResponse) -> bool {
    response.header("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/event-stream")
    })
}
