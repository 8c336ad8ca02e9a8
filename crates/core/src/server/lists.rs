//! Lists as bytes: each page of each revision is written once, when it is first asked for.

use std::sync::OnceLock;

use serde::Serialize;

use super::Server;
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::page::{Cursor, identity};
use crate::version::Revision;

/// The four lists.
pub(crate) struct Lists {
    pub(crate) tools: List,
    pub(crate) resources: List,
    pub(crate) templates: List,
    pub(crate) prompts: List,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl Kind {
    fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }
}

pub(crate) struct List {
    kind: Kind,
    identity: u64,
    per_page: usize,
    /// How many pages there are: at least one, which may be empty.
    pages: usize,
    rendered: [OnceLock<Vec<Vec<u8>>>; Revision::ALL.len()],
}

impl List {
    pub(crate) fn new<'a>(kind: Kind, per_page: usize, names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let pages = names.clone().count().div_ceil(per_page).max(1);
        Self { kind, identity: identity(kind.member(), names), per_page, pages, rendered: Default::default() }
    }

    /// The result that holds the page at `cursor`.
    pub(crate) fn page<'a>(&'a self, revision: Revision, cursor: Option<&str>, server: &Server) -> Result<&'a [u8], Error> {
        let page = cursor.map_or(Ok(0), |cursor| Cursor::read(cursor, self.identity, self.pages))?;
        let pages = self.rendered[revision.index()].get_or_init(|| self.render(revision, server));
        pages.get(page).map(Vec::as_slice).ok_or_else(|| Error::internal("internal error: the page is missing"))
    }

    fn render(&self, revision: Revision, server: &Server) -> Vec<Vec<u8>> {
        let items = self.items(revision, server);
        (0..self.pages)
            .map(|page| {
                let items = items.iter().skip(page * self.per_page).take(self.per_page);
                let mut body = format!("{{\"{}\":[", self.kind.member()).into_bytes();
                for (position, item) in items.enumerate() {
                    if position > 0 {
                        body.push(b',');
                    }
                    body.extend_from_slice(item);
                }
                body.push(b']');
                if let Some(next) = u32::try_from(page + 1).ok().filter(|_| page + 1 < self.pages) {
                    let cursor = Cursor { list: self.identity, page: next }.write();
                    body.extend_from_slice(format!(",\"nextCursor\":\"{cursor}\"").as_bytes());
                }
                body.push(b'}');
                // every caller gets the same list, so any cache may keep it
                let extra = format!(",\"ttlMs\":{},\"cacheScope\":\"public\"", server.list_ttl_ms());
                server.complete(revision, &body, &JsonObject::new(), &extra)
            })
            .collect()
    }

    fn items(&self, revision: Revision, server: &Server) -> Vec<Vec<u8>> {
        fn written<T: Serialize>(definitions: impl Iterator<Item = T>) -> Vec<Vec<u8>> {
            definitions.map(|definition| to_json(&definition)).collect()
        }
        let resources = |templates: bool| {
            let resources = server.resources().iter().filter(move |resource| resource.template.is_some() == templates);
            written(resources.map(|resource| resource.definition.clone().down_level(revision)))
        };
        match self.kind {
            Kind::Tools => written(server.tools().iter().map(|tool| tool.definition.clone().down_level(revision))),
            Kind::Prompts => written(server.prompts().iter().map(|prompt| prompt.definition.clone().down_level(revision))),
            Kind::Resources => resources(false),
            Kind::Templates => resources(true),
        }
    }
}
