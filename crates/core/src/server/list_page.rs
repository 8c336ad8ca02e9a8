//! One page of a list as bytes: which entries are on it, and what is around them.

use std::ops::Range;

use super::registry::Registry;
use super::result_writer::ResultWriter;
use crate::model::JsonObject;
use crate::model::page::Cursor;
use crate::version::Revision;

/// Bytes of the entries of one page, as far as one alone has not more: what every way to a client
/// takes, and as much as possible, because many clients read the first page only. (A load balancer
/// of AWS takes a megabyte.)
pub(super) const PAGE_BYTES: usize = 900_000;

/// What pages are written from, beside the list itself.
#[derive(Clone, Copy)]
pub(crate) struct PageSource<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) results: &'a ResultWriter,
    /// How long a page holds, in milliseconds.
    pub(crate) ttl_ms: u64,
}

/// The entries of one page of what a caller sees.
pub(super) struct WrittenPage<'a> {
    pub(super) entries: &'a [&'a [u8]],
    /// Its number, and how many there are.
    pub(super) page: usize,
    pub(super) pages: usize,
    /// What the list's cursors name.
    pub(super) identity: u64,
    pub(super) cache_scope: &'static str,
}

pub(super) fn write_page(
    written: &WrittenPage<'_>,
    member: &str,
    revision: Revision,
    source: &PageSource<'_>,
) -> Vec<u8> {
    let mut body = format!("{{\"{member}\":[").into_bytes();
    for (position, entry) in written.entries.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend_from_slice(entry);
    }
    body.push(b']');
    if let Some(next) = u32::try_from(written.page + 1)
        .ok()
        .filter(|_| written.page + 1 < written.pages)
    {
        let cursor = Cursor {
            list: written.identity,
            page: next,
        }
        .write();
        body.extend_from_slice(format!(",\"nextCursor\":\"{cursor}\"").as_bytes());
    }
    body.push(b'}');
    let extra = format!(
        ",\"ttlMs\":{},\"cacheScope\":\"{}\"",
        source.ttl_ms, written.cache_scope
    );
    source
        .results
        .complete(revision, &body, &JsonObject::new(), &extra)
}

/// Which entries of these sizes are on which page: at least one page, which may be empty.
pub(super) fn pages(sizes: impl Iterator<Item = usize>, per_page: usize) -> Vec<Range<usize>> {
    let (mut pages, mut page, mut bytes) = (Vec::new(), 0..0, 0_usize);
    for size in sizes {
        let full = page.len() == per_page || bytes + size > PAGE_BYTES;
        if full && !page.is_empty() {
            pages.push(page.clone());
            (page.start, bytes) = (page.end, 0);
        }
        page.end += 1;
        bytes += size + ",".len();
    }
    pages.push(page);
    pages
}
