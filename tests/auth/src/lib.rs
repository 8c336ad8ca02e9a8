//! An issuer on loopback with real keys, and a platform whose clock a test moves. What must become of tokens is in `tests/it`.

mod issuer;
mod keys;
mod platform;

pub use issuer::{Issuer, Mood};
pub use keys::{Key, Kind, compact, hmac};
pub use platform::{TestClock, platform};
