//! How often the right document is among the first five, by language: questions in other words and
//! forms than their answers have, over the same handbook in each language.

use serde_json::json;

use crate::host::Client;
use crate::questions::{FLOORS, documents, languages};
use crate::store::store;

#[tokio::test]
async fn questions_find_their_answers_in_every_language() {
    let languages = languages();
    let client = Client::new(&store(&documents(), None).await, None);
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
