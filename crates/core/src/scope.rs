//! What a caller may do, in the words of OAuth: scopes. Compared here and nowhere else.

use std::fmt;

use crate::text;

/// The scopes that were granted to a caller.
///
/// A scope covers the narrower ones below it: `crm` covers `crm:read`, and `*` covers everything.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Every scope there is.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// None: only what needs no scope is open.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads scopes that are separated by spaces or commas, as tokens and settings write them.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let scopes = text
            .split([' ', ',', '\t', '\n'])
            .filter(|scope| !scope.is_empty());
        Self(scopes.map(str::to_owned).collect())
    }

    /// Reads scopes that an operator wrote, in which each has to name something that a tool can
    /// need: a typo would otherwise grant nothing, without a word.
    ///
    /// ```
    /// use mcpfn_core::Scopes;
    ///
    /// assert_eq!(Scopes::written("crm files:read"), Ok(Scopes::parse("crm files:read")));
    /// assert!(Scopes::written("crm:*").unwrap_err().contains("write `crm`"));
    /// ```
    ///
    /// # Errors
    /// What to change.
    pub fn written(text: &str) -> Result<Self, &'static str> {
        let scopes = Self::parse(text);
        let named = scopes.iter().filter(|scope| *scope != "*");
        for scope in named {
            if scope.contains('*') {
                return Err(
                    "a scope covers all that is below it: write `crm` in the place of `crm:*`, or \
                     * alone for everything",
                );
            }
            if let Some(mistake) = mistake(scope) {
                return Err(mistake);
            }
        }
        Ok(scopes)
    }

    /// Adds what others grant.
    #[must_use]
    pub fn union(mut self, others: &Self) -> Self {
        self.0.extend(
            others
                .0
                .iter()
                .filter(|other| !self.0.contains(other))
                .cloned()
                .collect::<Vec<_>>(),
        );
        self
    }

    /// What both grant: of two scopes of which one covers the other, the narrower one.
    #[must_use]
    pub fn intersection(&self, others: &Self) -> Self {
        let narrower = |own: &String| others.contains(own).then(|| vec![own.clone()]);
        let below = |own: &String| {
            let own = Self(vec![own.clone()]);
            let covered = others.0.iter().filter(|other| own.contains(other));
            covered.cloned().collect()
        };
        let both = self.0.iter().flat_map(|own| match narrower(own) {
            Some(own) => own,
            None => below(own),
        });
        Self::none().union(&Self(both.collect()))
    }

    /// One text for the same scopes in any order.
    pub(crate) fn canonical(&self) -> String {
        let words = text::in_order(self.iter());
        let mut canonical = String::new();
        for word in words {
            canonical.push_str(word);
            canonical.push(' ');
        }
        canonical
    }

    /// The scopes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether what was granted covers `needed`.
    #[must_use]
    pub fn contains(&self, needed: &str) -> bool {
        self.0.iter().any(|granted| {
            let below = || {
                needed
                    .strip_prefix(granted.as_str())
                    // the colon counts: `crm` does not cover `crm-admin`
                    .is_some_and(|rest| rest.starts_with(':'))
            };
            granted == "*" || granted == needed || below()
        })
    }

    /// Whether what was granted covers each of `needed`.
    #[must_use]
    pub fn contains_all(&self, needed: &[String]) -> bool {
        needed.iter().all(|needed| self.contains(needed))
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// Separated by spaces, as OAuth writes them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// Why a text can't be the name of a scope (RFC 6749, section 3.3: printable ASCII without space,
/// quote and backslash).
pub(crate) fn mistake(scope: &str) -> Option<&'static str> {
    let legal = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    // a comma separates scopes in settings, and `*` is granted to callers, never needed by a tool
    if scope.is_empty() || scope.len() > 128 || !scope.bytes().all(legal) {
        Some(
            "a scope has 1 to 128 printable ASCII characters without space, quote and backslash, \
             such as `catalog:read`",
        )
    } else if scope.contains(['*', ',']) || scope.ends_with(':') {
        Some(
            "a scope names something, such as `catalog:read`: it has no `*` and no comma, and does \
             not end with a colon",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn broader_scopes_cover_narrower_ones() {
        let granted = Scopes::parse("crm catalog:read");
        for covered in [
            "crm",
            "crm:read",
            "crm:read:own",
            "catalog:read",
            "catalog:read:cheap",
        ] {
            assert!(granted.contains(covered), "{covered}");
        }
        for open in [
            "crmx",
            "cr",
            "catalog",
            "catalog:reader",
            "catalog:write",
            "",
            ":",
        ] {
            assert!(!granted.contains(open), "{open}");
        }
        assert!(Scopes::all().contains("anything"));
        assert!(!Scopes::none().contains("anything"));
        assert!(Scopes::none().contains_all(&[]));
    }

    /// However they are read or written out, they are the same scopes.
    #[test]
    fn no_way_in_or_out_loses_one() {
        for text in ["", "crm", "crm catalog:read *"] {
            let scopes = Scopes::parse(text);
            assert_eq!(scopes.iter().collect::<Vec<_>>().join(" "), text);
            assert_eq!(scopes.to_string(), text);
            assert_eq!(
                text.split_terminator(' ')
                    .map(str::to_owned)
                    .collect::<Scopes>(),
                scopes
            );
            assert_eq!(Scopes::none().union(&scopes), scopes);
            assert_eq!(scopes.clone().union(&scopes), scopes);
        }
    }

    #[test]
    fn what_is_written_can_be_needed() {
        for good in ["", "*", "crm", "crm:read, *", "https://api.example/read"] {
            assert_eq!(Scopes::written(good), Ok(Scopes::parse(good)), "{good}");
        }
        let long = "a".repeat(129);
        for bad in [
            "crm:*", "c*", "crm:", ":", "'crm'x\"", "\"crm\"", "a\\b", "é", &long,
        ] {
            let mistake = Scopes::written(&format!("files {bad}")).unwrap_err();
            assert!(mistake.starts_with("a scope"), "{bad}: {mistake}");
        }
    }

    #[test]
    fn what_both_grant() {
        for (one, other, both) in [
            ("crm:read files", "crm", "crm:read"),
            ("crm", "crm:read crm:write", "crm:read crm:write"),
            ("crm catalog:read", "*", "crm catalog:read"),
            ("*", "crm", "crm"),
            ("*", "*", "*"),
            ("crm", "crm-admin crmx:read", ""),
            ("", "*", ""),
            ("*", "", ""),
            ("a", "b", ""),
        ] {
            let found = Scopes::parse(one).intersection(&Scopes::parse(other));
            assert_eq!(found.to_string(), both, "{one} and {other}");
        }
    }

    proptest! {
        #[test]
        fn both_is_what_each_covers(
            one in "([ab*]|a:[ab]|b:a:b)( ([ab]|a:[ab]|b:a:b)){0,2}",
            other in "([ab*]|a:[ab]|b:a:b)( ([ab]|a:[ab]|b:a:b)){0,2}",
            needed in "[ab](:[ab]){0,2}",
        ) {
            let (one, other) = (Scopes::parse(&one), Scopes::parse(&other));
            let both = one.intersection(&other);
            prop_assert_eq!(
                both.contains(&needed),
                one.contains(&needed) && other.contains(&needed)
            );
        }
    }

    #[test]
    fn names_are_checked() {
        let (longest, longer) = ("a".repeat(128), "a".repeat(129));
        for right in ["catalog:read", "a", &longest] {
            assert_eq!(mistake(right), None);
        }
        for wrong in ["", "a b", "a\"b", "a\\b", "ä", "*", "a:", "a,b", &longer] {
            assert!(mistake(wrong).is_some(), "{wrong}");
        }
    }
}
