//! The methods that are served: by whom, under which revisions. Not what they do.

use crate::model::capabilities::ServerCapabilities;
use crate::skill;
use crate::task::EXTENSION;
use crate::version::Revision;

/// A method that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Discover,
    Initialize,
    Ping,
    SetLogLevel,
    ListTools,
    CallTool,
    ListResources,
    ListTemplates,
    ReadResource,
    ListPrompts,
    GetPrompt,
    Complete,
    GetTask,
    UpdateTask,
    CancelTask,
    ListEvents,
    PollEvents,
    StreamEvents,
    SubscribeEvents,
    UnsubscribeEvents,
    Subscribe,
    Unsubscribe,
    Listen,
    ListSkills,
    GetSkill,
    ReadDirectory,
}

impl Method {
    /// `None` for what is unknown, removed from this revision, or belongs to a feature that the
    /// server does not have.
    pub(crate) fn find(name: &str, revision: Revision, has: &ServerCapabilities) -> Option<Self> {
        let modern = revision.is_modern();
        let tasks = modern && has.extensions.contains_key(EXTENSION);
        let events = modern && has.events.is_some();
        let (method, served) = match name {
            "server/discover" => (Self::Discover, modern),
            "initialize" => (Self::Initialize, !modern),
            "ping" => (Self::Ping, !modern),
            "logging/setLevel" => (Self::SetLogLevel, !modern && has.logging.is_some()),
            "tools/list" => (Self::ListTools, has.tools.is_some()),
            "tools/call" => (Self::CallTool, has.tools.is_some()),
            "resources/list" => (Self::ListResources, has.resources.is_some()),
            "resources/templates/list" => (Self::ListTemplates, has.resources.is_some()),
            "resources/read" => (Self::ReadResource, has.resources.is_some()),
            "prompts/list" => (Self::ListPrompts, has.prompts.is_some()),
            "prompts/get" => (Self::GetPrompt, has.prompts.is_some()),
            "completion/complete" => (Self::Complete, has.completions.is_some()),
            "tasks/get" => (Self::GetTask, tasks),
            "tasks/update" => (Self::UpdateTask, tasks),
            "tasks/cancel" => (Self::CancelTask, tasks),
            "events/list" => (Self::ListEvents, events),
            "events/poll" => (Self::PollEvents, events),
            "events/stream" => (Self::StreamEvents, events),
            "events/subscribe" => (Self::SubscribeEvents, events),
            "events/unsubscribe" => (Self::UnsubscribeEvents, events),
            "resources/subscribe" => (Self::Subscribe, !modern && polls(has)),
            "resources/unsubscribe" => (Self::Unsubscribe, !modern && polls(has)),
            "subscriptions/listen" => (Self::Listen, modern && has.subscriptions.listen.is_some()),
            "skills/list" => (Self::ListSkills, skills(has)),
            "skills/get" => (Self::GetSkill, skills(has)),
            "resources/directory/read" => (Self::ReadDirectory, skills(has)),
            _ => return None,
        };
        served.then_some(method)
    }

    pub(crate) fn is_of_tasks(self) -> bool {
        matches!(self, Self::GetTask | Self::UpdateTask | Self::CancelTask)
    }

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize => "initialize",
            Self::Ping => "ping",
            Self::SetLogLevel => "logging/setLevel",
            Self::ListTools => "tools/list",
            Self::CallTool => "tools/call",
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::ReadResource => "resources/read",
            Self::ListPrompts => "prompts/list",
            Self::GetPrompt => "prompts/get",
            Self::Complete => "completion/complete",
            Self::GetTask => "tasks/get",
            Self::UpdateTask => "tasks/update",
            Self::CancelTask => "tasks/cancel",
            Self::ListEvents => "events/list",
            Self::PollEvents => "events/poll",
            Self::StreamEvents => "events/stream",
            Self::SubscribeEvents => "events/subscribe",
            Self::UnsubscribeEvents => "events/unsubscribe",
            Self::Subscribe => "resources/subscribe",
            Self::Unsubscribe => "resources/unsubscribe",
            Self::Listen => "subscriptions/listen",
            Self::ListSkills => "skills/list",
            Self::GetSkill => "skills/get",
            Self::ReadDirectory => "resources/directory/read",
        }
    }
}

/// Skills are served to clients of every revision, as their files are.
fn skills(has: &ServerCapabilities) -> bool {
    cfg!(feature = "skills") && has.extensions.contains_key(skill::EXTENSION)
}

fn polls(has: &ServerCapabilities) -> bool {
    has.subscriptions.poll && has.resources.is_some()
}
