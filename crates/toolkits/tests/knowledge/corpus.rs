//! Documents for the tests: a small handbook with questions about it in other words, and any number
//! of generated contracts.

use mcpfn_toolkits::knowledge::StoredDocument;

/// A document's name and text, and a question that it alone answers.
pub(crate) const HANDBOOK: [(&str, &str, &str); 32] = [
    (
        "annual-leave",
        "Every employee has 28 days of paid annual leave. Up to five unused days carry over until \
         March.",
        "How many vacation days can I carry over to next year?",
    ),
    (
        "sick-leave",
        "Tell your manager before nine if you are ill. From the fourth day a doctor's certificate \
         is needed.",
        "When do I need a certificate from a doctor?",
    ),
    (
        "parental-leave",
        "Parents get sixteen weeks at full pay after a birth or an adoption.",
        "What do new parents get after a birth?",
    ),
    (
        "remote-work",
        "You may work from home three days a week. Working from abroad needs approval of the tax \
         team.",
        "Can I work from another country, abroad?",
    ),
    (
        "travel-booking",
        "Book trains and flights through the agency. Economy class for flights under six hours.",
        "Which class may I fly on a short flight?",
    ),
    (
        "expenses",
        "Submit receipts within thirty days. Meals are reimbursed up to 45 euros a day.",
        "How much is reimbursed for food and meals?",
    ),
    (
        "laptops",
        "Laptops are replaced every four years. Report a stolen device to the help desk within an \
         hour.",
        "My computer was stolen, whom do I tell?",
    ),
    (
        "passwords",
        "Passwords have at least fourteen characters and are kept in the password manager.",
        "How long must my password be?",
    ),
    (
        "phishing",
        "Forward suspicious mail to the security desk and delete it. Never open its attachments.",
        "What to do with a suspicious email?",
    ),
    (
        "vpn",
        "The tunnel to the office network starts by itself. Reconnect after the device was asleep.",
        "The network tunnel to the office does not reconnect",
    ),
    (
        "backups",
        "Databases are copied every night and kept for 35 days. A restore takes about two hours.",
        "How quickly can we restore a database?",
    ),
    (
        "incidents",
        "The engineer on call answers a page in fifteen minutes and writes a review within a week.",
        "How fast must on-call engineers respond to a page?",
    ),
    (
        "deployments",
        "Releases go out from Monday to Thursday. Roll back first, investigate afterwards.",
        "May we release on Fridays, or roll back?",
    ),
    (
        "code-review",
        "Two people approve a change to payments; one is enough elsewhere.",
        "How many approvals does a payments change need?",
    ),
    (
        "licences",
        "Libraries under the GPL are not linked into products. Ask legal about others.",
        "Is it allowed to use GPL libraries?",
    ),
    (
        "retention",
        "Invoices are kept for ten years, applications for six months.",
        "For how long are invoices stored?",
    ),
    (
        "privacy",
        "A person who asks for their data gets it within one month. The officer for privacy \
         answers.",
        "A customer requests their personal data",
    ),
    (
        "refunds",
        "Goods come back within 60 days; money is returned to the card within five days.",
        "When does a customer see money returned on the card?",
    ),
    (
        "warranty",
        "Electric goods have a guarantee of two years, batteries of six months.",
        "Guarantee period for batteries",
    ),
    (
        "shipping",
        "Orders before two o'clock leave the same day. Islands take three days longer.",
        "Delivery of orders to islands",
    ),
    (
        "complaints",
        "Answer an angry customer within four hours, apologise once, offer a solution.",
        "How to treat angry customers",
    ),
    (
        "discounts",
        "Sales may give ten percent; more needs the signature of the head of sales.",
        "Who signs off a discount above ten percent?",
    ),
    (
        "onboarding",
        "New colleagues get a mentor, a laptop and a plan for their first thirty days.",
        "Does a new colleague have a mentor?",
    ),
    (
        "training",
        "There are 1,500 euros a year for courses and conferences.",
        "What is the budget for conferences and courses?",
    ),
    (
        "reviews",
        "Performance is discussed in April and October. Raises take effect in May.",
        "When do salary raises take effect?",
    ),
    (
        "referrals",
        "Who recommends a candidate that stays six months gets a bonus of 2,000 euros.",
        "Bonus for recommending a candidate",
    ),
    (
        "fire",
        "Leave by the stairs and gather at the car park. Floor wardens wear yellow vests.",
        "Where do we gather after a fire alarm?",
    ),
    (
        "visitors",
        "Guests sign in at reception and wear a badge. They are never left alone in the lab.",
        "Rules for guests in the laboratory and the lab",
    ),
    (
        "parking",
        "Bicycles stand in the cellar. Spaces for cars are drawn by lot each quarter.",
        "Where can I put my bicycle?",
    ),
    (
        "canteen",
        "Lunch is served from half past eleven. Allergens are marked on the menu.",
        "Are allergens shown at lunch?",
    ),
    (
        "gifts",
        "Presents from suppliers above 40 euros are refused or given to the raffle.",
        "May I accept a present from a supplier?",
    ),
    (
        "whistleblowing",
        "Wrongdoing can be reported without a name to an outside lawyer.",
        "How can I report wrongdoing anonymously?",
    ),
];

pub(crate) fn handbook() -> Vec<StoredDocument> {
    let read = |(name, text, _): &(&str, &str, &str)| {
        StoredDocument::read(&format!("{name}.md"), &format!("# {name}\n\n{text}\n")).unwrap()
    };
    HANDBOOK.iter().map(read).collect()
}

pub(crate) const AGREEMENT: &str = "---\ntitle: Services Agreement\ntype: MSA\nparty: Acme Café \
    GmbH\ndate: 2025-04-01\n---\n# Services Agreement\n\nBetween Überall AG and Acme.\n\n## 1. \
    Definitions\n\n“Fees” are what is paid.\n\n## 2. Term and Termination\n\n2.1 Term\nThe term is \
    two years.\n\n2.2 Termination for Convenience\nEither party may end it with 90 days' \
    notice.\n\n2.3 Termination for Cause\nAt once after a breach.\n\n## 3. Limitation of \
    Liability\n\nThe cap is the fees of twelve months.\n\n## 4. Governing Law\n\nThe law of \
    Ireland.\n";

const SUBJECTS: [&str; 24] = [
    "delivery",
    "payment",
    "confidentiality",
    "insurance",
    "maintenance",
    "inspection",
    "warranty",
    "liability",
    "renewal",
    "audit",
    "storage",
    "transport",
    "training",
    "licence",
    "royalty",
    "escrow",
    "indemnity",
    "arbitration",
    "assignment",
    "quality",
    "safety",
    "packaging",
    "customs",
    "tax",
];

const VERBS: [&str; 8] = [
    "provides", "confirms", "reviews", "limits", "governs", "extends", "suspends", "measures",
];

/// The contract of a number: about five sections, common words of law and rare words of its own.
pub(crate) fn contract(number: u64) -> StoredDocument {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let syllables = [
        "ba", "cor", "den", "fil", "gor", "hem", "jul", "kan", "lor", "mir", "nos", "pel", "qua",
        "rus", "sed", "tam", "vor", "wex", "yol", "zan",
    ];
    let rare = |next: &mut dyn FnMut(usize) -> usize| {
        (0..3).map(|_| syllables[next(20)]).collect::<String>()
    };
    let kind = ["nda", "lease", "msa", "purchase", "licence"][next(5)];
    let party = format!("{} {}", rare(&mut next), ["GmbH", "Ltd", "Inc"][next(3)]);
    let date = format!(
        "20{}-{:02}-{:02}",
        10 + next(16),
        1 + next(12),
        1 + next(28)
    );
    let mut text = format!(
        "---\ntitle: Agreement {number}\ntype: {kind}\nparty: {party}\ndate: {date}\n---\n# \
         Agreement {number} with {party}\n"
    );
    for section in 1..=4 + next(3) {
        let subject = SUBJECTS[next(24)];
        text.push_str(&format!("\n## {section}. {subject}\n\n"));
        for _ in 0..3 {
            let (verb, other) = (VERBS[next(8)], SUBJECTS[next(24)]);
            text.push_str(&format!(
                "The party {verb} the {subject} and {other} of {} within {} days. ",
                rare(&mut next),
                5 + next(90)
            ));
        }
        text.push('\n');
    }
    StoredDocument::read(&format!("contract-{number}.md"), &text).unwrap()
}
