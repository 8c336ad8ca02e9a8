//! Which subscriptions a server has, and their bounds. Not what they do: that is `subscriptions`.

use std::any::Any;
use std::fmt;
use std::time::Duration;

/// Most resources that one session, or one stream, is subscribed to.
pub(crate) const MOST: usize = 50;
/// Most bytes of the URI of one.
pub(crate) const URI_BYTES: usize = 2048;
/// How long a session's subscriptions are kept after it last asked, and how long it is known that a
/// resource changed, in milliseconds: a day.
pub(crate) const KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// Which kinds of subscriptions a server has: for hosts, which know what waiting costs there. None by
/// default.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{Server, host::{Listening, Subscriptions}};
///
/// let listening = Listening::new(Duration::from_secs(2), Duration::from_secs(600));
/// let subscriptions = Subscriptions { poll: true, listen: Some(listening) };
/// assert!(Server::builder("shop", "1.0.0").subscriptions(subscriptions).build().is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Subscriptions {
    /// Clients with a handshake subscribe, and ask for changes by GET.
    pub poll: bool,
    /// Clients without one hold a stream (`subscriptions/listen`).
    pub listen: Option<Listening>,
}

/// In a server's state, where it has subscriptions: its name, which handlers need to say that a
/// resource changed.
pub(crate) struct SubscribedServer(pub(crate) String);

/// How a stream of changes is served: [`Listening::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// From one look at the store to the next.
    pub(crate) every: Duration,
    /// How long a stream is held; then it ends, and its client opens another one.
    pub(crate) at_most: Duration,
    pub(crate) serve: ServeListening,
}

/// Puts what serves streams into a server's state, of which a model knows no more.
#[derive(Clone, Copy)]
pub(crate) struct ServeListening(pub(crate) fn(&mut dyn Any));

impl ServeListening {
    pub(crate) fn add_to(self, state: &mut dyn Any) {
        self.0(state);
    }
}

/// There is one such function.
impl PartialEq for ServeListening {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ServeListening {}

impl fmt::Debug for ServeListening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServeListening")
    }
}
