//! Who calls. Verified by the host or by `http`, never by what a client says of itself.

/// The caller of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// A name that is unique within `kind`; empty for nobody in particular.
    pub subject: String,
    /// How the caller was recognised.
    pub kind: PrincipalKind,
}

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// Not at all.
    Anonymous,
    /// By having started this process, or by reaching its loopback address.
    Local,
}

impl Principal {
    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { subject: String::new(), kind: PrincipalKind::Anonymous }
    }

    /// The person at this machine.
    #[must_use]
    pub fn local() -> Self {
        Self { subject: "local".to_owned(), kind: PrincipalKind::Local }
    }

    /// One string that differs for any two principals.
    pub(crate) fn key(&self) -> String {
        let kind = match self.kind {
            PrincipalKind::Anonymous => "anonymous",
            PrincipalKind::Local => "local",
        };
        format!("{kind}:{}", self.subject)
    }
}
