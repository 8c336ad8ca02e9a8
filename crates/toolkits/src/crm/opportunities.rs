//! `get_open_opportunities`: what may still be won, of one company or of all.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql, SqlValue};

use super::{account_id, amount, database, no_account, owned};
use crate::dialect::{LINE, short};
use crate::say::{database_failed, other_columns};

/// The most opportunities of one answer.
const MAX: u32 = 50;

/// Of which company.
#[input]
#[derive(Debug)]
pub struct OpportunityQuery {
    /// The account's id, as `search_accounts` returns it, e.g. "ACC-1042". All accounts, when left
    /// out.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default)]
    pub account_id: Option<String>,
    /// The most opportunities to return, the largest first.
    #[schemars(range(min = 1, max = 50))]
    #[serde(default = "crate::usual::<20>")]
    pub limit: u32,
}

/// Opportunities that are neither won nor lost.
#[output]
#[derive(Debug)]
pub struct OpenOpportunities {
    /// The largest first.
    pub opportunities: Vec<OpenOpportunity>,
    /// How many there are in all.
    pub total: i64,
    /// What all of them are worth together, in US dollars.
    pub total_amount: f64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something that may be sold.
#[output]
#[derive(Debug)]
pub struct OpenOpportunity {
    /// Id.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// The account's name.
    pub account: String,
    /// What it is about.
    pub title: String,
    /// `qualified`, `proposal` or `negotiation`.
    pub stage: String,
    /// What it is worth, in US dollars.
    pub amount: f64,
    /// When it is expected to be decided, as an ISO 8601 date.
    pub close_on: String,
    /// Who looks after the account.
    pub owner: String,
}

/// List the opportunities that are still open, the largest first, with what they are worth
/// together.
///
/// Use this for questions about the pipeline, forecasts, or what is pending with one company.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "crm:read",
    title = "Open opportunities"
)]
pub async fn get_open_opportunities(
    args: OpportunityQuery,
    cx: &Cx,
) -> Result<OpenOpportunities, ToolError> {
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let database = database(cx).await?;
    let id = args.account_id.as_deref();
    let id = id.map(|id| account_id(&database, id)).transpose()?;
    if let Some(id) = &id {
        must_exist(&database, id).await?;
    }
    let of = id.map_or(OfWhom::Everybody, OfWhom::Account);
    open(&database, of, args.limit).await
}

/// Whose opportunities.
pub(super) enum OfWhom {
    Everybody,
    /// The id of an account that exists.
    Account(String),
    /// Who looks after the accounts.
    Owner(String),
}

/// What is open, the largest first.
pub(super) async fn open(
    database: &dyn Sql,
    of: OfWhom,
    limit: u32,
) -> Result<OpenOpportunities, ToolError> {
    let (of_one, parameter) = match of {
        OfWhom::Everybody => ("", None),
        OfWhom::Account(id) => ("AND p.account_id = ?1", Some(id)),
        OfWhom::Owner(name) => ("AND lower(a.owner) = lower(?1)", Some(name)),
    };
    let parameters: Vec<SqlValue> = parameter.into_iter().map(SqlValue::from).collect();
    let sql = format!(
        "SELECT p.id, p.account_id, {name}, {title}, p.stage, p.amount_cents, p.close_on, {owner}, \
         count(*) OVER (), CAST(sum(p.amount_cents) OVER () AS BIGINT) \
         FROM opportunities AS p JOIN accounts AS a ON a.id = p.account_id WHERE p.stage NOT IN ('won', 'lost') {of_one} \
         ORDER BY p.amount_cents DESC, p.id LIMIT {limit}",
        name = short("a.name", LINE),
        title = short("p.title", LINE),
        owner = short("a.owner", LINE),
    );
    let rows = database
        .query(&sql, &parameters, limit as usize)
        .await
        .map_err(database_failed)?
        .rows;
    let Some(first) = rows.first() else {
        let note = Some("There are no open opportunities.".to_owned());
        return Ok(OpenOpportunities {
            opportunities: Vec::new(),
            total: 0,
            total_amount: 0.0,
            note,
        });
    };
    let sums = || Some((first.get(8)?.as_i64()?, amount(first.get(9)?)?));
    let opportunities = rows
        .iter()
        .map(|row| opportunity(row))
        .collect::<Option<Vec<_>>>();
    let (Some((total, total_amount)), Some(opportunities)) = (sums(), opportunities) else {
        return Err(other_columns("the CRM"));
    };
    let note = (total > i64::from(limit))
        .then(|| format!("The largest {limit} of {total} are shown; raise `limit` for more."));
    Ok(OpenOpportunities {
        opportunities,
        total,
        total_amount,
        note,
    })
}

async fn must_exist(database: &dyn Sql, account: &str) -> Result<(), ToolError> {
    let known = database
        .query(
            "SELECT id FROM accounts WHERE id = ?1",
            &[SqlValue::from(account)],
            1,
        )
        .await
        .map_err(database_failed)?;
    if known.rows.is_empty() {
        return Err(no_account(account));
    }
    Ok(())
}

fn opportunity(row: &[SqlValue]) -> Option<OpenOpportunity> {
    let [
        id,
        account_id,
        account,
        title,
        stage,
        cents,
        close_on,
        owner,
        ..,
    ] = row
    else {
        return None;
    };
    Some(OpenOpportunity {
        id: owned(id)?,
        account_id: owned(account_id)?,
        account: owned(account)?,
        title: owned(title)?,
        stage: owned(stage)?,
        amount: amount(cents)?,
        close_on: owned(close_on)?,
        owner: owned(owner)?,
    })
}
