//! Names in other scripts, cases and spellings: what a person types finds what is stored, in the
//! catalog and in the CRM. Every row is both a stored name and what finds it.

use mcpfn_ports::SqlValue;
use serde_json::{Value, json};

use crate::support::Client;
use crate::wait::wait;

/// A stored name, and what people type.
const NAMES: [(&str, &[&str]); 14] = [
    (
        "无线充电器 黑色",
        &["充电器", "无线", "充电", "电", "黑色 充电器", "充电器无线"],
    ),
    (
        "ワイヤレスキーボード",
        &["キーボード", "ｷｰﾎﾞｰﾄﾞ", "ワイヤレス"],
    ),
    ("무선키보드", &["키보드", "무선"]),
    ("แป้นพิมพ์ไร้สาย", &["แป้นพิมพ์", "ไร้สาย"]),
    (
        "Große Straßenlampe",
        &[
            "GROSSE",
            "straßenlampe",
            "STRASSENLAMPE",
            "grosse strassenlampe",
        ],
    ),
    ("Ёлка зелёная", &["елка", "ЁЛКА", "зеленая", "елки"]),
    ("ＵＳＢ－Ｃ Ｋａｂｅｌｄｏｃｋ", &["kabeldock", "KABELDOCK"]),
    (
        "Café Crème Zubehör",
        &["creme zubehor", "CRÈME", "cafe\u{301}"],
    ),
    ("Łódź Komoda", &["lodz", "ŁÓDŹ"]),
    ("مصباح المكتبة", &["المكتبه", "مصباح"]),
    ("Οδός Φως", &["οδοσ", "ΟΔΟΣ", "ΦΩΣ"]),
    ("İzmir Halısı", &["izmir", "IZMIR", "halisi"]),
    ("Ångström Stol", &["angstrom", "ÅNGSTRÖM"]),
    ("दीपक लैंप", &["दीपक", "लैंप"]),
];

/// What of these is not a part of a name as it stands: an ending, another order, another script.
const BY_WORDS_ALONE: [&str; 2] = ["елки", "充电器无线"];

fn run(client: &Client, sql: &str, values: &[SqlValue]) {
    let database = std::sync::Arc::clone(client.database());
    let (sql, values) = (sql.to_owned(), values.to_vec());
    wait(async move { database.execute(&sql, &values).await.map(drop) }).unwrap();
}

fn stored() -> Client {
    let client = Client::of_new_shop();
    for ((name, _), at) in NAMES.iter().zip(1..) {
        let product = "INSERT INTO products (number, id, sku, name, brand, category, supplier_id, description, keywords, price_cents, \
            currency, stock, reviews, weight_grams, added_on) SELECT 90000 + ?1, CAST(?2 AS TEXT), CAST(?3 AS TEXT), CAST(?4 AS TEXT), \
            'Brand', category, supplier_id, 'x', 'x', 100, 'USD', 1, 0, 1, '2026-01-01' FROM products WHERE number = 1";
        let id = format!("00000000-0000-4000-8000-{at:012}");
        let sku = format!("NAM-{at}");
        run(
            &client,
            product,
            &[at.into(), id.into(), sku.into(), (*name).into()],
        );
        let customer = "INSERT INTO customers (id, name, email, city, country, joined_on) VALUES \
                        (?1, ?2, ?3, 'Town', 'DE', '2026-01-01')";
        let mail = format!("{at}@names.example");
        run(
            &client,
            customer,
            &[(90_000 + at).into(), (*name).into(), mail.into()],
        );
        let account = "INSERT INTO accounts (id, name, industry, city, country, status, owner, since) VALUES \
                       (?1, ?2, 'Trade', 'Town', 'DE', 'active', 'Owner', '2026-01-01')";
        run(
            &client,
            account,
            &[format!("ACC-N{at}").into(), (*name).into()],
        );
    }
    client
}

fn names(found: &Value, list: &str) -> Vec<String> {
    let rows = found[list].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn names_are_found_by_their_parts_in_every_script_and_case() {
    let client = stored();
    let mut missed = Vec::new();
    for (name, queries) in NAMES {
        for query in queries.iter().chain([&name]) {
            for (tool, list) in [
                ("search_products", "products"),
                ("search_customers", "customers"),
                ("search_accounts", "accounts"),
            ] {
                let is_short = query.chars().count() < 2;
                if list != "products" && (is_short || BY_WORDS_ALONE.contains(query)) {
                    continue;
                }
                let found = client
                    .call(tool, json!({"query": query, "limit": 10}))
                    .unwrap();
                let names = names(&found, list);
                if names.first().map(String::as_str) != Some(name) {
                    missed.push(format!("{tool} {query}: {names:?}"));
                }
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn misspelt_words_are_found_and_said() {
    let client = Client::of_shop();
    for (tool, list, slip, meant, part) in [
        (
            "search_products",
            "products",
            "headphnes",
            "headphones",
            "Headphones",
        ),
        (
            "search_products",
            "products",
            "wireles keybord",
            "keyboard",
            "Keyboard",
        ),
        (
            "search_products",
            "products",
            "expresso machin",
            "espresso",
            "Espresso",
        ),
        (
            "search_customers",
            "customers",
            "lindqist",
            "lindqvist",
            "Lindqvist",
        ),
        ("search_accounts", "accounts", "hotelss", "hotels", "Hotels"),
    ] {
        let found = client
            .call(tool, json!({"query": slip, "limit": 5}))
            .unwrap();
        let names = names(&found, list);
        assert!(
            !names.is_empty() && names.iter().all(|name| name.contains(part)),
            "{found}"
        );
        let note = found["note"].as_str().unwrap();
        assert!(note.contains(&format!("'{meant}' in place of '")), "{note}");
    }
    for tool in ["search_products", "search_customers", "search_accounts"] {
        let found = client.call(tool, json!({"query": "xqzzxqzz"})).unwrap();
        assert_eq!(found["total"], 0, "{found}");
    }
}
