//! An issuer on loopback with real keys, a platform whose clock a test moves, and a server to
//! guard. What must become of tokens is in `tests/it`, and what clients of the running hosts are
//! told in `tests/hosts`.

mod guarded;
mod issuer;
mod keys;
mod platform;

pub use guarded::guarded;
pub use issuer::{Issuer, Mood};
pub use keys::{Key, Kind, compact, hmac};
pub use platform::{TestClock, platform};
