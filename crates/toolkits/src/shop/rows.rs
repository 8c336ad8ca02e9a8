//! Every row of the shop, table by table. Runs nothing.

use super::accounts::{self, HANDBOOK};
use super::date::iso;
use super::goods::{self, Category};
use super::insert::Insert;
use super::people::{self, Customer, SUPPLIERS, WAREHOUSES};
use super::products::Product;
use super::{orders, products, sales};

const CURRENCY: &str = "USD";

/// Every row of the shop, in an order that foreign keys allow; of products and orders one in
/// `share`.
pub(super) fn append_rows(statements: &mut Vec<String>, share: usize) {
    let departments = goods::categories();
    let products = products::products(&departments, SUPPLIERS.len() as u64);
    let products: Vec<Product> = products.into_iter().step_by(share).collect();
    let customers = people::customers();
    append_places(statements, &departments);
    append_products(statements, &products);
    append_orders(statements, &products, &customers, share);
    append_sales(statements, &products);
    append_accounts(statements, &customers);
}

fn append_places(statements: &mut Vec<String>, departments: &[Category]) {
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
    statements.extend(
        [categories, suppliers, warehouses]
            .into_iter()
            .flat_map(Insert::finish),
    );
}

fn append_products(statements: &mut Vec<String>, products: &[Product]) {
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
    statements.extend([goods, stock_levels].into_iter().flat_map(Insert::finish));
}

fn append_orders(
    statements: &mut Vec<String>,
    products: &[Product],
    customers: &[Customer],
    share: usize,
) {
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
    for (order, id) in orders::orders(products, customers, share)
        .iter()
        .zip(10_001..)
    {
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
    statements.extend(
        [buyers, orders, order_items]
            .into_iter()
            .flat_map(Insert::finish),
    );
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
