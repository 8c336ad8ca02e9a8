//! `get_crm_report`: what each owner of accounts won, lost and left alone in a period. One owner after
//! another, because on a large database all together take longer than a call may.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Sql, SqlValue};
use serde::{Deserialize, Serialize};

use super::{amount, database, owned};
use crate::date;
use crate::dialect::{LINE, short};
use crate::say::{database_failed, other_columns, quoted};

/// The most owners of a report.
const MAX_OWNERS: usize = 50;
/// The most accounts without contact that are named for each.
const MAX_NEGLECTED: usize = 3;
/// The longest period, in days, and the usual one.
const MAX_DAYS: u64 = 366;
const USUAL_DAYS: u64 = 90;

/// Which period.
#[input]
#[derive(Debug)]
pub struct ReportPeriod {
    /// The first day, as an ISO 8601 date, e.g. "2026-07-01". 90 days before the last one, when left
    /// out.
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub from: Option<String>,
    /// The last day, as an ISO 8601 date, at most 366 days later. Today, when left out.
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub to: Option<String>,
}

/// What was won, lost and left alone in a period.
#[output]
#[derive(Debug)]
pub struct CrmReport {
    /// The first day, as an ISO 8601 date.
    pub from: String,
    /// The last day.
    pub to: String,
    /// One for each owner of accounts, by name.
    pub owners: Vec<OwnerReport>,
    /// What all of them won in the period, in US dollars.
    pub won_amount: f64,
    /// What all of them may still win.
    pub open_amount: f64,
    /// What else to know about this report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What one owner of accounts did.
#[output]
#[derive(Debug, Clone, Deserialize)]
pub struct OwnerReport {
    /// The owner's name; empty for accounts without one.
    pub owner: String,
    /// How many accounts the owner looks after.
    pub accounts: i64,
    /// Entries of the log in the period.
    pub activities: i64,
    /// Opportunities that were opened in the period.
    pub opened: i64,
    /// Those won in it.
    pub won: i64,
    /// What these are worth, in US dollars.
    pub won_amount: f64,
    /// Those lost in it.
    pub lost: i64,
    /// Those that are open now.
    pub open: i64,
    /// What these are worth.
    pub open_amount: f64,
    /// Those of them that should have been decided before today.
    pub overdue: i64,
    /// Accounts with something open and no entry of the log in the period, those with most to win
    /// first, at most three.
    pub neglected: Vec<NeglectedAccount>,
}

/// An account that nobody spoke with.
#[output]
#[derive(Debug, Clone, Deserialize)]
pub struct NeglectedAccount {
    /// The account's id.
    pub account_id: String,
    /// The account's name.
    pub account: String,
    /// What may be won there, in US dollars.
    pub open_amount: f64,
}

/// What a later run goes on from.
#[derive(Serialize, Deserialize)]
struct Progress {
    from: u64,
    to: u64,
    /// By name: the last one is where the report is.
    owners: Vec<OwnerReport>,
}

/// Report what each account owner won, lost and left alone in a period, with the open pipeline.
///
/// Use this for reviews of a month or a quarter over all owners; it may take a minute. For one
/// company use `get_account_timeline`, for what is pending now `get_open_opportunities`.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "crm:read",
    title = "CRM report",
    timeout = "30s",
    task(run = "5m", ttl = "1h", poll = "2s")
)]
pub async fn get_crm_report(args: ReportPeriod, cx: &Cx) -> Result<CrmReport, ToolError> {
    let task = cx.task();
    let mut progress = match task.resume() {
        Some(progress) => progress,
        None => begun(&args, cx)?,
    };
    let database = database(cx).await?;
    let owners = owners(&database).await?;
    let all = owners.len().min(MAX_OWNERS);
    for owner in &owners[..all] {
        let done = progress
            .owners
            .last()
            .is_some_and(|last| last.owner >= *owner);
        if !done {
            let report = of_owner(&database, owner, &progress, today(cx)).await?;
            progress.owners.push(report);
            task.status(format!("{} of {all} owners", progress.owners.len()));
            task.checkpoint(&progress).await?;
        }
    }
    let note = (owners.len() > MAX_OWNERS)
        .then(|| format!("The first {MAX_OWNERS} owners by name are here; there are more."));
    Ok(CrmReport {
        from: date::iso(progress.from),
        to: date::iso(progress.to),
        won_amount: progress.owners.iter().map(|of| of.won_amount).sum(),
        open_amount: progress.owners.iter().map(|of| of.open_amount).sum(),
        owners: progress.owners,
        note,
    })
}

fn today(cx: &Cx) -> u64 {
    date::day(1970, 1, 1) + cx.now_ms() / 86_400_000
}

fn begun(args: &ReportPeriod, cx: &Cx) -> Result<Progress, ToolError> {
    let day = |name: &str, given: Option<&str>| {
        let Some(text) = given.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let day = date::parse(text).filter(|day| date::iso(*day) == text);
        day.map(Some).ok_or_else(|| {
            ToolError::new(format!(
                "`{name}` is {}, and must be an ISO 8601 date, e.g. \"2026-09-30\".",
                quoted(text)
            ))
        })
    };
    let to = day("to", args.to.as_deref())?.unwrap_or_else(|| today(cx));
    let from = day("from", args.from.as_deref())?.unwrap_or(to.saturating_sub(USUAL_DAYS - 1));
    if from > to || to - from >= MAX_DAYS {
        return Err(ToolError::new(format!(
            "The period is from {} to {}, and must have from 1 to {MAX_DAYS} days, the first one \
             first.",
            date::iso(from),
            date::iso(to)
        )));
    }
    Ok(Progress {
        from,
        to,
        owners: Vec::new(),
    })
}

/// Who looks after accounts, by name; one more than a report has, if there are more.
async fn owners(database: &dyn Sql) -> Result<Vec<String>, ToolError> {
    let sql = format!(
        "SELECT DISTINCT coalesce({owner}, '') FROM accounts AS a",
        owner = short("a.owner", LINE)
    );
    let found = database.query(&sql, &[], 10 * MAX_OWNERS).await;
    let rows = found.map_err(database_failed)?.rows;
    let owners = rows.iter().map(|row| row.first().and_then(owned));
    let mut owners: Vec<String> = owners
        .collect::<Option<_>>()
        .ok_or_else(|| other_columns("the CRM"))?;
    // here, because a database sorts as its language does, and a later run compares
    owners.sort();
    owners.truncate(MAX_OWNERS + 1);
    Ok(owners)
}

async fn of_owner(
    database: &dyn Sql,
    owner: &str,
    progress: &Progress,
    today: u64,
) -> Result<OwnerReport, ToolError> {
    let first = SqlValue::from(date::iso(progress.from));
    let after = SqlValue::from(date::iso(progress.to + 1));
    let (today, owner_value) = (SqlValue::from(date::iso(today)), SqlValue::from(owner));
    let own = format!("coalesce({}, '') = ?1", short("a.owner", LINE));
    let counts = format!(
        "SELECT (SELECT count(*) FROM accounts AS a WHERE {own}), \
         (SELECT count(*) FROM activities AS c JOIN accounts AS a ON a.id = c.account_id \
          WHERE {own} AND c.happened_at >= ?2 AND c.happened_at < ?3)"
    );
    let values = [owner_value.clone(), first.clone(), after.clone()];
    let counts = one(database, &counts, &values).await?;
    let values = [owner_value.clone(), first.clone(), after, today];
    let sums = one(database, &opportunities(&own), &values).await?;
    let neglected = neglected(database, &own, &[owner_value, first]).await?;
    let whole = |row: &[SqlValue], column: usize| row.get(column).and_then(SqlValue::as_i64);
    let money = |column: usize| amount(sums.get(column)?);
    let report = || {
        Some(OwnerReport {
            owner: owner.to_owned(),
            accounts: whole(&counts, 0)?,
            activities: whole(&counts, 1)?,
            opened: whole(&sums, 0)?,
            won: whole(&sums, 1)?,
            won_amount: money(2)?,
            lost: whole(&sums, 3)?,
            open: whole(&sums, 4)?,
            open_amount: money(5)?,
            overdue: whole(&sums, 6)?,
            neglected,
        })
    };
    report().ok_or_else(|| other_columns("the CRM"))
}

/// What is counted of opportunities, in the order of the report's members.
fn opportunities(own: &str) -> String {
    let closed =
        |stage: &str| format!("p.stage = '{stage}' AND p.close_on >= ?2 AND p.close_on < ?3");
    let open = "p.stage NOT IN ('won', 'lost')";
    let count = |of: &str| format!("count(CASE WHEN {of} THEN 1 END)");
    let sum = |of: &str| {
        format!("CAST(coalesce(sum(CASE WHEN {of} THEN p.amount_cents ELSE 0 END), 0) AS BIGINT)")
    };
    format!(
        "SELECT {}, {}, {}, {}, {}, {}, {} FROM opportunities AS p \
         JOIN accounts AS a ON a.id = p.account_id WHERE {own}",
        count("p.opened_on >= ?2 AND p.opened_on < ?3"),
        count(&closed("won")),
        sum(&closed("won")),
        count(&closed("lost")),
        count(open),
        sum(open),
        count(&format!("{open} AND p.close_on < ?4")),
    )
}

async fn neglected(
    database: &dyn Sql,
    own: &str,
    values: &[SqlValue],
) -> Result<Vec<NeglectedAccount>, ToolError> {
    let sql = format!(
        "SELECT a.id, {name}, CAST(sum(p.amount_cents) AS BIGINT) FROM accounts AS a \
         JOIN opportunities AS p ON p.account_id = a.id \
         WHERE {own} AND p.stage NOT IN ('won', 'lost') AND NOT EXISTS \
         (SELECT 1 FROM activities AS c WHERE c.account_id = a.id AND c.happened_at >= ?2) \
         GROUP BY a.id, a.name ORDER BY 3 DESC, a.id LIMIT {MAX_NEGLECTED}",
        name = short("a.name", LINE)
    );
    let found = database.query(&sql, values, MAX_NEGLECTED).await;
    let rows = found.map_err(database_failed)?.rows;
    let account = |row: &Vec<SqlValue>| {
        Some(NeglectedAccount {
            account_id: row.first().and_then(owned)?,
            account: row.get(1).and_then(owned)?,
            open_amount: amount(row.get(2)?)?,
        })
    };
    let accounts = rows.iter().map(account).collect::<Option<_>>();
    accounts.ok_or_else(|| other_columns("the CRM"))
}

/// The one row of a statement.
async fn one(
    database: &dyn Sql,
    sql: &str,
    values: &[SqlValue],
) -> Result<Vec<SqlValue>, ToolError> {
    let found = database.query(sql, values, 1).await;
    let row = found.map_err(database_failed)?.rows.into_iter().next();
    row.ok_or_else(|| other_columns("the CRM"))
}
