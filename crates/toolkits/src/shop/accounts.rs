//! The companies that buy from the shop, what was agreed with them, and the handbook of those who
//! look after them. All invented.

use super::date::{TODAY, iso};
use super::people::Customer;
use super::random::Repeatable;

/// How many companies there are.
const ACCOUNTS: usize = 120;

const FIRST: [&str; 20] = [
    "Alder",
    "Birchfield",
    "Copperline",
    "Dunmore",
    "Elmstead",
    "Fairhaven",
    "Glenrock",
    "Harbourview",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Larkspur",
    "Millbrook",
    "Northgate",
    "Oakridge",
    "Pinecrest",
    "Quarry",
    "Redwater",
    "Silverton",
    "Thornbury",
];

/// What kind of company, and its industry.
const SECOND: [(&str, &str); 12] = [
    ("Hotels", "hospitality"),
    ("Coworking", "real estate"),
    ("Outdoor Guides", "tourism"),
    ("Studios", "media"),
    ("Coffee Roasters", "food"),
    ("Clinics", "health"),
    ("Academy", "education"),
    ("Logistics", "transport"),
    ("Architects", "construction"),
    ("Software", "technology"),
    ("Fitness Clubs", "sport"),
    ("Garden Centres", "retail"),
];

const OWNERS: [&str; 5] = [
    "Nadia Kovac",
    "Peter Lindholm",
    "Ruth Adeyemi",
    "Samuel Ortega",
    "Yuki Arai",
];

const ROLES: [&str; 5] = [
    "buyer",
    "office manager",
    "managing director",
    "finance",
    "operations",
];

const WISHES: [&str; 8] = [
    "Desks and lamps for a new floor",
    "Coffee machines for all branches",
    "Camping gear for the summer season",
    "Headphones for the support team",
    "Monitors and keyboards, yearly refresh",
    "Gifts for employees",
    "Framework agreement for supplies",
    "Bags with logo for a conference",
];

const NOTES: [(&str, &str); 12] = [
    (
        "call",
        "Asked for delivery dates; the buyer needs everything in the same week.",
    ),
    (
        "call",
        "Talked about volume discounts from fifty pieces on. They will come back with \
        numbers.",
    ),
    (
        "call",
        "Complaint about one broken item. Replacement promised, and sent the same day.",
    ),
    (
        "email",
        "Sent the new price list and the terms for framework agreements.",
    ),
    (
        "email",
        "They ask for an offer in writing, with delivery to two addresses.",
    ),
    (
        "email",
        "Reminder about the open invoice; it was paid two days later.",
    ),
    (
        "meeting",
        "Showed the samples. They liked the oak finish, and found the steel too cold.",
    ),
    (
        "meeting",
        "Quarterly review: two late deliveries, otherwise content.",
    ),
    (
        "meeting",
        "Met the new managing director, who wants fewer suppliers.",
    ),
    ("note", "Budget for the year is decided in November."),
    ("note", "Prefers to be called in the morning."),
    ("task", "Prepare an offer with three variants."),
];

pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) industry: &'static str,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) status: &'static str,
    pub(super) owner: &'static str,
    pub(super) since: u64,
    /// Indexes into the customers, with their roles.
    pub(super) contacts: Vec<(usize, &'static str)>,
    pub(super) opportunities: Vec<Opportunity>,
    pub(super) activities: Vec<Activity>,
}

pub(super) struct Opportunity {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) stage: &'static str,
    pub(super) amount_cents: u64,
    pub(super) opened_on: u64,
    pub(super) close_on: u64,
}

pub(super) struct Activity {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) note: String,
    pub(super) happened_at: String,
}

/// Every company by its number, always the same. Each works where its first contact lives.
pub(super) fn accounts(customers: &[Customer]) -> Vec<Account> {
    let mut random = Repeatable::new(0x5eed_0006);
    let mut next_opportunity = 2001;
    (0..ACCOUNTS)
        .map(|number| account(number, customers, &mut random, &mut next_opportunity))
        .collect()
}

fn account(
    number: usize,
    customers: &[Customer],
    random: &mut Repeatable,
    next_opportunity: &mut u64,
) -> Account {
    // seven has no factor in common with twelve: in each round every first name gets another second
    // one
    let (kind, industry) =
        SECOND[(number % FIRST.len() + 7 * (number / FIRST.len())) % SECOND.len()];
    let count = 1 + random.below(3) as usize;
    let contacts: Vec<(usize, &str)> = (0..count)
        .map(|place| (number * 5 + place, *random.pick(&ROLES)))
        .collect();
    let home = &customers[contacts[0].0];
    let since = random.between(home.joined_on.min(TODAY - 30), TODAY - 20);
    let status = random.weighted(&[("active", 70), ("prospect", 22), ("former", 8)]);
    let opportunities = (0..random.weighted(&[(0, 30), (1, 35), (2, 25), (3, 10)])).map(|_| {
        let id = format!("OPP-{next_opportunity}");
        *next_opportunity += 1;
        opportunity(id, since, status, random)
    });
    let opportunities = opportunities.collect();
    let mut days: Vec<u64> = (0..random.between(1, 9))
        .map(|_| random.between(since, TODAY))
        .collect();
    days.sort_unstable();
    let activities = days.into_iter().map(|day| activity(day, random)).collect();
    Account {
        id: format!("ACC-{}", 1001 + number),
        name: format!("{} {kind}", FIRST[number % FIRST.len()]),
        industry,
        city: home.city,
        country: home.country,
        status,
        owner: OWNERS[random.below(OWNERS.len() as u64) as usize],
        since,
        contacts,
        opportunities,
        activities,
    }
}

fn opportunity(id: String, since: u64, status: &str, random: &mut Repeatable) -> Opportunity {
    let stage = match status {
        "former" => "lost",
        _ => random.weighted(&[
            ("qualified", 25),
            ("proposal", 25),
            ("negotiation", 15),
            ("won", 22),
            ("lost", 13),
        ]),
    };
    let opened_on = random.between(since, TODAY - 5);
    let is_over = matches!(stage, "won" | "lost");
    Opportunity {
        id,
        title: (*random.pick(&WISHES)).to_owned(),
        stage,
        amount_cents: random.between(8, 400) * 10_000,
        opened_on,
        close_on: if is_over {
            random.between(opened_on, TODAY)
        } else {
            TODAY + random.between(3, 120)
        },
    }
}

fn activity(day: u64, random: &mut Repeatable) -> Activity {
    let (kind, note) = *random.pick(&NOTES);
    let (hour, minute) = (random.between(7, 17), random.below(12) * 5);
    Activity {
        id: random.uuid(),
        kind,
        note: note.to_owned(),
        happened_at: format!("{}T{hour:02}:{minute:02}:00Z", iso(day)),
    }
}

/// The handbook's chapters: title and text.
pub(super) const HANDBOOK: [(&str, &str); 6] = [
    (
        "Who we are",
        "We sell well-made things for home, work and outdoors: to people in our shop, \
        and to companies through account owners. Every company has exactly one owner, who answers \
        for everything we promise it.",
    ),
    (
        "How we talk to customers",
        "Answer on the same working day. Say what we know and when we \
        will know the rest. Never promise a delivery date that the warehouse has not confirmed. \
        Write down every call and meeting the same day, in two sentences: what was said, and what \
        happens next.",
    ),
    (
        "Prices and discounts",
        "List prices hold for everybody. From 50 pieces of one product the \
        owner may give up to 5 percent, from 200 pieces up to 10 percent. More needs the head of \
        sales. Discounts are never combined.",
    ),
    (
        "Stages of an opportunity",
        "Qualified: there is a need, a budget and a date. Proposal: an \
        offer is with the customer. Negotiation: they have asked for changes. Won: there is a \
        signed order. Lost: with the reason in an activity. What has not moved for 60 days is \
        called or closed.",
    ),
    (
        "Complaints and returns",
        "Believe the customer first. Broken goods are replaced at once, and \
        we collect them at our cost. Companies may return unopened goods within 30 days. Every \
        complaint becomes an activity of the kind note.",
    ),
    (
        "New customers",
        "In the first week: a call by the owner, terms and contacts on paper, a \
        credit check above 10,000 dollars. After the first delivery: ask what could have gone \
        better. After 30 days: a meeting, with a plan for the year.",
    ),
];
