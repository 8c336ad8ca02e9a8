//! What this program holds of a sign-in, which other programs may have renewed since: the same as the
//! file when it was last looked at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use http::Uri;

use super::kept::{KeptSignIn, SignInFile, SignInLock};
use crate::output::remark;

#[derive(Debug)]
pub(super) struct HeldSignIn {
    place: Option<SignInFile>,
    /// The client that a person named; what another one got is not used.
    client_id: Option<String>,
    kept: Mutex<KeptSignIn>,
    /// Grows with each new token.
    generation: AtomicU64,
}

impl HeldSignIn {
    pub(super) fn new(url: &Uri, client_id: Option<String>) -> Self {
        let held = Self {
            place: SignInFile::of(url),
            client_id,
            kept: Mutex::default(),
            generation: AtomicU64::new(0),
        };
        if let Some(kept) = held.in_file() {
            held.hold(kept);
        }
        held
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(super) fn kept(&self) -> KeptSignIn {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps other programs away while the lock lives, and holds what they left in the meantime.
    pub(super) async fn lock(&self) -> Option<SignInLock> {
        let lock = self.place.as_ref()?.lock().await;
        if let Some(kept) = self.in_file()
            && kept.access_token.is_some()
            && kept.access_token != self.kept().access_token
        {
            self.hold(kept);
        }
        lock
    }

    pub(super) fn keep(&self, kept: KeptSignIn) {
        if let Some(place) = &self.place
            && let Err(why) = place.write(&kept)
        {
            remark(format_args!("the sign-in is not kept: {why}"));
        }
        self.hold(kept);
    }

    fn in_file(&self) -> Option<KeptSignIn> {
        let kept = self.place.as_ref()?.read();
        let is_ours = self.client_id.is_none() || self.client_id == kept.client_id;
        is_ours.then_some(kept)
    }

    fn hold(&self, kept: KeptSignIn) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
