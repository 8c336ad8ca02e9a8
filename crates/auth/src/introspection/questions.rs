//! Whether the issuer may be asked now: equal questions become one, few are asked at a time, and
//! none for a while after it failed. Knows time, digests and outcomes, not what is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Most questions at a time. A stranger can send as many tokens as it likes, and each question goes
/// out with this server's own credential.
pub(super) const MAX_AT_ONCE: usize = 32;

/// Longer than a question can take, in milliseconds. A question of this age no longer counts: where
/// the platform stops requests, the end of one is not always seen.
const LONGEST: u64 = 10_000;

/// Failures in a row after which the issuer is left alone.
const FAILURES: u32 = 3;

/// For how long, in milliseconds: the first time, and at most. The time doubles with each failure.
const FIRST_PAUSE: u64 = 5_000;
const LONGEST_PAUSE: u64 = 60_000;

type Digest = [u8; 32];

/// The questions to one issuer.
pub(super) struct Questions<T>(Mutex<State<T>>);

struct State<T> {
    /// Questions with callers that wait for them.
    flights: HashMap<Digest, Weak<Flight<T>>>,
    /// When each question that is being asked began, by its number.
    asking: HashMap<u64, u64>,
    next: u64,
    /// Failures in a row.
    failures: u32,
    /// Before this time nobody asks. From then on one does, and its outcome decides.
    paused_until_ms: u64,
}

/// Where the outcome of one question will be, behind the lock that its asker holds.
pub(super) type Flight<T> = async_lock::Mutex<Option<T>>;

/// Why nobody asks now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// As many questions are being asked as may be.
    Busy,
    /// The issuer failed a short time ago.
    Paused,
}

/// The right to ask. One that is dropped without an outcome has decided nothing.
pub(super) struct Permit<'a, T> {
    questions: &'a Questions<T>,
    number: u64,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            flights: HashMap::new(),
            asking: HashMap::new(),
            next: 0,
            failures: 0,
            paused_until_ms: 0,
        }))
    }
}

impl<T> Questions<T> {
    /// The question about this digest that is under way, or a new one if there may be one now.
    pub(super) fn join(&self, digest: Digest, now: u64) -> Result<Arc<Flight<T>>, Refusal> {
        let mut state = self.state();
        if let Some(flight) = state.flights.get(&digest).and_then(Weak::upgrade) {
            return Ok(flight);
        }
        state.admits(now)?;
        let flight = Arc::new(Flight::new(None));
        state.flights.retain(|_, flight| flight.strong_count() > 0);
        state.flights.insert(digest, Arc::downgrade(&flight));
        Ok(flight)
    }

    /// The outcome is known: later callers find it elsewhere, or begin a question of their own.
    pub(super) fn close(&self, digest: &Digest) {
        self.state().flights.remove(digest);
    }

    /// The right to ask now.
    pub(super) fn enter(&self, now: u64) -> Result<Permit<'_, T>, Refusal> {
        let mut state = self.state();
        state.admits(now)?;
        state.next += 1;
        let number = state.next;
        state.asking.insert(number, now);
        Ok(Permit {
            questions: self,
            number,
        })
    }

    // held for a few instructions and never across a wait; what is in it is whole after a panic,
    // too
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn admits(&mut self, now: u64) -> Result<(), Refusal> {
        self.asking
            .retain(|_, began| now.saturating_sub(*began) < LONGEST);
        if now < self.paused_until_ms {
            return Err(Refusal::Paused);
        }
        // after a pause one question finds out how the issuer is
        if self.failures >= FAILURES && !self.asking.is_empty() {
            return Err(Refusal::Paused);
        }
        if self.asking.len() >= MAX_AT_ONCE {
            return Err(Refusal::Busy);
        }
        Ok(())
    }
}

impl<T> Permit<'_, T> {
    /// The issuer answered.
    pub(super) fn succeeded(self) {
        let mut state = self.questions.state();
        state.failures = 0;
        state.paused_until_ms = 0;
    }

    /// The issuer gave no usable answer.
    pub(super) fn failed(self, now: u64) {
        let mut state = self.questions.state();
        // questions that began together fail together, and count as one pause
        if now < state.paused_until_ms {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if let Some(more) = state.failures.checked_sub(FAILURES) {
            state.paused_until_ms = now + LONGEST_PAUSE.min(FIRST_PAUSE << more.min(4));
        }
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.questions.state().asking.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(questions: &Questions<()>, now: u64) {
        questions.enter(now).ok().unwrap().failed(now);
    }

    fn refusal(questions: &Questions<()>, now: u64) -> Option<Refusal> {
        questions.enter(now).err()
    }

    #[test]
    fn few_questions_at_a_time() {
        let questions = Questions::default();
        let mut permits: Vec<_> = (0..MAX_AT_ONCE)
            .map(|_| questions.enter(0).ok().unwrap())
            .collect();
        assert_eq!(refusal(&questions, 0), Some(Refusal::Busy));
        assert_eq!(questions.join([1; 32], 0).err(), Some(Refusal::Busy));
        permits.pop();
        assert_eq!(refusal(&questions, 0), None);
        // those whose end was never seen
        permits.drain(..).for_each(std::mem::forget);
        let last = questions.enter(0).ok().unwrap();
        assert_eq!(refusal(&questions, LONGEST - 1), Some(Refusal::Busy));
        assert_eq!(refusal(&questions, LONGEST), None);
        drop(last);
    }

    #[test]
    fn three_failures_pause_and_one_question_ends_the_pause() {
        let questions = Questions::default();
        fails(&questions, 0);
        fails(&questions, 0);
        questions.enter(0).ok().unwrap().succeeded();
        fails(&questions, 0);
        fails(&questions, 0);
        assert_eq!(refusal(&questions, 0), None, "two in a row");
        fails(&questions, 0);
        assert_eq!(refusal(&questions, FIRST_PAUSE - 1), Some(Refusal::Paused));
        let probe = questions.enter(FIRST_PAUSE).ok().unwrap();
        assert_eq!(
            refusal(&questions, FIRST_PAUSE),
            Some(Refusal::Paused),
            "one asks"
        );
        probe.failed(FIRST_PAUSE);
        assert_eq!(
            refusal(&questions, 3 * FIRST_PAUSE - 1),
            Some(Refusal::Paused)
        );
        let probe = questions.enter(3 * FIRST_PAUSE).ok().unwrap();
        drop(probe); // a cancelled one has decided nothing
        questions.enter(3 * FIRST_PAUSE).ok().unwrap().succeeded();
        assert_eq!(refusal(&questions, 3 * FIRST_PAUSE), None);
    }

    #[test]
    fn the_pause_has_a_greatest_length() {
        let questions = Questions::default();
        let mut now = 0;
        for _ in 0..50 {
            fails(&questions, now);
            now += LONGEST_PAUSE;
            assert_eq!(refusal(&questions, now), None);
        }
    }

    #[test]
    fn equal_questions_are_one() {
        let questions = Questions::<()>::default();
        let first = questions.join([1; 32], 0).ok().unwrap();
        let second = questions.join([1; 32], 0).ok().unwrap();
        let other = questions.join([2; 32], 0).ok().unwrap();
        assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first, &other));
        drop((first, second));
        let third = questions.join([1; 32], 0).ok().unwrap();
        assert!(
            third.try_lock().unwrap().is_none(),
            "nobody waits for the old one"
        );
        assert_eq!(questions.state().flights.len(), 2);
        // nothing is left of questions that nobody waits for any more, or strangers would fill it
        for digest in 3..100 {
            drop(questions.join([digest; 32], 0));
        }
        assert_eq!(questions.state().flights.len(), 3);
        questions.close(&[1; 32]);
        assert!(!Arc::ptr_eq(
            &third,
            &questions.join([1; 32], 0).ok().unwrap()
        ));
    }
}
