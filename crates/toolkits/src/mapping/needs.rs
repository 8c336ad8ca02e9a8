//! What the toolkits read: the demo shop's tables, with the columns that a mapping has to fill. Data
//! alone; a column that the toolkits never read is not here.

/// What a column holds, as the toolkits' statements take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NeedKind {
    /// Names a row, as text.
    TextKey,
    /// Names a row of the table: text or a number, the same wherever that row is meant.
    Key(&'static str),
    /// A whole number that names a row.
    NumberKey,
    Text,
    /// One of these words; the toolkits know no others.
    Word(&'static [&'static str]),
    Whole,
    /// An ISO 8601 date.
    Day,
    /// As `Day`; rows without one are not counted.
    DayOrNull,
    /// An ISO 8601 moment in UTC.
    Moment,
}

/// A column that the toolkits read or write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) name: &'static str,
    pub(crate) kind: NeedKind,
    /// Whether it has to be mapped; others are empty without.
    pub(crate) required: bool,
}

/// A table that the toolkits read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Need],
    /// What a tool writes into it, in the statement's order; nothing where no tool writes.
    pub(crate) written: &'static [&'static str],
}

const fn need(name: &'static str, kind: NeedKind) -> Need {
    Need {
        name,
        kind,
        required: true,
    }
}

const fn optional(name: &'static str, kind: NeedKind) -> Need {
    Need {
        name,
        kind,
        required: false,
    }
}

const fn table(name: &'static str, columns: &'static [Need]) -> Relation {
    Relation {
        name,
        columns,
        written: &[],
    }
}

use NeedKind::{Day, DayOrNull, Key, Moment, NumberKey, Text, TextKey, Whole, Word};

pub(crate) const RELATIONS: &[Relation] = &[
    table(
        "accounts",
        &[
            need("id", TextKey),
            need("name", Text),
            optional("industry", Text),
            optional("city", Text),
            optional("country", Text),
            optional("status", Word(&["prospect", "active", "former"])),
            optional("owner", Text),
            optional("since", Day),
        ],
    ),
    table(
        "account_contacts",
        &[
            need("account_id", TextKey),
            need("customer_id", Key("customers")),
            optional("role", Text),
        ],
    ),
    table(
        "customers",
        &[
            need("id", Key("customers")),
            need("name", Text),
            optional("email", Text),
            optional("city", Text),
            optional("country", Text),
            optional("joined_on", Day),
        ],
    ),
    table(
        "orders",
        &[
            need("id", Key("orders")),
            need("customer_id", Key("customers")),
            need("placed_at", Moment),
            need("status", Word(ORDER)),
            need("total_cents", Whole),
        ],
    ),
    table(
        "opportunities",
        &[
            need("id", TextKey),
            need("account_id", TextKey),
            need("title", Text),
            need("stage", Word(STAGE)),
            need("amount_cents", Whole),
            need("opened_on", Day),
            need("close_on", Day),
        ],
    ),
    Relation {
        name: "activities",
        columns: &[
            need("id", TextKey),
            need("account_id", TextKey),
            need("kind", Word(&["call", "email", "meeting", "note", "task"])),
            need("note", Text),
            need("happened_at", Moment),
            optional("author", Text),
        ],
        written: &["id", "account_id", "kind", "note", "happened_at", "author"],
    },
    table(
        "handbook",
        &[
            need("position", Whole),
            need("title", Text),
            need("body", Text),
        ],
    ),
    table(
        "products",
        &[
            need("sku", TextKey),
            need("name", Text),
            need("supplier_id", Key("suppliers")),
        ],
    ),
    table(
        "suppliers",
        &[
            need("id", Key("suppliers")),
            need("name", Text),
            optional("country", Text),
            need("lead_time_days", Whole),
        ],
    ),
    table(
        "warehouses",
        &[
            need("id", NumberKey),
            need("code", Text),
            optional("city", Text),
        ],
    ),
    table(
        "stock_levels",
        &[
            need("sku", TextKey),
            need("warehouse_id", NumberKey),
            need("quantity", Whole),
            need("reorder_point", Whole),
        ],
    ),
    table(
        "sales",
        &[
            need("sku", TextKey),
            need("warehouse_id", NumberKey),
            need("sold_on", DayOrNull),
            need("quantity", Whole),
        ],
    ),
    Relation {
        name: "purchase_orders",
        columns: &[
            need("id", TextKey),
            need("sku", TextKey),
            need("supplier_id", Key("suppliers")),
            need("warehouse_id", NumberKey),
            need("quantity", Whole),
            need(
                "status",
                Word(&["draft", "ordered", "received", "cancelled"]),
            ),
            optional("created_at", Moment),
            optional("created_by", Text),
        ],
        written: &[
            "id",
            "sku",
            "supplier_id",
            "warehouse_id",
            "quantity",
            "status",
            "created_at",
            "created_by",
        ],
    },
];

const ORDER: &[&str] = &[
    "pending",
    "paid",
    "shipped",
    "delivered",
    "cancelled",
    "returned",
];

const STAGE: &[&str] = &["qualified", "proposal", "negotiation", "won", "lost"];

impl Relation {
    pub(crate) fn column(&self, name: &str) -> Option<&'static Need> {
        let columns: &'static [Need] = self.columns;
        columns.iter().find(|need| need.name == name)
    }
}
