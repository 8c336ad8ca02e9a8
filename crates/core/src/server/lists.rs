//! Lists as bytes: each page of each revision is written once, when it is first asked for. Callers
//! who see a part of a list get it put together from entries that were written once.

mod guarded;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub(crate) use self::guarded::ListEntry;
use self::guarded::{GuardedEntries, SeenKinds};
use super::list_page::{PAGE_BYTES, PageSource, WrittenPage, pages, write_page};
use super::registry::Registry;
use crate::jsonrpc::{Error, to_json};
use crate::model::list_kind::ListKind;
use crate::model::page::{Cursor, identity};
use crate::scope::Scopes;
use crate::skill::Shelf;
use crate::upstream::UpstreamList;
use crate::version::Revision;

/// The four lists.
pub(crate) struct ServerLists {
    pub(crate) tools: RenderedList,
    pub(crate) resources: RenderedList,
    pub(crate) templates: RenderedList,
    pub(crate) prompts: RenderedList,
}

impl ServerLists {
    pub(crate) fn of(&self, kind: ListKind) -> &RenderedList {
        match kind {
            ListKind::Tools => &self.tools,
            ListKind::Resources => &self.resources,
            ListKind::Templates => &self.templates,
            ListKind::Prompts => &self.prompts,
        }
    }
}

/// Which page is asked for, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct PageRequest<'a> {
    pub(crate) revision: Revision,
    pub(crate) cursor: Option<&'a str>,
    pub(crate) scopes: &'a Scopes,
}

impl PageRequest<'_> {
    /// The number of the page in a list of so many.
    fn page(&self, identity: u64, pages: usize) -> Result<usize, Error> {
        self.cursor
            .map_or(Ok(0), |cursor| Cursor::read(cursor, identity, pages))
    }
}

pub(crate) struct RenderedList {
    kind: ListKind,
    identity: u64,
    /// The most entries of a page.
    per_page: usize,
    /// If an entry needs a scope: then callers see different lists.
    guarded: Option<GuardedEntries>,
    /// The pages of the whole list.
    rendered: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
    /// The entries of a guarded list, of which parts are put together.
    entries: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
}

impl RenderedList {
    pub(crate) fn new<'a>(
        kind: ListKind,
        per_page: usize,
        listed: impl Iterator<Item = ListEntry<'a>>,
    ) -> Self {
        let listed: Vec<ListEntry<'a>> = listed.collect();
        Self {
            kind,
            identity: identity(kind.member(), listed.iter().map(|entry| entry.name)),
            per_page,
            // where all callers see the same list, no names are kept: the bytes of its pages do
            guarded: GuardedEntries::of(&listed),
            rendered: Default::default(),
            entries: Default::default(),
        }
    }

    /// The result that holds the page that is asked for, of what its caller sees.
    pub(crate) fn page<'a>(
        &'a self,
        source: &PageSource<'_>,
        request: &PageRequest<'_>,
    ) -> Result<Cow<'a, [u8]>, Error> {
        if let Some(guarded) = &self.guarded {
            let seen = guarded.seen_with(request.scopes);
            // a caller who sees everything gets the bytes that were written once
            if !seen.is_all() {
                return self.partial_page(guarded, seen, source, request);
            }
        }
        // all pages at once: they depend on nothing but the revision, and a client that reads one
        // reads the others
        let pages = self.rendered[request.revision.index()].get_or_init(|| {
            let entries = self.write_entries(request.revision, source.registry);
            let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let pages = pages(entries.iter().map(|entry| entry.len()), self.per_page);
            (0..pages.len())
                .map(|page| {
                    let written = self.cut(&entries, &pages, page, self.identity);
                    write_page(&written, self.kind.member(), request.revision, source)
                })
                .collect()
        });
        let page = request.page(self.identity, pages.len())?;
        let page = pages
            .get(page)
            .ok_or_else(|| Error::internal("internal error: the page is missing"))?;
        Ok(Cow::Borrowed(page))
    }

    /// A page of a part of the list. Its cursors are its own: they name the entries that the caller
    /// sees.
    fn partial_page<'a>(
        &'a self,
        guarded: &'a GuardedEntries,
        seen: SeenKinds,
        source: &PageSource<'_>,
        request: &PageRequest<'_>,
    ) -> Result<Cow<'a, [u8]>, Error> {
        let revision = request.revision;
        if let Some(list) = guarded.known(&seen, revision) {
            let page = request.page(list.identity, list.pages.len())?;
            return Ok(Cow::Borrowed(&list.pages[page]));
        }
        let visible = guarded.visible(&seen);
        let names = visible.iter().map(|position| guarded.name(*position));
        let identity = identity(self.kind.member(), names);
        let entries = self.entries(revision, source);
        let entries: Vec<&[u8]> = visible
            .iter()
            .map(|position| entries[*position].as_slice())
            .collect();
        let pages = pages(entries.iter().map(|entry| entry.len()), self.per_page);
        let page = request.page(identity, pages.len())?;
        let write = |page| {
            let written = self.cut(&entries, &pages, page, identity);
            write_page(&written, self.kind.member(), revision, source)
        };
        if guarded.has_place(entries.iter().map(|entry| entry.len()).sum()) {
            let written: Vec<Vec<u8>> = (0..pages.len()).map(write).collect();
            let asked = written[page].clone();
            guarded.keep(seen, revision, identity, written);
            return Ok(Cow::Owned(asked));
        }
        Ok(Cow::Owned(write(page)))
    }

    /// The page that is asked for, of what its caller sees here and in lists of upstreams.
    pub(crate) fn merged_page(
        &self,
        source: &PageSource<'_>,
        request: &PageRequest<'_>,
        upstream_lists: &[Arc<UpstreamList>],
    ) -> Result<Vec<u8>, Error> {
        let own = self.entries(request.revision, source);
        let visible = match &self.guarded {
            Some(guarded) => guarded.visible(&guarded.seen_with(request.scopes)),
            None => (0..own.len()).collect(),
        };
        let own_bytes = visible.iter().map(|position| own[*position].len()).sum();
        let upstream_lists = &*in_order(upstream_lists, (visible.len(), own_bytes), self.per_page);
        let identity = self.merged_identity(&visible, upstream_lists);
        let sizes = visible.iter().map(|position| own[*position].len());
        let sizes = sizes.chain(upstream_lists.iter().flat_map(|list| list.sizes()));
        let pages = pages(sizes, self.per_page);
        let page = request.page(identity, pages.len())?;
        let range = pages[page].clone();
        let theirs = upstream_lists
            .iter()
            .flat_map(|list| (0..list.len()).map(move |position| (list, position)));
        // those of the page alone: an older revision's entries are written anew
        let entries: Vec<Cow<'_, [u8]>> = visible
            .iter()
            .map(|position| MergedEntry::Own(&own[*position]))
            .chain(theirs.map(|(list, position)| MergedEntry::Theirs(list, position)))
            .skip(range.start)
            .take(range.len())
            .map(|entry| match entry {
                MergedEntry::Own(bytes) => Cow::Borrowed(bytes),
                MergedEntry::Theirs(list, position) => list.write(position, request.revision),
            })
            .collect();
        let entries: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
        let written = WrittenPage {
            entries: &entries,
            page,
            pages: pages.len(),
            identity,
            // what an upstream shows may depend on the credential that this server has there
            cache_scope: "private",
        };
        Ok(write_page(
            &written,
            self.kind.member(),
            request.revision,
            source,
        ))
    }

    /// A page of entries that are no list of the server's own kinds, by their names: of skills, or
    /// of a directory.
    pub(crate) fn page_of(
        &self,
        member: &str,
        entries: &[(&str, &[u8])],
        cache_scope: &'static str,
        source: &PageSource<'_>,
        request: &PageRequest<'_>,
    ) -> Result<Vec<u8>, Error> {
        let identity = identity(member, entries.iter().map(|(name, _)| *name));
        let pages = pages(entries.iter().map(|(_, entry)| entry.len()), self.per_page);
        let page = request.page(identity, pages.len())?;
        let written: Vec<&[u8]> = entries[pages[page].clone()]
            .iter()
            .map(|(_, entry)| *entry)
            .collect();
        let written = WrittenPage {
            entries: &written,
            page,
            pages: pages.len(),
            identity,
            cache_scope,
        };
        Ok(write_page(&written, member, request.revision, source))
    }

    fn merged_identity(&self, visible: &[usize], upstream_lists: &[Arc<UpstreamList>]) -> u64 {
        // an own list whose callers see all of it has kept no names, but the number that stands for
        // them
        let whole = format!("{:x}", self.identity);
        let guarded = self
            .guarded
            .iter()
            .flat_map(|guarded| visible.iter().map(|position| guarded.name(*position)));
        let names = std::iter::once(whole.as_str())
            .chain(guarded)
            .chain(upstream_lists.iter().flat_map(|list| list.names()));
        identity(self.kind.member(), names)
    }

    /// For whom a page of the own list holds: a cache in between may share only what every caller
    /// gets.
    fn cache_scope(&self) -> &'static str {
        if self.guarded.is_some() {
            "private"
        } else {
            "public"
        }
    }

    /// One page of these entries of the own list.
    fn cut<'a>(
        &self,
        entries: &'a [&'a [u8]],
        pages: &[Range<usize>],
        page: usize,
        identity: u64,
    ) -> WrittenPage<'a> {
        WrittenPage {
            entries: &entries[pages[page].clone()],
            page,
            pages: pages.len(),
            identity,
            cache_scope: self.cache_scope(),
        }
    }

    /// The entries of the whole list, written when they are first needed one by one.
    fn entries(&self, revision: Revision, source: &PageSource<'_>) -> &[Vec<u8>] {
        self.entries[revision.index()].get_or_init(|| self.write_entries(revision, source.registry))
    }

    fn write_entries(&self, revision: Revision, registry: &Registry) -> Vec<Vec<u8>> {
        fn written<T: Serialize>(definitions: impl Iterator<Item = T>) -> Vec<Vec<u8>> {
            definitions.map(|definition| to_json(&definition)).collect()
        }
        let resources = |templates: bool| {
            let resources = registry
                .resources()
                .iter()
                .filter(move |resource| resource.template.is_some() == templates);
            let own = resources.map(|resource| &resource.definition);
            let skills = registry.skills().filter(|_| !templates);
            let skills = skills.into_iter().flat_map(Shelf::own_listed);
            let skills = skills.map(|(definition, _)| definition);
            written(
                own.chain(skills)
                    .map(|one| one.clone().down_level(revision)),
            )
        };
        match self.kind {
            ListKind::Tools => written(
                registry
                    .tools()
                    .iter()
                    .flat_map(|tool| tool.listed())
                    .map(|tool| tool.down_level(revision)),
            ),
            ListKind::Prompts => written(
                registry
                    .prompts()
                    .iter()
                    .flat_map(|prompt| prompt.listed())
                    .map(|prompt| prompt.down_level(revision)),
            ),
            ListKind::Resources => resources(false),
            ListKind::Templates => resources(true),
        }
    }
}

/// Lists of upstreams behind the own entries, which are so many of so many bytes: in the order of the
/// configuration if all are on one page. Otherwise the short lists go first, because many clients
/// read the first page only, and one long list would take it from all the others.
fn in_order<'a>(
    lists: &'a [Arc<UpstreamList>],
    (own, own_bytes): (usize, usize),
    per_page: usize,
) -> Cow<'a, [Arc<UpstreamList>]> {
    let bytes = |list: &Arc<UpstreamList>| list.sizes().map(|size| size + ",".len()).sum::<usize>();
    let entries = own + lists.iter().map(|list| list.len()).sum::<usize>();
    let all = own_bytes + own + lists.iter().map(bytes).sum::<usize>();
    if entries <= per_page && all <= PAGE_BYTES {
        return Cow::Borrowed(lists);
    }
    // by what fills a page: of a thousand small entries the number, of long ones the bytes
    let size = |list: &Arc<UpstreamList>| {
        (bytes(list).saturating_mul(per_page)).max(list.len().saturating_mul(PAGE_BYTES))
    };
    // equal ones as they were configured; there are few, and sorting has kilobytes of code for each type
    let mut places: Vec<(usize, usize)> = lists.iter().map(size).zip(0..).collect();
    places.sort_unstable();
    let ordered = places
        .into_iter()
        .map(|(_, place)| Arc::clone(&lists[place]));
    Cow::Owned(ordered.collect())
}

/// An entry of a list that has those of upstreams too.
enum MergedEntry<'a> {
    Own(&'a [u8]),
    Theirs(&'a UpstreamList, usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn upstream(name: &str, tools: usize, letters: usize) -> Arc<UpstreamList> {
        let mut list = UpstreamList::new(ListKind::Tools, name);
        for number in 0..tools {
            let description = "x".repeat(letters);
            let tool = json!({"name": format!("t{number}"), "description": description, "inputSchema": {"type": "object"}});
            list.add(tool).unwrap();
        }
        Arc::new(list)
    }

    #[test]
    fn short_lists_of_upstreams_go_first_where_one_page_is_too_small() {
        let names = |lists: &[Arc<UpstreamList>], own, per_page| -> Vec<String> {
            let ordered = in_order(lists, own, per_page);
            let first = |list: &Arc<UpstreamList>| list.names().next().unwrap_or("-").to_owned();
            ordered.iter().map(first).collect()
        };
        let lists = [
            upstream("many", 900, 10),
            upstream("few", 3, 10),
            upstream("long", 40, 20_000),
            upstream("some", 50, 10),
        ];
        // all on one page: in the order of the configuration
        let all = ["many__t0", "few__t0", "some__t0"];
        let fitting = [0, 1, 3].map(|at| Arc::clone(&lists[at]));
        assert_eq!(names(&fitting, (20, 10_000), 1000), all);
        // too many, and too long: what fills a page goes behind what does not
        let ordered = ["few__t0", "some__t0", "many__t0"];
        assert_eq!(names(&fitting, (60, 10_000), 1000), ordered);
        assert_eq!(names(&fitting, (20, PAGE_BYTES), 1000), ordered);
        let ordered = ["few__t0", "some__t0", "long__t0", "many__t0"];
        assert_eq!(names(&lists, (10, 10_000), 1000), ordered);
        // every entry is still there
        let count =
            |lists: &[Arc<UpstreamList>]| lists.iter().map(|list| list.len()).sum::<usize>();
        assert_eq!(count(&in_order(&lists, (10, 10_000), 1000)), count(&lists));
    }
}
