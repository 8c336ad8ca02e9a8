//! What callers may do whom AWS IAM recognised: a map from patterns of their ARNs to scopes.
//! Authenticates no caller itself.

use std::str::FromStr;

use mcpfn_core::Scopes;

/// What callers may do, by their ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamScopes(Vec<(String, Scopes)>);

impl IamScopes {
    /// What the caller of this ARN may do: what every pattern grants that fits it, and nothing if
    /// none does.
    ///
    /// A role is known by its account and its name, because the ARN of an assumed role has no path.
    #[must_use]
    pub fn scopes(&self, arn: &str) -> Scopes {
        let role = role(arn);
        let fits = |pattern: &str| {
            let own = self::role(pattern)
                .zip(role.as_deref())
                .is_some_and(|(pattern, role)| matches(&pattern, role));
            own || matches(pattern, arn)
        };
        self.0
            .iter()
            .filter(|(pattern, _)| fits(pattern))
            .fold(Scopes::none(), |granted, (_, scopes)| granted.union(scopes))
    }
}

impl FromStr for IamScopes {
    type Err = Vec<String>;

    /// Reads `PATTERN=scope scope`, separated by semicolons or line ends. In a pattern, `*` stands
    /// for any characters but colons and slashes; alone, it is every caller. The scope `*` is
    /// everything.
    ///
    /// # Errors
    /// One sentence for each entry that can't be used.
    fn from_str(text: &str) -> Result<Self, Vec<String>> {
        let entries = text
            .split([';', '\n'])
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let mut map = Vec::new();
        let mut mistakes = Vec::new();
        for entry in entries {
            match parse_one(entry) {
                Ok(found) => map.push(found),
                Err(mistake) => mistakes.push(format!("`{entry}`: {mistake}")),
            }
        }
        if map.is_empty() && mistakes.is_empty() {
            mistakes.push("there is no entry: write PATTERN=scope scope".to_owned());
        }
        if mistakes.is_empty() {
            Ok(Self(map))
        } else {
            Err(mistakes)
        }
    }
}

fn parse_one(entry: &str) -> Result<(String, Scopes), &'static str> {
    // names of roles may have this sign, names of scopes here have not
    let (pattern, scopes) = entry
        .rsplit_once('=')
        .ok_or("needs a = between the pattern of an ARN and its scopes")?;
    let (pattern, scopes) = (pattern.trim(), Scopes::written(scopes)?);
    if scopes == Scopes::none() {
        return Err("needs scopes after its =, or * for everything");
    }
    let parts: Vec<&str> = pattern.split(':').collect();
    if pattern != "*"
        && (parts.len() != 6
            || parts[0] != "arn"
            || parts.iter().any(|part| part.contains(char::is_whitespace)))
    {
        return Err(
            "needs an ARN of six parts, such as arn:aws:iam::123456789012:role/Reader*, before its \
             =",
        );
    }
    if let Some(path) = parts
        .get(5)
        .and_then(|resource| resource.strip_prefix("role/"))
        && path.contains('/')
        && path.contains('*')
    {
        return Err(
            "has a role with both a path and a *, and callers' ARNs have no path: leave out one of \
             them",
        );
    }
    Ok((pattern.to_owned(), scopes))
}

/// `arn:PARTITION:iam::ACCOUNT:role/NAME` of a role's ARN, be it assumed or not, without a path. A
/// pattern is written alike.
fn role(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(partition), Some(service), Some(_), Some(account), Some(resource)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    let name = match (service, resource.split_once('/')?) {
        ("iam", ("role", path)) => path.rsplit('/').next()?,
        ("sts", ("assumed-role", name_and_session)) => name_and_session.split_once('/')?.0,
        _ => return None,
    };
    Some(format!("arn:{partition}:iam::{account}:role/{name}"))
}

/// Whether `text` fits the pattern, in which `*` stands for any characters but colons and slashes.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let parts = |text: &'_ str| {
        text.split_inclusive([':', '/'])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (patterns, texts) = (parts(pattern), parts(text));
    patterns.len() == texts.len()
        && patterns
            .iter()
            .zip(&texts)
            .all(|(pattern, text)| matches_part(pattern, text))
}

/// Each piece between stars is looked for behind the one before it; the first and the last are
/// fixed.
fn matches_part(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: &str = "arn:aws:sts::123456789012:assumed-role/ReaderTeam/session-1";

    fn scopes(map: &str, arn: &str) -> String {
        map.parse::<IamScopes>().unwrap().scopes(arn).to_string()
    }

    #[test]
    fn patterns_that_fit() {
        for (pattern, arn) in [
            ("arn:aws:iam::123456789012:role/Reader*", READER),
            ("arn:aws:iam::123456789012:role/ReaderTeam", READER),
            ("arn:aws:iam::123456789012:role/*Team", READER),
            ("arn:aws:iam::123456789012:role/R*d*T*m", READER),
            ("arn:aws:iam::*:role/ReaderTeam", READER),
            (
                "arn:aws:iam::123456789012:role/some/path/ReaderTeam",
                READER,
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/ReaderTeam/*",
                READER,
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/ReaderTeam/session-1",
                READER,
            ),
            ("*", READER),
            ("*", "arn:aws:iam::123456789012:root"),
            (
                "arn:aws:iam::123456789012:role/Reader",
                "arn:aws:iam::123456789012:role/path/Reader",
            ),
            (
                "arn:aws:iam::123456789012:user/alice",
                "arn:aws:iam::123456789012:user/alice",
            ),
            (
                "arn:aws:iam::123456789012:user/team/*",
                "arn:aws:iam::123456789012:user/team/alice",
            ),
            (
                "arn:aws:iam::123456789012:root",
                "arn:aws:iam::123456789012:root",
            ),
            (
                "arn:aws-cn:iam::123456789012:role/a=b",
                "arn:aws-cn:sts::123456789012:assumed-role/a=b/s",
            ),
        ] {
            assert_eq!(scopes(&format!("{pattern}=x y"), arn), "x y", "{pattern}");
        }
    }

    #[test]
    fn patterns_that_do_not() {
        for (pattern, arn) in [
            ("arn:aws:iam::123456789012:role/Reader", READER),
            // what one star has passed is not there for the next
            ("arn:aws:iam::123456789012:role/Reader*Team*Team", READER),
            ("arn:aws:iam::123456789013:role/Reader*", READER),
            ("arn:aws-cn:iam::123456789012:role/Reader*", READER),
            ("arn:aws:iam::123456789012:user/Reader*", READER),
            ("arn:aws:iam::123456789012:user/*", READER),
            ("arn:aws:iam::123456789012:*", READER),
            ("arn:aws:sts::123456789012:assumed-role/*", READER),
            ("arn:aws:iam::123456789012:role/session*", READER),
            (
                "arn:aws:iam::123456789012:user/*",
                "arn:aws:iam::123456789012:user/team/alice",
            ),
            (
                "arn:aws:iam::123456789012:user/a*ba",
                "arn:aws:iam::123456789012:user/aba:x",
            ),
            (
                "arn:aws:iam::123456789012:user/ab*ba",
                "arn:aws:iam::123456789012:user/aba",
            ),
            (
                "arn:aws:iam::123456789012:role/Reader*",
                "arn:aws:sts::999999999999:assumed-role/x/arn:aws:iam::123456789012:role/Reader",
            ),
            ("arn:aws:iam::123456789012:role/Reader*", ""),
            ("arn:aws:iam::123456789012:role/Reader*", "nonsense"),
        ] {
            assert_eq!(scopes(&format!("{pattern}=x"), arn), "", "{pattern}");
        }
    }

    #[test]
    fn several_patterns_add_up() {
        let map = "arn:aws:iam::123456789012:role/Reader*=catalog:read crm:read;\n \
            arn:aws:iam::123456789012:role/*Team=crm\n*=hello";
        assert_eq!(scopes(map, READER), "catalog:read crm:read crm hello");
        assert!(
            "*=*"
                .parse::<IamScopes>()
                .unwrap()
                .scopes(READER)
                .contains("anything")
        );
    }

    #[test]
    fn mistakes_are_all_said() {
        let text = "nonsense; arn:aws:iam::1:role/a=; role/a=x; arn:aws:iam::1:role/p/a*=x; \
            arn:aws:iam::1:role/ok=x";
        let mistakes = text.parse::<IamScopes>().unwrap_err();
        let expected = [
            "needs a =",
            "needs scopes",
            "six parts",
            "both a path and a *",
        ];
        assert_eq!(mistakes.len(), expected.len());
        for (mistake, expected) in mistakes.iter().zip(expected) {
            assert!(mistake.contains(expected), "{mistake}");
        }
        assert_eq!(" ; ".parse::<IamScopes>().unwrap_err().len(), 1);
    }

    /// Else an operator reads of no mistake, and nobody ever matches.
    #[test]
    fn what_can_be_nobodys_arn_is_a_mistake_for_each_reason_alone() {
        for pattern in [
            "aws:arn:iam::123456789012:role/Reader",
            "arn:aws:iam::role/Reader",
            "arn:aws:iam::123456789012:role/Reader:x",
            "arn:aws:iam::123456789012:role/Rea der",
            "arn:aws: iam::123456789012:role/Reader",
            "ARN:aws:iam::123456789012:role/Reader",
            "**",
        ] {
            let mistakes = format!("{pattern}=x").parse::<IamScopes>().unwrap_err();
            assert!(mistakes[0].contains("six parts"), "{pattern}: {mistakes:?}");
        }
    }
}
