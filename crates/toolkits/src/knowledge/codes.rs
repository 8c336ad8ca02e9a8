//! One bit for each number of each vector, kept in memory: which passages may be close is seen in
//! milliseconds among hundreds of thousands, and their vectors then decide. A thirty-second part of
//! the vectors' size, so they need not be read for every question.
//!
//! Vectors of a model lie around a point that is not zero, so a bit says on which side of the first
//! vectors' mean a number is. What was added is read before each question; numbers of passages only
//! grow, so this asks for those behind the last ones. Where one of these is gone, or has another
//! vector, all are read anew, and the old codes answer until that is done. Passages that are gone
//! are found in no row, and so in no answer; many of them are taken out.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::Cx;
use mcpfn_ports::{Dialect, Sql, SqlError, SqlValue};

use super::vector::numbers_of;
use super::vector_row::{QuestionVector, numbered};
use crate::fnv::fnv;

/// The most bytes of codes: 1,200,000 passages of 384 numbers, 330,000 of 1,536.
#[cfg(not(target_arch = "wasm32"))]
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// An isolate of Workers has 128 MB, lives shortly, and pays for each row: it reads none.
#[cfg(target_arch = "wasm32")]
const MAX_BYTES: usize = 0;

/// What a question leaves for its answer: reading vectors ends before that, and goes on with the
/// next question.
const LEFT: Duration = Duration::from_millis(2000);

/// Of how many vectors the mean is taken.
const MEAN_OF: usize = 4096;

/// By so many of the last passages a change is noticed: SQLite gives a number again whose passage
/// was the last and is gone, so a document's passages can come back under their old numbers.
const TAIL: usize = 64;

/// So many candidates without a passage are taken out of the codes.
const GONE: usize = 100;

/// The codes of a server's passages.
#[derive(Default)]
pub(super) struct Codes {
    kept: Mutex<Option<Arc<ModelCodes>>>,
    /// Whether a question is reading vectors: others take what is there.
    reading: AtomicBool,
}

/// Codes of one model.
#[derive(Clone, Default)]
struct ModelCodes {
    model: String,
    /// Bytes of a vector.
    length: usize,
    mean: Vec<f32>,
    /// Passages in their order.
    numbers: Vec<i64>,
    /// For each passage so many words as its vector needs.
    bits: Vec<u64>,
    /// The last passages, with fingerprints of their vectors.
    tail: VecDeque<(i64, u64)>,
    /// How many these are at most.
    tail_length: usize,
    /// Whether all passages are here.
    whole: bool,
    /// What was known before all are read anew; nothing once they are.
    before: Option<Arc<Self>>,
}

impl Codes {
    /// Numbers of the passages that may be closest, in no order, and whether others may be closer.
    pub(super) async fn candidates(
        &self,
        cx: &Cx,
        database: &dyn Sql,
        question: &QuestionVector,
        page: usize,
        most: usize,
    ) -> Result<(Vec<i64>, bool), SqlError> {
        if MAX_BYTES == 0 {
            return Ok((Vec::new(), true));
        }
        let known = self.known();
        let kept = match self.reading.swap(true, Ordering::Acquire) {
            true => known,
            false => {
                let _reading = ReadingMark(&self.reading);
                let kept = read(cx, database, question, page, known).await?;
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&kept));
                Some(kept)
            }
        };
        let fits = |kept: &Arc<ModelCodes>| {
            kept.model == question.model && kept.length == question.vector.len()
        };
        Ok(match kept.filter(fits) {
            Some(kept) => (kept.candidates(&question.vector, most), !kept.whole),
            None => (Vec::new(), true),
        })
    }

    /// Takes note of what candidates turned out to be: those that are gone, and those whose vector
    /// is another than the one that was read.
    pub(super) fn learn(&self, candidates: &[i64], rows: &[Vec<SqlValue>]) {
        let Some(kept) = self.known() else {
            return;
        };
        let found: HashMap<i64, &[u8]> = rows.iter().filter_map(|row| numbered(row)).collect();
        let other = |number: &&i64| {
            let vector = found.get(*number);
            vector.is_some_and(|vector| kept.differs(**number, vector))
        };
        let gone = |number: &&i64| !found.contains_key(*number);
        let learnt = if candidates.iter().any(|number| other(&number)) {
            ModelCodes::anew(&kept)
        } else if candidates.iter().filter(gone).count() >= GONE {
            kept.without(|number| candidates.contains(&number) && !found.contains_key(&number))
        } else {
            return;
        };
        let mut now = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // what another question has read meanwhile is newer
        if now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &kept)) {
            *now = Some(Arc::new(learnt));
        }
    }

    fn known(&self) -> Option<Arc<ModelCodes>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }
}

/// Says that nobody reads any more, also where a question was given up.
struct ReadingMark<'a>(&'a AtomicBool);

impl Drop for ReadingMark<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The codes with what was added since they were read, as far as there is time and room. The length
/// as a condition would make PostgreSQL sort all passages for each page.
async fn read(
    cx: &Cx,
    database: &dyn Sql,
    question: &QuestionVector,
    page: usize,
    known: Option<Arc<ModelCodes>>,
) -> Result<Arc<ModelCodes>, SqlError> {
    let QuestionVector { model, vector } = question;
    // only SQLite gives numbers again; elsewhere each row comes over a network
    let tail = match database.dialect() {
        Dialect::Postgres => 1,
        _ => TAIL.min(page / 2).max(1),
    };
    let mut kept = known
        .filter(|kept| kept.model == *model && kept.length == vector.len())
        .unwrap_or_else(|| Arc::new(ModelCodes::new(model, vector.len(), tail)));
    let room = MAX_BYTES / (vector.len() / 32 + 16);
    let sql = format!(
        "SELECT number, CASE WHEN octet_length(vector) = {} THEN vector END FROM passages WHERE \
         model = ?1 AND number >= ?2 ORDER BY number LIMIT ?3",
        vector.len()
    );
    let mut behind: Option<i64> = None;
    loop {
        let tail = kept.tail.front().map(|(number, _)| *number);
        let from = behind.map(|number| number.saturating_add(1)).or(tail);
        let known = behind.is_none() && (kept.whole || kept.numbers.len() >= room);
        let limit = if known { page.clamp(2, 64) } else { page };
        let limit = limit.max(kept.tail.len() + 1);
        let parameters = [
            SqlValue::from(model.as_str()),
            from.unwrap_or(i64::MIN).into(),
            (limit as i64).into(),
        ];
        let found = database.query(&sql, &parameters, limit).await?.rows;
        let full = found.len() == limit;
        let last = found.last().and_then(|row| row.first()?.as_i64());
        let rows: Vec<(i64, &[u8])> = found.iter().filter_map(|row| numbered(row)).collect();
        let new = match behind {
            Some(_) => Some(&rows[..]),
            None => kept.behind_tail(&rows),
        };
        let Some(new) = new else {
            kept = Arc::new(ModelCodes::anew(&kept));
            continue;
        };
        behind = last;
        let fits = room.saturating_sub(kept.numbers.len()).min(new.len());
        let whole = !full && fits == new.len();
        if !new.is_empty() || kept.whole != whole {
            let kept = Arc::make_mut(&mut kept);
            kept.add(&new[..fits]);
            kept.whole = whole;
            kept.before = kept.before.take().filter(|_| !whole);
        }
        if !full || fits < new.len() || cx.remaining() < LEFT {
            return Ok(kept);
        }
    }
}

impl ModelCodes {
    fn new(model: &str, length: usize, tail_length: usize) -> Self {
        Self {
            model: model.to_owned(),
            length,
            tail_length,
            ..Self::default()
        }
    }

    /// None of the same model, until all are read.
    fn anew(kept: &Arc<Self>) -> Self {
        // of two attempts the one that got further answers
        let before = match &kept.before {
            Some(before) if before.numbers.len() > kept.numbers.len() => Arc::clone(before),
            _ => Arc::new(Self {
                before: None,
                ..Self::clone(kept)
            }),
        };
        Self {
            before: Some(before),
            ..Self::new(&kept.model, kept.length, kept.tail_length)
        }
    }

    /// Words of a code.
    fn words(&self) -> usize {
        (self.length / 4).div_ceil(64).max(1)
    }

    /// What comes behind the last passages, if these begin the rows as they were read.
    fn behind_tail<'a, 'b>(&self, rows: &'b [(i64, &'a [u8])]) -> Option<&'b [(i64, &'a [u8])]> {
        let (begun, new) = rows.split_at_checked(self.tail.len())?;
        let is_same = |(one, kept): (&(i64, &[u8]), &(i64, u64))| {
            one.0 == kept.0 && fnv(one.1.iter().copied()) == kept.1
        };
        begun.iter().zip(&self.tail).all(is_same).then_some(new)
    }

    /// Whether a passage has another code than this vector.
    fn differs(&self, number: i64, vector: &[u8]) -> bool {
        let words = self.words();
        self.numbers.binary_search(&number).is_ok_and(|at| {
            vector.len() == self.length && self.bits[at * words..][..words] != self.code(vector)
        })
    }

    /// The codes of the other passages. The last ones stay: by them changes are noticed.
    fn without(&self, is_gone: impl Fn(i64) -> bool) -> Self {
        let words = self.words();
        let mut rest = Self {
            numbers: Vec::with_capacity(self.numbers.len()),
            bits: Vec::with_capacity(self.bits.len()),
            ..Self::new(&self.model, self.length, self.tail_length)
        };
        for (number, code) in self.numbers.iter().zip(self.bits.chunks_exact(words)) {
            if !is_gone(*number) {
                rest.numbers.push(*number);
                rest.bits.extend_from_slice(code);
            }
        }
        rest.mean.clone_from(&self.mean);
        rest.tail.clone_from(&self.tail);
        rest.before.clone_from(&self.before);
        rest.whole = self.whole;
        rest
    }

    fn add(&mut self, rows: &[(i64, &[u8])]) {
        if self.mean.is_empty() {
            self.mean = mean(rows.iter().take(MEAN_OF).map(|(_, vector)| *vector));
        }
        for (number, vector) in rows {
            let code = self.code(vector);
            self.bits.extend(code);
            self.numbers.push(*number);
        }
        let last = &rows[rows.len().saturating_sub(self.tail_length)..];
        let last = last
            .iter()
            .map(|(number, vector)| (*number, fnv(vector.iter().copied())));
        self.tail.extend(last);
        let more = self.tail.len().saturating_sub(self.tail_length);
        self.tail.drain(..more);
    }

    fn code(&self, vector: &[u8]) -> Vec<u64> {
        let mut code = vec![0; self.words()];
        let numbers = numbers_of(vector);
        for (at, (number, mean)) in numbers.iter().zip(&self.mean).enumerate() {
            code[at / 64] |= u64::from(number > mean) << (at % 64);
        }
        code
    }

    /// The nearest, also of what was known before all are read anew.
    fn candidates(&self, vector: &[u8], most: usize) -> Vec<i64> {
        let mut nearest = self.nearest(vector, most);
        if let Some(before) = &self.before {
            nearest.extend(before.nearest(vector, most));
            nearest.sort_unstable();
            nearest.dedup();
        }
        nearest
    }

    /// Passages whose codes differ from the question's in the fewest bits.
    fn nearest(&self, vector: &[u8], most: usize) -> Vec<i64> {
        let code = self.code(vector);
        let differ = |other: &[u64]| -> u32 {
            let pairs = code.iter().zip(other);
            pairs.map(|(one, other)| (one ^ other).count_ones()).sum()
        };
        let distances: Vec<u32> = self.bits.chunks_exact(code.len()).map(differ).collect();
        // distances are few, so they are counted instead of sorted
        let mut counts = vec![0_usize; code.len() * 64 + 1];
        for distance in &distances {
            counts[*distance as usize] += 1;
        }
        let mut left = most;
        let mut furthest = 0;
        for (distance, count) in counts.iter().enumerate() {
            furthest = distance as u32;
            if *count >= left {
                break;
            }
            left -= count;
        }
        let mut nearest = Vec::with_capacity(most);
        for (number, distance) in self.numbers.iter().zip(&distances) {
            if *distance < furthest {
                nearest.push(*number);
            } else if *distance == furthest && left > 0 {
                nearest.push(*number);
                left -= 1;
            }
        }
        nearest
    }
}

fn mean<'a>(vectors: impl Iterator<Item = &'a [u8]>) -> Vec<f32> {
    let mut sum: Vec<f32> = Vec::new();
    let mut count = 0.0;
    for vector in vectors {
        let numbers = numbers_of(vector);
        sum.resize(numbers.len(), 0.0);
        for (sum, number) in sum.iter_mut().zip(numbers) {
            *sum += number;
        }
        count += 1.0;
    }
    sum.iter().map(|sum| sum / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::vector::stored;

    #[test]
    fn codes_differ_where_vectors_do() {
        let vectors: Vec<Vec<u8>> = (0..100)
            .map(|at| {
                let angle = at as f32 / 20.0;
                let numbers: Vec<f32> = (0..70).map(|n| (angle + n as f32).sin() + 0.4).collect();
                stored(&numbers)
            })
            .collect();
        let rows: Vec<(i64, &[u8])> = (1..).zip(vectors.iter().map(Vec::as_slice)).collect();
        let mut kept = ModelCodes::new("m", 280, 3);
        kept.add(&rows);
        assert_eq!((kept.numbers.len(), kept.bits.len()), (100, 200));
        for at in [0, 40, 99] {
            let near = kept.nearest(&vectors[at], 7);
            assert_eq!(near.len(), 7);
            assert!(near.contains(&(at as i64 + 1)), "{at}: {near:?}");
        }
        // the last ones, and what is behind them
        assert_eq!(kept.behind_tail(&rows[97..]), Some(&[][..]));
        let mut more = rows[97..].to_vec();
        more.push((101, &vectors[0]));
        assert_eq!(kept.behind_tail(&more), Some(&more[3..]));
        assert_eq!(kept.behind_tail(&rows[98..]), None, "one is gone");
        more[0].1 = &vectors[0];
        assert_eq!(kept.behind_tail(&more), None, "one has another vector");
        assert!(!kept.differs(5, &vectors[4]) && kept.differs(5, &vectors[40]));
        let rest = kept.without(|number| number % 2 == 0);
        assert_eq!((rest.numbers.len(), rest.bits.len()), (50, 100));
        assert!(
            rest.nearest(&vectors[40], 7)
                .iter()
                .all(|number| number % 2 == 1)
        );
        assert_eq!(rest.behind_tail(&rows[97..]), Some(&[][..]));
        assert_eq!(kept.nearest(&vectors[0], 1000).len(), 100);
    }
}
