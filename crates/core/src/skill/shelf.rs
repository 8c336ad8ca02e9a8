//! The skills of a server: its own, and those of its sources. Who sees which of them.

use std::sync::Arc;

use super::SkillSource;
use super::set::SkillSet;
use crate::context::Cx;
use crate::error::{ErrorKind, ToolError};
use crate::join::join_all;
use crate::model::resource::ResourceDefinition;
use crate::scope::Scopes;
use crate::send::{BoxFuture, MaybeSend};
use crate::server::registered::RegisteredResource;
use crate::upstream::UpstreamList;

/// What a server has of skills.
pub(crate) struct Shelf {
    pub(crate) stock: Arc<Stock>,
    /// Stands for every file of a skill.
    pub(crate) resource: Arc<RegisteredResource>,
}

/// Sets of skills, shared with what reads their files.
pub(crate) struct Stock {
    pub(crate) own: Arc<SkillSet>,
    pub(crate) sources: Vec<StockSource>,
}

pub(crate) struct StockSource {
    pub(crate) source: Arc<dyn SkillSource>,
    pub(crate) scopes: Vec<String>,
}

/// A set as a caller sees it.
pub(crate) struct SkillView {
    pub(crate) set: Arc<SkillSet>,
    /// Which skills the caller may see.
    visible: Vec<bool>,
    pub(crate) source: Option<Arc<dyn SkillSource>>,
}

impl SkillView {
    fn new(set: &Arc<SkillSet>, scopes: &Scopes, source: Option<Arc<dyn SkillSource>>) -> Self {
        let skills = set.skills.iter();
        Self {
            visible: skills
                .map(|skill| scopes.contains_all(&skill.scopes))
                .collect(),
            set: Arc::clone(set),
            source,
        }
    }

    pub(crate) fn sees(&self, skill: usize) -> bool {
        self.visible.get(skill).copied().unwrap_or_default()
    }
}

/// What a caller sees of all sets.
pub(crate) struct SkillViews {
    pub(crate) views: Vec<SkillView>,
    /// A source that the caller may see gave nothing: what is not found may be there.
    pub(crate) incomplete: bool,
}

impl Stock {
    /// The sets that a caller with these scopes may see. A source that fails is left out, and the
    /// log has why.
    pub(crate) async fn views(&self, cx: &Cx, scopes: &Scopes) -> SkillViews {
        let seen: Vec<&StockSource> = self
            .sources
            .iter()
            .filter(|source| scopes.contains_all(&source.scopes))
            .collect();
        let asked = seen
            .iter()
            .map(|source| in_time(source.source.skills(cx.clone()), cx.clone()))
            .collect();
        let mut views = SkillViews {
            views: vec![SkillView::new(&self.own, scopes, None)],
            incomplete: false,
        };
        for (source, set) in seen.iter().zip(join_all(asked).await) {
            match set {
                Ok(set) => {
                    let source = Some(Arc::clone(&source.source));
                    views.views.push(SkillView::new(&set, scopes, source));
                }
                Err(error) => {
                    cx.report_degraded(source.source.name(), &cause(error));
                    views.incomplete = true;
                }
            }
        }
        views
    }

    /// Whether all callers see the same.
    pub(crate) fn is_public(&self) -> bool {
        let own = self.own.skills.iter();
        let guarded = own.map(|skill| &skill.scopes);
        let sources = self.sources.iter().map(|source| &source.scopes);
        guarded.chain(sources).all(Vec::is_empty)
    }
}

impl Shelf {
    pub(crate) fn has_sources(&self) -> bool {
        !self.stock.sources.is_empty()
    }

    /// The `SKILL.md` of each own skill as a resource, with the scopes that it needs.
    pub(crate) fn own_listed(&self) -> impl Iterator<Item = (&ResourceDefinition, &[String])> {
        let skills = self.stock.own.skills.iter();
        skills.map(|skill| (&skill.manifest, &*skill.scopes))
    }

    /// The same of the sources' skills, for a caller with these scopes.
    pub(crate) async fn listed(&self, cx: &Cx, scopes: &Scopes) -> Option<UpstreamList> {
        if !self.has_sources() {
            return None;
        }
        let views = self.stock.views(cx, scopes).await;
        let theirs = views.views.iter().filter(|view| view.source.is_some());
        let skills = theirs.flat_map(|view| {
            let skills = view.set.skills.iter().enumerate();
            skills.filter(|(position, _)| view.sees(*position))
        });
        // a path of the server's own stands for its own skill
        let others = skills.filter(|(_, skill)| self.stock.own.file(&skill.uri).is_none());
        Some(UpstreamList::of_resources(
            others.map(|(_, skill)| skill.manifest.clone()),
        ))
    }

    /// Every scope that one of the skills needs.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &Vec<String>> {
        let own = self.stock.own.skills.iter().map(|skill| &skill.scopes);
        own.chain(self.stock.sources.iter().map(|source| &source.scopes))
    }
}

/// What a source gives, as long as its caller waits for it.
fn in_time<T: MaybeSend + 'static>(
    work: BoxFuture<'static, Result<T, ToolError>>,
    cx: Cx,
) -> BoxFuture<'static, Result<T, ToolError>> {
    Box::pin(async move {
        let late = || Err(ToolError::internal("it did not answer in time"));
        cx.in_time(work).await.unwrap_or_else(late)
    })
}

/// Why a source gave nothing, for the log.
fn cause(error: ToolError) -> String {
    match error.into_kind() {
        ErrorKind::Internal { cause }
        | ErrorKind::Failed {
            cause: Some(cause), ..
        } => cause,
        ErrorKind::Failed { message, .. } | ErrorKind::NotFound { message } => message,
        _ => "it asked for what a list has no place for".to_owned(),
    }
}
