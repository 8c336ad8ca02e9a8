//! Which cryptography a platform has: the host's own first, then `ring` where it is linked.

use std::sync::Arc;

use mcpfn_core::port::Platform;

use super::Signatures;

/// What checks signatures on this platform.
pub(crate) fn of(platform: &Platform) -> Result<Arc<dyn Signatures>, String> {
    platform
        .port::<dyn Signatures>()
        .cloned()
        .or_else(default)
        .ok_or_else(|| "this host has no cryptography: give it `Signatures`".to_owned())
}

#[cfg(feature = "ring")]
fn default() -> Option<Arc<dyn Signatures>> {
    Some(Arc::new(super::ring::Ring))
}

#[cfg(not(feature = "ring"))]
fn default() -> Option<Arc<dyn Signatures>> {
    None
}
