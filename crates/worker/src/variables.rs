//! What `wrangler.toml` binds to a Worker: variables, secrets, and the stores behind ports.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use mcpfn_core::Server;
use mcpfn_core::port::{IdempotencyStore, Mailbox, Rate, TaskRunner, TaskStore, Topics};
use mcpfn_ports::{Secret, VectorStore};
use mcpfn_settings::Setting;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, Env, SecretStore};

use crate::bound::{
    self, D1_DATABASE, HYPERDRIVE, KV_NAMESPACE, OBJECTS, TASK_OBJECTS, VECTORIZE_INDEX,
};
use crate::ports::Timeout;
#[cfg(feature = "idempotency")]
use crate::stores::DurableIdempotency;
#[cfg(feature = "tasks")]
use crate::stores::DurableTasks;
#[cfg(feature = "hyperdrive")]
use crate::stores::Hyperdrive;
#[cfg(feature = "r2")]
use crate::stores::R2;
#[cfg(feature = "vectorize")]
use crate::stores::Vectorize;
use crate::stores::{D1, KvCache, RateBindings};

/// How long a Secrets Store may take, for each secret.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where tasks are kept, and what runs them.
pub type TaskPorts = (Arc<dyn TaskStore>, Arc<dyn TaskRunner>);

/// The variables, secrets and stores of a Worker.
#[derive(Debug, Clone)]
pub struct Variables {
    pub(crate) env: Env,
    /// The texts of settings that are bound to a secret of a Secrets Store.
    secrets: BTreeMap<String, String>,
}

impl Variables {
    /// Reads what has to be asked for: secrets of a Secrets Store. `program` are the settings of
    /// the program itself.
    pub(crate) async fn read(env: Env, program: &[Setting]) -> Result<Self, String> {
        let mut secrets = BTreeMap::new();
        for (name, binding) in bound::stored_secrets(&env, program) {
            let cause = match secret(binding).await {
                Ok(text) => {
                    secrets.insert(name, text);
                    continue;
                }
                Err(cause) => cause,
            };
            // what a store says may name more than callers should hear
            tracing::error!(
                event = "secret_unavailable",
                variable = name,
                cause,
                "a secret can't be read"
            );
            return Err(format!(
                "{name} is bound to a secret of a Secrets Store, which can't be read: {}; see \
                 [[secrets_store_secrets]] in wrangler.toml, and the log",
                if cause == NO_ANSWER {
                    NO_ANSWER
                } else {
                    "it gave an error"
                }
            ));
        }
        Ok(Self { env, secrets })
    }

    /// A variable or secret as text. Numbers and switches of `wrangler.toml` are written as there;
    /// a setting that is bound to a secret of a Secrets Store has that text, as it was when the
    /// isolate began. What is no text is not set.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OsString> {
        if let Some(secret) = self.secrets.get(name) {
            return Some(secret.into());
        }
        Some(bound::text(&bound::bound(&self.env, name)?)?.into())
    }

    /// The text of a variable or secret. An empty one counts as not set.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.find(name)?.into_string().ok()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The text of a variable or secret, of a server that can't do without it.
    ///
    /// # Errors
    /// When it is not set: a sentence that says where to set it.
    pub fn required(&self, name: &str) -> Result<String, String> {
        self.text(name).ok_or_else(|| {
            format!(
                "{name} is not set: set it with `wrangler secret put {name}`, or, if it is no \
                 secret, in [vars] of wrangler.toml; for `wrangler dev`, in the file .env"
            )
        })
    }

    /// A key or token that the server can't do without.
    ///
    /// # Errors
    /// When it is not set, or no key: a sentence that repeats nothing of it.
    pub fn secret(&self, name: &str) -> Result<Secret, String> {
        Secret::new(self.required(name)?).map_err(|error| format!("{name} {error}"))
    }

    /// The names of all variables, secrets and bindings.
    pub(crate) fn names(&self) -> Vec<String> {
        bound::names(&self.env)
    }

    /// The D1 database of a binding.
    ///
    /// # Errors
    /// When nothing is bound to the name, or something else is: a sentence that says what to add.
    pub fn d1(&self, binding: &str) -> Result<D1, String> {
        let database: Result<D1Database, _> = self.env.d1(binding);
        match database {
            Ok(database) => Ok(D1::new(database)),
            Err(_) => Err(D1_DATABASE.mistake(&self.env, binding)),
        }
    }

    /// The PostgreSQL database of a Hyperdrive binding, if anything is bound to the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature
    /// `hyperdrive`: a sentence that says what to change.
    #[cfg(feature = "hyperdrive")]
    pub fn hyperdrive(&self, binding: &str) -> Result<Option<Hyperdrive>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        let found = HYPERDRIVE
            .find(&self.env, binding)
            .and_then(|_| self.env.hyperdrive(binding).ok());
        match found {
            Some(found) => Ok(Some(Hyperdrive::new(found))),
            None => Err(HYPERDRIVE.mistake(&self.env, binding)),
        }
    }

    /// A binding that a program without the feature `hyperdrive` can't use.
    ///
    /// # Errors
    /// When anything is bound to the name: a sentence that says what to change.
    #[cfg(not(feature = "hyperdrive"))]
    pub fn no_hyperdrive(&self, binding: &str) -> Result<(), String> {
        match bound::bound(&self.env, binding) {
            None => Ok(()),
            Some(_) => Err(format!(
                "{binding} is bound, and this program was built without the feature `hyperdrive` \
                 of mcpfn: build it with that, or take the binding out of {} of wrangler.toml",
                HYPERDRIVE.table()
            )),
        }
    }

    /// The R2 bucket of a binding.
    ///
    /// # Errors
    /// When nothing is bound to the name, or something else is: a sentence that says what to add.
    #[cfg(feature = "r2")]
    pub fn r2(&self, binding: &str) -> Result<R2, String> {
        match self.env.bucket(binding) {
            Ok(bucket) => Ok(R2::new(bucket)),
            Err(_) => Err(bound::R2_BUCKET.mistake(&self.env, binding)),
        }
    }

    /// The store of vectors in an index of Vectorize, if anything is bound to the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature
    /// `vectorize`: a sentence that says what to change.
    pub fn vectors(&self, binding: &str) -> Result<Option<Arc<dyn VectorStore>>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        #[cfg(feature = "vectorize")]
        match VECTORIZE_INDEX.find(&self.env, binding) {
            Some(index) => Ok(Some(Arc::new(Vectorize::new(index)))),
            None => Err(VECTORIZE_INDEX.mistake(&self.env, binding)),
        }
        #[cfg(not(feature = "vectorize"))]
        Err(format!(
            "{}, and build with the feature `vectorize` of mcpfn",
            VECTORIZE_INDEX.mistake(&self.env, binding)
        ))
    }

    /// The R2 bucket of a binding, if anything is bound to the name.
    ///
    /// # Errors
    /// When something else is bound to it: a sentence that says what to change.
    #[cfg(feature = "r2")]
    pub fn r2_if_bound(&self, binding: &str) -> Result<Option<R2>, String> {
        let is_bound = bound::bound(&self.env, binding).is_some();
        is_bound.then(|| self.r2(binding)).transpose()
    }

    /// The store of results in a KV namespace, if anything is bound to the name.
    ///
    /// # Errors
    /// When something else is bound to it: a sentence that says what to change.
    pub fn kv_cache(&self, binding: &str) -> Result<Option<KvCache>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        let namespace = KV_NAMESPACE
            .find(&self.env, binding)
            .and_then(|_| self.env.kv(binding).ok());
        match namespace {
            Some(namespace) => Ok(Some(KvCache::new(namespace))),
            None => Err(KV_NAMESPACE.mistake(&self.env, binding)),
        }
    }

    /// The store of idempotent writes in a namespace of Durable Objects, if anything is bound to
    /// the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature
    /// `idempotency`: a sentence that says what to change.
    pub fn idempotency(&self, binding: &str) -> Result<Option<Arc<dyn IdempotencyStore>>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        #[cfg(feature = "idempotency")]
        if let Some(namespace) = OBJECTS.find(&self.env, binding) {
            return Ok(Some(Arc::new(DurableIdempotency::new(namespace))));
        }
        Err(format!(
            "{}, and build with the feature `idempotency` of mcpfn",
            OBJECTS.mistake(&self.env, binding)
        ))
    }

    /// The place of tasks and what runs them, in a namespace of Durable Objects, if anything is bound
    /// to the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature `tasks`: a
    /// sentence that says what to change.
    pub fn tasks(&self, binding: &str) -> Result<Option<TaskPorts>, String> {
        if bound::bound(&self.env, binding).is_none() {
            return Ok(None);
        }
        #[cfg(feature = "tasks")]
        if let Some(namespace) = TASK_OBJECTS.find(&self.env, binding) {
            let tasks = Arc::new(DurableTasks::new(namespace));
            return Ok(Some((Arc::clone(&tasks) as _, tasks)));
        }
        Err(format!(
            "{}, and build with the feature `tasks` of mcpfn",
            TASK_OBJECTS.mistake(&self.env, binding)
        ))
    }

    /// The way of answers to questions in the middle of a call, in a namespace of Durable Objects: that of
    /// idempotent writes has room for both.
    #[must_use]
    pub(crate) fn mailbox(&self, binding: &str) -> Option<Arc<dyn Mailbox>> {
        #[cfg(feature = "idempotency")]
        if let Some(namespace) = OBJECTS.find(&self.env, binding) {
            return Some(Arc::new(DurableIdempotency::new(namespace)));
        }
        let _ = binding;
        None
    }

    /// The store of subscriptions, likewise.
    ///
    /// # Errors
    /// When nothing is bound to the name: a sentence that says what to add.
    pub(crate) fn topics(&self, binding: &str) -> Result<Arc<dyn Topics>, String> {
        #[cfg(feature = "idempotency")]
        if let Some(namespace) = OBJECTS.find(&self.env, binding) {
            return Ok(Arc::new(DurableIdempotency::new(namespace)));
        }
        Err(format!(
            "MCPFN_SUBSCRIPTIONS needs a store that all isolates share: {}, and build with the feature \
             `idempotency` of mcpfn",
            OBJECTS.mistake(&self.env, binding)
        ))
    }

    /// The rate-limit bindings: one for `rate`, of each caller, and one for each rate that a tool of
    /// the server has itself.
    ///
    /// # Errors
    /// For every rate that no binding has, not only the first: a sentence that says what to add.
    pub fn rates(&self, rate: Option<Rate>, server: &Server) -> Result<RateBindings, String> {
        let bindings = RateBindings::new(self.env.clone());
        let of_callers = rate.map(|rate| ("MCPFN_RATE_LIMIT".to_owned(), rate));
        let of_tools = server
            .rate_limits()
            .map(|(tool, rate)| (format!("the tool `{tool}`"), rate));
        let missing: Vec<String> = of_callers
            .into_iter()
            .chain(of_tools)
            .filter_map(|(whose, rate)| Some(format!("{whose}: {}", bindings.of(rate).err()?)))
            .collect();
        if missing.is_empty() {
            Ok(bindings)
        } else {
            Err(missing.join("\n"))
        }
    }
}

const NO_ANSWER: &str = "no answer in 2 s";

/// The text of a secret, or why there is none.
async fn secret(binding: JsValue) -> Result<String, String> {
    let binding = SecretStore::from(binding);
    let mut asked = pin!(binding.get());
    let mut time = Timeout::new(PATIENCE);
    let answered = poll_fn(|cx| match asked.as_mut().poll(cx) {
        Poll::Pending => Pin::new(&mut time).poll(cx).map(|()| None),
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
    });
    match answered.await {
        None => Err(NO_ANSWER.to_owned()),
        Some(Ok(Some(text))) => Ok(text),
        Some(Ok(None)) => Err("there is no such secret".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
    }
}
