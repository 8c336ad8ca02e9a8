//! Where servers of others are, from the repository.

pub(super) const FOLDER: &str = "bench/peers";
pub(super) const LOCK: &str = "bench/peers/Cargo.lock";
pub(super) const NODE: &str = "bench/peers/node";
pub(super) const PYTHON: &str = "bench/peers/python";
pub(super) const GO: &str = "bench/peers/go";
