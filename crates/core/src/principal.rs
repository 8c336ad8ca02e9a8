//! Who calls. Verified by the host or by `http`, never by what a client says of itself.

use core::net::IpAddr;
use std::borrow::Cow;

use crate::model::list_kind::ListKind;
use crate::scope::Scopes;

/// The caller of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// How the caller was recognised.
    pub kind: PrincipalKind,
    /// A name that is unique within `kind`; empty for anonymous callers.
    pub subject: String,
    /// What the caller may do.
    pub scopes: Scopes,
    /// What more the caller could be granted if it asked: tools that need no more than this are
    /// listed, and a call of one is refused with the scopes to ask for. Grants nothing.
    pub step_up: Scopes,
    /// Where the call came from. Unauthenticated callers are limited by it; it is not part of their
    /// identity.
    pub address: Option<IpAddr>,
}

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrincipalKind {
    /// Not at all.
    Anonymous,
    /// By having started this process, or by reaching its loopback address.
    Local,
    /// By AWS IAM: the platform checked the request's signature, the subject is an ARN.
    Iam,
    /// By a token that this server or the platform in front checked, the subject is the token's.
    Jwt,
    /// By an authorizer function in front, which names the subject.
    Authorizer,
    /// By an API key; the subject is the key's name.
    ApiKey,
}

impl PrincipalKind {
    const ALL: [Self; 6] = [
        Self::Anonymous,
        Self::Local,
        Self::Iam,
        Self::Jwt,
        Self::Authorizer,
        Self::ApiKey,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Local => "local",
            Self::Iam => "iam",
            Self::Jwt => "jwt",
            Self::Authorizer => "authorizer",
            Self::ApiKey => "api_key",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Principal {
    /// A caller that was recognised. It has no scopes until [`Principal::with_scopes`] gives it
    /// some: a host that forgets them refuses too much, and never too little.
    #[must_use]
    pub fn new(kind: PrincipalKind, subject: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            scopes: Scopes::none(),
            step_up: Scopes::none(),
            address: None,
        }
    }

    /// An anonymous caller, without scopes.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(PrincipalKind::Anonymous, "")
    }

    /// The same call by an anonymous caller: its credential is not trusted, and its address still
    /// counts.
    #[must_use]
    pub fn into_anonymous(self) -> Self {
        Self {
            address: self.address,
            ..Self::anonymous()
        }
    }

    /// The person at this machine, who may do everything.
    #[must_use]
    pub fn local() -> Self {
        Self::new(PrincipalKind::Local, "local").with_scopes(Scopes::all())
    }

    /// Sets what the caller may do.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets what more the caller could be granted if it asked.
    #[must_use]
    pub fn with_step_up(mut self, scopes: Scopes) -> Self {
        self.step_up = scopes;
        self
    }

    /// The scopes with which a list is shown: of tools, also those that a call could ask for.
    pub(crate) fn listing_scopes(&self, kind: ListKind) -> Cow<'_, Scopes> {
        if kind == ListKind::Tools && self.step_up != Scopes::none() {
            Cow::Owned(self.scopes.clone().union(&self.step_up))
        } else {
            Cow::Borrowed(&self.scopes)
        }
    }

    /// Adds where the call came from.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Whether it is told apart from others: what is kept for a caller is kept for such ones only,
    /// because anonymous callers are strangers to each other and have one name. An address is no
    /// name: strangers share one, and it changes under way.
    pub(crate) fn is_known(&self) -> bool {
        self.kind != PrincipalKind::Anonymous
    }

    /// One string that differs for any two principals.
    pub(crate) fn key(&self) -> String {
        // the kind is part of it: an API key named like an ARN is another caller
        let kind = self.kind.name();
        format!("{kind}:{}", self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a caller may not do is shown only where a call can ask for it, and what it may do always
    /// is.
    #[test]
    fn lists_show_what_may_be_done_and_tools_also_what_may_be_asked_for() {
        for kind in [
            ListKind::Tools,
            ListKind::Prompts,
            ListKind::Resources,
            ListKind::Templates,
        ] {
            for step_up in ["", "crm:write"] {
                let caller = Principal::new(PrincipalKind::Jwt, "alice")
                    .with_scopes(Scopes::parse("crm:read"))
                    .with_step_up(Scopes::parse(step_up));
                let shown = caller.listing_scopes(kind);
                assert!(shown.contains("crm:read"), "{kind:?} {step_up}");
                let asked = kind == ListKind::Tools && !step_up.is_empty();
                assert_eq!(shown.contains("crm:write"), asked, "{kind:?} {step_up}");
            }
        }
    }

    /// Else a caller whose credential is not trusted would be limited with everybody whose address
    /// is unknown, or keep something of who it said it was.
    #[test]
    fn of_a_caller_that_is_not_trusted_the_address_alone_is_left() {
        let address = IpAddr::from([192, 0, 2, 7]);
        let caller = Principal::new(PrincipalKind::Iam, "arn")
            .with_scopes(Scopes::all())
            .with_step_up(Scopes::all());
        for caller in [caller.clone(), caller.at(address)] {
            let expected = Principal {
                address: caller.address,
                ..Principal::anonymous()
            };
            assert_eq!(caller.into_anonymous(), expected);
        }
    }
}
