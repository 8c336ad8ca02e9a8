//! What clients ask about skills: `skills/list`, `skills/get`, `resources/directory/read`. Their
//! files are resources like any others.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::audited::{OwnedRequest, audited};
use super::merged;
use super::method::Method;
use crate::call::Call;
use crate::context::Cx;
use crate::jsonrpc::Error;
use crate::model::JsonObject;
use crate::model::list_kind::ListKind;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::running::Execution;
use crate::server::Server;
use crate::server::lists::PageRequest;
use crate::skill::{Shelf, SkillViews};
use crate::text;

/// What is asked, once the request is gone.
enum SkillQuestion {
    List,
    Skill(String),
    Directory(String),
}

pub(super) fn serve(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    // never called then, and not in the program
    if !cfg!(feature = "skills") {
        return Err(Error::internal(
            "internal error: skills without the feature",
        ));
    }
    let question = match method {
        Method::GetSkill => SkillQuestion::Skill(call.params.uri()?.into_owned()),
        Method::ReadDirectory => SkillQuestion::Directory(call.params.uri()?.into_owned()),
        _ => SkillQuestion::List,
    };
    let cursor = match question {
        // one skill has no pages
        SkillQuestion::Skill(_) => None,
        _ => call.params.cursor()?.map(Cow::into_owned),
    };
    let cx = merged::cx(server, call, platform.clock.now_ms(), platform);
    let work = |request: OwnedRequest| async move {
        let server = &request.server;
        rate_limit::admit_list(&request.platform, server.name(), &request.principal).await?;
        let Some(shelf) = server.registry().skills() else {
            return Err(Error::internal("internal error: skills without a shelf"));
        };
        let page = PageRequest {
            revision: request.revision,
            cursor: cursor.as_deref(),
            scopes: &request.principal.listing_scopes(ListKind::Resources),
        };
        answer(server, shelf, &question, &page, &cx).await
    };
    Ok(audited(server, call, method.as_str(), platform, work))
}

async fn answer(
    server: &Server,
    shelf: &Shelf,
    question: &SkillQuestion,
    page: &PageRequest<'_>,
    cx: &Cx,
) -> Result<Vec<u8>, Error> {
    let views = shelf.stock.views(cx, page.scopes).await;
    let cache_scope = cache_scope(shelf);
    match question {
        SkillQuestion::List => server.page_of("skills", &list(&views), cache_scope, page),
        SkillQuestion::Skill(uri) => {
            let listed = list(&views);
            let Some((_, entry)) = listed.iter().find(|(listed, _)| listed == uri) else {
                return Err(unknown("skill", uri, &views));
            };
            let mut body = b"{\"skill\":".to_vec();
            body.extend_from_slice(entry);
            body.push(b'}');
            let ttl_ms = server.list_ttl_ms();
            let extra = format!(",\"ttlMs\":{ttl_ms},\"cacheScope\":\"{cache_scope}\"");
            let meta = JsonObject::new();
            let results = server.results();
            Ok(results.complete(page.revision, &body, &meta, &extra))
        }
        SkillQuestion::Directory(uri) => {
            let entries = directory(&views, uri);
            if entries.is_empty() {
                return Err(unknown("directory", uri, &views));
            }
            let entries: Vec<(&str, &[u8])> = entries.into_iter().collect();
            server.page_of("resources", &entries, cache_scope, page)
        }
    }
}

/// For whom an answer holds: a cache in between may share only what every caller gets.
fn cache_scope(shelf: &Shelf) -> &'static str {
    if shelf.stock.is_public() {
        "public"
    } else {
        "private"
    }
}

/// Skills by their URIs. Of two at one, the first counts.
fn list(views: &SkillViews) -> Vec<(&str, &[u8])> {
    let mut seen = HashSet::new();
    let mut listed = Vec::new();
    for view in &views.views {
        for (position, skill) in view.set.skills.iter().enumerate() {
            if view.sees(position) && seen.insert(&*skill.uri) {
                listed.push((&*skill.uri, &*skill.entry));
            }
        }
    }
    listed
}

/// What a caller sees in a directory, by its URIs: nothing where there is none.
fn directory<'a>(views: &'a SkillViews, uri: &str) -> BTreeMap<&'a str, &'a [u8]> {
    let mut entries = BTreeMap::new();
    for view in &views.views {
        for (uri, child) in view.set.directory(uri).into_iter().flatten() {
            if child.skills.iter().any(|skill| view.sees(*skill)) {
                entries.entry(&**uri).or_insert(&*child.entry);
            }
        }
    }
    entries
}

fn unknown(what: &str, uri: &str, views: &SkillViews) -> Error {
    if views.incomplete {
        return Error::internal("skills are unavailable; try again later");
    }
    let message = format!("{what} {} does not exist", text::quoted(uri));
    // the client's own words, but not megabytes of them
    let shown: String = uri.chars().take(2048).collect();
    Error::invalid_params(message).with_data(serde_json::json!({ "uri": shown }))
}
