//! A handbook in several languages, and questions about it in other words and forms than their
//! answers have: tests/fixtures/knowledge/languages.txt. Also for databases of other suites.

use mcpfn_toolkits::knowledge::StoredDocument;

const LANGUAGES: &str = include_str!("../../../../tests/fixtures/knowledge/languages.txt");

/// A document's title and text, and a question that it alone answers.
pub(crate) type Entry<'a> = [&'a str; 3];

pub(crate) fn languages() -> Vec<(&'static str, Vec<Entry<'static>>)> {
    let parts = LANGUAGES.split("# ").filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (language, lines) = part.split_once('\n').unwrap();
            let entry = |line: &'static str| -> Entry<'static> {
                let columns: Vec<&str> = line.split(" | ").collect();
                columns.try_into().expect("title | text | question")
            };
            (language, lines.lines().map(entry).collect())
        })
        .collect()
}

/// The documents of all languages; `Thai-3.md` is the third of Thai.
pub(crate) fn documents() -> Vec<StoredDocument> {
    let of = |(language, entries): (&str, Vec<Entry<'_>>)| {
        let one = |([title, text, _], at): (&Entry<'_>, usize)| {
            let content = format!("---\ntitle: {title}\n---\n{text}\n");
            StoredDocument::read(&format!("{language}-{at}.md"), &content).unwrap()
        };
        entries.iter().zip(1..).map(one).collect::<Vec<_>>()
    };
    languages().into_iter().flat_map(of).collect()
}

/// The least recall of each language, in hundredths: a little below what was measured.
pub(crate) const FLOORS: [(&str, usize); 7] = [
    ("Chinese", 92),
    ("Japanese", 92),
    ("Korean", 92),
    ("Thai", 92),
    ("German", 85),
    ("Russian", 85),
    ("Arabic", 85),
];
