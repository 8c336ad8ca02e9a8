//! API keys: kept as digests, compared in a time that says nothing, several per name so that they
//! can be changed one by one.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use mcpfn_core::{
    Principal, PrincipalKind, Scopes,
    handler::{BoxFuture, MaybeSend, MaybeSync},
    port::{Platform, Random},
};
use mcpfn_http::{AuthError, Authenticator};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::bearer;
use crate::denied::{invalid, malformed, unavailable};
use crate::kept::{self, RefreshingCache};

/// How long a list of keys serves before it is read again, in milliseconds. A key that was removed
/// from it serves twice as long at most, and until the greatest age while the source is unavailable.
const FRESH: u64 = 60_000;

/// One key, as far as a server knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose it is; several keys may have the same.
    pub name: String,
    /// The SHA-256 of the key.
    pub hash: [u8; 32],
    /// What it grants; `None` is the server's default, and an empty list is nothing.
    pub scopes: Option<Scopes>,
}

impl ApiKey {
    /// Reads keys: `name:hash` or `name:hash:scope scope`, separated by semicolons or line ends.
    /// The hash is that of [`hash_key`]. An entry whose scopes are empty grants nothing.
    ///
    /// # Errors
    /// One sentence for each entry that can't be used. No hash is in it.
    pub fn parse(text: &str) -> Result<Vec<Self>, Vec<String>> {
        let (keys, mut mistakes) = Self::parse_each(text);
        if keys.is_empty() && mistakes.is_empty() {
            mistakes.push("there is no key: write name:hash, with the hash of a key".to_owned());
        }
        if mistakes.is_empty() {
            Ok(keys)
        } else {
            Err(mistakes)
        }
    }

    /// The entries that can be used, and one sentence for each that can't, with its position and
    /// without its content. An empty list has no keys, so it admits no caller.
    #[must_use]
    pub fn parse_each(text: &str) -> (Vec<Self>, Vec<String>) {
        let entries = text
            .split([';', '\n'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let mut keys: Vec<Self> = Vec::new();
        let mut mistakes = Vec::new();
        let mut hashes = HashSet::new();
        for (at, entry) in entries.enumerate() {
            match Self::parse_one(entry) {
                Ok(key) if !hashes.insert(key.hash) => {
                    mistakes.push(format!(
                        "entry {} has the same key as one before it: a key belongs to one name",
                        at + 1
                    ));
                }
                Ok(key) => keys.push(key),
                Err(mistake) => mistakes.push(format!("entry {} {mistake}", at + 1)),
            }
        }
        (keys, mistakes)
    }

    fn parse_one(entry: &str) -> Result<Self, String> {
        let mut parts = entry.splitn(3, ':').map(str::trim);
        let (name, hash, scopes) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
            parts.next(),
        );
        if name.is_empty()
            || name.len() > 128
            || name
                .chars()
                .any(|letter| letter.is_control() || letter.is_whitespace())
        {
            return Err(
                "needs a name of 1 to 128 characters without spaces before its first colon".into(),
            );
        }
        let hash = unhex(hash).ok_or(
            "needs the SHA-256 of the key, 64 hexadecimal digits, after \
            its first colon (not the key itself)",
        )?;
        let scopes = scopes
            .map(Scopes::written)
            .transpose()
            .map_err(|mistake| format!("has a scope that no tool can need: {mistake}"))?;
        Ok(Self {
            name: name.to_owned(),
            hash,
            scopes,
        })
    }
}

/// One line for the log about entries that were dropped, of a bounded length.
fn dropped(mistakes: &[String]) -> String {
    let shown = mistakes.len().min(10);
    let more = mistakes.len() - shown;
    let mut line = format!("not used: {}", mistakes[..shown].join("; "));
    if more > 0 {
        line += &format!("; and {more} more");
    }
    line
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? * 16 + digit(pair[1])?;
    }
    Some(hash)
}

/// What a server is told of a key: its SHA-256 in hexadecimal digits. Enough for unpredictable
/// keys, such as those of [`new_key`]; a password that a person chose would be found.
#[must_use]
pub fn hash_key(key: &str) -> String {
    Sha256::digest(key.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An unpredictable key: 256 random bits, with a beginning by which scanners of leaked secrets know
/// it.
#[must_use]
pub fn new_key(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    format!("mcpfn_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Where keys are listed, in the form of [`ApiKey::parse`]. A closure is one, too.
pub trait KeySource: MaybeSend + MaybeSync {
    /// The list now.
    ///
    /// # Errors
    /// When the source is unavailable; the list that was read last then serves until its greatest
    /// age.
    fn read(&self) -> BoxFuture<'_, Result<String, String>>;
}

impl<F: Fn() -> Result<String, String> + MaybeSend + MaybeSync> KeySource for F {
    fn read(&self) -> BoxFuture<'_, Result<String, String>> {
        let list = self();
        Box::pin(async move { list })
    }
}

/// Takes keys in `X-API-Key` or `Authorization: Bearer`. A bearer token that is not a key is
/// ignored.
pub struct ApiKeys {
    keys: KeyList,
    scopes: Scopes,
}

enum KeyList {
    Fixed(Vec<ApiKey>),
    Read {
        source: Arc<dyn KeySource>,
        kept: Arc<RefreshingCache<Vec<ApiKey>>>,
    },
}

impl ApiKeys {
    /// Takes these keys.
    #[must_use]
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self {
            keys: KeyList::Fixed(keys),
            scopes: Scopes::none(),
        }
    }

    /// Takes the keys of a list that is first read when a key is presented, and again every minute
    /// at most: beside the calls, before the answer to a key that is not in it, and before any
    /// answer once the list is two minutes old. So keys change without a deployment: a new one
    /// serves within a minute, a removed one stops within two.
    ///
    /// An empty list admits no caller. An entry that can't be read is dropped alone, and named in
    /// the audit log. A list that can't be read leaves the last one in use until it is
    /// [too old](Self::with_max_age).
    #[must_use]
    pub fn from_source(source: Arc<dyn KeySource>) -> Self {
        Self {
            keys: KeyList::Read {
                source,
                kept: RefreshingCache::new(FRESH, kept::MAX_KEY_AGE_MS),
            },
            scopes: Scopes::none(),
        }
    }

    /// Uses a list for at most this long after it was read, when its source is unavailable; 15
    /// minutes unless set. Then every key gets 503.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        if let KeyList::Read { kept, .. } = &mut self.keys {
            let max_age = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
            *kept = RefreshingCache::new(FRESH, max_age);
        }
        self
    }

    /// What a key grants that has no scopes of its own; nothing unless set.
    #[must_use]
    pub fn with_default_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    async fn find(
        &self,
        presented: &str,
        platform: &Platform,
    ) -> Result<Option<Principal>, AuthError> {
        match &self.keys {
            KeyList::Fixed(keys) => Ok(self.find_in(keys, presented)),
            KeyList::Read { source, kept } => {
                let read = || {
                    let (source, records) = (Arc::clone(source), Arc::clone(platform.audit_log()));
                    async move {
                        let list = source.read().await;
                        let list =
                            list.inspect_err(|cause| records.store_failure("API keys", cause))?;
                        let (keys, mistakes) = ApiKey::parse_each(&list);
                        if !mistakes.is_empty() {
                            records.store_failure("API keys", &dropped(&mistakes));
                        }
                        Ok(keys)
                    }
                };
                // a key that is not in it may have been added since
                let seen = kept
                    .get(
                        platform,
                        |keys| self.find_in(keys, presented).is_some(),
                        read,
                    )
                    .await;
                match seen.value {
                    Some(keys) => Ok(self.find_in(&keys, presented)),
                    None => Err(unavailable("the list of API keys can't be read now")
                        .because(seen.failure.unwrap_or_default())),
                }
            }
        }
    }

    /// Looks at every key, wherever the right one is.
    fn find_in(&self, keys: &[ApiKey], presented: &str) -> Option<Principal> {
        let hash: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let mut found = u32::MAX;
        for (at, key) in (0_u32..).zip(keys) {
            found.conditional_assign(&at, key.hash.ct_eq(&hash));
        }
        let key = keys.get(usize::try_from(found).ok()?)?;
        let scopes = key.scopes.as_ref().unwrap_or(&self.scopes);
        Some(Principal::new(PrincipalKind::ApiKey, &key.name).with_scopes(scopes.clone()))
    }
}

impl Authenticator for ApiKeys {
    fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        platform: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async move {
            match (bearer::token(headers)?, bearer::only(headers, "x-api-key")?) {
                (None, None) => Ok(None),
                (Some(token), Some(key)) if token != key => Err(malformed(
                    "`Authorization` and `X-API-Key` hold different keys: send one of them",
                )),
                (_, Some(key)) => match self.find(key, platform).await? {
                    None => Err(invalid(
                        "unknown API key: get one from the operator of this server",
                    )),
                    found => Ok(found),
                },
                (Some(token), None) => self.find(token, platform).await,
            }
        })
    }
}

/// Without the hash, which is worth little, but not nothing.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.keys {
            KeyList::Fixed(keys) => f.debug_tuple("ApiKeys").field(keys).finish(),
            KeyList::Read { .. } => f.write_str("ApiKeys(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_long_as_it_is_said_to_be() {
        for (name, is_one) in [
            (String::new(), false),
            ("a".to_owned(), true),
            ("a".repeat(128), true),
            ("a".repeat(129), false),
            ("a b".to_owned(), false),
            ("a\u{7}b".to_owned(), false),
        ] {
            let (keys, mistakes) = ApiKey::parse_each(&format!("{name}:{}", "0".repeat(64)));
            assert_eq!(
                (keys.len(), mistakes.len()),
                if is_one { (1, 0) } else { (0, 1) }
            );
            if !is_one {
                assert!(mistakes[0].contains("1 to 128 characters"), "{mistakes:?}");
            }
        }
    }

    /// Else an operator would look for entries that are not there, or not for some that are.
    #[test]
    fn a_line_about_mistakes_says_exactly_how_many_it_leaves_out() {
        for (count, end) in [
            (1, "m"),
            (10, "m"),
            (11, "; and 1 more"),
            (99, "; and 89 more"),
        ] {
            let line = dropped(&vec!["m".to_owned(); count]);
            assert!(line.ends_with(end), "{line}");
            let shown = line.split("; ").filter(|part| part.ends_with('m')).count();
            assert_eq!(shown, count.min(10), "{line}");
        }
    }
}
