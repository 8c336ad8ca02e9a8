//! Pages that hosts show with results of tools (MCP Apps): stock and reorders, the timeline of an
//! account, rows of a query. Plain HTML in `pages/`, checked when this crate is compiled; without
//! the feature `pages` the tools have none.

use mcpfn_core::handler::IntoTool;
use mcpfn_core::{Builder, Tool};

/// A page of a toolkit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ToolkitPage {
    /// Levels and suggestions as a table and a chart.
    Stock,
    /// What happened with an account.
    Timeline,
    /// Rows of a table, which can be sorted, and a plot.
    Rows,
    /// The same for rows of SQL: another scope.
    Query,
}

/// Adds a tool whose results the page shows.
pub(crate) fn tool<Shape>(
    builder: Builder,
    tool: impl IntoTool<Shape>,
    page: ToolkitPage,
) -> Builder {
    add(builder, tool.into_tool(), page)
}

#[cfg(feature = "pages")]
fn add(builder: Builder, tool: Tool, page: ToolkitPage) -> Builder {
    use mcpfn_core::page::page;

    // the same page, given twice, is one
    let (uri, page) = match page {
        ToolkitPage::Stock => (
            "ui://mcpfn/stock",
            page!("ui://mcpfn/stock", "pages/stock.html")
                .title("Stock and reorders")
                .description("Stock levels or what to reorder, as a chart and a table.")
                .scope("inventory:read"),
        ),
        ToolkitPage::Timeline => (
            "ui://mcpfn/timeline",
            page!("ui://mcpfn/timeline", "pages/timeline.html")
                .title("Account timeline")
                .description("What happened with a company, the newest first.")
                .scope("crm:read"),
        ),
        ToolkitPage::Rows => (
            "ui://mcpfn/rows",
            page!("ui://mcpfn/rows", "pages/rows.html")
                .title("Rows")
                .description("Rows of a table, which can be sorted, and a plot.")
                .scope("database:read"),
        ),
        ToolkitPage::Query => (
            "ui://mcpfn/query",
            page!("ui://mcpfn/query", "pages/rows.html")
                .title("Rows of SQL")
                .description("Rows of a query as a table that can be sorted, and a plot.")
                .scope("sql:read"),
        ),
    };
    builder.page(page.border(true)).tool(tool.ui(uri))
}

#[cfg(not(feature = "pages"))]
fn add(builder: Builder, tool: Tool, _: ToolkitPage) -> Builder {
    builder.tool(tool)
}
