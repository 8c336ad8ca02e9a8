//! The CRM's prompts. They bring the rows along, so that the model has nothing to look up.

use mcpfn_core::{Completions, Cx, ToolError, input, prompt};
use mcpfn_ports::{Sql, SqlValue};
use serde::Serialize;

use super::opportunities::{OfWhom, open};
use super::search::CustomerQuery;
use super::timeline::AccountId;
use super::{amount, company_handbook, database, get_account_timeline, owned, search_accounts};
use crate::catalog::texts;
use crate::date;
use crate::dialect::{LINE, position, short};
use crate::prompt_data::{DATA, part, text_part};
use crate::say::{database_failed, other_columns, quoted};

/// How much of a person's words goes into a prompt, in characters.
const MAX_LENGTH: usize = 200;
/// The most events of a period, and the most opportunities.
const MAX_EVENTS: usize = 60;
const MAX_OPPORTUNITIES: u32 = 20;
/// The longest note of an event, in characters.
const MAX_NOTE_LENGTH: u32 = 300;
/// The longest period, in days.
const MAX_DAYS: u64 = 92;

/// Which week, and whose.
#[input]
#[derive(Debug)]
pub struct Week {
    /// The account owner whose week it is, e.g. "Ruth Adeyemi". Everybody's, when left out.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub owner: Option<String>,
    /// The period as two ISO 8601 dates, e.g. "2026-10-26 to 2026-11-01", at most 92 days. The last
    /// seven days, when left out.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub week: Option<String>,
}

/// Summarise a week with customers: what happened, what moved, what is due. Brings the rows.
#[prompt(title = "Weekly summary", scope = "crm:read")]
pub async fn weekly_summary(args: Week, cx: &Cx) -> Result<String, ToolError> {
    let (from, to) = period(args.week.as_deref(), cx)?;
    let owner = words(args.owner.as_deref());
    let of = owner
        .as_deref()
        .map(|owner| format!(" of {owner}"))
        .unwrap_or_default();
    let (first, last) = (date::iso(from), date::iso(to));
    let happened = happened(&first, &date::iso(to + 1), owner.as_deref(), cx).await;
    let happened = part(
        "What happened, newest first",
        "get_account_timeline",
        happened,
        cx,
    );
    let pending = match database(cx).await {
        Ok(database) => {
            let of = owner.map_or(OfWhom::Everybody, OfWhom::Owner);
            open(&database, of, MAX_OPPORTUNITIES).await
        }
        Err(error) => Err(error),
    };
    let pending = part("Open opportunities", "get_open_opportunities", pending, cx);
    Ok(format!(
        "Write a weekly summary{of} for {first} to {last}, on one page at most: what was won and \
         lost, what moved, what was promised and by when, and three things to do next week, each \
         with the account's name and id. Say what you could not find out. Don't write anything to \
         the log.\n\n{DATA}\n\n{happened}\n{pending}"
    ))
}

/// Which company is new.
#[input]
#[derive(Debug)]
pub struct Onboarding {
    /// The company's name or id, e.g. "Kestrel Studios" or "ACC-1042".
    #[schemars(length(min = 1, max = 200))]
    pub account: String,
}

/// Plan the first weeks with a new company, by the handbook. Brings the rows.
#[prompt(title = "Client onboarding", scope = "crm:read")]
pub async fn client_onboarding(args: Onboarding, cx: &Cx) -> Result<String, ToolError> {
    let Some(account) = words(Some(&args.account)) else {
        return Err(ToolError::new(
            "`account` is empty. Name the company, or give its id, e.g. \"ACC-1042\".",
        ));
    };
    let known = match account_by(&account, cx).await {
        Ok(Some(id)) => {
            let of = AccountId {
                account_id: id.clone(),
                limit: MAX_OPPORTUNITIES,
            };
            let timeline = get_account_timeline(of, cx).await;
            let timeline = part("The account", "get_account_timeline", timeline, cx);
            let pending = match database(cx).await {
                Ok(database) => open(&database, OfWhom::Account(id), MAX_OPPORTUNITIES).await,
                Err(error) => Err(error),
            };
            let pending = part("Open opportunities", "get_open_opportunities", pending, cx);
            format!("{timeline}\n{pending}")
        }
        Ok(None) => {
            let alike = CustomerQuery {
                query: account.clone(),
                limit: 10,
            };
            let alike = search_accounts(alike, cx).await;
            let heading = format!(
                "No account has the id or the name {}. Ask which one of these is meant",
                quoted(&account)
            );
            part(&heading, "search_accounts", alike, cx)
        }
        Err(error) => part::<()>("The account", "search_accounts", Err(error), cx),
    };
    let handbook = text_part("The handbook", company_handbook(cx).await, cx);
    let read_only = database(cx)
        .await
        .is_ok_and(|tables| !tables.writes("activities"));
    let log = match read_only {
        true => "",
        false => {
            " Then ask whether to log the plan with `create_activity_log`; do it only after a yes."
        }
    };
    Ok(format!(
        "Plan the onboarding of this company: {account}\n\
         Write a checklist with dates for the first 30 days: who calls whom about what, which \
         papers are missing, which checks the handbook asks for. Mark what is done already.{log}\n\n\
         {DATA}\n\n{known}\n{handbook}"
    ))
}

/// Owners of accounts whose name has what was typed.
pub(crate) async fn owners(typed: String, cx: Cx) -> Completions {
    let sql = |dialect| {
        format!(
            "SELECT DISTINCT owner FROM accounts WHERE {} > 0 ORDER BY owner",
            position(dialect, "owner", "?1")
        )
    };
    texts(&typed, sql, database(&cx).await.as_ref()).await
}

/// Names of accounts that have what was typed.
pub(crate) async fn accounts(typed: String, cx: Cx) -> Completions {
    let sql = |dialect| {
        format!(
            "SELECT name FROM accounts WHERE {} > 0 ORDER BY name",
            position(dialect, "name", "?1")
        )
    };
    texts(&typed, sql, database(&cx).await.as_ref()).await
}

/// The last seven days, and the weeks from Monday to Sunday before them.
pub(crate) async fn weeks(typed: String, cx: Cx) -> Completions {
    let today = today(&cx);
    // day 0, 0000-03-01, is a Wednesday
    let monday = today - (today + 2) % 7;
    let weeks = (0..8).map(|back| {
        let first = monday - 7 * back;
        format!("{} to {}", date::iso(first), date::iso(first + 6))
    });
    Completions::from(
        weeks
            .filter(|week| week.starts_with(typed.trim()))
            .collect::<Vec<_>>(),
    )
}

fn today(cx: &Cx) -> u64 {
    date::day(1970, 1, 1) + cx.now_ms() / 86_400_000
}

/// First and last day.
fn period(week: Option<&str>, cx: &Cx) -> Result<(u64, u64), ToolError> {
    let Some(week) = words(week) else {
        let today = today(cx);
        return Ok((today - 6, today));
    };
    let wrong = || {
        ToolError::new(format!(
            "`week` is {}, and must be two ISO 8601 dates, the earlier one first, at most {MAX_DAYS} \
             days apart, e.g. \"2026-10-26 to 2026-11-01\".",
            quoted(&week)
        ))
    };
    let (from, to) = week.split_once(" to ").ok_or_else(wrong)?;
    let day = |text: &str| date::parse(text).filter(|day| date::iso(*day) == text);
    match (day(from.trim()), day(to.trim())) {
        (Some(from), Some(to)) if from <= to && to - from <= MAX_DAYS => Ok((from, to)),
        _ => Err(wrong()),
    }
}

/// What happened with all accounts in a period.
#[derive(Serialize)]
struct PeriodEvents {
    events: Vec<PeriodEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct PeriodEvent {
    at: String,
    account_id: String,
    account: String,
    owner: String,
    kind: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<f64>,
}

async fn happened(
    from: &str,
    before: &str,
    owner: Option<&str>,
    cx: &Cx,
) -> Result<PeriodEvents, ToolError> {
    let database = &database(cx).await?;
    let mut parameters = vec![SqlValue::from(from), SqlValue::from(before)];
    let of = owner.map_or("", |_| "WHERE lower(a.owner) = lower(?3)");
    parameters.extend(owner.map(SqlValue::from));
    let within = |column: &str| format!("{column} >= ?1 AND {column} < ?2");
    let sql = format!(
        "SELECT e.moment, a.id, {name}, {owner}, e.kind, e.words, e.cents FROM ( \
         SELECT account_id, happened_at AS moment, kind, {note} AS words, CAST(NULL AS BIGINT) AS cents FROM activities WHERE {} \
         UNION ALL SELECT account_id, opened_on, 'opportunity opened', id || ': ' || {title}, amount_cents FROM opportunities WHERE {} \
         UNION ALL SELECT account_id, close_on, stage, id || ': ' || {title}, amount_cents FROM opportunities \
          WHERE stage IN ('won', 'lost') AND {} \
         ) AS e JOIN accounts AS a ON a.id = e.account_id {of} ORDER BY e.moment DESC, a.id, e.kind, e.words LIMIT {}",
        within("happened_at"),
        within("opened_on"),
        within("close_on"),
        MAX_EVENTS + 1,
        name = short("a.name", LINE),
        owner = short("a.owner", LINE),
        note = short("note", MAX_NOTE_LENGTH as usize),
        title = short("title", LINE),
    );
    let found = database
        .query(&sql, &parameters, MAX_EVENTS)
        .await
        .map_err(database_failed)?;
    let note = match (found.truncated, found.rows.is_empty()) {
        (true, _) => Some(format!(
            "The newest {MAX_EVENTS} are shown; there are older ones."
        )),
        (false, true) => Some(nothing(database).await?),
        (false, false) => None,
    };
    let events = found
        .rows
        .iter()
        .map(|row| event(row))
        .collect::<Option<_>>();
    let events = events.ok_or_else(|| other_columns("the CRM"))?;
    Ok(PeriodEvents { events, note })
}

/// What to say of a period without events: when there were any.
async fn nothing(database: &dyn Sql) -> Result<String, ToolError> {
    let found = database
        .query("SELECT max(happened_at) FROM activities", &[], 1)
        .await
        .map_err(database_failed)?;
    let last = found.rows.first().and_then(|row| row.first()?.as_str());
    Ok(match last {
        Some(last) => format!(
            "Nothing happened in this period. The log's last entry, of anybody, is of {last}."
        ),
        None => "Nothing happened in this period, and the log is empty.".to_owned(),
    })
}

fn event(row: &[SqlValue]) -> Option<PeriodEvent> {
    let [at, account_id, account, owner, kind, text, cents] = row else {
        return None;
    };
    Some(PeriodEvent {
        at: owned(at)?,
        account_id: owned(account_id)?,
        account: owned(account)?,
        owner: owned(owner)?,
        kind: owned(kind)?,
        text: owned(text)?,
        amount: amount(cents),
    })
}

/// The id of the one account with this id or name.
async fn account_by(given: &str, cx: &Cx) -> Result<Option<String>, ToolError> {
    let database = database(cx).await?;
    let found = database
        .query(
            "SELECT id FROM accounts WHERE id = ?1 OR lower(name) = lower(?2)",
            &[SqlValue::from(database.key(given)), SqlValue::from(given)],
            2,
        )
        .await
        .map_err(database_failed)?;
    Ok(match &*found.rows {
        [row] => row.first().and_then(owned),
        _ => None,
    })
}

/// One line of a person's words, cut.
fn words(given: Option<&str>) -> Option<String> {
    let line: String = given?
        .trim()
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_LENGTH)
        .collect();
    (!line.is_empty()).then_some(line)
}
