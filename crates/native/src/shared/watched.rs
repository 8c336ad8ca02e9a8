//! Waiting for what another instance writes, at a service that tells nobody: looking again and again,
//! soon at first and seldom later.

use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::StoreError;

/// Milliseconds from one look to the next; the last holds for all that come after. A program answers
/// within the first, a person within the last.
const PAUSES_MS: [u64; 5] = [50, 100, 250, 500, 1_000];

/// Looks in a row that may fail: a person thinks for longer than most outages last.
const FAILURES: usize = 5;

/// Looks until there is something. Who waits for a limited time drops it.
///
/// # Errors
/// The last failure of five looks in a row.
pub async fn watched<T, F>(look: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<Option<T>, StoreError>>,
{
    let (mut pauses, mut failures) = (PAUSES_MS.into_iter(), 0);
    let mut pause_ms = 0;
    loop {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => failures = 0,
            Err(error) => {
                failures += 1;
                if failures == FAILURES {
                    return Err(error);
                }
            }
        }
        pause_ms = pauses.next().unwrap_or(pause_ms);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
}

/// Looks for the letters of a mailbox, one after the other, until all are there.
///
/// # Errors
/// As for [`watched`].
pub async fn letters<'a>(
    keys: &'a [String],
    look: impl Fn(&'a str) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>>,
) -> Result<Vec<Bytes>, StoreError> {
    let mut letters = Vec::with_capacity(keys.len());
    for key in keys {
        letters.push(watched(|| look(key)).await?);
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What is found at each look, and when it was looked for: in milliseconds.
    async fn looks(mut found: Vec<Result<Option<u8>, ()>>) -> (Result<u8, String>, Vec<u128>) {
        let (start, times) = (tokio::time::Instant::now(), RefCell::new(Vec::new()));
        found.reverse();
        let found = RefCell::new(found);
        let look = || {
            times.borrow_mut().push(start.elapsed().as_millis());
            let next = found.borrow_mut().pop().unwrap_or(Ok(None));
            async move { next.map_err(|()| StoreError::new("down")) }
        };
        let answer = watched(look).await.map_err(|error| error.to_string());
        (answer, times.take())
    }

    #[tokio::test(start_paused = true)]
    async fn it_looks_soon_and_then_each_second() {
        let mut found = vec![Ok(None); 7];
        found.push(Ok(Some(7)));
        let (answer, times) = looks(found).await;
        assert_eq!(answer, Ok(7));
        assert_eq!(times, [0, 50, 150, 400, 900, 1900, 2900, 3900]);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_end_it_and_single_ones_do_not() {
        let down = |looks| vec![Err(()); looks];
        let passing = [down(4), vec![Ok(None)], down(4), vec![Ok(Some(1))]].concat();
        assert_eq!(looks(passing).await.0, Ok(1));
        assert_eq!(
            looks(down(5)).await,
            (Err("down".into()), vec![0, 50, 150, 400, 900])
        );
    }
}
