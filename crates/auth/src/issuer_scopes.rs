//! What each issuer may grant: a map from issuers to scopes, beyond which their tokens grant
//! nothing. Verifies no token.

use std::collections::BTreeMap;
use std::str::FromStr;

use mcpfn_core::Scopes;
use mcpfn_core::text::quoted;

/// The scopes that each issuer may grant at most. Without any entry there is no such limit.
///
/// ```
/// use mcpfn_auth::IssuerScopes;
/// use mcpfn_core::Scopes;
///
/// let limits: IssuerScopes = "https://a.example=crm hello; https://b.example=files:read".parse()?;
/// let token = Scopes::parse("crm:read files");
/// assert_eq!(limits.limit("https://a.example", &token), Scopes::parse("crm:read"));
/// assert_eq!(limits.limit("https://b.example", &token), Scopes::parse("files:read"));
/// assert_eq!(limits.limit("https://c.example", &token), Scopes::none());
/// # Ok::<(), Vec<String>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuerScopes(BTreeMap<String, Scopes>);

impl IssuerScopes {
    /// What is left of the scopes that a token of this issuer has.
    #[must_use]
    pub fn limit(&self, issuer: &str, scopes: &Scopes) -> Scopes {
        if self.0.is_empty() {
            return scopes.clone();
        }
        self.0
            .get(issuer)
            .map_or_else(Scopes::none, |most| scopes.intersection(most))
    }

    /// Whether there is an entry for the issuer.
    #[must_use]
    pub fn names(&self, issuer: &str) -> bool {
        self.0.contains_key(issuer)
    }

    /// The issuers that have an entry.
    pub fn issuers(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

impl FromStr for IssuerScopes {
    type Err = Vec<String>;

    /// Reads `ISSUER=SCOPE SCOPE`, separated by semicolons or line ends. The scope `*` is
    /// everything.
    ///
    /// # Errors
    /// One sentence for each entry that can't be used.
    fn from_str(text: &str) -> Result<Self, Vec<String>> {
        let entries = text
            .split([';', '\n'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let (mut map, mut mistakes) = (BTreeMap::new(), Vec::new());
        for entry in entries {
            match parse_one(entry) {
                Ok((issuer, scopes)) => {
                    if map.insert(issuer.to_owned(), scopes).is_some() {
                        mistakes.push(format!("{} stands twice", quoted(issuer)));
                    }
                }
                // an issuer of an entry that can't be read may have a password in it
                Err(mistake) => mistakes.push(mistake.to_owned()),
            }
        }
        if map.is_empty() && mistakes.is_empty() {
            mistakes.push("there is no entry: write ISSUER=SCOPE SCOPE".to_owned());
        }
        if mistakes.is_empty() {
            Ok(Self(map))
        } else {
            Err(mistakes)
        }
    }
}

fn parse_one(entry: &str) -> Result<(&str, Scopes), &'static str> {
    let (issuer, scopes) = entry
        .split_once('=')
        .ok_or("an entry needs a = between an issuer and its scopes")?;
    let scopes = Scopes::written(scopes)?;
    if scopes == Scopes::none() {
        return Err("an entry needs scopes after its =, or * for everything");
    }
    Ok((issuer.trim(), scopes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_all_said() {
        let text = "https://a.example; https://b.example= ;https://c.example=crm:*; \
            https://d.example=x;https://d.example=y";
        let mistakes = text.parse::<IssuerScopes>().unwrap_err();
        let expected = ["needs a =", "needs scopes", "write `crm`", "stands twice"];
        assert_eq!(mistakes.len(), expected.len());
        for (mistake, expected) in mistakes.iter().zip(expected) {
            assert!(mistake.contains(expected), "{mistake}");
        }
        assert_eq!(" ; ".parse::<IssuerScopes>().unwrap_err().len(), 1);
    }

    #[test]
    fn without_a_map_there_is_no_limit() {
        let scopes = Scopes::parse("a b:c");
        assert_eq!(IssuerScopes::default().limit("x", &scopes), scopes);
    }
}
