//! The CRM's prompts. Text only: the model calls the tools.

use mcpfn_core::{input, prompt};

/// How much of a person's words goes into a prompt, in characters.
const MAX_LENGTH: usize = 200;

/// Which week, and whose.
#[input]
#[derive(Debug)]
pub struct Week {
    /// The account owner whose week it is, e.g. "Ruth Adeyemi". Everybody's, when left out.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub owner: Option<String>,
    /// The week, e.g. "2026-10-26 to 2026-11-01". The last seven days, when left out.
    #[schemars(length(max = 200))]
    #[serde(default)]
    pub week: Option<String>,
}

/// Summarise a week with customers: what happened, what moved, what is due.
#[prompt(title = "Weekly summary", scope = "crm:read")]
pub async fn weekly_summary(args: Week) -> String {
    let of = words(args.owner.as_deref())
        .map(|owner| format!(" of {owner}"))
        .unwrap_or_default();
    let week = words(args.week.as_deref()).unwrap_or_else(|| "the last seven days".to_owned());
    format!(
        "Write a weekly summary{of} for {week}.\n\
         1. Call `get_open_opportunities` for what is open, and `search_accounts` for the accounts in question{of}.\n\
         2. Call `get_account_timeline` for the accounts with the largest opportunities and for those whose date is near, and keep only \
         what happened in that week.\n\
         3. Write at most one page: what was won and lost, what moved, what was promised and by when, and three things to do next week, \
         each with the account's name and id.\n\
         Use only what the tools return. Say what you could not find out. Don't write anything to the log."
    )
}

/// Which company is new.
#[input]
#[derive(Debug)]
pub struct Onboarding {
    /// The company's name or id, e.g. "Kestrel Studios" or "ACC-1042".
    #[schemars(length(min = 1, max = 200))]
    pub account: String,
}

/// Plan the first weeks with a new company, by the handbook.
#[prompt(title = "Client onboarding", scope = "crm:read")]
pub async fn client_onboarding(args: Onboarding) -> String {
    let account = words(Some(&args.account)).unwrap_or_else(|| "the new company".to_owned());
    format!(
        "Plan the onboarding of this company: {account}\n\
         1. Call `search_accounts` to find it. If several match, ask which one is meant.\n\
         2. Read the resource `company://handbook`, above all what it says about new customers, and call `get_account_timeline` for what \
         has happened so far.\n\
         3. Write a checklist with dates for the first 30 days: who calls whom about what, which papers are missing, which checks the \
         handbook asks for. Mark what is done already.\n\
         4. Ask whether to log the plan with `create_activity_log`; do it only after a yes."
    )
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
