//! Suppliers, warehouses and customers. All invented; their mail addresses are in domains that are
//! reserved for examples.

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

struct Country {
    code: &'static str,
    share: u64,
    first: &'static [&'static str],
    last: &'static [&'static str],
    cities: &'static [&'static str],
}

#[rustfmt::skip]
const COUNTRIES: [Country; 8] = [
    Country { code: "US", share: 42,
        first: &["Olivia", "James", "Maya", "Ethan", "Sophia", "Marcus", "Grace", "Daniel", "Aaliyah", "Tyler", "Hannah", "Luis", "Priya", "Kevin", "Naomi", "Jordan"],
        last: &["Johnson", "Nguyen", "Garcia", "Miller", "Patel", "Washington", "Kim", "Brooks", "Rivera", "Sullivan", "Chen", "Foster", "Hughes", "Ortiz", "Bennett", "Cole"],
        cities: &["Portland", "Austin", "Denver", "Chicago", "Atlanta", "Boston", "Seattle", "Phoenix", "Columbus", "Raleigh"] },
    Country { code: "CA", share: 10,
        first: &["Liam", "Charlotte", "Noah", "Chloé", "Gabriel", "Amara", "Owen", "Simone"],
        last: &["Tremblay", "MacDonald", "Singh", "Roy", "Campbell", "Gagnon", "Wong", "Fraser"],
        cities: &["Toronto", "Montréal", "Vancouver", "Halifax", "Calgary"] },
    Country { code: "GB", share: 12,
        first: &["Amelia", "Harry", "Isla", "Oliver", "Zara", "Callum", "Freya", "Rhys"],
        last: &["Smith", "Khan", "Evans", "Murray", "Taylor", "Okafor", "Wright", "Davies"],
        cities: &["London", "Manchester", "Bristol", "Glasgow", "Leeds", "Cardiff"] },
    Country { code: "DE", share: 12,
        first: &["Lena", "Jonas", "Mia", "Felix", "Aylin", "Maximilian", "Jana", "Björn"],
        last: &["Müller", "Schneider", "Yılmaz", "Fischer", "Weber", "Hoffmann", "Krüger", "Brandt"],
        cities: &["Berlin", "Hamburg", "Köln", "München", "Leipzig"] },
    Country { code: "FR", share: 8,
        first: &["Camille", "Hugo", "Inès", "Lucas", "Manon", "Théo"],
        last: &["Martin", "Bernard", "Lefèvre", "Moreau", "Benali", "Girard"],
        cities: &["Paris", "Lyon", "Nantes", "Lille", "Toulouse"] },
    Country { code: "NL", share: 6,
        first: &["Sanne", "Daan", "Femke", "Bram", "Lotte", "Ruben"],
        last: &["de Vries", "Jansen", "Bakker", "Visser", "El Amrani", "Smit"],
        cities: &["Amsterdam", "Utrecht", "Rotterdam", "Groningen"] },
    Country { code: "SE", share: 5,
        first: &["Astrid", "Erik", "Linnéa", "Oskar", "Maja", "Nils"],
        last: &["Andersson", "Lindqvist", "Åberg", "Nilsson", "Haddad", "Sjöberg"],
        cities: &["Stockholm", "Göteborg", "Malmö", "Uppsala"] },
    Country { code: "JP", share: 5,
        first: &["Haruka", "Kenji", "Yui", "Sota", "Aoi", "Ren"],
        last: &["Sato", "Tanaka", "Suzuki", "Kobayashi", "Ito", "Mori"],
        cities: &["Tokyo", "Osaka", "Nagoya", "Sapporo"] },
];

/// Every customer, in the order in which they joined, always the same.
pub(super) fn customers() -> Vec<Customer> {
    let mut random = Repeatable::new(0x5eed_0002);
    let shares: Vec<(&Country, u64)> = COUNTRIES
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
            let (first, last) = (*random.pick(country.first), *random.pick(country.last));
            let local = format!("{}.{}", plain(first), plain(last));
            let domain = *random.pick(&["example.com", "example.net", "example.org"]);
            let mut email = format!("{local}@{domain}");
            let mut number = 2;
            while !emails.insert(email.clone()) {
                email = format!("{local}{number}@{domain}");
                number += 1;
            }
            let city = *random.pick(country.cities);
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
