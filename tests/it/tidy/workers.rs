//! What `wrangler.toml` deploys: every environment is protected as production is, and the Workers
//! of the tests run as the deployed one does.

use std::collections::{BTreeMap, BTreeSet};

use super::source::root;

/// Members of each table, as text; a list of tables has one entry of several.
fn tables(toml: &str) -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    let mut tables: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    let mut table = String::new();
    for line in toml.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_matches(['[', ']']).clone_into(&mut table);
            tables
                .entry(table.clone())
                .or_default()
                .push(BTreeMap::new());
        } else if let Some((name, value)) =
            line.split_once(" = ").filter(|_| !line.starts_with('#'))
        {
            let members = tables.entry(table.clone()).or_default();
            if members.is_empty() {
                members.push(BTreeMap::new());
            }
            let value = value.split(" # ").next().unwrap_or_default().trim();
            if let Some(last) = members.last_mut() {
                last.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    tables
}

fn wrangler() -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    tables(&std::fs::read_to_string(root().join("wrangler.toml")).unwrap())
}

/// Bindings and variables are not inherited, so an environment that lacks one is less protected
/// than production, and nothing says so.
#[test]
fn every_environment_has_what_production_has() {
    let deployed = wrangler();
    // these may differ, and their names must not
    let free = [
        "MCPFN_LOG",
        "database_name",
        "namespace_id",
        "bucket_name",
        "dataset",
    ];
    let environments: BTreeSet<&str> = deployed
        .keys()
        .filter_map(|name| name.strip_prefix("env.")?.split('.').next())
        .collect();
    assert!(environments.contains("staging"), "{environments:?}");
    for environment in environments {
        for name in [
            "vars",
            "ratelimits",
            "kv_namespaces",
            "d1_databases",
            "r2_buckets",
            "secrets",
            "version_metadata",
            "analytics_engine_datasets",
            "durable_objects.bindings",
        ] {
            let Some(production) = deployed.get(name) else {
                continue;
            };
            let there = deployed.get(&format!("env.{environment}.{name}"));
            let there = there.unwrap_or_else(|| panic!("{environment} has no {name}"));
            assert_eq!(production.len(), there.len(), "{environment}: {name}");
            for (production, there) in production.iter().zip(there) {
                for (member, value) in production {
                    let here = there.get(member);
                    assert!(here.is_some(), "{environment}: {name} has no {member}");
                    assert!(
                        free.contains(&member.as_str()) || here == Some(value),
                        "{environment}: {member}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_worker_runs_with_the_flags_that_are_deployed() {
    let flags = &wrangler()[""][0]["compatibility_flags"];
    assert!(flags.contains("global_fetch_strictly_public"), "{flags}");
    for path in [
        "tests/worker/stores.mjs",
        "crates/xtask/src/worker/workerd.rs",
        "crates/xtask/src/worker/deployed.rs",
    ] {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        assert!(text.contains(flags), "{path} has other flags than {flags}");
    }
}

#[test]
fn a_rate_has_the_binding_that_is_named_after_it() {
    let deployed = wrangler();
    for (name, bindings) in &deployed {
        let Some(prefix) = name.strip_suffix("vars") else {
            continue;
        };
        let rate = bindings[0]["MCPFN_RATE_LIMIT"].trim_matches('"').to_owned();
        let (calls, period) = rate
            .split_once("/min")
            .map_or_else(|| panic!("{rate}"), |(calls, _)| (calls, 60));
        let binding = format!("\"RATE_{calls}_PER_{period}\"");
        let simple = format!("{{ limit = {calls}, period = {period} }}");
        let limits = &deployed[&format!("{prefix}ratelimits")];
        let found = limits.iter().find(|limit| limit["name"] == binding);
        assert_eq!(found.map(|limit| &limit["simple"]), Some(&simple), "{name}");
    }
}

/// Statements of a migration that take something away or write rows: the version that runs must go
/// on while the next one's tables are there, and after a rollback.
fn not_additive(migration: &str) -> Vec<&str> {
    let words = |line: &str| {
        let words = line.split_whitespace().map(str::to_ascii_uppercase);
        words.take(5).collect::<Vec<_>>().join(" ")
    };
    let adds = |line: &str| {
        let words = words(line);
        let added = [
            "TABLE",
            "INDEX",
            "UNIQUE INDEX",
            "VIRTUAL TABLE",
            "TRIGGER",
            "VIEW",
        ];
        added
            .iter()
            .any(|what| words.starts_with(&format!("CREATE {what} ")))
            || words.starts_with("ALTER TABLE ") && words.contains(" ADD ")
    };
    // what is made of tables alone may be made anew: triggers, views, indexes of words
    let made_again = |what: &str, name: &str| {
        let create = format!("CREATE {what} IF NOT EXISTS {name} ");
        migration.lines().any(|line| line.starts_with(&create))
    };
    let renews = |line: &str| {
        let words: Vec<&str> = line.trim_end_matches(';').split(' ').collect();
        match words.as_slice() {
            [
                "DROP",
                what @ ("TRIGGER" | "VIEW" | "INDEX"),
                "IF",
                "EXISTS",
                name,
            ] => made_again(what, name),
            ["DROP", "TABLE", "IF", "EXISTS", name] => made_again("VIRTUAL TABLE", name),
            ["INSERT", "INTO", name, itself, "VALUES", "('rebuild')"] => {
                *itself == format!("({name})") && made_again("VIRTUAL TABLE", name)
            }
            _ => false,
        }
    };
    // a statement begins in the first column; what belongs to it is indented
    migration
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter(|line| !line.starts_with("END") && !adds(line) && !renews(line))
        .collect()
}

#[test]
fn migrations_only_add() {
    for bad in [
        "DROP TABLE products;",
        "ALTER TABLE products DROP COLUMN sku;",
        "ALTER TABLE products RENAME TO goods;",
        "INSERT INTO products VALUES (1);",
        "DELETE FROM products;",
        "UPDATE products SET sku = 1;",
        "DROP TABLE IF EXISTS products;",
        "DROP TRIGGER IF EXISTS products_added;",
        "INSERT INTO product_search (product_search) VALUES ('rebuild');",
    ] {
        assert_eq!(not_additive(bad), [bad]);
    }
    let column = "ALTER TABLE products ADD COLUMN color TEXT;";
    assert_eq!(not_additive(column), [""; 0]);
    let renewed = "DROP TABLE IF EXISTS words;\nCREATE VIRTUAL TABLE IF NOT EXISTS words USING \
                   fts5(word);\nINSERT INTO words (words) VALUES ('rebuild');";
    assert_eq!(not_additive(renewed), [""; 0]);
    let mut files: Vec<_> = std::fs::read_dir(root().join("infra/migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for (number, file) in (1..).zip(&files) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let first = format!("{number:04}_");
        assert!(
            name.starts_with(&first),
            "{name}: the next one is {first}.."
        );
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!(
            not_additive(&text),
            [""; 0],
            "{name}: see infra/workers.md, Upgrades"
        );
    }
    assert!(files.len() >= 2);
}
