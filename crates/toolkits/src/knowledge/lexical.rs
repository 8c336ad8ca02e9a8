//! Passages by their words, on FTS5 and on PostgreSQL's text search. However common the words and
//! however large the store, only so many passages are ranked. Common words behind a filter that few
//! documents pass are `narrow`.

use std::collections::HashSet;

use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use super::hits::{Hits, IndexFilter, MAX_RANKED, RankedPassage, best_first, hit};
use super::match_query::{query, rank, term, tsquery, weight};
use super::narrow::{self, FewDocuments};
use crate::analysis::Term;

/// The most common words that count where a rare word is.
const MAX_BESIDE: usize = 2;

/// The most common words that count behind a filter that few of all documents pass, but too many to
/// look at each.
const MAX_BEHIND: usize = 4;

/// The same without a filter, behind a wide one, and on PostgreSQL.
const MAX_TOGETHER: usize = 6;

/// With so many passages from headings, the rest of a common word's are not looked at.
const ENOUGH: usize = 20;

/// Passages with any of the words. A word counts most in a heading, then in the title; a rare word
/// counts more than a common one, and common ones count only beside rare ones. When all are common,
/// headings with all of them go first, then passages with all of them.
pub(crate) async fn search(
    database: &dyn Sql,
    words: &[Term],
    filters: &[IndexFilter],
) -> Result<Hits, SqlError> {
    if words.is_empty() {
        return Ok(Hits::default());
    }
    let Counted { words, passages } = count(database, words).await?;
    let mut search = LexicalSearch {
        database,
        dialect: database.dialect(),
        filters,
        few: None,
    };
    let mut left = MAX_RANKED;
    let rare = words.iter().take_while(|(count, _)| {
        left -= count;
        left >= 0
    });
    match (rare.count(), words.len()) {
        (_, 0) => Ok(Hits::default()),
        (0, _) => {
            if search.dialect != Dialect::Postgres && !filters.is_empty() {
                search.few = narrow::documents(database, filters).await?;
            }
            match &search.few {
                Some(few) if few.are_one_by_one(words.len()) => {
                    let words: Vec<(String, f64)> = words
                        .iter()
                        .map(|(count, word)| (term(search.dialect, word), weight(*count, passages)))
                        .collect();
                    narrow::ranked(database, few, &words).await
                }
                few => {
                    // each word costs a look at all that the index has of it
                    let most = if few.is_some() {
                        MAX_BEHIND
                    } else {
                        MAX_TOGETHER
                    };
                    search.common(&words[..words.len().min(most)]).await
                }
            }
        }
        (rare, all) => {
            let hits = search
                .rare(&words[..all.min(rare + MAX_BESIDE)], rare, passages)
                .await?;
            Ok(Hits {
                hits,
                partial: false,
            })
        }
    }
}

/// What a database has of a question.
struct Counted<'a> {
    /// The words that are there at all and in how many passages, the rarest first; counting ends
    /// above the bound.
    words: Vec<(i64, &'a Term)>,
    /// All passages, roughly.
    passages: i64,
}

async fn count<'a>(database: &dyn Sql, words: &'a [Term]) -> Result<Counted<'a>, SqlError> {
    let dialect = database.dialect();
    let bound = MAX_RANKED + 1;
    let counts: Vec<String> = (1..=words.len())
        .map(|n| match dialect {
            Dialect::Postgres => {
                format!(
                    "(SELECT count(*) FROM (SELECT 1 FROM passages WHERE search @@ {} LIMIT \
                    {bound}) AS counted)",
                    tsquery(n)
                )
            }
            _ => format!(
                "(SELECT count(*) FROM (SELECT 1 FROM passage_search WHERE passage_search \
                MATCH ?{n} LIMIT {bound}))"
            ),
        })
        .collect();
    let parameters: Vec<SqlValue> = words
        .iter()
        .map(|word| term(dialect, word).into())
        .collect();
    let sql = format!(
        "SELECT coalesce(max(number), 0), {} FROM passages",
        counts.join(", ")
    );
    let rows = database.query(&sql, &parameters, 1).await?;
    let mut numbers = rows
        .rows
        .first()
        .into_iter()
        .flatten()
        .map(|value| value.as_i64().unwrap_or(0));
    let passages = numbers.next().unwrap_or(0);
    let mut words: Vec<(i64, &Term)> = numbers.zip(words).filter(|(count, _)| *count > 0).collect();
    words.sort_by_key(|(count, _)| *count);
    Ok(Counted { words, passages })
}

struct LexicalSearch<'a> {
    database: &'a dyn Sql,
    dialect: Dialect,
    filters: &'a [IndexFilter],
    /// The documents that pass, where they are known and few.
    few: Option<FewDocuments>,
}

impl LexicalSearch<'_> {
    /// Passages with any of the first `rare` words, which are in few passages together. The words
    /// after these are common ones.
    async fn rare(
        &self,
        words: &[(i64, &Term)],
        rare: usize,
        passages: i64,
    ) -> Result<Vec<RankedPassage>, SqlError> {
        if self.dialect != Dialect::Postgres {
            let any = |words: &[(i64, &Term)]| query(self.dialect, words, false);
            let (few, many) = words.split_at(rare);
            let found = any(few);
            // finds what `found` does; what a common word adds is a place in the ranking
            let query = if many.is_empty() {
                found
            } else {
                format!("({found}) OR (({found}) AND ({}))", any(many))
            };
            return self.ranked(&query).await;
        }
        // PostgreSQL's rank does not know how rare a word is, so each has a rank of its own and a
        // weight
        let ranks: Vec<(String, String)> = words
            .iter()
            .zip(1..)
            .map(|((count, _), at)| {
                let weight = weight(*count, passages);
                let query = tsquery(at);
                (format!("{weight:.4} * {}", rank("search", &query)), query)
            })
            .collect();
        let (few, many) = ranks.split_at(rare);
        let few: Vec<String> = few
            .iter()
            .map(|(rank, query)| {
                format!("SELECT number, {rank} AS score FROM passages WHERE search @@ {query}")
            })
            .collect();
        let many: String = many.iter().map(|(rank, _)| format!(" + {rank}")).collect();
        let sql = format!(
            "SELECT p.number, p.document, sum(one.score){many} FROM ({}) AS one JOIN passages AS p ON p.number = one.number \
             JOIN documents AS d ON d.number = p.document WHERE TRUE {} GROUP BY p.number",
            few.join(" UNION ALL "),
            self.conditions(words.len())
        );
        let words = words
            .iter()
            .map(|(_, word)| SqlValue::from(term(self.dialect, word)));
        self.hits(&sql, words.collect()).await
    }

    /// Passages for words of which each is in many: what a heading has, else what has all, else
    /// what has any.
    async fn common(&self, words: &[(i64, &Term)]) -> Result<Hits, SqlError> {
        let all = query(self.dialect, words, true);
        let mut queries = Vec::new();
        // PostgreSQL's index does not know headings, and behind a narrow filter each query reads
        // all that the index has of a word
        if self.dialect != Dialect::Postgres && self.filters.is_empty() {
            queries.push((format!("{{title section}} : ({all})"), ENOUGH));
        }
        queries.push((all, 1));
        if words.len() > 1 {
            queries.push((query(self.dialect, words, false), 1));
        }
        let mut found = Hits::default();
        let mut known = HashSet::new();
        for (query, enough) in queries {
            let more = self.ranked(&query).await?;
            found.partial |= more.len() as i64 == MAX_RANKED;
            // what was found first stays first
            let ceiling = found.hits.last().map_or(f64::MAX, |hit| hit.score);
            let new = more.into_iter().filter(|hit| known.insert(hit.passage));
            found.hits.extend(new.map(|hit| RankedPassage {
                score: hit.score.min(ceiling),
                ..hit
            }));
            if found.hits.len() >= enough {
                break;
            }
        }
        Ok(found)
    }

    /// The passages of one query, the best first; not all of them when there are more than the
    /// bound.
    async fn ranked(&self, query: &str) -> Result<Vec<RankedPassage>, SqlError> {
        let from = match self.dialect {
            Dialect::Postgres => {
                let query = tsquery(1);
                let rank = rank("p.search", &query);
                format!("{rank} FROM passages AS p JOIN documents AS d ON d.number = p.document \
                    WHERE p.search @@ {query}")
            }
            // from the index to the tables: the other way would ask the index once a document
            _ => "-passage_search.rank FROM passage_search CROSS JOIN passages AS p ON p.number = passage_search.rowid CROSS JOIN \
                  documents AS d ON d.number = p.document WHERE passage_search MATCH ?1 AND passage_search.rank MATCH 'bm25(2.0, 3.0, 1.0)'"
                .to_owned(),
        };
        if let Some(few) = &self.few {
            // one look at a list a passage that has the words, instead of two at tables
            let sql = format!(
                "SELECT p.number, p.document, {from} AND +passage_search.rowid IN ({}) LIMIT \
                 {MAX_RANKED}",
                few.passages()
            );
            return hits(self.database, &sql, &[query.into()]).await;
        }
        let sql = format!(
            "SELECT p.number, p.document, {from} {} LIMIT {MAX_RANKED}",
            self.conditions(1)
        );
        self.hits(&sql, vec![query.into()]).await
    }

    /// The filters after so many other parameters.
    fn conditions(&self, parameters: usize) -> String {
        let one = |(at, (sql, _)): (usize, &IndexFilter)| {
            format!(
                "AND {}",
                sql.replace('?', &format!("?{}", parameters + at + 1))
            )
        };
        self.filters
            .iter()
            .enumerate()
            .map(one)
            .collect::<Vec<_>>()
            .join(" ")
    }

    async fn hits(
        &self,
        sql: &str,
        mut parameters: Vec<SqlValue>,
    ) -> Result<Vec<RankedPassage>, SqlError> {
        parameters.extend(self.filters.iter().map(|(_, value)| value.clone()));
        hits(self.database, sql, &parameters).await
    }
}

async fn hits(
    database: &dyn Sql,
    sql: &str,
    parameters: &[SqlValue],
) -> Result<Vec<RankedPassage>, SqlError> {
    let rows = database.query(sql, parameters, MAX_RANKED as usize).await?;
    let mut hits: Vec<RankedPassage> = rows.rows.iter().filter_map(|row| hit(row)).collect();
    best_first(&mut hits);
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::super::match_query::ACCENTS;
    use super::*;
    use crate::analysis::asked;

    #[test]
    fn accents_have_their_letters() {
        assert_eq!(ACCENTS[0].chars().count(), ACCENTS[1].len());
        assert!(ACCENTS[1].is_ascii());
    }

    #[test]
    fn words_become_queries_of_each_dialect() {
        let [payment, delivery] = ["payment", "delivery"].map(|word| asked(word).remove(0));
        let words = [(9, &payment), (9, &delivery)];
        assert_eq!(
            query(Dialect::Sqlite, &words, false),
            r#""payment" OR "delivery""#
        );
        assert_eq!(
            query(Dialect::Postgres, &words, true),
            "'payment' & 'delivery'"
        );
    }
}
