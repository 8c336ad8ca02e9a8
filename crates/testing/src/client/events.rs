//! Events of subscribers, sent when a test says so.

use mcpfn_core::host::EventJobRun;
use mcpfn_core::port::{EventJobEnd, EventJobs as _};

use super::TestClient;
use crate::events::TestEvents;
use crate::executor::block_on;

/// How much is taken out of the queue at once.
const AT_ONCE: usize = 64;

impl TestClient {
    /// Does the work of the queue of events that is due, one after another, until there is nothing
    /// left; gives how much it was.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mcpfn_core::event::{Event, EventOccurrence};
    /// use mcpfn_core::{Server, policy::WebhookSettings, port::HttpClient};
    /// use mcpfn_testing::{TestClient, TestHttp, block_on};
    /// use serde_json::json;
    ///
    /// let event = Event::new("door.opened").description("A door was opened.").payload_schema(json!({}));
    /// let receiver = TestHttp::new(|_| Ok(TestHttp::json(200, "")));
    /// let client = TestClient::new(Server::builder("house", "1.0.0").event(event))
    ///     .with_port::<dyn HttpClient>(Arc::new(receiver.clone()))
    ///     .map_platform(|platform| {
    ///         let settings = WebhookSettings::default().trusted_hosts(["hooks.example"]);
    ///         platform.with_webhook_settings(settings)
    ///     });
    /// let delivery = json!({
    ///     "mode": "webhook", "url": "https://hooks.example/1",
    ///     "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    /// });
    /// let params = json!({"name": "door.opened", "delivery": delivery});
    /// client.request("events/subscribe", params).wait().unwrap();
    /// let opened = EventOccurrence::new("door-7", client.time().now_ms(), &json!({"door": 7}));
    /// block_on(client.server().emit(client.platform(), "door.opened", opened)).unwrap();
    /// assert_eq!(client.run_events(), 2, "who subscribed is found, and is sent it");
    /// assert_eq!(receiver.sent()[0].url, "https://hooks.example/1");
    /// ```
    ///
    /// # Panics
    /// As [`block_on`], and when the queue is down.
    pub fn run_events(&self) -> usize {
        let (queue, mut done) = (self.events(), 0);
        let key = self.server().event_queue();
        loop {
            let now_ms = self.time().now_ms();
            let taken = block_on(queue.take(&key, now_ms, now_ms + 60_000, AT_ONCE));
            let taken = taken.expect("a queue that is not down");
            if taken.is_empty() {
                return done;
            }
            for taken in taken {
                let work = taken.job.body.clone();
                let run = block_on(self.server().run_event_job(work, self.platform()));
                let end = match run {
                    EventJobRun::Done => EventJobEnd::Done,
                    EventJobRun::Again { body, at_ms } => EventJobEnd::Again(body, at_ms),
                    EventJobRun::Dead { reason } => EventJobEnd::Dead(reason),
                    // as a runner does: in a while
                    EventJobRun::Unavailable => {
                        EventJobEnd::Again(taken.job.body.clone(), now_ms + 5_000)
                    }
                };
                done +=
                    usize::from(block_on(queue.finish(&key, &taken, end, now_ms)).unwrap_or(false));
            }
        }
    }

    /// Where events, subscriptions and the queue are.
    #[must_use]
    pub fn events(&self) -> &TestEvents {
        &self.0.events
    }
}
