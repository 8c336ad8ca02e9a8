//! `semantic_search`: passages by their words, and by their meaning where there is a model. The
//! search by words is `lexical`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::{Cx, ToolError, input, output, port::HttpClient, tool};
use mcpfn_ports::{Embedder, Rows, Sql, SqlError};

use super::hits::Hits;
use super::lexical;
use super::meaning::{Closest, closest, numbers};
use super::vector::{fused, stored};
use super::vector_row::QuestionVector;
use super::vocabulary::corrected;
use super::{Meaning, failed};
use crate::embedding::HttpEmbedder;
use crate::outage::Outage;
use crate::say::{other_columns, quoted};
use crate::words::{terms, words};

/// The most passages of one answer.
const MAX: u32 = 20;

/// The longest question, in characters.
const MAX_LENGTH: usize = 500;

/// How much of each ranking is put together.
const RANKED: usize = 50;

/// Said when there is a model and it was of no use.
const WORDS_ALONE: &str =
    "Meaning could not be compared just now; these were found by their words.";

/// Said when a store is too large for its vectors, or they are still being read.
const NOT_ALL: &str =
    "Meaning was compared of a part of the passages, and of those with the words.";

/// The longest that a question waits for its vector.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to look for.
#[input]
#[derive(Debug)]
pub struct Question {
    /// A question or a few words, e.g. "how many days of leave do new employees get?".
    #[schemars(length(min = 1, max = 500))]
    pub query: String,
    /// The most passages to return.
    #[schemars(range(min = 1, max = 20))]
    #[serde(default = "crate::usual::<5>")]
    pub k: u32,
}

/// Passages for a question.
#[output]
#[derive(Debug)]
pub struct PassageMatches {
    /// The best first.
    pub passages: Vec<FoundPassage>,
    /// `words`, or `words and meaning`.
    pub ranked_by: &'static str,
    /// What else to know about this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A part of a document.
#[output]
#[derive(Debug)]
pub struct FoundPassage {
    /// The document's id, for `knowledge://document/{id}` and `extract_clause`.
    pub document_id: String,
    /// The document's title.
    pub title: String,
    /// The file it came from.
    pub source: String,
    /// The headings right above the passage; empty before the first.
    pub section: String,
    /// Where the passage begins in the document's text, in characters.
    pub start: i64,
    /// The passage.
    pub text: String,
    /// Higher is better; compare it within one answer only.
    pub score: f64,
}

/// Search the knowledge base for the passages that answer a question, best first.
///
/// Use this when the user asks something that the organization's own documents may say: policies,
/// guides, contracts, reports. Answer from the passages and name their source. For documents by
/// type, party or date use `search_documents`, if it is there.
#[tool(
    read_only,
    idempotent,
    open_world = false,
    scope = "knowledge:read",
    title = "Search the knowledge base"
)]
pub async fn semantic_search(args: Question, cx: &Cx) -> Result<PassageMatches, ToolError> {
    if !(1..=MAX).contains(&args.k) {
        return Err(ToolError::new(format!("`k` must be from 1 to {MAX}.")));
    }
    let query = args.query.trim();
    let words = words(query);
    if words.is_empty() || query.chars().count() > MAX_LENGTH {
        return Err(ToolError::new(format!(
            "`query` must have a word to look for, and at most {MAX_LENGTH} characters."
        )));
    }
    let database = &**cx.port::<dyn Sql>()?;
    let (vector, mut note) = question_vector(query, cx).await?;
    let (rows, found, meant) = match ranked(cx, database, &words, vector.as_ref(), args.k).await {
        Ok(found) => found,
        Err(error) => return Err(failed(database, error).await),
    };
    let RankedPassages {
        best,
        compared,
        some,
        partial,
    } = found;
    if let Some(vector) = vector.filter(|_| !compared) {
        report_uncompared(cx, &vector);
        note = Some(WORDS_ALONE.to_owned());
    }
    let passages = shown(&rows, &best).ok_or_else(|| other_columns("documents"))?;
    if passages.is_empty() {
        note = Some(format!(
            "No passage matches {}. Try other or more general words.",
            quoted(query)
        ));
    } else if meant.is_some() {
        note = meant;
    } else if some && note.is_none() {
        note = Some(NOT_ALL.to_owned());
    } else if partial && note.is_none() {
        note = Some(
            "These words are in very many passages, of which some were ranked. Add a rarer word."
                .to_owned(),
        );
    }
    Ok(PassageMatches {
        passages,
        ranked_by: if compared {
            "words and meaning"
        } else {
            "words"
        },
        note,
    })
}

/// Tells the log that a question's vector could be compared with none.
fn report_uncompared(cx: &Cx, QuestionVector { model, vector }: &QuestionVector) {
    cx.report_degraded(
        "embeddings",
        &format!(
            "no passage has a vector of the model {} with {} numbers, as its service gives them: add \
             the documents again with it",
            quoted(model),
            vector.len() / 4
        ),
    );
}

/// The best passages, with their rows, and what to say where misspelt words were taken for others.
async fn ranked(
    cx: &Cx,
    database: &dyn Sql,
    words: &[String],
    vector: Option<&QuestionVector>,
    most: u32,
) -> Result<(Rows, RankedPassages, Option<String>), SqlError> {
    let mut found = best(cx, database, words, vector).await?;
    let mut meant = None;
    if found.best.is_empty()
        && let Some((sentence, words)) = corrected(database, words).await?
    {
        found = best(cx, database, &words, None).await?;
        meant = Some(sentence);
    }
    found.best.truncate(most as usize);
    Ok((load(database, &found.best).await?, found, meant))
}

/// The question's vector where there is a model, and what to say when that failed.
async fn question_vector(
    query: &str,
    cx: &Cx,
) -> Result<(Option<QuestionVector>, Option<String>), ToolError> {
    let Some(model) = model(cx, PATIENCE).await? else {
        return Ok((None, None));
    };
    match model.embed(&[query.to_owned()]).await {
        Ok(vectors) => {
            let vector = vectors.first().map(|vector| stored(vector));
            let model = model.model().to_owned();
            Ok((vector.map(|vector| QuestionVector { model, vector }), None))
        }
        Err(error) => {
            cx.report_degraded("embeddings", &error.to_string());
            let outage = Outage::from(error.fault).sentence("The embedding service", false);
            let said = format!("Found by words alone, not by meaning. {outage}");
            Ok((None, Some(said)))
        }
    }
}

/// What was found.
struct RankedPassages {
    /// Passages with their scores, the best first.
    best: Vec<(i64, f64)>,
    /// Whether meaning was compared.
    compared: bool,
    /// Whether it was compared of some passages only.
    some: bool,
    /// Whether some were left out.
    partial: bool,
}

async fn best(
    cx: &Cx,
    database: &dyn Sql,
    words: &[String],
    vector: Option<&QuestionVector>,
) -> Result<RankedPassages, SqlError> {
    let Hits { hits, partial } = lexical::search(database, &terms(words), &[]).await?;
    let by_words: Vec<(i64, f64)> = hits.iter().map(|hit| (hit.passage, hit.score)).collect();
    let words: Vec<i64> = by_words.iter().map(|(number, _)| *number).collect();
    let meaning = match vector {
        Some(question) => closest(cx, database, question, &words, RANKED).await?,
        None => None,
    };
    let compared = meaning.is_some();
    let some = meaning.as_ref().is_some_and(|meaning| meaning.some);
    let best = match meaning {
        Some(Closest { passages, .. }) => fused(&words[..words.len().min(RANKED)], &passages),
        None => by_words,
    };
    Ok(RankedPassages {
        best,
        compared,
        some,
        partial,
    })
}

/// The host's own model, or the one that is configured, which has so long for an answer.
pub(super) async fn model(
    cx: &Cx,
    patience: Duration,
) -> Result<Option<Arc<dyn Embedder>>, ToolError> {
    if let Ok(model) = cx.port::<dyn Embedder>() {
        return Ok(Some(Arc::clone(model)));
    }
    let Meaning(Some(endpoint)) = cx.state()? else {
        return Ok(None);
    };
    let Ok(endpoint) = endpoint.ready(cx).await else {
        cx.report_degraded("embeddings", "their key can't be read");
        return Ok(None);
    };
    let client = Arc::clone(cx.port::<dyn HttpClient>()?);
    let timeout = patience.min(cx.remaining() / 2);
    Ok(Some(Arc::new(HttpEmbedder::new(endpoint, client, timeout))))
}

async fn load(database: &dyn Sql, best: &[(i64, f64)]) -> Result<Rows, SqlError> {
    if best.is_empty() {
        return Ok(Rows::default());
    }
    let sql = format!(
        "SELECT p.number, d.id, d.title, d.source, p.section, p.starts, p.text FROM passages AS p \
         JOIN documents AS d ON d.number = p.document WHERE p.number IN ({})",
        numbers(best.iter().map(|(number, _)| *number))
    );
    database.query(&sql, &[], best.len()).await
}

fn shown(rows: &Rows, best: &[(i64, f64)]) -> Option<Vec<FoundPassage>> {
    let scores: HashMap<i64, f64> = best.iter().copied().collect();
    let mut passages = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let [number, id, title, source, section, starts, text] = row.as_slice() else {
            return None;
        };
        let score = scores.get(&number.as_i64()?)?;
        passages.push(FoundPassage {
            document_id: id.as_str()?.to_owned(),
            title: title.as_str()?.to_owned(),
            source: source.as_str()?.to_owned(),
            section: section.as_str()?.to_owned(),
            start: starts.as_i64()?,
            text: text.as_str()?.to_owned(),
            score: (score * 10_000.0).round() / 10_000.0,
        });
    }
    passages.sort_by(|one, other| other.score.total_cmp(&one.score));
    Some(passages)
}
