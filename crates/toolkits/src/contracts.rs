//! Contracts and other documents with a type, a party and a date: finding them, and taking single
//! clauses out of them. Works on the store of [`knowledge`](crate::knowledge). Changes nothing.

mod clause;
mod search;

use mcpfn_core::Builder;

pub use clause::{Clause, ClauseQuery, extract_clause};
pub use search::{DocumentList, Filters, Matches, search_documents};

/// Adds `search_documents` and `extract_clause`, both with the scope `contracts:read`.
pub fn toolkit(builder: Builder) -> Builder {
    builder.tool(search_documents).tool(extract_clause).advice(
        ["search_documents", "extract_clause"],
        "For contracts use `search_documents`, then `extract_clause` with the id of one; quote \
             the clause as it is.",
    )
}
