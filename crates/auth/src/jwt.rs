//! A signed token as a value: its three parts, what its claims must say, and its signature. Gets
//! nothing from anywhere.

pub(crate) mod claims;
pub(crate) mod key;
pub(crate) mod object;
pub(crate) mod token;
