//! The catalog over the demo shop: relevance, refusals, hostile text.

use std::sync::Arc;
use std::time::Instant;

use mcpfn_sql::Sqlite;
use mcpfn_toolkits::catalog::{ProductId, ProductQuery, get_product, search_products};
use serde_json::{Value, json};

use crate::place;
use crate::support::{Client, hostile, unchecked};

fn search(query: &str, limit: u32) -> Value {
    Client::of_shop()
        .call("search_products", json!({"query": query, "limit": limit}))
        .unwrap()
}

fn column<'a>(found: &'a Value, name: &str) -> Vec<&'a str> {
    found["products"]
        .as_array()
        .unwrap()
        .iter()
        .map(|product| product[name].as_str().unwrap())
        .collect()
}

#[test]
fn what_is_searched_for_comes_first() {
    // every one of the first five has all of these in its name or its category
    for (query, expected) in [
        ("headphones", "Headphones"),
        ("wireless keyboard", "Keyboard"),
        ("Wireless Keyboard", "Keyboard"),
        ("a keyboard that is wireless", "Keyboard"),
        ("mechanical keyboards", "Mechanical Keyboard"),
        ("noise canceling headphones", "Noise-Cancelling"),
        ("espresso", "Espresso Machine"),
        ("tent 2 person", "2-Person Tent"),
        ("carry-on suitcase", "Carry-On Suitcase"),
        ("4k monitor", "4K"),
        ("usb c charger", "USB-C Charger"),
        ("knife", "Knife"),
        ("rucksack", "Backpack"),
        ("earphones", "Earbuds"),
        ("skillet", "Frying Pan"),
        ("sit-stand table", "Standing Desk"),
        ("headph", "Headphones"),
    ] {
        let found = search(query, 5);
        let (names, categories) = (column(&found, "name"), column(&found, "category"));
        assert!(names.len() > 2, "{query}: {names:?}");
        for (name, category) in names.iter().zip(categories) {
            assert!(
                name.contains(expected) || category.contains(expected),
                "{query}: {names:?}"
            );
        }
    }
    for name in column(&search("wireless keyboard", 5), "name") {
        assert!(name.contains("Wireless"), "{name}");
    }
}

#[test]
fn a_sku_finds_its_product_or_its_model() {
    for query in ["HDP-1032-MIB", "hdp-1032-mib", "  HDP-1032-MIB "] {
        let found = search(query, 10);
        assert_eq!(column(&found, "sku"), ["HDP-1032-MIB"], "{query}");
        assert_eq!(found["total"], 1);
    }
    let model = search("HDP-1032", 10);
    assert!(
        column(&model, "sku")
            .iter()
            .all(|sku| sku.starts_with("HDP-1032-")),
        "{model}"
    );
    assert!(model["total"].as_u64().unwrap() >= 1);
}

#[test]
fn answers_say_what_they_left_out() {
    let found = search("headphones", 3);
    assert_eq!(column(&found, "name").len(), 3);
    let total = found["total"].as_u64().unwrap();
    assert!(total > 50, "{total}");
    assert_eq!(
        found["note"],
        format!(
            "The best 3 of {total} matches. Add a word to narrow the search, or raise `limit`."
        )
    );
    let found = search("headphones spaceship", 3);
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .starts_with("No product has all the words of 'headphones spaceship'"),
        "{found}"
    );
    assert!(column(&found, "name")[0].contains("Headphones"));
}

#[test]
fn no_match_is_a_sentence() {
    let found = search("zyzzyva", 10);
    assert_eq!(found["total"], 0);
    assert_eq!(found["products"], json!([]));
    assert_eq!(
        found["note"],
        "No product matches 'zyzzyva'. Try fewer or more general words, such as the type of \
         product."
    );
}

#[test]
fn every_price_and_id_is_typed() {
    let found = search("camera", 100);
    for product in found["products"].as_array().unwrap() {
        assert!(product["price"].as_f64().unwrap() > 1.0);
        assert_eq!(product["currency"], "USD");
        assert!(product["stock"].as_i64().unwrap() >= 0);
        assert_eq!(product["id"].as_str().unwrap().len(), 36);
    }
}

#[test]
fn an_empty_query_is_refused() {
    for query in ["", "   ", "\t\n"] {
        let refused = Client::of_shop()
            .call("search_products", json!({"query": query}))
            .unwrap_err();
        assert!(refused.contains("query"), "{refused}");
    }
    let query = "  ".to_owned();
    let refused = unchecked(move |cx| {
        let query = query.clone();
        async move { search_products(ProductQuery { query, limit: 10 }, &cx).await }
    });
    assert_eq!(
        refused.unwrap_err(),
        "`query` is empty. Say what to look for, e.g. \"wireless keyboard\"."
    );
}

#[test]
fn a_limit_out_of_bounds_is_refused_by_schema_and_handler() {
    for limit in [
        json!(0),
        json!(-1),
        json!(101),
        json!(1e300),
        json!("10"),
        json!(2.5),
    ] {
        let refused =
            Client::of_shop().call("search_products", json!({"query": "tent", "limit": limit}));
        assert!(refused.is_err(), "{limit}");
    }
    for limit in [0, 101, u32::MAX] {
        let refused = unchecked(move |cx| async move {
            search_products(
                ProductQuery {
                    query: "tent".to_owned(),
                    limit,
                },
                &cx,
            )
            .await
        });
        assert_eq!(refused.unwrap_err(), "`limit` must be from 1 to 100.");
    }
}

#[test]
fn hostile_text_finds_nothing_or_products_and_breaks_nothing() {
    let client = Client::of_shop();
    for text in hostile() {
        for (tool, argument) in [("search_products", "query"), ("get_product", "product_id")] {
            let mut arguments = json!({});
            arguments[argument] = json!(text);
            let answer = client.call(tool, arguments);
            let shown = format!("{answer:?}");
            assert!(
                shown.len() < 20_000 && !shown.contains("SQL") && !shown.contains("fts5"),
                "{text:?}: {shown}"
            );
            if let Err(refused) = answer {
                assert!(
                    !refused.contains(['\u{1b}', '\u{202e}', '\0']),
                    "{refused:?}"
                );
                assert!(refused.len() < 600, "{refused}");
            }
        }
        for uri in [
            format!(
                "catalog://product/{}",
                text.replace(char::is_control, "%00")
            ),
            "catalog://product/%27%20OR%201=1".to_owned(),
        ] {
            assert!(client.read(&uri).is_err(), "{uri:?}");
        }
        client.complete(
            json!({"type": "ref/resource", "uri": "catalog://product/{sku}"}),
            "sku",
            &text,
        );
        client.complete(
            json!({"type": "ref/prompt", "name": "product_advisor"}),
            "need",
            &text,
        );
    }
    assert_eq!(client.logged(), [""; 0], "nothing failed inside");
}

#[test]
fn very_long_text_is_refused_or_cut_by_the_handlers_themselves() {
    let found = unchecked(|cx| async move {
        search_products(
            ProductQuery {
                query: "keyboard ".repeat(100_000),
                limit: 1,
            },
            &cx,
        )
        .await
    });
    assert_eq!(found.unwrap().products.len(), 1);
    let refused = unchecked(|cx| async move {
        get_product(
            ProductId {
                product_id: "x".repeat(1_000_000),
            },
            &cx,
        )
        .await
    });
    assert!(refused.unwrap_err().len() < 300);
}

#[test]
fn a_product_is_found_by_sku_and_by_uuid() {
    let client = Client::of_shop();
    let by_sku = client
        .call("get_product", json!({"product_id": "hdp-1032-mib"}))
        .unwrap();
    let id = by_sku["id"].as_str().unwrap();
    assert_eq!(id, "ab857d61-779a-433e-a8f2-ee656ac2925f");
    for product_id in [id.to_owned(), id.to_uppercase(), format!(" {id} ")] {
        assert_eq!(
            client
                .call("get_product", json!({"product_id": product_id}))
                .unwrap(),
            by_sku
        );
    }
    let stock: i64 = by_sku["availability"]
        .as_array()
        .unwrap()
        .iter()
        .map(|level| level["quantity"].as_i64().unwrap())
        .sum();
    assert_eq!(by_sku["stock"], stock);
    let text = client.read("catalog://product/HDP-1032-MIB").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), by_sku);
}

#[test]
fn an_unknown_product_is_said_to_be_missing() {
    let client = Client::of_shop();
    let refused = client
        .call("get_product", json!({"product_id": "HDP-9999"}))
        .unwrap_err();
    assert_eq!(
        refused,
        "Product 'HDP-9999' not found. Use `search_products` to find products and their ids."
    );
    assert!(
        client
            .read("catalog://product/HDP-9999")
            .unwrap_err()
            .starts_with("Product 'HDP-9999' not found.")
    );
}

#[test]
fn the_schema_is_the_live_one() {
    let schema = Client::of_shop().read("catalog://schema").unwrap();
    // PostgreSQL keeps no comments and lists no indexes
    let sqlite: &[&str] = &[
        "-- other words that people search for",
        "CREATE VIRTUAL TABLE product_search",
        "CREATE INDEX",
    ];
    let more = if place::postgres().is_some() {
        &[]
    } else {
        sqlite
    };
    for part in ["CREATE TABLE products (", "REFERENCES categories"]
        .iter()
        .chain(more)
    {
        assert!(schema.contains(part), "{part}");
    }
    assert!(!schema.contains("product_search_data"));
}

#[test]
fn completions_help_to_type() {
    let client = Client::of_shop();
    let sku = json!({"type": "ref/resource", "uri": "catalog://product/{sku}"});
    let offered = client.complete(sku.clone(), "sku", "hdp-10");
    assert!(
        !offered.is_empty() && offered.iter().all(|sku| sku.starts_with("HDP-10")),
        "{offered:?}"
    );
    assert!(client.complete(sku, "sku", "espresso")[0].starts_with("COF-"));
    let need = json!({"type": "ref/prompt", "name": "product_advisor"});
    assert_eq!(client.complete(need, "need", "key"), ["Keyboards"]);
    // of 2,800 products a hundred are offered, and that there are more is said
    let sku = json!({"type": "ref/resource", "uri": "catalog://product/{sku}"});
    let said = |value: &str| {
        let params = json!({"ref": sku, "argument": {"name": "sku", "value": value}});
        client.ask("completion/complete", params).unwrap()["completion"].clone()
    };
    let many = said("");
    assert_eq!(
        (many["values"].as_array().unwrap().len(), &many["hasMore"]),
        (100, &json!(true))
    );
    assert_eq!(many["total"], Value::Null);
    let few = said("hdp-1032");
    let values = few["values"].as_array().unwrap().len();
    assert!(
        values > 0 && few["hasMore"] == false && few["total"] == values,
        "{few}"
    );
}

#[test]
fn the_prompt_names_the_tools() {
    let arguments = json!({"need": "headphones for a noisy train", "budget": "150 dollars"});
    let prompt = Client::of_shop()
        .ask(
            "prompts/get",
            json!({"name": "product_advisor", "arguments": arguments}),
        )
        .unwrap();
    let text = prompt["messages"][0]["content"]["text"].as_str().unwrap();
    for part in [
        "headphones for a noisy train",
        "My budget: 150 dollars\n",
        "`search_products`",
        "`get_product`",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let prompt = Client::of_shop()
        .ask(
            "prompts/get",
            json!({"name": "product_advisor", "arguments": {"need": "a tent"}}),
        )
        .unwrap();
    assert!(
        !prompt["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("budget")
    );
}

#[test]
fn another_database_is_an_internal_error_with_an_id() {
    let client = Client::new(Arc::new(Sqlite::memory().unwrap()));
    let refused = client
        .call("search_products", json!({"query": "tent"}))
        .unwrap_err();
    assert!(
        refused.contains("error id") && !refused.contains("product_search"),
        "{refused}"
    );
    assert!(
        client.logged()[0].contains("product_search"),
        "{:?}",
        client.logged()
    );
}

#[test]
fn searching_is_quick() {
    let client = Client::of_shop();
    let mut times = Vec::new();
    for query in [
        "headphones",
        "wireless keyboard",
        "warm sleeping bag",
        "knife",
        "usb c",
        "HDP-1032-MIB",
        "for",
    ] {
        for _ in 0..30 {
            let started = Instant::now();
            client
                .call("search_products", json!({"query": query}))
                .unwrap();
            times.push(started.elapsed());
        }
    }
    times.sort_unstable();
    println!(
        "search_products p50 {:?} p95 {:?}",
        times[times.len() / 2],
        times[times.len() * 95 / 100]
    );
    assert!(times[times.len() / 2].as_millis() < 50);
}
