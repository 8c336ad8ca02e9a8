//! What a search by words finds: passages with a score, the best first.

use mcpfn_ports::SqlValue;

/// The most passages that one statement ranks.
pub(super) const MAX_RANKED: i64 = 2000;

/// A passage that has words of a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RankedPassage {
    pub(crate) passage: i64,
    pub(crate) document: i64,
    /// Higher is better; only to be compared within one search.
    pub(crate) score: f64,
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// The best first.
    pub(crate) hits: Vec<RankedPassage>,
    /// Every word is in so many passages that not all of them were looked at.
    pub(crate) partial: bool,
}

/// A condition on the table `documents AS d`, with `?` in the place of its value.
pub(crate) type IndexFilter = (String, SqlValue);

/// A row's passage, document and score.
pub(super) fn hit(row: &[SqlValue]) -> Option<RankedPassage> {
    let [passage, document, score, ..] = row else {
        return None;
    };
    Some(RankedPassage {
        passage: passage.as_i64()?,
        document: document.as_i64()?,
        score: score.as_f64()?,
    })
}

pub(super) fn best_first(hits: &mut [RankedPassage]) {
    hits.sort_by(|one, other| {
        other
            .score
            .total_cmp(&one.score)
            .then(one.passage.cmp(&other.passage))
    });
}
