//! The five protocol revisions and what each may carry. The one place that compares revisions.

use std::fmt;

use crate::jsonrpc::ErrorCode;

/// A protocol revision. Later ones compare greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// 2024-11-05, spoken over Streamable HTTP or stdio (its own SSE transport needs a session and
    /// is not served).
    V2024_11_05,
    /// 2025-03-26, the only one with batches.
    V2025_03_26,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-11-25, the last one with a handshake.
    V2025_11_25,
    /// 2026-07-28: no handshake, every request describes itself.
    V2026_07_28,
}

impl Revision {
    /// Every revision served, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The newest revision.
    pub const LATEST: Self = Self::V2026_07_28;

    /// The newest revision with a handshake; offered to a client that asks for one we don't know.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// What a client without version header is taken to speak (2025-03-26 had no such header).
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// Finds a served revision by its date. Dates are opaque: an unknown later one is not served.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
    }

    /// The date on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Which revision a handshake settles on: the one asked for if it is served and has handshakes,
    /// else the newest that has. The client hangs up if it can't speak that.
    pub(crate) fn negotiated(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| !revision.is_modern())
            .unwrap_or(Self::LATEST_LEGACY)
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Requests describe themselves: `resultType`, `ttlMs`, round trips, per-request metadata.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// JSON-RPC batches.
    #[must_use]
    pub fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Tool annotations, audio content, the `completions` capability, text in progress
    /// notifications.
    pub(crate) fn has_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// `title`, `_meta` on definitions, resource links, structured output.
    pub(crate) fn has_titles(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Two modes of elicitation, told apart by name.
    pub(crate) fn has_elicitation_modes(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Icons, and descriptions of an implementation.
    pub(crate) fn has_icons(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// The code for a resource that does not exist.
    pub(crate) fn resource_not_found(self) -> ErrorCode {
        if self.is_modern() {
            ErrorCode::INVALID_PARAMS
        } else {
            ErrorCode::RESOURCE_NOT_FOUND
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_opaque() {
        assert_eq!(Revision::parse("2026-07-28"), Some(Revision::LATEST));
        assert_eq!(Revision::parse("2027-01-01"), None);
        assert_eq!(Revision::parse("2026-07-28 "), None);
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
    }
}
