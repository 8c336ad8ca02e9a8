//! A list of an upstream, page by page and entry by entry: one that can't be listed hides no other.
//! Keeps nothing; that is in `lists`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use mcpfn_core::host::ListKind;
use mcpfn_core::upstream::UpstreamList;
use mcpfn_core::{Cx, ServiceFault};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::client::UpstreamClient;
use super::failure::UpstreamFailure;
use super::foreign::Cleaner;
use super::request::UpstreamRequest;

/// Pages of one list.
const MAX_PAGES: usize = 20;
/// Entries of one list, and bytes of one entry and of one page as they come.
const MAX_ENTRIES: usize = 1000;
const MAX_ENTRY_BYTES: usize = 64 * 1024;
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// How long a list is kept where the upstream does not say, and at least and at most where it does,
/// in milliseconds.
const UNSAID_MS: u64 = 60_000;
pub(super) const LEAST_MS: u64 = 5_000;
const MAX_MS: u64 = 3_600_000;
/// Sentences about entries that were left out, of one list.
const MAX_SENTENCES: usize = 10;

/// What came of a list so far.
pub(super) struct Pages {
    kind: ListKind,
    pub(super) list: UpstreamList,
    /// Most bytes that the list may take.
    most: usize,
    ttl_ms: u64,
    left_out: Vec<String>,
    more_left_out: usize,
    /// What was changed of entries, and of how many more.
    mended: Vec<String>,
    more_mended: usize,
    full: bool,
}

impl Pages {
    /// Nothing yet, of a list that may take at most so many bytes.
    pub(super) fn new(kind: ListKind, upstream: &str, most: usize) -> Self {
        Self {
            kind,
            list: UpstreamList::new(kind, upstream),
            most,
            ttl_ms: MAX_MS,
            left_out: Vec::new(),
            more_left_out: 0,
            mended: Vec::new(),
            more_mended: 0,
            full: false,
        }
    }

    /// Reads all pages, `within` for each at most; `came` hears of each that has another after it.
    ///
    /// # Errors
    /// Why a page did not come. Those before it are kept.
    pub(super) async fn read(
        &mut self,
        client: &UpstreamClient,
        cx: &Cx,
        within: Duration,
        came: impl Fn(&Self),
    ) -> Result<(), UpstreamFailure> {
        let mut cursor: Option<String> = None;
        for page in 1.. {
            let next = self.page(client, cx, within, cursor.as_deref()).await?;
            if next.is_none() || self.full {
                break;
            }
            if next == cursor || page == MAX_PAGES {
                self.notable(format!("its pages have no end: {page} were read"));
                break;
            }
            came(self);
            cursor = next;
        }
        let fresh_ms = self.ttl_ms.clamp(LEAST_MS, MAX_MS);
        let fresh_until_ms = cx.now_ms().saturating_add(fresh_ms);
        self.list = self.list.clone().fresh_until(fresh_until_ms);
        Ok(())
    }

    /// One page; gives the cursor of the next one.
    async fn page(
        &mut self,
        client: &UpstreamClient,
        cx: &Cx,
        within: Duration,
        cursor: Option<&str>,
    ) -> Result<Option<String>, UpstreamFailure> {
        let cursor = cursor.map(|cursor| ("cursor".to_owned(), cursor.into()));
        let request = UpstreamRequest {
            method: method(self.kind),
            target: None,
            params: cursor.into_iter().collect::<Map<String, Value>>(),
            headers: Vec::new(),
            within,
            // nothing is read that could not be kept
            max_body: self.most.clamp(MAX_ENTRY_BYTES, MAX_PAGE_BYTES),
        };
        let mut next = None;
        let read = match client.ask(cx, request).await {
            Ok(result) => {
                let json = result.as_it_came().get();
                self.result(json, &client.cleaner, &mut next)
            }
            // it has nothing of this kind
            Err(UpstreamFailure::Error(error)) if error.code == -32601 => {
                self.ttl_ms = self.ttl_ms.min(UNSAID_MS);
                return Ok(None);
            }
            Err(UpstreamFailure::TooLong(message)) => {
                let before = self.list.len();
                // it ends in the middle of an entry, which is an error; those before it were read
                let _ = self.message(&message, &client.cleaner, &mut next);
                if self.list.len() == before {
                    return Err(UpstreamFailure::TooLong(message));
                }
                self.ttl_ms = self.ttl_ms.min(UNSAID_MS);
                self.notable("the rest of a page that is longer than the limit".to_owned());
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        read.map(|()| next)
            .map_err(|_| UpstreamFailure::Unavailable {
                outage: ServiceFault::Malformed.into(),
                cause: "the result is not a list of objects".to_owned(),
                sent: true,
            })
    }

    fn result(
        &mut self,
        json: &str,
        cleaner: &Cleaner,
        next: &mut Option<String>,
    ) -> serde_json::Result<()> {
        let page = PageReader {
            pages: self,
            cleaner,
            next,
        };
        serde_json::Deserializer::from_str(json).deserialize_map(page)
    }

    /// The result in a message that was cut.
    fn message(
        &mut self,
        json: &[u8],
        cleaner: &Cleaner,
        next: &mut Option<String>,
    ) -> serde_json::Result<()> {
        let page = PageReader {
            pages: self,
            cleaner,
            next,
        };
        serde_json::Deserializer::from_slice(json).deserialize_map(MessageReader(page))
    }

    fn entry(&mut self, json: &RawValue, cleaner: &Cleaner) {
        let size = json.get().len();
        let entries = self
            .list
            .len()
            .max(self.left_out.len() + self.more_left_out);
        if entries >= MAX_ENTRIES || self.list.bytes() + size > self.most {
            let most = self.most;
            self.notable(format!(
                "it has more than {MAX_ENTRIES} entries, or more than the {most} bytes that it \
                 may take"
            ));
            self.full = true;
            return;
        }
        if size > MAX_ENTRY_BYTES {
            self.notable(format!(
                "an entry has {size} bytes, more than {MAX_ENTRY_BYTES}"
            ));
            return;
        }
        let added = match serde_json::from_str::<Value>(json.get()) {
            Ok(mut entry) => {
                redact(&mut entry, cleaner);
                self.list.add(entry)
            }
            Err(_) => Err("an entry is nested more than 60 levels deep".to_owned()),
        };
        match added {
            Ok(None) => {}
            Ok(Some(change)) if self.mended.len() < MAX_SENTENCES => self.mended.push(change),
            Ok(Some(_)) => self.more_mended += 1,
            Err(reason) => self.leave_out(reason),
        }
    }

    /// A sentence about the list, which stands before those about entries.
    fn notable(&mut self, reason: String) {
        self.left_out.insert(0, reason);
        if self.left_out.len() > MAX_SENTENCES {
            self.left_out.pop();
            self.more_left_out += 1;
        }
    }

    fn leave_out(&mut self, reason: String) {
        if self.left_out.len() < MAX_SENTENCES {
            self.left_out.push(reason);
        } else {
            self.more_left_out += 1;
        }
    }

    /// What was left out, and what was changed, in one line.
    pub(super) fn left_out(&self) -> Option<String> {
        let member = self.kind.member();
        let line = |what: &str, said: &[String], more: usize| {
            let more = match more {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            (!said.is_empty()).then(|| format!("{what} {member}: {}{more}", said.join("; ")))
        };
        let left_out = line("left out of", &self.left_out, self.more_left_out);
        let mended = line("changed in", &self.mended, self.more_mended);
        let lines: Vec<String> = [left_out, mended].into_iter().flatten().collect();
        (!lines.is_empty()).then(|| lines.join(". "))
    }
}

fn method(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Tools => "tools/list",
        ListKind::Resources => "resources/list",
        ListKind::Templates => "resources/templates/list",
        ListKind::Prompts => "prompts/list",
    }
}

/// Takes the token out; the list takes out what is hidden, and refuses it where calls repeat it.
fn redact(value: &mut Value, cleaner: &Cleaner) {
    match value {
        Value::String(text) => cleaner.redacted(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, cleaner)),
        Value::Object(members) => {
            // such an object is no part of an entry
            if members.keys().any(|name| cleaner.finds(name)) {
                members.clear();
            }
            members
                .values_mut()
                .for_each(|value| redact(value, cleaner));
        }
        _ => {}
    }
}

/// Reads the result of a list, its entries one by one, also of one whose end is missing.
struct PageReader<'a> {
    pages: &'a mut Pages,
    cleaner: &'a Cleaner,
    next: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for PageReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the result of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut ttl_ms) = (false, None);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.pages.kind.member() {
                seen = true;
                map.next_value_seed(EntriesReader {
                    pages: self.pages,
                    cleaner: self.cleaner,
                })?;
            } else if key == "nextCursor" {
                let raw = map.next_value::<&RawValue>()?;
                *self.next = serde_json::from_str(raw.get()).ok();
            } else if key == "ttlMs" {
                let raw = map.next_value::<&RawValue>()?;
                ttl_ms = serde_json::from_str(raw.get()).ok();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        self.pages.ttl_ms = self.pages.ttl_ms.min(ttl_ms.unwrap_or(UNSAID_MS));
        if seen {
            Ok(())
        } else {
            Err(A::Error::custom("there is no list"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for PageReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Reads the message around it.
struct MessageReader<'a>(PageReader<'a>);

impl<'de> Visitor<'de> for MessageReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == "result" {
                return map.next_value_seed(self.0);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct EntriesReader<'a> {
    pages: &'a mut Pages,
    cleaner: &'a Cleaner,
}

impl<'de> DeserializeSeed<'de> for EntriesReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntriesReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while !self.pages.full {
            match seq.next_element::<&RawValue>()? {
                Some(entry) => self.pages.entry(entry, self.cleaner),
                None => return Ok(()),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
