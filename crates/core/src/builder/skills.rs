//! The skills of a server, checked together and with what else it has.

use std::sync::Arc;
use std::time::Duration;

use super::register;
use crate::jsonrpc::to_json;
use crate::resource::Resource;
use crate::scope;
use crate::skill::{self, Shelf, SkillReader, SkillSet, Skills, Stock, StockSource};

/// What a result has beside a file: its envelope, URI and media type.
const AROUND: usize = 4096;

/// Nothing where none were given. `own` are names and URIs of what the server has itself.
pub(super) fn shelf(
    given: Vec<Skills>,
    own: &[&str],
    most_result: usize,
    list_ttl: Duration,
    mistakes: &mut Vec<String>,
) -> Option<Shelf> {
    if !cfg!(feature = "skills") || given.is_empty() {
        return None;
    }
    for uri in own.iter().filter(|uri| skill::is_uri(uri)) {
        mistakes.push(format!(
            "resource `{uri}`: `skill://` is for files of skills: give it another scheme"
        ));
    }
    let (mut skills, mut sources) = (Vec::new(), Vec::new());
    for mut group in given {
        let wrong = group.scopes.iter().filter_map(|one| scope::mistake(one));
        let before = mistakes.len();
        mistakes.extend(wrong.map(|mistake| format!("skills: {mistake}")));
        if mistakes.len() > before {
            // one mistake, not one for each skill
            group.scopes.clear();
        }
        for mut skill in group.skills {
            skill.scopes.extend(group.scopes.iter().cloned());
            skills.push(skill);
        }
        sources.extend(group.sources.into_iter().map(|source| StockSource {
            source,
            scopes: group.scopes.clone(),
        }));
    }
    let (set, found) = SkillSet::new(skills);
    mistakes.extend(found);
    check_sizes(&set, most_result, mistakes);
    let stock = Arc::new(Stock {
        own: Arc::new(set),
        sources,
    });
    let mut resource =
        Resource::new(format!("{}x", skill::SCHEME), "skill").description("A file of a skill.");
    if stock.sources.is_empty() {
        resource = resource.fresh_for(list_ttl);
    }
    if stock.is_public() {
        resource = resource.public();
    }
    resource.run = Some(Box::new(SkillReader(Arc::clone(&stock))));
    let resource = register::resource(resource, mistakes)?;
    Some(Shelf {
        stock,
        resource: resource.into(),
    })
}

/// A file that no result could hold would be listed and never read.
fn check_sizes(set: &SkillSet, most_result: usize, mistakes: &mut Vec<String>) {
    let room = most_result.saturating_sub(AROUND);
    for served in set.files() {
        let Some(bytes) = &served.file.bytes else {
            continue;
        };
        let written = match std::str::from_utf8(bytes) {
            // no character takes more than six of them
            Ok(text) if text.len() > room / 6 => to_json(text).len(),
            Ok(text) => text.len(),
            Err(_) => bytes.len().div_ceil(3) * 4,
        };
        if written > room {
            mistakes.push(format!(
                "skill file `{}` takes {written} bytes of a result, which has room for {room}: make \
                 it smaller, or raise `max_result_bytes`",
                served.path
            ));
        }
    }
}
