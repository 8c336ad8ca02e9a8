//! The inventory's prompt. It brings what should be ordered along.

use mcpfn_core::{Completions, Cx, input, prompt};

use super::database;
use super::reorder::{Which, suggest_reorders};
use crate::catalog::texts;
use crate::dialect::position;
use crate::prompt_data::{DATA, part};

/// The most suggestions of a prompt.
const SUGGESTIONS: u32 = 40;

/// Which warehouse.
#[input]
#[derive(Debug)]
pub struct ReorderReview {
    /// A warehouse's code or city, e.g. "RTM". All warehouses, when left out.
    #[schemars(length(max = 64))]
    #[serde(default)]
    pub warehouse: Option<String>,
}

/// Review what has to be ordered: what runs out first, from whom, and how much. Brings the rows.
#[prompt(title = "Reorder review", scope = "inventory:read")]
pub async fn reorder_review(args: ReorderReview, cx: &Cx) -> String {
    let warehouse = args.warehouse.as_deref().map(str::trim);
    let which = Which {
        warehouse: warehouse
            .filter(|given| !given.is_empty())
            .map(str::to_owned),
        limit: SUGGESTIONS,
    };
    let suggestions = suggest_reorders(which, cx).await;
    let suggestions = part("Suggested reorders", "suggest_reorders", suggestions, cx);
    let read_only = database(cx)
        .await
        .is_ok_and(|tables| !tables.writes("purchase_orders"));
    let draft = match read_only {
        true => "",
        false => {
            " Then ask which of them to draft with `draft_purchase_order`; draft none without a yes."
        }
    };
    format!(
        "Review what has to be ordered. Group the suggestions by supplier; for each give SKU, \
         product, warehouse, days left and units. Say which three are the most urgent and why, and \
         which look wrong, such as a rate of sales from a few days.{draft}\n\n{DATA}\n\n{suggestions}"
    )
}

/// Codes of warehouses that have what was typed.
pub(crate) async fn warehouses(typed: String, cx: Cx) -> Completions {
    let sql = |dialect| {
        format!(
            "SELECT code FROM warehouses WHERE {} > 0 ORDER BY code",
            position(dialect, "code", "?1")
        )
    };
    texts(&typed, sql, database(&cx).await.as_ref()).await
}
