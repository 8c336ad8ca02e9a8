//! The lists of one upstream: asked for when they are needed, kept for as long as it says, and kept
//! on while it is down. One caller at a time asks; the others wait for the first list, or take the
//! last.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::{
    Cx,
    host::ListKind,
    upstream::{ListOutcome, UpstreamList},
};
use serde_json::{Map, Value};

use super::client::{UpstreamClient, UpstreamFailure, UpstreamRequest};
use crate::untrusted::{is_visible, visible};

/// Pages of one list.
const MAX_PAGES: usize = 20;
/// Entries of one list, and bytes of one entry, of one page and of all entries.
const MAX_ENTRIES: usize = 1000;
const MAX_ENTRY_BYTES: usize = 64 * 1024;
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;
/// How long a list is kept where the upstream does not say, and at least and at most where it does,
/// in milliseconds.
const UNSAID_MS: u64 = 60_000;
const LEAST_MS: u64 = 5_000;
const MAX_MS: u64 = 3_600_000;
/// How long an upstream that gave no list is not asked again, in milliseconds: twice as long after
/// each failure, up to the most.
const PAUSE_MS: u64 = 10_000;
const MAX_PAUSE_MS: u64 = 60_000;
/// How long one list may take.
const WITHIN: Duration = Duration::from_secs(8);
/// How often a call that waits for another caller's list looks for it.
const LOOK: Duration = Duration::from_millis(20);
/// Sentences about entries that were left out, of one list.
const MAX_SENTENCES: usize = 10;

#[derive(Default)]
pub(super) struct ListCache([Mutex<LastList>; 4]);

#[derive(Default)]
struct LastList {
    listing: Option<Arc<UpstreamList>>,
    asked_ms: u64,
    /// A call is asking, and is waited for until then.
    busy_until_ms: u64,
    /// No request is sent before that.
    pause_until_ms: u64,
    failures: u32,
    trouble: Option<String>,
}

/// What to do about a list.
enum ListStep {
    Take(ListOutcome),
    Wait,
    InputRequired,
}

impl ListCache {
    fn kept<R>(&self, kind: ListKind, look: impl FnOnce(&mut LastList) -> R) -> R {
        let place = match kind {
            ListKind::Tools => 0,
            ListKind::Resources => 1,
            ListKind::Templates => 2,
            ListKind::Prompts => 3,
        };
        look(&mut self.0[place].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the last known list has a name.
    pub(super) fn knows(&self, kind: ListKind, name: &str) -> bool {
        self.kept(kind, |kept| {
            kept.listing
                .as_ref()
                .is_some_and(|listing| listing.contains(name))
        })
    }

    /// Why there is no list.
    pub(super) fn trouble(&self, kind: ListKind) -> String {
        self.kept(kind, |kept| kept.trouble.clone())
            .unwrap_or_else(|| "its list did not come in time".to_owned())
    }

    /// The list, asked for if it is not fresh; with `newer`, also if it is, unless that was just
    /// now.
    pub(super) async fn get(
        &self,
        client: &UpstreamClient,
        kind: ListKind,
        newer: bool,
        cx: &Cx,
    ) -> ListOutcome {
        loop {
            let now_ms = cx.now_ms();
            let step = self.kept(kind, |kept| {
                let last = ListOutcome {
                    listing: kept.listing.clone(),
                    trouble: None,
                };
                let fresh_until_ms = kept
                    .listing
                    .as_ref()
                    .map_or(0, |listing| listing.fresh_until_ms());
                let wanted = if newer {
                    now_ms >= kept.asked_ms + LEAST_MS
                } else {
                    now_ms >= fresh_until_ms
                };
                if !wanted || now_ms < kept.pause_until_ms {
                    ListStep::Take(last)
                } else if now_ms < kept.busy_until_ms {
                    if last.listing.is_some() {
                        ListStep::Take(last)
                    } else {
                        ListStep::Wait
                    }
                } else {
                    kept.busy_until_ms = now_ms + WITHIN.as_millis() as u64;
                    ListStep::InputRequired
                }
            });
            match step {
                ListStep::Take(listed) => return listed,
                ListStep::InputRequired => break,
                ListStep::Wait if cx.remaining() <= LOOK => return ListOutcome::default(),
                ListStep::Wait => cx.sleep(LOOK).await,
            }
        }
        let asking = Asking { lists: self, kind };
        let asked = ask(client, kind, cx).await;
        let now_ms = cx.now_ms();
        let listed = self.kept(kind, |kept| {
            kept.asked_ms = now_ms;
            let trouble = match asked {
                Ok((listing, left_out)) => {
                    kept.listing = Some(Arc::new(listing));
                    (kept.pause_until_ms, kept.failures) = (0, 0);
                    kept.trouble = None;
                    left_out
                }
                Err(failure) => {
                    kept.pause_until_ms =
                        now_ms + (PAUSE_MS << kept.failures.min(8)).min(MAX_PAUSE_MS);
                    kept.failures = kept.failures.saturating_add(1);
                    let trouble = format!("{} can't be listed: {failure}", kind.member());
                    kept.trouble = Some(trouble.clone());
                    Some(trouble)
                }
            };
            ListOutcome {
                listing: kept.listing.clone(),
                trouble,
            }
        });
        drop(asking);
        listed
    }
}

/// Lets the next one ask, also when the caller went away.
struct Asking<'a> {
    lists: &'a ListCache,
    kind: ListKind,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.lists.kept(self.kind, |kept| kept.busy_until_ms = 0);
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

/// All pages of a list, and what was left out of them.
async fn ask(
    client: &UpstreamClient,
    kind: ListKind,
    cx: &Cx,
) -> Result<(UpstreamList, Option<String>), UpstreamFailure> {
    let (mut entries, mut left_out) = (Vec::new(), Vec::new());
    let (mut ttl_ms, mut bytes, mut full) = (MAX_MS, 0, false);
    let mut cursor: Option<String> = None;
    for page in 1.. {
        let params: Map<String, Value> = cursor
            .iter()
            .map(|cursor| ("cursor".to_owned(), cursor.as_str().into()))
            .collect();
        let request = UpstreamRequest {
            method: method(kind),
            target: None,
            params,
            headers: Vec::new(),
            within: WITHIN,
            max_body: MAX_PAGE_BYTES,
        };
        let result = match client.ask(cx, request).await {
            Ok(result) => result,
            // it has nothing of this kind
            Err(UpstreamFailure::Error(error)) if error.code == -32601 => {
                ttl_ms = ttl_ms.min(UNSAID_MS);
                break;
            }
            Err(failure) => return Err(failure),
        };
        let malformed = || UpstreamFailure::Unavailable {
            cause: "the result is not a list of objects".to_owned(),
            sent: true,
        };
        let mut result: Map<String, Value> =
            serde_json::from_str(result.get()).map_err(|_| malformed())?;
        let Some(Value::Array(more)) = result.remove(kind.member()) else {
            return Err(malformed());
        };
        ttl_ms = ttl_ms.min(
            result
                .get("ttlMs")
                .and_then(Value::as_u64)
                .unwrap_or(UNSAID_MS),
        );
        for mut entry in more {
            let size = entry.to_string().len();
            if entries.len() == MAX_ENTRIES || bytes + size > MAX_LIST_BYTES {
                left_out.push(format!(
                    "it has more than {MAX_ENTRIES} entries or {MAX_LIST_BYTES} bytes"
                ));
                full = true;
                break;
            } else if size > MAX_ENTRY_BYTES {
                left_out.push(format!(
                    "an entry has {size} bytes, more than {MAX_ENTRY_BYTES}"
                ));
            } else {
                clean(&mut entry);
                bytes += size;
                entries.push(entry);
            }
        }
        let next = result
            .get("nextCursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if next.is_none() || full {
            break;
        }
        if next == cursor || page == MAX_PAGES {
            left_out.push(format!("its pages have no end: {page} were read"));
            break;
        }
        cursor = next;
    }
    let fresh_until_ms = cx.now_ms().saturating_add(ttl_ms.clamp(LEAST_MS, MAX_MS));
    let (listing, refused) = UpstreamList::read(kind, &client.name, entries, fresh_until_ms);
    left_out.extend(refused);
    let more = left_out.len().saturating_sub(MAX_SENTENCES);
    left_out.truncate(MAX_SENTENCES);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    Ok((
        listing,
        (!left_out.is_empty()).then(|| {
            format!(
                "left out of {}: {}{more}",
                kind.member(),
                left_out.join("; ")
            )
        }),
    ))
}

/// What calls repeat letter by letter.
const EXACT: [&str; 8] = [
    "name",
    "uri",
    "uriTemplate",
    "enum",
    "const",
    "default",
    "pattern",
    "required",
];

/// Takes out what people would not see, and models would.
fn clean(entry: &mut Value) {
    match entry {
        Value::String(text) if !text.chars().all(is_visible) => *text = visible(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(key, _)| !EXACT.contains(&key.as_str()))
                .for_each(|(_, value)| clean(value));
        }
        _ => {}
    }
}
