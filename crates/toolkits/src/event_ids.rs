//! What the toolkits' events have in common: their ids, and how often tables are looked at.

use std::time::Duration;

use crate::fnv::fnv;

/// How often what is in a table is looked at.
pub(crate) const EVERY: Duration = Duration::from_secs(10);

/// The id of an event, of the id that something has where it is kept: itself where clients take it, and
/// otherwise a digest of it.
pub(crate) fn event_id(kind: &str, id: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    match id.len() <= 128 && id.bytes().all(legal) {
        true => format!("{kind}-{id}"),
        false => format!("{kind}--{:016x}", digest(&[id.as_bytes()])),
    }
}

/// 64 bits of some parts.
pub(crate) fn digest(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| {
        let length = part.len().to_be_bytes();
        length.into_iter().chain(part.iter().copied())
    });
    fnv(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_clients_take() {
        assert_eq!(event_id("activity", "A-17"), "activity-A-17");
        for id in ["a.b", "a b", "\u{e9}", &"x".repeat(129)] {
            let written = event_id("activity", id);
            assert!(written.starts_with("activity--") && written.len() < 40);
            assert!(
                written
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'.')
            );
        }
        assert_ne!(digest(&[b"a", b"bc"]), digest(&[b"ab", b"c"]));
    }
}
