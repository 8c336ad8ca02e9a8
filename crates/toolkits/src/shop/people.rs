//! Suppliers, warehouses and customers. All invented; their mail addresses are in domains that are
//! reserved for examples.

use serde::Deserialize;

use super::date::day;
use super::random::Repeatable;

/// How many customers the shop has.
const CUSTOMERS: usize = 600;

/// Name, country, days from order to delivery.
pub(super) const SUPPLIERS: [(&str, &str, u64); 12] = [
    ("Arcadia Wholesale", "US", 6),
    ("Baltic Components", "EE", 12),
    ("Cascade Distribution", "US", 4),
    ("Delta Goods Rotterdam", "NL", 9),
    ("Eastgate Electronics", "TW", 28),
    ("Fennia Trading", "FI", 14),
    ("Gulfstream Import", "US", 8),
    ("Helvetia Handel", "CH", 11),
    ("Iberia Casa", "PT", 13),
    ("Jinhai Manufacturing", "CN", 35),
    ("Kansai Precision", "JP", 24),
    ("Lakeside Outfitters Supply", "CA", 7),
];

/// Code, city, country.
pub(super) const WAREHOUSES: [(&str, &str, &str); super::products::WAREHOUSES] = [
    ("RNO", "Reno", "US"),
    ("CMH", "Columbus", "US"),
    ("RTM", "Rotterdam", "NL"),
];

pub(super) struct Customer {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) joined_on: u64,
}

/// Where customers live, and how they are called there.
const COUNTRIES: &str = include_str!("people.json");

#[derive(Deserialize)]
struct Country {
    code: &'static str,
    /// How many of a hundred customers live there.
    share: u64,
    first: Vec<&'static str>,
    last: Vec<&'static str>,
    cities: Vec<&'static str>,
}

/// Every customer, in the order in which they joined, always the same.
pub(super) fn customers() -> Vec<Customer> {
    let mut random = Repeatable::new(0x5eed_0002);
    // the file is part of the program, and the tests make the shop
    let countries: Vec<Country> =
        serde_json::from_str(COUNTRIES).expect("people.json has countries");
    let shares: Vec<(&Country, u64)> = countries
        .iter()
        .map(|country| (country, country.share))
        .collect();
    let mut days: Vec<u64> = (0..CUSTOMERS)
        .map(|_| random.between(day(2023, 2, 1), day(2026, 10, 25)))
        .collect();
    days.sort_unstable();
    let mut emails = std::collections::HashSet::new();
    days.into_iter()
        .map(|joined_on| {
            let country = random.weighted(&shares);
            let (first, last) = (*random.pick(&country.first), *random.pick(&country.last));
            let local = format!("{}.{}", plain(first), plain(last));
            let domain = *random.pick(&["example.com", "example.net", "example.org"]);
            let mut email = format!("{local}@{domain}");
            let mut number = 2;
            while !emails.insert(email.clone()) {
                email = format!("{local}{number}@{domain}");
                number += 1;
            }
            let city = *random.pick(&country.cities);
            Customer {
                name: format!("{first} {last}"),
                email,
                city,
                country: country.code,
                joined_on,
            }
        })
        .collect()
}

/// A name as people write it in a mail address.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for character in name.chars() {
        match character {
            'ä' | 'å' | 'Å' => plain.push('a'),
            'é' | 'è' => plain.push('e'),
            'ı' => plain.push('i'),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            ' ' => {}
            _ => plain.push(character.to_ascii_lowercase()),
        }
    }
    plain
}
