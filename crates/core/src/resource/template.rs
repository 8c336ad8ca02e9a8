//! URI templates (RFC 6570), matched against URIs. Expansion is the client's side and is not here.
//!
//! Written here because no kept-up library matches under a licence that we can use: they expand, or
//! match level 2 through the `regex` crate. Matching is linear: a variable ends at the first
//! occurrence of the text that follows it (`{+var}` at the last), and a template whose variables
//! can't be told apart is refused when the server is built.

use std::collections::BTreeMap;

/// Longest URI that is matched at all, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<TemplatePart>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart {
    /// Text that stands in the URI as it is.
    Literal(String),
    /// One variable, after its own literal prefix if its operator has one.
    Variable {
        name: String,
        reserved: bool,
        most: Option<usize>,
    },
    /// `{?a,b}` and `{&a,b}`: named values in any order, each of which may be absent.
    Query { first: char, names: Vec<String> },
}

impl Template {
    /// Parses a template; the error says what to change.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            if rest[start..].starts_with('}') {
                return Err("a `}` has no `{` before it".to_owned());
            }
            push_literal(&mut parts, &rest[..start]);
            let end = rest[start..].find('}').ok_or("a `{` is never closed")? + start;
            expression(&rest[start + 1..end], &mut parts)?;
            rest = &rest[end + 1..];
        }
        push_literal(&mut parts, rest);
        let template = Self(parts);
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), String> {
        let mut seen: Vec<&str> = Vec::new();
        for name in self.variables() {
            if seen.contains(&name) {
                return Err(format!("the variable `{name}` stands twice"));
            }
            seen.push(name);
        }
        if seen.is_empty() {
            return Err("it has no variable".to_owned());
        }
        // two greedy variables could share a text in many ways, and matching would have to try
        // them
        let greedy = self
            .0
            .iter()
            .filter(|part| matches!(part, TemplatePart::Variable { reserved: true, .. }))
            .count();
        if greedy > 1 {
            return Err(
                "only one `{+variable}` or `{#variable}` can be told apart in a URI".to_owned(),
            );
        }
        for pair in self.0.windows(2) {
            if let [
                TemplatePart::Variable { name: first, .. },
                TemplatePart::Variable { name: second, .. },
            ] = pair
            {
                return Err(format!(
                    "put some text between `{{{first}}}` and `{{{second}}}`: without it the end \
                     of the first is ambiguous"
                ));
            }
        }
        Ok(())
    }

    /// Names of the variables, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|part| match part {
            TemplatePart::Literal(_) => Vec::new(),
            TemplatePart::Variable { name, .. } => vec![name.as_str()],
            TemplatePart::Query { names, .. } => names.iter().map(String::as_str).collect(),
        })
    }

    /// The variables' values, decoded, if the whole URI fits.
    pub(crate) fn matches(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        // before any matching, whose cost grows with the length
        if uri.len() > MAX_LENGTH {
            return None;
        }
        let mut values = BTreeMap::new();
        let mut rest = uri;
        for (position, part) in self.0.iter().enumerate() {
            match part {
                TemplatePart::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                TemplatePart::Variable {
                    name,
                    reserved,
                    most,
                } => {
                    let end = self.end(position, rest, *reserved)?;
                    let (value, after) = rest.split_at(end);
                    let decoded = decode(value, *reserved)?;
                    if decoded.is_empty() || most.is_some_and(|most| decoded.chars().count() > most)
                    {
                        return None;
                    }
                    values.insert(name.clone(), decoded);
                    rest = after;
                }
                TemplatePart::Query { first, names } => {
                    rest = query(*first, names, rest, &mut values)?;
                }
            }
        }
        rest.is_empty().then_some(values)
    }

    /// Where the variable at `position` ends in `rest`.
    fn end(&self, position: usize, rest: &str, reserved: bool) -> Option<usize> {
        match self.0.get(position + 1) {
            Some(TemplatePart::Literal(next)) if reserved => rest.rfind(next.as_str()),
            Some(TemplatePart::Literal(next)) => {
                // a variable is never empty, so its first character is not where the next text
                // begins
                let first = rest.chars().next()?.len_utf8();
                rest.get(first..)?
                    .find(next.as_str())
                    .map(|found| found + first)
            }
            Some(TemplatePart::Query { first, .. }) => {
                Some(rest.find(*first).unwrap_or(rest.len()))
            }
            _ => Some(rest.len()),
        }
    }
}

fn push_literal(parts: &mut Vec<TemplatePart>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(TemplatePart::Literal(literal)) => literal.push_str(text),
        _ => parts.push(TemplatePart::Literal(text.to_owned())),
    }
}

fn expression(text: &str, parts: &mut Vec<TemplatePart>) -> Result<(), String> {
    let (operator, names) = match text.chars().next() {
        Some(operator @ ('+' | '#' | '.' | '/' | ';' | '?' | '&')) => (Some(operator), &text[1..]),
        Some('=' | ',' | '!' | '@' | '|') => {
            return Err(format!(
                "`{{{text}}}` uses an operator that RFC 6570 reserves"
            ));
        }
        _ => (None, text),
    };
    let names: Vec<(String, Option<usize>)> =
        names.split(',').map(variable).collect::<Result<_, _>>()?;
    if let Some(first @ ('?' | '&')) = operator {
        parts.push(TemplatePart::Query {
            first,
            names: names.into_iter().map(|(name, _)| name).collect(),
        });
        return Ok(());
    }
    for (position, (name, most)) in names.into_iter().enumerate() {
        match operator {
            Some('.' | '/') => push_literal(parts, if operator == Some('.') { "." } else { "/" }),
            Some(';') => push_literal(parts, &format!(";{name}=")),
            Some('#') if position == 0 => push_literal(parts, "#"),
            _ if position > 0 => push_literal(parts, ","),
            _ => {}
        }
        parts.push(TemplatePart::Variable {
            name,
            reserved: matches!(operator, Some('+' | '#')),
            most,
        });
    }
    Ok(())
}

fn variable(text: &str) -> Result<(String, Option<usize>), String> {
    if text.ends_with('*') {
        return Err(format!(
            "`{text}`: lists can't be read back from a URI; use `{{+{}}}` for a path",
            text.trim_end_matches('*')
        ));
    }
    let (name, most) = match text.split_once(':') {
        Some((name, most)) => {
            let most = most.parse().ok().filter(|most| (1..10_000).contains(most));
            (
                name,
                Some(most.ok_or_else(|| {
                    format!("`{text}`: a prefix length is a number from 1 to 9999")
                })?),
            )
        }
        None => (text, None),
    };
    let plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') || name.ends_with('.') {
        return Err(format!(
            "`{{{text}}}`: a variable's name is made of letters, digits, `_` and inner dots"
        ));
    }
    Ok((name.to_owned(), most))
}

fn query<'a>(
    first: char,
    names: &[String],
    rest: &'a str,
    values: &mut BTreeMap<String, String>,
) -> Option<&'a str> {
    let Some(after) = rest.strip_prefix(first) else {
        return Some(rest);
    };
    let end = after.find('#').unwrap_or(after.len());
    let (pairs, rest) = after.split_at(end);
    for pair in pairs.split('&') {
        let (name, value) = pair.split_once('=')?;
        let name = names.iter().find(|known| *known == name)?;
        if values.insert(name.clone(), decode(value, false)?).is_some() {
            return None;
        }
    }
    Some(rest)
}

/// Undoes percent-encoding. `None` where a character may not stand there, or the bytes are not
/// UTF-8.
fn decode(text: &str, reserved: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                let hex = |digit: u8| char::from(digit).to_digit(16);
                bytes.push(u8::try_from(hex(digits[0])? * 16 + hex(digits[1])?).ok()?);
                rest = after;
            }
            // RFC 3986 reserved characters end a simple variable
            b'/' | b'?' | b'#' | b'[' | b']' | b'&' | b'=' if !reserved => return None,
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matched(template: &str, uri: &str) -> Option<String> {
        let values = Template::parse(template).unwrap().matches(uri)?;
        Some(
            values
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    #[test]
    fn uris_match_their_template() {
        let case = |template, uri, expected: &str| {
            assert_eq!(
                matched(template, uri).as_deref(),
                Some(expected),
                "{template} {uri}"
            );
        };
        case(
            "test://template/{id}/data",
            "test://template/123/data",
            "id=123",
        );
        case("shop://{a}/{b}", "shop://x%20y/%C3%A9", "a=x y b=é");
        case("file:///{+path}", "file:///a/b/c.txt", "path=a/b/c.txt");
        case("file:///{+path}/raw", "file:///a/raw/raw", "path=a/raw");
        case("x:{name}.{ext}", "x:a.tar.gz", "ext=tar.gz name=a");
        case("x:/a{/b,c}", "x:/a/1/2", "b=1 c=2");
        case(
            "x:/a{?q,page}",
            "x:/a?page=2&q=tea%26milk",
            "page=2 q=tea&milk",
        );
        case("x:{id}{?q}", "x:7", "id=7");
        case("x:a{#part}", "x:a#s/1", "part=s/1");
        case("x:a{;v}", "x:a;v=1", "v=1");
        case("x:{y:4}", "x:2026", "y=2026");
    }

    #[test]
    fn other_uris_do_not() {
        let none = |template, uri| assert_eq!(matched(template, uri), None, "{template} {uri}");
        none("test://template/{id}/data", "test://template//data");
        none("test://template/{id}/data", "test://template/1/2/data");
        none("test://template/{id}/data", "test://template/1/data/");
        none("x:{id}", "x:%zz");
        none("x:{id}", "x:%ff");
        none("x:{id}", "x:a/b");
        none("x:{y:4}", "x:20266");
        none("x:/a{?q}", "x:/a?other=1");
        none("x:/a{?q}", "x:/a?q=1&q=2");
        none("x:{id}", &format!("x:{}", "a".repeat(MAX_LENGTH)));
    }

    #[test]
    fn bad_templates_say_what_to_change() {
        for template in [
            "x:{",
            "x:}",
            "x:{}",
            "x:{a b}",
            "x:{a*}",
            "x:{=a}",
            "x:{a}{b}",
            "x:{a}/{a}",
            "x:{+a}/{+b}",
            "x:plain",
            "x:{a:0}",
        ] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
    }

    proptest! {
        #[test]
        fn any_input_is_handled(template in "[a-z{}+#?&,:*/]{0,24}", uri in ".{0,40}") {
            if let Ok(template) = Template::parse(&template) {
                let _ = template.matches(&uri);
            }
        }

        #[test]
        fn values_come_back(value in "[a-zA-Z0-9 é/%?]{1,20}") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let values = Template::parse("x://{v}/end").unwrap().matches(&format!("x://{encoded}/end"));
            prop_assert_eq!(values.and_then(|mut values| values.remove("v")), Some(value));
        }
    }
}
