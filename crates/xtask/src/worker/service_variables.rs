//! Variables that Workers of the tests have in common.

use crate::fixture::STATE_KEY;

pub(crate) const OPEN: (&str, &str) = ("MCPFN_AUTH", "none");
pub(super) const KEY: (&str, &str) = ("MCPFN_STATE_KEY", STATE_KEY);
pub(crate) const QUIET: (&str, &str) = ("MCPFN_LOG", "error");

/// The SHA-256 of `robot-key`.
pub(super) const API_KEY: &str =
    "robot:b2cfb5518f033861ee2dd12be0f7c0b95c23d0b8d1f4c32c8a788f77bc8a52be:held";
