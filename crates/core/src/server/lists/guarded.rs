//! Lists whose entries need scopes: what a caller sees of one, by the kinds of its entries, and the
//! lists that were written for callers before, in a bounded number of places.

use std::sync::OnceLock;

use crate::scope::Scopes;
use crate::version::Revision;

/// Lists that are kept for callers who see a part. There is no lock, and none is given up for
/// another one: callers beyond these get theirs put together for each call.
const PLACES: usize = 8;
/// Bytes of the entries of a list that is kept. With all places taken, eight times as many.
const KEPT_BYTES: usize = 1024 * 1024;

/// An entry of a list, before it is written.
pub(crate) struct ListEntry<'a> {
    pub(crate) name: &'a str,
    pub(crate) scopes: &'a [String],
}

/// The entries of a list, of which some need scopes.
pub(super) struct GuardedEntries {
    names: Vec<String>,
    /// What entries need, each once: there are far fewer such kinds than entries.
    kinds: Vec<Vec<String>>,
    /// The kind of each entry.
    kind_of: Vec<usize>,
    written: [OnceLock<WrittenList>; PLACES],
}

/// Which kinds of entries a caller sees, a bit for each.
#[derive(PartialEq, Eq)]
pub(super) struct SeenKinds {
    bits: Vec<u64>,
    all: bool,
}

/// What callers of some scopes get, of one revision.
pub(super) struct WrittenList {
    seen: SeenKinds,
    revision: Revision,
    /// What the list's cursors name.
    pub(super) identity: u64,
    pub(super) pages: Vec<Vec<u8>>,
}

impl SeenKinds {
    /// Whether it is the whole list.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    fn sees(&self, kind: usize) -> bool {
        self.bits[kind / 64] & (1 << (kind % 64)) != 0
    }
}

impl GuardedEntries {
    /// `None` where no entry needs a scope.
    pub(super) fn of(listed: &[ListEntry<'_>]) -> Option<Self> {
        if listed.iter().all(|entry| entry.scopes.is_empty()) {
            return None;
        }
        let mut kinds: Vec<Vec<String>> = Vec::new();
        // neighbours mostly need the same, as those of one toolkit do
        let mut last = 0;
        let kind_of = listed.iter().map(|entry| {
            if kinds.get(last).is_none_or(|kind| kind != entry.scopes) {
                let known = kinds.iter().position(|kind| kind == entry.scopes);
                last = known.unwrap_or_else(|| {
                    kinds.push(entry.scopes.to_vec());
                    kinds.len() - 1
                });
            }
            last
        });
        Some(Self {
            kind_of: kind_of.collect(),
            names: listed.iter().map(|entry| entry.name.to_owned()).collect(),
            kinds,
            written: Default::default(),
        })
    }

    pub(super) fn name(&self, position: usize) -> &str {
        &self.names[position]
    }

    /// What a caller with these scopes sees.
    pub(super) fn seen_with(&self, scopes: &Scopes) -> SeenKinds {
        let mut seen = SeenKinds {
            bits: vec![0; self.kinds.len().div_ceil(64)],
            all: true,
        };
        for (kind, needed) in self.kinds.iter().enumerate() {
            if scopes.contains_all(needed) {
                seen.bits[kind / 64] |= 1 << (kind % 64);
            } else {
                seen.all = false;
            }
        }
        seen
    }

    /// The positions of the entries that a caller sees.
    pub(super) fn visible(&self, seen: &SeenKinds) -> Vec<usize> {
        let positions = self.kind_of.iter().enumerate();
        let visible = positions.filter(|(_, kind)| seen.sees(**kind));
        visible.map(|(position, _)| position).collect()
    }

    /// What callers who see this got before.
    pub(super) fn known(&self, seen: &SeenKinds, revision: Revision) -> Option<&WrittenList> {
        let written = self.written.iter().map_while(OnceLock::get);
        let mut same = written.filter(|list| list.revision == revision && list.seen == *seen);
        same.next()
    }

    /// Whether there is a place for a list whose entries have so many bytes.
    pub(super) fn has_place(&self, bytes: usize) -> bool {
        bytes <= KEPT_BYTES && self.written.iter().any(|place| place.get().is_none())
    }

    /// Keeps a list where a place is free. Another call may have taken the last one meanwhile.
    pub(super) fn keep(
        &self,
        seen: SeenKinds,
        revision: Revision,
        identity: u64,
        pages: Vec<Vec<u8>>,
    ) {
        let mut list = WrittenList {
            seen,
            revision,
            identity,
            pages,
        };
        for place in &self.written {
            match place.set(list) {
                Ok(()) => return,
                Err(taken) => list = taken,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(needed: &[(String, Vec<String>)]) -> GuardedEntries {
        let listed: Vec<ListEntry<'_>> = needed
            .iter()
            .map(|(name, scopes)| ListEntry { name, scopes })
            .collect();
        GuardedEntries::of(&listed).unwrap()
    }

    #[test]
    fn a_caller_sees_what_its_scopes_open_whatever_the_number_of_kinds() {
        // more kinds than bits of a word, and entries of one kind apart from each other
        let needed: Vec<(String, Vec<String>)> = (0..200)
            .map(|number| {
                let scopes = match number % 150 {
                    0 => Vec::new(),
                    kind => vec![format!("s:{kind}")],
                };
                (format!("t{number}"), scopes)
            })
            .collect();
        let entries = entries(&needed);
        assert_eq!(entries.kinds.len(), 150);
        for scopes in ["", "s:1", "s:63 s:64 s:65", "s:149", "s:40 other"] {
            let scopes = Scopes::parse(scopes);
            let seen = entries.seen_with(&scopes);
            let expected: Vec<usize> = (0..needed.len())
                .filter(|at| scopes.contains_all(&needed[*at].1))
                .collect();
            assert_eq!(entries.visible(&seen), expected, "{scopes}");
            assert!(!seen.is_all());
        }
        let all = entries.seen_with(&Scopes::all());
        assert!(all.is_all());
        assert_eq!(entries.visible(&all).len(), needed.len());
    }

    #[test]
    fn places_are_bounded_and_a_list_is_found_by_what_is_seen_and_the_revision() {
        let needed: Vec<(String, Vec<String>)> = (0..20)
            .map(|number| (format!("t{number}"), vec![format!("s:{number}")]))
            .collect();
        let entries = entries(&needed);
        let seen = |number: usize| entries.seen_with(&Scopes::parse(&format!("s:{number}")));
        let revision = Revision::ALL[0];
        for number in 0..20 {
            assert_eq!(entries.has_place(1), number < PLACES);
            let pages = vec![vec![u8::try_from(number).unwrap()]];
            entries.keep(seen(number), revision, 7, pages);
        }
        for number in 0..20 {
            let known = entries.known(&seen(number), revision);
            assert_eq!(known.is_some(), number < PLACES, "{number}");
            let first = known.map(|list| usize::from(list.pages[0][0]));
            assert_eq!(first, (number < PLACES).then_some(number));
        }
        assert!(entries.known(&seen(0), Revision::ALL[1]).is_none());
        let both = entries.seen_with(&Scopes::parse("s:0 s:1"));
        assert!(entries.known(&both, revision).is_none());
    }

    #[test]
    fn a_long_list_is_not_kept() {
        let entries = entries(&[("t".to_owned(), vec!["s:1".to_owned()])]);
        assert!(entries.has_place(KEPT_BYTES));
        assert!(!entries.has_place(KEPT_BYTES + 1));
    }

    #[test]
    fn a_list_without_scopes_is_everybodys() {
        let entry = ListEntry {
            name: "t",
            scopes: &[],
        };
        assert!(GuardedEntries::of(&[entry]).is_none());
    }
}
