//! The shop as SQL text: the schema and its rows, statement by statement. Runs nothing.

use std::fmt::Write as _;

use mcpfn_ports::Dialect;

use super::accounts::{self, HANDBOOK};
use super::date::iso;
use super::goods;
use super::people::{self, Customer, SUPPLIERS, WAREHOUSES};
use super::products::Product;
use super::{POSTGRES, SCHEMA, orders, products, sales};

/// The longest statement, in bytes: D1 takes 100,000.
const MAX_STATEMENT: usize = 64 * 1024;

const CURRENCY: &str = "USD";

/// The statements of a schema file, which are separated by empty lines.
pub(super) fn schema_statements(schema: &str) -> impl Iterator<Item = &str> {
    schema
        .split("\n\n")
        .map(|statement| statement.trim().trim_end_matches(';'))
        .filter(|statement| !statement.is_empty())
}

/// Every statement in the order in which an empty database takes them.
pub(super) fn statements(dialect: Dialect) -> Vec<String> {
    // rows before triggers: the search index is built in one go, not row by row
    let (triggers, tables): (Vec<&str>, Vec<&str>) =
        schema_statements(SCHEMA).partition(|statement| statement.starts_with("CREATE TRIGGER"));
    let mut statements: Vec<String> = Vec::new();
    match dialect {
        Dialect::Postgres => {
            let tables = tables
                .into_iter()
                .filter(|statement| !statement.starts_with("CREATE VIRTUAL TABLE"));
            statements.extend(tables.map(|statement| {
                statement
                    .replace(" WITHOUT ROWID", "")
                    .replace(" REAL ", " DOUBLE PRECISION ")
            }));
            append_rows(&mut statements);
            statements.extend(schema_statements(POSTGRES).map(str::to_owned));
        }
        _ => {
            statements.extend(tables.into_iter().map(str::to_owned));
            append_rows(&mut statements);
            statements
                .push("INSERT INTO product_search (product_search) VALUES ('rebuild')".to_owned());
            statements.extend(triggers.into_iter().map(str::to_owned));
        }
    }
    statements
}

fn append_rows(statements: &mut Vec<String>) {
    let departments = goods::categories();
    let mut categories = Insert::new("categories (id, name, code, about)");
    for (category, id) in departments.iter().zip(1..) {
        categories.row(|row| {
            row.number(id)
                .text(category.name)
                .text(category.code)
                .text(category.about)
        });
    }
    let mut suppliers = Insert::new("suppliers (id, name, country, email, lead_time_days)");
    for ((name, country, days), id) in SUPPLIERS.iter().zip(1..) {
        let email = format!("orders@{}.example", name.to_lowercase().replace(' ', "-"));
        suppliers.row(|row| {
            row.number(id)
                .text(name)
                .text(country)
                .text(&email)
                .number(*days)
        });
    }
    let mut warehouses = Insert::new("warehouses (id, code, city, country)");
    for ((code, city, country), id) in WAREHOUSES.iter().zip(1..) {
        warehouses.row(|row| row.number(id).text(code).text(city).text(country));
    }
    let products = products::products(&departments, SUPPLIERS.len() as u64);
    let mut goods = Insert::new(
        "products (number, id, sku, name, brand, category, supplier_id, description, keywords, price_cents, currency, \
         stock, rating, reviews, weight_grams, added_on)",
    );
    let mut stock_levels = Insert::new("stock_levels (sku, warehouse_id, quantity, reorder_point)");
    for (product, number) in products.iter().zip(1..) {
        goods.row(|row| {
            row.number(number)
                .text(&product.id)
                .text(&product.sku)
                .text(&product.name)
                .text(product.brand);
            row.text(product.category)
                .number(product.supplier_id)
                .text(&product.description)
                .text(product.keywords);
            row.number(product.price_cents)
                .text(CURRENCY)
                .number(product.quantities.iter().sum());
            row.tenths(product.rating)
                .number(product.reviews)
                .number(product.weight_grams)
                .text(&iso(product.added_on))
        });
        for ((quantity, reorder_point), warehouse) in product
            .quantities
            .iter()
            .zip(&product.reorder_points)
            .zip(1..)
        {
            stock_levels.row(|row| {
                row.text(&product.sku)
                    .number(warehouse)
                    .number(*quantity)
                    .number(*reorder_point)
            });
        }
    }
    let customers = people::customers();
    let mut buyers = Insert::new("customers (id, name, email, city, country, joined_on)");
    for (customer, id) in customers.iter().zip(1..) {
        buyers.row(|row| {
            row.number(id)
                .text(&customer.name)
                .text(&customer.email)
                .text(customer.city)
                .text(customer.country);
            row.text(&iso(customer.joined_on))
        });
    }
    let mut orders =
        Insert::new("orders (id, customer_id, placed_at, status, total_cents, currency)");
    let mut order_items =
        Insert::new("order_items (order_id, line, sku, quantity, unit_price_cents)");
    for (order, id) in orders::orders(&products, &customers).iter().zip(10_001..) {
        let total = order
            .items
            .iter()
            .map(|item| item.quantity * item.unit_price_cents)
            .sum();
        orders.row(|row| {
            row.number(id)
                .number(order.customer as u64 + 1)
                .text(&order.placed_at)
                .text(order.status);
            row.number(total).text(CURRENCY)
        });
        for (item, line) in order.items.iter().zip(1..) {
            let sku = &products[item.product].sku;
            order_items.row(|row| {
                row.number(id)
                    .number(line)
                    .text(sku)
                    .number(item.quantity)
                    .number(item.unit_price_cents)
            });
        }
    }
    for insert in [
        categories,
        suppliers,
        warehouses,
        goods,
        stock_levels,
        buyers,
        orders,
        order_items,
    ] {
        statements.extend(insert.finish());
    }
    append_sales(statements, &products);
    append_accounts(statements, &customers);
}

fn append_sales(statements: &mut Vec<String>, products: &[Product]) {
    let mut sold = Insert::new("sales (sku, warehouse_id, sold_on, quantity)");
    for sale in sales::sales(products) {
        let sku = &products[sale.product].sku;
        sold.row(|row| {
            row.text(sku)
                .number(sale.warehouse as u64 + 1)
                .text(&iso(sale.day))
                .number(sale.quantity)
        });
    }
    let mut ordered = Insert::new(
        "purchase_orders (id, sku, supplier_id, warehouse_id, quantity, status, created_at, \
         created_by)",
    );
    for order in sales::purchases(products) {
        let product = &products[order.product];
        ordered.row(|row| {
            row.text(&order.id)
                .text(&product.sku)
                .number(product.supplier_id)
                .number(order.warehouse as u64 + 1)
                .number(order.quantity);
            row.text(order.status)
                .text(&format!("{}T08:00:00Z", iso(order.day)))
                .text(order.author)
        });
    }
    statements.extend(sold.finish());
    statements.extend(ordered.finish());
}

fn append_accounts(statements: &mut Vec<String>, customers: &[Customer]) {
    let mut accounts =
        Insert::new("accounts (id, name, industry, city, country, status, owner, since)");
    let mut contacts = Insert::new("account_contacts (account_id, customer_id, role)");
    let mut opportunities = Insert::new(
        "opportunities (id, account_id, title, stage, amount_cents, currency, opened_on, close_on)",
    );
    let mut activities =
        Insert::new("activities (id, account_id, kind, note, happened_at, author)");
    for account in accounts::accounts(customers) {
        accounts.row(|row| {
            row.text(&account.id)
                .text(&account.name)
                .text(account.industry)
                .text(account.city)
                .text(account.country);
            row.text(account.status)
                .text(account.owner)
                .text(&iso(account.since))
        });
        for (customer, role) in &account.contacts {
            contacts.row(|row| {
                row.text(&account.id)
                    .number(*customer as u64 + 1)
                    .text(role)
            });
        }
        for opportunity in &account.opportunities {
            opportunities.row(|row| {
                row.text(&opportunity.id)
                    .text(&account.id)
                    .text(&opportunity.title)
                    .text(opportunity.stage);
                row.number(opportunity.amount_cents)
                    .text(CURRENCY)
                    .text(&iso(opportunity.opened_on))
                    .text(&iso(opportunity.close_on))
            });
        }
        for activity in &account.activities {
            activities.row(|row| {
                row.text(&activity.id)
                    .text(&account.id)
                    .text(activity.kind)
                    .text(&activity.note);
                row.text(&activity.happened_at).text(account.owner)
            });
        }
    }
    let mut handbook = Insert::new("handbook (position, title, body)");
    for ((title, body), position) in HANDBOOK.iter().zip(1..) {
        handbook.row(|row| row.number(position).text(title).text(body));
    }
    for insert in [accounts, contacts, opportunities, activities, handbook] {
        statements.extend(insert.finish());
    }
}

/// Rows for one table, in as few statements as their length allows. The values are this crate's
/// own, never a client's.
struct Insert {
    head: &'static str,
    done: Vec<String>,
    current: String,
}

impl Insert {
    fn new(head: &'static str) -> Self {
        Self {
            head,
            done: Vec::new(),
            current: String::new(),
        }
    }

    fn row(&mut self, fill: impl FnOnce(&mut ScriptRow) -> &mut ScriptRow) {
        let mut row = ScriptRow(String::new());
        fill(&mut row);
        let ScriptRow(values) = row;
        if self.current.len() + values.len() > MAX_STATEMENT {
            self.done.push(std::mem::take(&mut self.current));
        }
        // writing to a String can't fail
        let _ = if self.current.is_empty() {
            write!(self.current, "INSERT INTO {} VALUES\n({values})", self.head)
        } else {
            write!(self.current, ",\n({values})")
        };
    }

    fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.done.push(self.current);
        }
        self.done
    }
}

/// The literals of one row.
struct ScriptRow(String);

impl ScriptRow {
    fn number(&mut self, number: u64) -> &mut Self {
        self.literal(&number.to_string())
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.literal(&format!("'{}'", text.replace('\'', "''")))
    }

    fn tenths(&mut self, tenths: Option<u64>) -> &mut Self {
        match tenths {
            Some(tenths) => self.literal(&format!("{}.{}", tenths / 10, tenths % 10)),
            None => self.literal("NULL"),
        }
    }

    fn literal(&mut self, literal: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(literal);
        self
    }
}
