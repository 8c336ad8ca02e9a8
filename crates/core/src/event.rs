//! Events (`io.modelcontextprotocol/events`): what happens between calls, and how clients hear of it.
//! What an author says of one, what is kept of it, and the rules of subscriptions. Which method does
//! what with them is `dispatch/events`; where they are kept is a port.

pub(crate) mod cursor;
pub(crate) mod emit;
pub(crate) mod errors;
pub(crate) mod job;
pub(crate) mod occurrence;
pub(crate) mod registry;
pub(crate) mod signature;
pub(crate) mod source;
pub(crate) mod subscriber;
pub(crate) mod typed;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::context::Cx;
use crate::error::ToolError;
use crate::model::JsonObject;
use crate::port::EventRetention;
use crate::principal::Principal;
use crate::send::{MaybeSend, MaybeSync};
use crate::tool::schema::{Input, JsonSchema, of_input, of_output};

pub use occurrence::{EventOccurrence, EventPage, EventPoll};
use typed::{ErasedPoll, Permission, Selection, TypedPermission, TypedPoll, TypedSelection};

/// Something that happens between calls, and that clients want to hear of: a name, what a model reads
/// to choose it, and where it comes from.
///
/// Without [`Event::poll`] it is what handlers, and events of the platform, [`emit`](crate::Cx::emit):
/// kept in a log for a day, from which clients read, or which is sent to addresses that they name.
///
/// ```
/// use mcpfn_core::event::Event;
/// use mcpfn_core::{Cx, JsonSchema, NoArguments, Server, Tool, ToolError};
/// use mcpfn_testing::TestClient;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct Order {
///     number: u64,
///     cents: u64,
/// }
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Filter {
///     /// Only orders of at least so much.
///     least_cents: Option<u64>,
/// }
///
/// let created = Event::new("order.created")
///     .description("Somebody ordered something.")
///     .payload::<Order>()
///     .matching(|filter: Filter, order: Order| {
///         filter.least_cents.is_none_or(|least| order.cents >= least)
///     });
/// let order = Tool::new("order").description("Orders.").handler(|_: NoArguments, cx: Cx| async move {
///     cx.emit("order.created", &Order { number: 7, cents: 250 }).await?;
///     Ok::<_, ToolError>("ordered")
/// });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").event(created).tool(order));
/// let poll = |cursor: serde_json::Value| {
///     let params = json!({"name": "order.created", "arguments": {"least_cents": 100}, "cursor": cursor});
///     client.request("events/poll", params).wait().unwrap()
/// };
/// let begun = poll(json!(null));
/// client.call("order", json!({})).wait().unwrap();
/// let heard = poll(begun["cursor"].clone());
/// assert_eq!(heard["events"][0]["data"], json!({"number": 7, "cents": 250}));
/// ```
#[must_use = "give it to `Builder::event`"]
pub struct Event {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) meta: JsonObject,
    pub(crate) input: Option<Value>,
    pub(crate) payload: Option<Value>,
    pub(crate) selection: Option<Box<dyn Selection>>,
    pub(crate) permission: Option<Box<dyn Permission>>,
    pub(crate) poll: Option<Box<dyn ErasedPoll>>,
    pub(crate) sent: bool,
    pub(crate) keep: EventRetention,
    pub(crate) every: Duration,
}

impl Event {
    /// An event without description and payload, which are to follow. The name has 1 to 128 of
    /// `A-Z a-z 0-9 _ - .`, and says what happened: `order.created`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            scopes: Vec::new(),
            meta: JsonObject::new(),
            input: None,
            payload: None,
            selection: None,
            permission: None,
            poll: None,
            sent: false,
            keep: EventRetention::default(),
            every: Duration::from_secs(30),
        }
    }

    /// What a model reads to choose it.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a scope that a caller needs to hear of it.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds a member to `_meta` where it is listed.
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// What happened, as a type: its schema is published. A change of it may add members; another
    /// change needs another name of the event.
    pub fn payload<P: Serialize + JsonSchema>(mut self) -> Self {
        self.payload = Some(of_output::<P>());
        self
    }

    /// The same as a schema, published unchanged.
    pub fn payload_schema(mut self, schema: Value) -> Self {
        self.payload = Some(schema);
        self
    }

    /// What clients may choose by, as a type. A client hears of those whose payload has each member
    /// that it gave, with the same value; of all, if it gave none.
    pub fn input<F: Input>(mut self) -> Self {
        self.input = Some(of_input::<F>());
        self
    }

    /// The same as a schema, published unchanged.
    pub fn input_schema(mut self, schema: Value) -> Self {
        self.input = Some(schema);
        self
    }

    /// What clients may choose by, and whether they hear of a payload for what they chose. It is asked
    /// for each subscription and event, and should compute little.
    pub fn matching<F, P>(
        mut self,
        matches: impl Fn(F, P) -> bool + MaybeSend + MaybeSync + 'static,
    ) -> Self
    where
        F: Input + 'static,
        P: serde::de::DeserializeOwned + 'static,
    {
        self.input.get_or_insert_with(of_input::<F>);
        self.selection = Some(Box::new(TypedSelection::<_, (F, P)>::new(matches)));
        self
    }

    /// Whether a caller may hear of it with what it chose, beside its scopes: asked when it subscribes
    /// and at each delivery.
    pub fn allow<F>(
        mut self,
        allows: impl Fn(&Principal, F) -> bool + MaybeSend + MaybeSync + 'static,
    ) -> Self
    where
        F: Input + 'static,
    {
        self.input.get_or_insert_with(of_input::<F>);
        self.permission = Some(Box::new(TypedPermission::<_, F>::new(allows)));
        self
    }

    /// It comes from this function, which is asked for what happened behind a cursor of its own: for
    /// what is kept elsewhere already. Such an event is never emitted, and sent by webhooks only with
    /// [`Event::sent`].
    ///
    /// ```
    /// use mcpfn_core::event::{Event, EventOccurrence, EventPage, EventPoll};
    /// use mcpfn_core::{Cx, JsonSchema, NoArguments, Server, ToolError};
    /// use mcpfn_testing::TestClient;
    /// use serde_json::{Value, json};
    ///
    /// /// The numbers of all orders, from 1 on.
    /// async fn orders(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    ///     const LAST: u64 = 3;
    ///     let Some(cursor) = poll.cursor() else {
    ///         return Ok(EventPage::new("0")); // from now on would be LAST
    ///     };
    ///     let seen: u64 = cursor.parse().unwrap_or(LAST);
    ///     let until = LAST.min(seen + poll.limit() as u64);
    ///     let event = |number| EventOccurrence::new(format!("order-{number}"), cx.now_ms(), &json!({"number": number}));
    ///     Ok(EventPage::new(until.to_string()).events((seen + 1..=until).map(event)).more(until < LAST))
    /// }
    ///
    /// let created = Event::new("order.created")
    ///     .description("Somebody ordered something.")
    ///     .payload_schema(json!({"type": "object"}))
    ///     .poll(orders);
    /// let client = TestClient::new(Server::builder("shop", "1.0.0").event(created));
    /// let poll = |cursor: Value| {
    ///     let params = json!({"name": "order.created", "cursor": cursor, "maxEvents": 2});
    ///     client.request("events/poll", params).wait().unwrap()
    /// };
    /// let first = poll(poll(Value::Null)["cursor"].clone());
    /// assert_eq!(first["events"].as_array().unwrap().len(), 2);
    /// assert_eq!(first["hasMore"], true);
    /// ```
    pub fn poll<F, Fut>(
        mut self,
        poll: impl Fn(F, EventPoll, Cx) -> Fut + MaybeSend + MaybeSync + 'static,
    ) -> Self
    where
        F: Input + 'static,
        Fut: Future<Output = Result<EventPage, ToolError>> + MaybeSend + 'static,
    {
        self.input.get_or_insert_with(of_input::<F>);
        self.poll = Some(Box::new(TypedPoll::<_, F>::new(poll)));
        self
    }

    /// An event with a function is sent to addresses of clients, too, where the host reads it for them
    /// ([`Server::pump_events`](crate::Server::pump_events)). The function is then asked once for all
    /// subscribers, without arguments and for an anonymous caller: what it gives may not depend on
    /// either, and what a client chose is told apart by [`Event::matching`], or member by member. Give
    /// each occurrence the id that it has where it comes from: after a crash some are sent again.
    pub fn sent(mut self) -> Self {
        self.sent = true;
        self
    }

    /// How long it is kept, and how many of it: a day and 10,000 by default. Who asks later hears that
    /// it missed some.
    pub fn keep(mut self, keep: EventRetention) -> Self {
        self.keep = keep;
        self
    }

    /// How long clients should wait before they ask again; 30 seconds by default, a second at least.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
