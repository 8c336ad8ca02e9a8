//! `search_customers` and `search_accounts`: rows that have every word somewhere. Not ranked; the
//! lists are short.

use mcpfn_core::{Cx, ToolError, input, output, tool};
use mcpfn_ports::{Rows, SqlValue};

use super::{amount, database, owned};
use crate::analysis::folded;
use crate::dialect::{LINE, short};
use crate::say::{database_failed, other_columns, quoted};
use crate::scan::{Scan, with_keys};

/// The most rows of one answer.
const MAX: u32 = 10;

/// The shortest and the longest query, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=200;

/// More words than this do not make a search better.
const MAX_WORDS: usize = 6;

/// What to search for.
#[input]
#[derive(Debug)]
pub struct CustomerQuery {
    /// A name, a part of one, or a place, e.g. "lindqvist" or "hotels berlin". Every word has to be
    /// there.
    #[schemars(length(min = 2, max = 200))]
    pub query: String,
    /// The most results to return.
    #[schemars(range(min = 1, max = 10))]
    #[serde(default = "crate::usual::<5>")]
    pub limit: u32,
}

/// Customers that match a search.
#[output]
#[derive(Debug)]
pub struct Customers {
    /// By name.
    pub customers: Vec<CustomerMatch>,
    /// How many match in all.
    pub total: u64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A person who buys.
#[output]
#[derive(Debug)]
pub struct CustomerMatch {
    /// Its key.
    #[schemars(extend("type" = ["integer", "string"]))]
    pub id: CustomerKey,
    /// First and last name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// City.
    pub city: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// Since when, as an ISO 8601 date.
    pub customer_since: String,
    /// Orders that were not cancelled.
    pub orders: i64,
    /// What they cost together, in US dollars.
    pub spent: f64,
    /// The company this person buys for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// What names a person in the database.
#[output]
#[derive(Debug)]
#[serde(untagged)]
pub enum CustomerKey {
    /// As in the demo shop.
    Number(i64),
    /// In tables of one's own.
    Text(String),
}

impl CustomerKey {
    fn read(value: &SqlValue) -> Option<Self> {
        match value {
            SqlValue::Integer(number) => Some(Self::Number(*number)),
            SqlValue::Text(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }
}

/// Search the people who buy, by name, mail address or city.
///
/// Use this when the user names a person, or asks who a person is, what they have spent, or which
/// company they belong to. For companies use `search_accounts`.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "crm:read",
    title = "Search customers"
)]
pub async fn search_customers(args: CustomerQuery, cx: &Cx) -> Result<Customers, ToolError> {
    let searched = "c.name || ' ' || c.email || ' ' || c.city";
    let shown = ["c.name", "c.email", "c.city"]
        .map(|column| short(column, LINE))
        .join(", ");
    let columns = format!(
        "c.id, {shown}, c.country, c.joined_on, \
         (SELECT count(*) FROM orders AS o WHERE o.customer_id = c.id AND o.status <> 'cancelled'), \
         (SELECT CAST(coalesce(sum(o.total_cents), 0) AS BIGINT) FROM orders AS o WHERE o.customer_id = c.id AND o.status <> 'cancelled'), \
         (SELECT min(a.account_id) FROM account_contacts AS a WHERE a.customer_id = c.id)"
    );
    let scan = Scan {
        database: &database(cx).await?,
        table: "customers AS c",
        key: "c.id",
        searched,
        order: "c.name, c.id",
    };
    let (rows, found) = find(&args, scan, &columns).await?;
    let customers = rows
        .rows
        .iter()
        .map(|row| customer(row))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| other_columns("the CRM"))?;
    let (total, note) = total(found, &rows, &args.query, "customer", "search_accounts");
    Ok(Customers {
        customers,
        total,
        note,
    })
}

/// Accounts that match a search.
#[output]
#[derive(Debug)]
pub struct Accounts {
    /// By name.
    pub accounts: Vec<AccountMatch>,
    /// How many match in all.
    pub total: u64,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A company.
#[output]
#[derive(Debug)]
pub struct AccountMatch {
    /// Id, for the other tools.
    pub id: String,
    /// Name.
    pub name: String,
    /// Industry.
    pub industry: String,
    /// City.
    pub city: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// `prospect`, `active` or `former`.
    pub status: String,
    /// Who looks after it.
    pub owner: String,
    /// Since when, as an ISO 8601 date.
    pub since: String,
    /// What its open opportunities are worth together, in US dollars.
    pub open_opportunities: f64,
}

/// Search the companies that buy, by name, industry, city, owner or id.
///
/// Use this when the user names a company, or asks which companies there are in a place or an
/// industry. Returns the ids that `get_account_timeline`, `get_open_opportunities` and
/// `create_activity_log` take.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "crm:read",
    title = "Search accounts"
)]
pub async fn search_accounts(args: CustomerQuery, cx: &Cx) -> Result<Accounts, ToolError> {
    let searched = "a.id || ' ' || a.name || ' ' || a.industry || ' ' || a.city || ' ' || a.owner";
    let [name, industry, city, owner] =
        ["a.name", "a.industry", "a.city", "a.owner"].map(|column| short(column, LINE));
    let columns = format!(
        "a.id, {name}, {industry}, {city}, a.country, a.status, {owner}, a.since, \
         (SELECT CAST(coalesce(sum(p.amount_cents), 0) AS BIGINT) FROM opportunities AS p \
          WHERE p.account_id = a.id AND p.stage NOT IN ('won', 'lost'))"
    );
    let scan = Scan {
        database: &database(cx).await?,
        table: "accounts AS a",
        key: "a.id",
        searched,
        order: "a.name",
    };
    let (rows, found) = find(&args, scan, &columns).await?;
    let accounts = rows
        .rows
        .iter()
        .map(|row| account(row))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| other_columns("the CRM"))?;
    let (total, note) = total(found, &rows, &args.query, "account", "search_customers");
    Ok(Accounts {
        accounts,
        total,
        note,
    })
}

/// What a search found, beside the rows that are shown.
struct FoundRows {
    /// How many match in all.
    total: usize,
    /// What is said where misspelt words were taken for others.
    meant: Option<String>,
}

/// The rows with every word of the query.
async fn find(
    args: &CustomerQuery,
    scan: Scan<'_>,
    columns: &str,
) -> Result<(Rows, FoundRows), ToolError> {
    // the schema promises both, and the statement relies on them
    if !(1..=MAX).contains(&args.limit) {
        return Err(ToolError::new(format!("`limit` must be from 1 to {MAX}.")));
    }
    let query = args.query.trim();
    if !LENGTH.contains(&query.chars().count()) {
        return Err(ToolError::new(format!(
            "`query` must have {} to {} characters.",
            LENGTH.start(),
            LENGTH.end()
        )));
    }
    let words: Vec<String> = query
        .split_whitespace()
        .take(MAX_WORDS)
        .map(folded)
        .filter(|word| !word.is_empty())
        .collect();
    let mut meant = None;
    let mut keys = scan.keys(&words).await.map_err(database_failed)?;
    if keys.is_empty() {
        let other = scan.corrected(&words).await.map_err(database_failed)?;
        if let Some((sentence, words)) = other {
            keys = scan.keys(&words).await.map_err(database_failed)?;
            meant = Some(sentence);
        }
    }
    let found = FoundRows {
        total: keys.len(),
        meant,
    };
    keys.truncate(args.limit as usize);
    if keys.is_empty() {
        return Ok((Rows::default(), found));
    }
    let sql = format!(
        "SELECT {columns} FROM {} WHERE {} ORDER BY {}",
        scan.table,
        with_keys(scan.key, &keys),
        scan.order
    );
    let rows = scan.database.query(&sql, &keys, keys.len()).await;
    Ok((rows.map_err(database_failed)?, found))
}

/// How many match in all, and the sentence about it.
fn total(
    found: FoundRows,
    rows: &Rows,
    query: &str,
    thing: &str,
    other: &str,
) -> (u64, Option<String>) {
    let (total, shown) = (found.total, rows.rows.len());
    let note = match found.meant {
        _ if shown == 0 => Some(format!(
            "No {thing} matches {}. Try one word, or a part of the name; `{other}` searches the \
             others.",
            quoted(query.trim())
        )),
        Some(meant) => Some(meant),
        None => (total > shown).then(|| {
            format!(
                "{shown} of {total} are shown. Add a word to narrow the search, or raise `limit`."
            )
        }),
    };
    (total as u64, note)
}

fn customer(row: &[SqlValue]) -> Option<CustomerMatch> {
    let [
        id,
        name,
        email,
        city,
        country,
        since,
        orders,
        cents,
        account_id,
    ] = row
    else {
        return None;
    };
    Some(CustomerMatch {
        id: CustomerKey::read(id)?,
        name: owned(name)?,
        email: owned(email)?,
        city: owned(city)?,
        country: owned(country)?,
        customer_since: owned(since)?,
        orders: orders.as_i64()?,
        spent: amount(cents)?,
        account_id: owned(account_id),
    })
}

fn account(row: &[SqlValue]) -> Option<AccountMatch> {
    let [
        id,
        name,
        industry,
        city,
        country,
        status,
        owner,
        since,
        cents,
    ] = row
    else {
        return None;
    };
    Some(AccountMatch {
        id: owned(id)?,
        name: owned(name)?,
        industry: owned(industry)?,
        city: owned(city)?,
        country: owned(country)?,
        status: owned(status)?,
        owner: owned(owner)?,
        since: owned(since)?,
        open_opportunities: amount(cents)?,
    })
}
