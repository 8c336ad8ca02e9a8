//! Lists as bytes: each page of each revision is written once, when it is first asked for. Callers
//! who see a part of a list get it put together from entries that were written once.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::Server;
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::page::{Cursor, identity};
use crate::scope::Scopes;
use crate::upstream::UpstreamList;
use crate::version::Revision;

/// The four lists.
pub(crate) struct ServerLists {
    pub(crate) tools: RenderedList,
    pub(crate) resources: RenderedList,
    pub(crate) templates: RenderedList,
    pub(crate) prompts: RenderedList,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// `tools/list`.
    Tools,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
    /// `prompts/list`.
    Prompts,
}

impl ListKind {
    /// The member of the result that has the entries.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }
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

/// An entry of a list, before it is written.
pub(crate) struct ListEntry<'a> {
    pub(crate) name: &'a str,
    pub(crate) scopes: &'a [String],
}

pub(crate) struct RenderedList {
    kind: ListKind,
    identity: u64,
    per_page: usize,
    /// How many pages the whole list has: at least one, which may be empty.
    pages: usize,
    /// Names and scopes of the entries, if any of them needs a scope: then callers see different
    /// lists.
    guarded: Option<Vec<(String, Vec<String>)>>,
    /// The pages of the whole list.
    rendered: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
    /// The entries of a guarded list, of which parts are put together.
    entries: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
}

impl RenderedList {
    pub(crate) fn kind(&self) -> ListKind {
        self.kind
    }

    pub(crate) fn new<'a>(
        kind: ListKind,
        per_page: usize,
        listed: impl Iterator<Item = ListEntry<'a>>,
    ) -> Self {
        let listed: Vec<ListEntry<'a>> = listed.collect();
        // where all callers see the same list, no names are kept: the bytes of its pages are
        // enough
        let guarded = listed.iter().any(|entry| !entry.scopes.is_empty());
        let owned = || {
            listed
                .iter()
                .map(|entry| (entry.name.to_owned(), entry.scopes.to_vec()))
                .collect()
        };
        Self {
            kind,
            identity: identity(kind.member(), listed.iter().map(|entry| entry.name)),
            per_page,
            pages: pages(listed.len(), per_page),
            guarded: guarded.then(owned),
            rendered: Default::default(),
            entries: Default::default(),
        }
    }

    /// The result that holds the page at `cursor` of what a caller with these scopes sees.
    pub(crate) fn page<'a>(
        &'a self,
        revision: Revision,
        cursor: Option<&str>,
        server: &Server,
        scopes: &Scopes,
    ) -> Result<Cow<'a, [u8]>, Error> {
        if let Some(guarded) = &self.guarded {
            let visible: Vec<usize> = (0..guarded.len())
                .filter(|position| scopes.contains_all(&guarded[*position].1))
                .collect();
            // a caller who sees everything gets the bytes that were written once
            if visible.len() < guarded.len() {
                return self
                    .part(guarded, &visible, revision, cursor, server)
                    .map(Cow::Owned);
            }
        }
        let page = page_at(cursor, self.identity, self.pages)?;
        // all pages at once: they depend on nothing but the revision, and a client that reads one
        // reads the others
        let pages = self.rendered[revision.index()].get_or_init(|| {
            let entries = self.write_entries(revision, server);
            let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
            let caching = self.caching(server);
            (0..self.pages)
                .map(|page| {
                    self.write_page(&entries, page, self.identity, revision, server, caching)
                })
                .collect()
        });
        let page = pages
            .get(page)
            .ok_or_else(|| Error::internal("internal error: the page is missing"))?;
        Ok(Cow::Borrowed(page))
    }

    /// A page of a part of the list. Its cursors are its own: they name the entries that the caller
    /// sees.
    fn part(
        &self,
        guarded: &[(String, Vec<String>)],
        visible: &[usize],
        revision: Revision,
        cursor: Option<&str>,
        server: &Server,
    ) -> Result<Vec<u8>, Error> {
        let identity = identity(
            self.kind.member(),
            visible.iter().map(|position| guarded[*position].0.as_str()),
        );
        let page = page_at(cursor, identity, pages(visible.len(), self.per_page))?;
        let entries =
            self.entries[revision.index()].get_or_init(|| self.write_entries(revision, server));
        let entries: Vec<&[u8]> = visible
            .iter()
            .map(|position| entries[*position].as_slice())
            .collect();
        Ok(self.write_page(
            &entries,
            page,
            identity,
            revision,
            server,
            self.caching(server),
        ))
    }

    /// The page at `cursor` of what a caller with these scopes sees, together with lists of
    /// upstreams. `ttl_ms` says how long it holds.
    pub(crate) fn merged(
        &self,
        revision: Revision,
        cursor: Option<&str>,
        server: &Server,
        scopes: &Scopes,
        (more, ttl_ms): (&[Arc<UpstreamList>], u64),
    ) -> Result<Vec<u8>, Error> {
        let own =
            self.entries[revision.index()].get_or_init(|| self.write_entries(revision, server));
        let visible = |position: &usize| {
            self.guarded
                .as_ref()
                .is_none_or(|guarded| scopes.contains_all(&guarded[*position].1))
        };
        let visible: Vec<usize> = (0..own.len()).filter(visible).collect();
        let entries: Vec<&[u8]> = visible
            .iter()
            .map(|position| own[*position].as_slice())
            .chain(
                more.iter()
                    .flat_map(|listing| listing.entries(revision).iter().map(Vec::as_slice)),
            )
            .collect();
        // an own list whose callers see all of it has kept no names, but the number that stands for
        // them
        let whole = format!("{:x}", self.identity);
        let guarded = self
            .guarded
            .iter()
            .flat_map(|guarded| visible.iter().map(|position| guarded[*position].0.as_str()));
        let names = std::iter::once(whole.as_str())
            .chain(guarded)
            .chain(more.iter().flat_map(|listing| listing.names()));
        let identity = identity(self.kind.member(), names);
        let page = page_at(cursor, identity, pages(entries.len(), self.per_page))?;
        // what an upstream shows may depend on the credential that this server has there
        Ok(self.write_page(
            &entries,
            page,
            identity,
            revision,
            server,
            (ttl_ms, "private"),
        ))
    }

    /// How long a page of the own list holds, and for whom: a cache in between may share only what
    /// every caller gets.
    fn caching(&self, server: &Server) -> (u64, &'static str) {
        (
            server.list_ttl_ms(),
            if self.guarded.is_some() {
                "private"
            } else {
                "public"
            },
        )
    }

    fn write_page(
        &self,
        entries: &[&[u8]],
        page: usize,
        identity: u64,
        revision: Revision,
        server: &Server,
        (ttl_ms, scope): (u64, &str),
    ) -> Vec<u8> {
        let mut body = format!("{{\"{}\":[", self.kind.member()).into_bytes();
        for (position, entry) in entries
            .iter()
            .skip(page * self.per_page)
            .take(self.per_page)
            .enumerate()
        {
            if position > 0 {
                body.push(b',');
            }
            body.extend_from_slice(entry);
        }
        body.push(b']');
        if let Some(next) = u32::try_from(page + 1)
            .ok()
            .filter(|_| page + 1 < pages(entries.len(), self.per_page))
        {
            let cursor = Cursor {
                list: identity,
                page: next,
            }
            .write();
            body.extend_from_slice(format!(",\"nextCursor\":\"{cursor}\"").as_bytes());
        }
        body.push(b'}');
        let extra = format!(",\"ttlMs\":{ttl_ms},\"cacheScope\":\"{scope}\"");
        server.complete(revision, &body, &JsonObject::new(), &extra)
    }

    fn write_entries(&self, revision: Revision, server: &Server) -> Vec<Vec<u8>> {
        fn written<T: Serialize>(definitions: impl Iterator<Item = T>) -> Vec<Vec<u8>> {
            definitions.map(|definition| to_json(&definition)).collect()
        }
        let resources = |templates: bool| {
            let resources = server
                .resources()
                .iter()
                .filter(move |resource| resource.template.is_some() == templates);
            written(resources.map(|resource| resource.definition.clone().down_level(revision)))
        };
        match self.kind {
            ListKind::Tools => written(
                server
                    .tools()
                    .iter()
                    .map(|tool| tool.definition.clone().down_level(revision)),
            ),
            ListKind::Prompts => written(
                server
                    .prompts()
                    .iter()
                    .map(|prompt| prompt.definition.clone().down_level(revision)),
            ),
            ListKind::Resources => resources(false),
            ListKind::Templates => resources(true),
        }
    }
}

/// The page that a cursor names, of so many; the first without one.
fn page_at(cursor: Option<&str>, identity: u64, pages: usize) -> Result<usize, Error> {
    cursor.map_or(Ok(0), |cursor| Cursor::read(cursor, identity, pages))
}

fn pages(entries: usize, per_page: usize) -> usize {
    entries.div_ceil(per_page).max(1)
}
