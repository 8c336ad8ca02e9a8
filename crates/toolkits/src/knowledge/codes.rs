//! One bit for each number of each vector, kept in memory: which passages may be close is seen in
//! milliseconds among hundreds of thousands, and their vectors then decide. A thirty-second part of
//! the vectors' size, so they need not be read for every question.
//!
//! Vectors of a model lie around a point that is not zero, so a bit says on which side of the first
//! vectors' mean a number is. What was added is read before each question; numbers of passages only
//! grow, so this asks for those behind the last one. Where the last is gone, or has another vector,
//! all are read anew. Passages that are gone are found in no row, and so in no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::Cx;
use mcpfn_ports::{Sql, SqlError, SqlValue};

use super::vector::numbers_of;
use super::vector_row::{QuestionVector, numbered};

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
    /// Of the last vector.
    last: u64,
    /// Whether all passages are here.
    whole: bool,
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
            Some(kept) => (kept.nearest(&question.vector, most), !kept.whole),
            None => (Vec::new(), true),
        })
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

/// The codes with what was added since they were read, as far as there is time and room.
async fn read(
    cx: &Cx,
    database: &dyn Sql,
    question: &QuestionVector,
    page: usize,
    known: Option<Arc<ModelCodes>>,
) -> Result<Arc<ModelCodes>, SqlError> {
    let QuestionVector { model, vector } = question;
    let mut kept = known
        .filter(|kept| kept.model == *model && kept.length == vector.len())
        .unwrap_or_else(|| Arc::new(ModelCodes::new(model, vector.len())));
    let room = MAX_BYTES / (vector.len() / 32 + 16);
    // others can't be compared
    let sql = format!(
        "SELECT number, vector FROM passages WHERE model = ?1 AND number >= ?2 AND \
         octet_length(vector) = {} ORDER BY number LIMIT ?3",
        vector.len()
    );
    loop {
        let from = kept.numbers.last().copied();
        // a few where all are known or there is no room; whole pages where vectors are read
        let known = kept.whole || kept.numbers.len() >= room;
        let rows = if known { page.clamp(2, 64) } else { page };
        let parameters = [
            SqlValue::from(model.as_str()),
            from.unwrap_or(i64::MIN).into(),
            (rows as i64).into(),
        ];
        let found = database.query(&sql, &parameters, rows).await?.rows;
        let full = found.len() == rows;
        let mut new = found.iter().filter_map(|row| numbered(row));
        if from.is_some()
            && !new
                .next()
                .is_some_and(|(number, vector)| kept.ends(number, vector))
        {
            kept = Arc::new(ModelCodes::new(model, vector.len()));
            continue;
        }
        let new: Vec<(i64, &[u8])> = new.collect();
        let fits = room.saturating_sub(kept.numbers.len()).min(new.len());
        let whole = !full && fits == new.len();
        if !new.is_empty() || kept.whole != whole {
            let kept = Arc::make_mut(&mut kept);
            kept.add(&new[..fits]);
            kept.whole = whole;
        }
        if !full || fits < new.len() || cx.remaining() < LEFT {
            return Ok(kept);
        }
    }
}

impl ModelCodes {
    fn new(model: &str, length: usize) -> Self {
        Self {
            model: model.to_owned(),
            length,
            ..Self::default()
        }
    }

    /// Words of a code.
    fn words(&self) -> usize {
        (self.length / 4).div_ceil(64).max(1)
    }

    /// Whether this is the last passage, as it was read.
    fn ends(&self, number: i64, vector: &[u8]) -> bool {
        self.numbers.last() == Some(&number) && self.last == fingerprint(vector)
    }

    fn add(&mut self, rows: &[(i64, &[u8])]) {
        if self.mean.is_empty() {
            self.mean = mean(rows.iter().take(MEAN_OF).map(|(_, vector)| *vector));
        }
        for (number, vector) in rows {
            let code = self.code(vector);
            self.bits.extend(code);
            self.numbers.push(*number);
            self.last = fingerprint(vector);
        }
    }

    fn code(&self, vector: &[u8]) -> Vec<u64> {
        let mut code = vec![0; self.words()];
        let numbers = numbers_of(vector);
        for (at, (number, mean)) in numbers.iter().zip(&self.mean).enumerate() {
            code[at / 64] |= u64::from(number > mean) << (at % 64);
        }
        code
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

/// Tells one vector from another (FNV-1a).
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
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
        let mut kept = ModelCodes::new("m", 280);
        kept.add(&rows);
        assert_eq!((kept.numbers.len(), kept.bits.len()), (100, 200));
        for at in [0, 40, 99] {
            let near = kept.nearest(&vectors[at], 7);
            assert_eq!(near.len(), 7);
            assert!(near.contains(&(at as i64 + 1)), "{at}: {near:?}");
        }
        assert!(kept.ends(100, &vectors[99]) && !kept.ends(100, &vectors[98]));
        assert_eq!(kept.nearest(&vectors[0], 1000).len(), 100);
    }
}
