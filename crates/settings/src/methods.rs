//! `MCPFN_AUTH`: the methods by which callers prove who they are, as words. What a method needs is
//! `credentials.rs`.

use crate::clients::ClientAccess;
use crate::reader::{EnvReader, listed};

/// One method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// AWS IAM, which the platform checks.
    Iam,
    /// An authorizer in front, which the platform asks.
    Authorizer,
    /// Access tokens of an OAuth issuer.
    OAuth,
    /// API keys.
    ApiKey,
    /// Cloudflare Access in front.
    CloudflareAccess,
    /// None: anyone may call.
    None,
}

impl AuthMethod {
    /// As it is written in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Authorizer => "authorizer",
            Self::OAuth => "oauth",
            Self::ApiKey => "api-key",
            Self::CloudflareAccess => "access",
            Self::None => "none",
        }
    }
}

/// Some of them, or `none` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthMethods(Vec<AuthMethod>);

impl AuthMethods {
    /// Tells clients what they need: where both are taken, one that signs in needs no key.
    #[must_use]
    pub fn tell(&self, access: ClientAccess) -> ClientAccess {
        if self.has(AuthMethod::ApiKey) && !self.has(AuthMethod::OAuth) {
            access.with_key()
        } else {
            access
        }
    }

    /// Reads `MCPFN_AUTH`: words separated by commas, of those that the host has. `None` after a
    /// mistake; `unset` is the one of a variable that is not set, without which `none` is meant.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        allowed: &[AuthMethod],
        unset: Option<&str>,
    ) -> Option<Self> {
        let Some(text) = reader.text("MCPFN_AUTH") else {
            return match unset {
                Some(mistake) => {
                    reader.mistake(mistake);
                    None
                }
                None => Some(Self::of([AuthMethod::None])),
            };
        };
        let known = |word: &String| {
            allowed
                .iter()
                .copied()
                .find(|method| method.as_str() == word)
        };
        let methods: Option<Vec<AuthMethod>> = listed(&text).iter().map(known).collect();
        match methods {
            Some(methods) if methods.contains(&AuthMethod::None) && methods.len() > 1 => {
                reader.mistake(
                    "MCPFN_AUTH has none beside other methods: with none anybody may call, so \
                     remove it or the others",
                );
                None
            }
            Some(methods) if !methods.is_empty() => Some(Self(methods)),
            _ => {
                let words: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
                reader.mistake(format!(
                    "MCPFN_AUTH must be one or more of {}, separated by commas",
                    words.join(", ")
                ));
                None
            }
        }
    }

    /// These methods, whatever a host has.
    #[must_use]
    pub fn of(methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        Self(methods.into_iter().collect())
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, method: AuthMethod) -> bool {
        self.0.contains(&method)
    }

    /// Whether callers have to prove who they are.
    #[must_use]
    pub fn need_credentials(&self) -> bool {
        self.0.iter().any(|method| *method != AuthMethod::None)
    }

    /// Whether the method of this word is one of them.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.0.iter().any(|method| method.as_str() == word)
    }
}
