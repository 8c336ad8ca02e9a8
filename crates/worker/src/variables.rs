//! What `wrangler.toml` binds to a Worker: variables, secrets, and the stores behind ports.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn_core::Server;
use mcpfn_core::port::{IdempotencyStore, Rate};
use worker::js_sys::{JSON, Object, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::{D1Database, Env};

#[cfg(feature = "idempotency")]
use crate::stores::DurableIdempotency;
#[cfg(feature = "r2")]
use crate::stores::R2;
use crate::stores::{D1, KvCache, RateBindings};

/// The variables, secrets and stores of a Worker.
#[derive(Debug, Clone)]
pub struct Variables(pub(crate) Env);

impl Variables {
    /// A variable or secret as text. Numbers and booleans of `wrangler.toml` are written as JSON;
    /// what is no value is not set.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OsString> {
        let value = Reflect::get(&self.0, &JsValue::from_str(name)).ok()?;
        if value.is_undefined() || value.is_null() {
            return None;
        }
        let text = value
            .as_string()
            .or_else(|| JSON::stringify(&value).ok()?.as_string())?;
        Some(text.into())
    }

    /// The names of all variables, secrets and bindings.
    pub(crate) fn names(&self) -> Vec<String> {
        let environment: &Object = self.0.unchecked_ref();
        Object::keys(environment)
            .iter()
            .filter_map(|name| name.as_string())
            .collect()
    }

    /// The D1 database of a binding.
    ///
    /// # Errors
    /// When nothing is bound to the name, or something else is: a sentence that says what to add.
    pub fn d1(&self, binding: &str) -> Result<D1, String> {
        let database: D1Database = self.0.d1(binding).map_err(|error| {
            format!(
                "no D1 database is bound as {binding} ({error}); add one to [[d1_databases]] in \
                 wrangler.toml with binding = \"{binding}\""
            )
        })?;
        Ok(D1::new(database))
    }

    /// The R2 bucket of a binding.
    ///
    /// # Errors
    /// When nothing is bound to the name, or something else is: a sentence that says what to add.
    #[cfg(feature = "r2")]
    pub fn r2(&self, binding: &str) -> Result<R2, String> {
        let bucket = self.0.bucket(binding).map_err(|error| {
            format!(
                "no R2 bucket is bound as {binding} ({error}); add one to [[r2_buckets]] in \
                wrangler.toml with binding = \"{binding}\""
            )
        })?;
        Ok(R2::new(bucket))
    }

    /// The store of results in a KV namespace, if one is bound to the name.
    #[must_use]
    pub fn kv_cache(&self, binding: &str) -> Option<KvCache> {
        self.0.kv(binding).ok().map(KvCache::new)
    }

    /// The store of idempotent writes in a namespace of Durable Objects, if one is bound to
    /// the name.
    ///
    /// # Errors
    /// When something else is bound to it, or this program was built without the feature `idempotency`: a
    /// sentence that says what to change.
    pub fn idempotency(&self, binding: &str) -> Result<Option<Arc<dyn IdempotencyStore>>, String> {
        let bound = Reflect::get(&self.0, &JsValue::from_str(binding)).unwrap_or_default();
        if bound.is_undefined() {
            return Ok(None);
        }
        #[cfg(feature = "idempotency")]
        if Reflect::get(&bound, &JsValue::from_str("getByName"))
            .is_ok_and(|method| method.is_function())
        {
            return Ok(Some(Arc::new(DurableIdempotency::new(bound))));
        }
        Err(format!(
            "{binding} is bound to what this Worker can't keep its writes in; bind it in [[durable_objects.bindings]] of wrangler.toml with \
             class_name = \"McpfnIdempotency\", and build with the feature `idempotency` of mcpfn"
        ))
    }

    /// The rate-limit bindings: one for `rate`, of each caller, and one for each rate that a tool of
    /// the server has itself.
    ///
    /// # Errors
    /// For every rate that no binding has, not only the first: a sentence that says what to add.
    pub fn rates(&self, rate: Option<Rate>, server: &Server) -> Result<RateBindings, String> {
        let bindings = RateBindings::new(self.0.clone());
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
