//! What every request to a service of AWS needs: region, credentials, an address, a signature.
//! Sends nothing, and knows no service.

mod account;
mod signature;

pub use account::{AccessKeys, account, domain, endpoint};
pub use signature::sign;
