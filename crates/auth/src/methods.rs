//! `MCPFN_AUTH`: the ways in which callers may prove who they are, as words.

use std::ffi::OsString;

use mcpfn_settings::EnvReader;

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// AWS IAM, which the platform checks.
    Iam,
    /// An authorizer in front, which the platform asks.
    Authorizer,
    /// CloudflareAccess tokens of an OAuth issuer.
    OAuth,
    /// API keys.
    ApiKey,
    /// Cloudflare CloudflareAccess in front.
    CloudflareAccess,
    /// None: anybody may call.
    None,
}

impl AuthMethod {
    const ALL: [Self; 6] = [
        Self::Iam,
        Self::Authorizer,
        Self::OAuth,
        Self::ApiKey,
        Self::CloudflareAccess,
        Self::None,
    ];

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
    /// Reads `MCPFN_AUTH`: words separated by commas, of those that the host allows. `None` when it
    /// is not set, which each host judges for itself, and when it can't be used, which is a mistake
    /// of the reader's.
    pub fn read<F: Fn(&str) -> Option<OsString>>(
        reader: &mut EnvReader<F>,
        allowed: &[AuthMethod],
    ) -> Option<Self> {
        let text = reader.text("MCPFN_AUTH")?;
        let words: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        let known = |word: &&str| {
            allowed
                .iter()
                .copied()
                .find(|method| method.as_str() == *word)
        };
        let methods: Option<Vec<AuthMethod>> = words.iter().map(known).collect();
        match methods {
            Some(methods) if methods.contains(&AuthMethod::None) && methods.len() > 1 => {
                reader.mistake(
                    "MCPFN_AUTH has none beside other words: with none anybody may \
                    call, so leave out it or the others",
                );
                None
            }
            Some(methods) if !methods.is_empty() => Some(Self(methods)),
            _ => {
                // in the order of the type, whatever the host's
                let words: Vec<&str> = AuthMethod::ALL
                    .iter()
                    .filter(|method| allowed.contains(method))
                    .map(|method| method.as_str())
                    .collect();
                reader.mistake(format!(
                    "MCPFN_AUTH must be of {}; several with commas between them",
                    words.join(", ")
                ));
                None
            }
        }
    }

    /// The words given, which the caller vouches for.
    #[must_use]
    pub fn of(methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        Self(methods.into_iter().collect())
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, method: AuthMethod) -> bool {
        self.0.contains(&method)
    }
}
