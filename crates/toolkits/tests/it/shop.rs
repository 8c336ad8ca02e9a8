//! The demo shop in a real database: whole, consistent, believable, and the same every time.

use std::time::Instant;

use mcpfn_ports::{Sql, SqlValue};
use mcpfn_sql::Sqlite;
use mcpfn_toolkits::shop;

use crate::wait::wait;

#[test]
fn it_is_whole_and_consistent() {
    let database = Sqlite::memory().unwrap();
    assert!(!wait(shop::is_present(&database)).unwrap());
    let started = Instant::now();
    wait(shop::create(&database)).unwrap();
    println!("shop created in {:?}", started.elapsed());
    assert!(wait(shop::is_present(&database)).unwrap());

    let cases = [
        ("SELECT count(*) FROM products", 2800),
        ("SELECT count(DISTINCT sku) FROM products", 2800),
        ("SELECT count(DISTINCT id) FROM products", 2800),
        ("SELECT count(DISTINCT name) FROM products", 2800),
        ("SELECT count(*) FROM categories", 22),
        ("SELECT count(DISTINCT category) FROM products", 22),
        ("SELECT count(*) FROM customers", 600),
        ("SELECT count(*) FROM orders", 4000),
        ("SELECT count(*) FROM stock_levels", 8400),
        ("SELECT count(DISTINCT supplier_id) FROM products", 12),
        ("SELECT count(*) FROM accounts", 120),
        ("SELECT count(*) FROM purchase_orders", 240),
        ("SELECT count(*) FROM handbook", 6),
        // what must not be
        ("SELECT count(*) FROM pragma_foreign_key_check", 0),
        (
            "SELECT count(*) FROM products WHERE id NOT GLOB \
             '????????-????-4???-[89ab]???-????????????'",
            0,
        ),
        (
            "SELECT count(*) FROM products WHERE name GLOB '*  *' OR description GLOB '*  *' OR \
             name GLOB '* ,*'",
            0,
        ),
        (
            "SELECT count(*) FROM products WHERE length(description) NOT BETWEEN 80 AND 330",
            0,
        ),
        (
            "SELECT count(*) FROM products WHERE price_cents NOT BETWEEN 200 AND 600000",
            0,
        ),
        (
            "SELECT count(*) FROM products WHERE (rating IS NULL) <> (reviews = 0)",
            0,
        ),
        (
            "SELECT count(*) FROM products p WHERE stock <> (SELECT sum(quantity) FROM \
             stock_levels s WHERE s.sku = p.sku)",
            0,
        ),
        (
            "SELECT count(*) FROM orders o WHERE total_cents <> \
          (SELECT sum(quantity * unit_price_cents) FROM order_items i WHERE i.order_id = o.id)",
            0,
        ),
        (
            "SELECT count(*) FROM orders WHERE placed_at NOT BETWEEN '2025-01-01' AND '2026-11-01'",
            0,
        ),
        (
            "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE \
             o.placed_at < c.joined_on",
            0,
        ),
        (
            "SELECT count(*) FROM order_items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.sku = i.sku \
          WHERE o.placed_at < p.added_on",
            0,
        ),
        (
            "SELECT count(*) FROM sales s JOIN products p ON p.sku = s.sku WHERE s.sold_on <= \
             p.added_on",
            0,
        ),
        (
            "SELECT count(*) FROM sales WHERE sold_on NOT BETWEEN '2026-07-04' AND '2026-10-31'",
            0,
        ),
        (
            "SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM account_contacts c \
             WHERE c.account_id = a.id)",
            0,
        ),
        (
            "SELECT count(*) FROM opportunities WHERE close_on < opened_on OR (stage IN ('won', \
             'lost')) <> (close_on <= '2026-10-31')",
            0,
        ),
        (
            "SELECT count(*) FROM (SELECT order_id FROM order_items GROUP BY 1 HAVING count(*) > \
             5)",
            0,
        ),
        (
            "SELECT count(*) FROM customers WHERE email GLOB '*[^a-z0-9.@-]*'",
            0,
        ),
        (
            "SELECT count(*) FROM categories WHERE (SELECT min(price_cents) FROM products WHERE \
             category = categories.name) IS NULL",
            0,
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(number(&database, sql), expected, "{sql}");
    }
    for (sql, low, high) in [
        ("SELECT count(*) FROM products WHERE stock = 0", 120, 280),
        (
            "SELECT count(*) FROM products WHERE rating IS NULL",
            60,
            500,
        ),
        ("SELECT count(*) FROM order_items", 7000, 10_000),
        ("SELECT count(DISTINCT customer_id) FROM orders", 400, 600),
        ("SELECT count(DISTINCT sku) FROM order_items", 1200, 2600),
        (
            "SELECT avg(price_cents) FROM products WHERE category = 'Stationery'",
            1000,
            6000,
        ),
        (
            "SELECT avg(price_cents) FROM products WHERE category = 'Cameras'",
            20_000,
            120_000,
        ),
        ("SELECT count(DISTINCT status) FROM orders", 6, 6),
        // what D1's free plan writes in a day ends at 100,000 rows, of which the rest of the shop
        // and its indexes take most
        ("SELECT count(*) FROM sales", 15_000, 25_000),
        ("SELECT count(DISTINCT sku) FROM sales", 1800, 2700),
        ("SELECT count(*) FROM opportunities", 100, 240),
        ("SELECT count(*) FROM activities", 300, 1000),
    ] {
        let found = number(&database, sql);
        assert!((low..=high).contains(&found), "{sql}: {found}");
    }
}

#[test]
fn it_is_the_same_every_time() {
    let first = shop::statements();
    assert_eq!(first, shop::statements());
    assert!(
        first.iter().all(|statement| statement.len() < 100_000),
        "D1 takes at most 100,000 bytes"
    );
    // documentation and clients' notes name these: a change of the generator is a change for them
    let products = first
        .iter()
        .find(|statement| statement.starts_with("INSERT INTO products"))
        .unwrap();
    assert_eq!(
        products
            .lines()
            .nth(1)
            .unwrap_or_default()
            .split(", ")
            .take(3)
            .collect::<Vec<_>>(),
        FIRST
    );
}

/// The first product's number, id and SKU.
const FIRST: [&str; 3] = [
    "(1",
    "'ab857d61-779a-433e-a8f2-ee656ac2925f'",
    "'HDP-1032-MIB'",
];

#[test]
fn the_search_index_follows_its_table() {
    let database = Sqlite::memory().unwrap();
    wait(database.execute_all(shop::statements())).unwrap();
    let found = |word: &str| {
        let sql = "SELECT rowid FROM product_search WHERE product_search MATCH ?1";
        wait(database.query(sql, &[word.into()], 10)).unwrap().rows
    };
    assert!(found("zyzzyva").is_empty());
    let run = |sql: &str| wait(database.execute(sql, &[])).unwrap();
    run("UPDATE products SET name = 'Zyzzyva Lamp' WHERE number = 7");
    assert_eq!(found("zyzzyva"), [[SqlValue::Integer(7)]]);
    run(
        "UPDATE stock_levels SET quantity = quantity + 5 WHERE warehouse_id = 1 AND sku = (SELECT \
         sku FROM products WHERE number = 7)",
    );
    let sums = "SELECT count(*) FROM products p WHERE stock <> (SELECT sum(quantity) FROM \
        stock_levels s WHERE s.sku = p.sku)";
    assert_eq!(number(&database, sums), 0);
    run("DELETE FROM sales WHERE sku = (SELECT sku FROM products WHERE number = 7)");
    run("DELETE FROM purchase_orders WHERE sku = (SELECT sku FROM products WHERE number = 7)");
    run("DELETE FROM order_items WHERE sku = (SELECT sku FROM products WHERE number = 7)");
    run("DELETE FROM stock_levels WHERE sku = (SELECT sku FROM products WHERE number = 7)");
    run("DELETE FROM products WHERE number = 7");
    assert!(found("zyzzyva").is_empty());
    run("INSERT INTO product_search (product_search, rank) VALUES ('integrity-check', 1)");
}

fn number(database: &Sqlite, sql: &str) -> i64 {
    let rows = wait(database.query(sql, &[], 1)).unwrap();
    rows.rows[0][0].as_f64().unwrap() as i64
}

#[test]
fn the_sample_for_d1_is_a_whole_shop_within_a_free_day() {
    let database = Sqlite::memory().unwrap();
    wait(database.execute_all(shop::tables())).unwrap();
    let count = |sql: &str| number(&database, sql);
    let tables: Vec<String> = {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE \
                   'CREATE VIRTUAL%' AND name NOT LIKE 'product_search_%'";
        let names = wait(database.query(sql, &[], 100)).unwrap().rows;
        names
            .iter()
            .map(|row| row[0].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(tables.len() >= 14, "{tables:?}");
    for table in &tables {
        assert_eq!(
            count(&format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    wait(database.execute_all(shop::sample())).unwrap();
    // D1 counts the row, and an entry of each index
    let mut written = count("SELECT count(*) FROM product_search_docsize");
    for table in &tables {
        let rows = count(&format!("SELECT count(*) FROM {table}"));
        assert!(rows > 0, "{table} is empty");
        let indexes = format!(
            "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}'"
        );
        written += rows * (1 + count(&indexes));
    }
    assert!((20_000..49_000).contains(&written), "{written}");
    assert_eq!(count("SELECT count(*) FROM products"), 700);
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let found = "SELECT count(*) FROM product_search WHERE product_search MATCH 'headphones'";
    assert!(count(found) > 0, "the search index follows the rows");
    let sums = "SELECT count(*) FROM orders o WHERE total_cents <> (SELECT sum(quantity * \
                unit_price_cents) FROM order_items WHERE order_id = o.id)";
    assert_eq!(count(sums), 0, "orders have all of their items");
}
