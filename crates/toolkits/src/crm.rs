//! Customer relations: people, companies, what was agreed with them, and what was said. Works on
//! the tables of [`shop`](crate::shop). Writes one thing, a line in a company's log, and changes
//! nothing that is there.

mod heard;
mod log;
mod opportunities;
mod prompts;
mod report;
mod search;
mod timeline;

use mcpfn_core::{Builder, Cx, ToolError, handler::IntoPrompt as _, resource};
use mcpfn_ports::{Sql as _, SqlValue};

use crate::config::Config;
use crate::mapping::{MappedTables, Mapping, has, tables, writes};
use crate::pages::{self, ToolkitPage};
use crate::say::{database_failed, other_columns, quoted};

pub(crate) use heard::events;
pub use heard::{ActivityFilter, CreatedActivity};
pub use log::{ActivityKind, ActivityLog, Logged, create_activity_log};
pub use opportunities::{
    OpenOpportunities, OpenOpportunity, OpportunityQuery, get_open_opportunities,
};
pub use prompts::{Onboarding, Week, client_onboarding, weekly_summary};
pub(crate) use prompts::{accounts, owners, weeks};
pub use report::{CrmReport, NeglectedAccount, OwnerReport, ReportPeriod, get_crm_report};
pub use search::{
    AccountMatch, Accounts, CustomerMatch, CustomerQuery, Customers, search_accounts,
    search_customers,
};
pub use timeline::{AccountId, Contact, Timeline, TimelineEvent, get_account_timeline};

/// The longest identifier that is looked up, in bytes.
const MAX_ID_LENGTH: usize = 64;

/// Adds the tools `search_customers`, `search_accounts`, `get_account_timeline`,
/// `get_open_opportunities`, `get_crm_report` and `create_activity_log`, the resource `company://handbook` and the
/// prompts `weekly_summary` and `client_onboarding`.
///
/// Reading needs the scope `crm:read`, writing `crm:write`.
pub fn toolkit(builder: Builder) -> Builder {
    served(builder, None)
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let mapping = Mapping::given(config);
    let mapping = mapping.as_ref();
    let builder = served(builder, mapping);
    if !has(mapping, &["accounts"]) && !has(mapping, &["customers"]) {
        config.mistake(
            "MCPFN_MAPPING: the toolkit `crm` has no table; map `accounts` or `customers`, or take \
             `crm` out of the list",
        );
    }
    builder
}

/// Adds what has its tables: all of it over the demo shop, and a part where one's own are mapped.
fn served(mut builder: Builder, mapping: Option<&Mapping>) -> Builder {
    let has = |relations: &[&str]| has(mapping, relations);
    if has(&["customers"]) {
        builder = builder.tool(search_customers);
    }
    if !has(&["accounts"]) {
        return builder;
    }
    builder = builder.tool(search_accounts);
    let log = has(&["activities"]);
    let opportunities = has(&["opportunities"]);
    if log || opportunities || has(&["account_contacts", "customers", "orders"]) {
        builder = builder
            .with(|builder| pages::tool(builder, get_account_timeline, ToolkitPage::Timeline));
    }
    if opportunities {
        builder = builder.tool(get_open_opportunities);
    }
    if log && opportunities {
        builder = builder.tool(get_crm_report);
    }
    if writes(mapping, "activities") {
        builder = builder.tool(create_activity_log);
    }
    builder = builder
        .advice(
            [
                "search_accounts",
                "get_account_timeline",
                "get_open_opportunities",
            ],
            "For customers find the company with `search_accounts`; `get_account_timeline` and \
             `get_open_opportunities` take its id.",
        )
        .advice(
            ["create_activity_log"],
            "Call `create_activity_log` only when the user asks to record something.",
        );
    if log || opportunities {
        builder = builder.prompt(
            weekly_summary
                .into_prompt()
                .complete("owner", owners)
                .complete("week", weeks),
        );
    }
    if has(&["handbook"]) {
        builder = builder.resource(company_handbook).prompt(
            client_onboarding
                .into_prompt()
                .complete("account", accounts),
        );
    }
    builder
}

async fn database(cx: &Cx) -> Result<MappedTables, ToolError> {
    tables(cx).await
}

/// The company's handbook: how we talk to customers, prices, stages of an opportunity, complaints,
/// new customers.
#[resource(
    "company://handbook",
    title = "Company handbook",
    mime = "text/markdown",
    scope = "crm:read"
)]
pub async fn company_handbook(cx: &Cx) -> Result<String, ToolError> {
    let rows = database(cx)
        .await?
        .query(
            "SELECT title, body FROM handbook ORDER BY position",
            &[],
            500,
        )
        .await
        .map_err(database_failed)?;
    let mut handbook = String::from("# Handbook\n");
    for row in &rows.rows {
        let [Some(title), Some(body)] =
            [0, 1].map(|column| row.get(column).and_then(SqlValue::as_str))
        else {
            return Err(other_columns("the CRM"));
        };
        handbook.push_str(&format!("\n## {title}\n\n{body}\n"));
    }
    Ok(handbook)
}

/// An account's id as it is stored, or why it can't be one.
fn account_id(database: &MappedTables, given: &str) -> Result<String, ToolError> {
    let id = given.trim();
    if id.is_empty() || id.len() > MAX_ID_LENGTH {
        return Err(no_account(id));
    }
    Ok(database.key(id))
}

fn no_account(id: &str) -> ToolError {
    ToolError::not_found(format!(
        "There is no account {}. Use `search_accounts` to find accounts and their ids.",
        quoted(id)
    ))
}

/// Money as models and people read it.
fn amount(cents: &SqlValue) -> Option<f64> {
    Some(cents.as_f64()? / 100.0)
}

fn owned(value: &SqlValue) -> Option<String> {
    value.as_str().map(str::to_owned)
}
