//! Skills beside the toolkits: how a model should use each, embedded; and those of an operator, from
//! wherever files are (the port `Blobs`). What a skill is and how it is served is the core's.

mod stored;
mod walk;

use mcpfn_core::skill::{Skills, skills};

pub use stored::stored;

/// The skill of a toolkit, for callers who can see its tools.
pub(crate) fn of(toolkit: &str) -> Option<Skills> {
    let skills = match toolkit {
        "hello" => skills!("skills/check-connection"),
        "catalog" => skills!("skills/find-products").scope("catalog:read"),
        "database" => skills!("skills/explore-database").scope("database:read"),
        "crm" => skills!("skills/work-with-crm").scope("crm:read"),
        "inventory" => skills!("skills/plan-reorders").scope("inventory:read"),
        "sql" => skills!("skills/query-sql").scope("sql:read"),
        "knowledge" => skills!("skills/answer-from-documents").scope("knowledge:read"),
        "contracts" => skills!("skills/quote-contracts").scope("contracts:read"),
        "weather" => skills!("skills/report-weather").scope("weather:read"),
        "company" => skills!("skills/look-up-companies").scope("company:read"),
        "fetch" => skills!("skills/read-web-pages").scope("fetch:read"),
        "web" => skills!("skills/search-the-web").scope("web:read"),
        "github" => skills!("skills/work-with-github").scope("github:read"),
        "upstream" => skills!("skills/use-fronted-servers"),
        "files" => skills!("skills/work-with-files").scope("files:read"),
        "workflow" => skills!("skills/combine-tools").scope("workflow:read"),
        _ => return None,
    };
    Some(skills)
}
