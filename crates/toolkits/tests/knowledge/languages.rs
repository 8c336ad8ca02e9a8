//! How often the right document is among the first five, by language: questions in other words and
//! forms than their answers have, over the same handbook in each language. What a search has to
//! know of a language is in tests/fixtures/knowledge/languages.txt.

use mcpfn_toolkits::knowledge::StoredDocument;
use serde_json::json;

use crate::host::Client;
use crate::store::store;

const LANGUAGES: &str = include_str!("../../../../tests/fixtures/knowledge/languages.txt");

/// A document's title and text, and a question that it alone answers.
type Entry<'a> = [&'a str; 3];

fn languages() -> Vec<(&'static str, Vec<Entry<'static>>)> {
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

/// The least recall of each language, in hundredths: a little below what was measured.
const FLOORS: [(&str, usize); 7] = [
    ("Chinese", 92),
    ("Japanese", 92),
    ("Korean", 92),
    ("Thai", 92),
    ("German", 85),
    ("Russian", 85),
    ("Arabic", 85),
];

#[tokio::test]
async fn questions_find_their_answers_in_every_language() {
    let languages = languages();
    let documents: Vec<StoredDocument> = languages
        .iter()
        .flat_map(|(language, entries)| {
            entries.iter().zip(1..).map(move |([title, text, _], at)| {
                let content = format!("---\ntitle: {title}\n---\n{text}\n");
                StoredDocument::read(&format!("{language}-{at}.md"), &content).unwrap()
            })
        })
        .collect();
    let client = Client::new(&store(&documents, None).await, None);
    let mut low = Vec::new();
    println!("| language | recall@5 | first |\n|---|---|---|");
    for ((language, entries), (named, floor)) in languages.iter().zip(FLOORS) {
        assert_eq!(*language, named);
        let (mut among, mut first) = (0, 0);
        for ([_, _, question], at) in entries.iter().zip(1..) {
            let wanted = json!(format!("{}-{at}", language.to_lowercase()));
            let answer = client
                .call("semantic_search", json!({"query": question}))
                .await
                .unwrap();
            let passages = answer["passages"].as_array().unwrap();
            let place = passages
                .iter()
                .position(|passage| passage["document_id"] == wanted);
            if place.is_none() {
                println!("missed: {question}");
            }
            among += usize::from(place.is_some());
            first += usize::from(place == Some(0));
        }
        let all = entries.len();
        println!("| {language} | {among} of {all} | {first} |");
        if among * 100 < floor * all {
            low.push(format!("{language}: {among} of {all}"));
        }
    }
    assert_eq!(low, Vec::<String>::new());
}
