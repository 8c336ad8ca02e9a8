//! The YAML header of a `SKILL.md` as JSON. Read once, where the file is embedded or read: clients
//! compare it member by member with what they read in the file themselves.
//!
//! So what two readers of YAML understand differently (`yes`, `0o17`, `1_000`, dates: YAML 1.1 and
//! 1.2 do not agree) is refused with the advice to put it in quotes, and so is what JSON can't say.

use std::fmt::Write as _;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::skill::{description_mistake, name_mistake};

/// Bytes of a header: what a client keeps in a model's context for each skill is far below it.
const MAX_HEADER: usize = 64 * 1024;
/// How deep it nests.
const MAX_DEPTH: usize = 32;
/// Characters of `compatibility`.
const MAX_COMPATIBILITY: usize = 500;
/// Metadata keys that are not an author's.
const RESERVED: &str = "io.modelcontextprotocol/";

/// A header that may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontmatter {
    /// As JSON, every member as it was written, in its order.
    pub json: String,
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: String,
}

/// Reads the header of a `SKILL.md`.
///
/// ```
/// use mcpfn_embed::frontmatter;
///
/// let file = "---\nname: refunds\ndescription: How to refund.\n---\n# Refunds\n";
/// let header = frontmatter::read(file.as_bytes()).unwrap();
/// assert_eq!(header.json, r#"{"name":"refunds","description":"How to refund."}"#);
/// let mistakes = frontmatter::read(b"---\nname: Refunds\nlicense: yes\n---\n").unwrap_err();
/// assert_eq!(mistakes.len(), 3); // the name, the licence, no description
/// ```
///
/// # Errors
/// Every mistake, as a sentence about the file.
pub fn read(file: &[u8]) -> Result<Frontmatter, Vec<String>> {
    let header = header(file).map_err(|mistake| vec![mistake.to_owned()])?;
    let mut reader = HeaderReader::default();
    let members = reader.read(header).map_err(|mistake| vec![mistake])?;
    let mut mistakes = reader.mistakes;
    check(&members, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let text = |name: &str| {
        let member = members.iter().find(|(member, _)| member == name);
        let text = member.and_then(|(_, node)| match node {
            YamlNode::Value(Value::String(text)) => Some(text.clone()),
            _ => None,
        });
        text.unwrap_or_default()
    };
    let (name, description) = (text("name"), text("description"));
    let mut json = String::new();
    YamlNode::Map(members).write(&mut json);
    Ok(Frontmatter {
        json,
        name,
        description,
    })
}

/// What is between the first line `---` and the next one.
fn header(file: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(file).map_err(|_| "it is not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))
        .ok_or("it must begin with a line `---`, its frontmatter and another line `---`")?;
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            let header = &rest[..end];
            return match header.len() {
                0..=MAX_HEADER => Ok(header),
                _ => Err("its frontmatter has more than 64 KiB"),
            };
        }
        end += line.len();
    }
    Err("its frontmatter has no end: add a line `---`")
}

/// A value in the order in which it was written.
#[derive(Debug, Clone)]
enum YamlNode {
    Value(Value),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl YamlNode {
    fn write(&self, out: &mut String) {
        match self {
            Self::Value(value) => {
                // writing to a string can't fail
                let _ = write!(out, "{value}");
            }
            Self::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    let _ = write!(out, "{}:", Value::from(name.as_str()));
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// What is open while events come.
enum OpenNode {
    List(Vec<YamlNode>),
    Map(Vec<(String, YamlNode)>, Option<String>),
}

#[derive(Default)]
struct HeaderReader {
    open: Vec<OpenNode>,
    mistakes: Vec<String>,
}

impl HeaderReader {
    fn read(&mut self, yaml: &str) -> Result<Vec<(String, YamlNode)>, String> {
        let mut root = None;
        let mut parser = Parser::new_from_str(yaml);
        while let Some(event) = parser.next_event() {
            let (event, _) =
                event.map_err(|error| format!("its frontmatter is not YAML: {error}"))?;
            if self.open.len() > MAX_DEPTH {
                return Err(format!(
                    "its frontmatter nests deeper than {MAX_DEPTH} levels"
                ));
            }
            let node = match event {
                Event::Alias(_) => return Err(NO_ALIASES.to_owned()),
                Event::Scalar(_, _, anchor, _)
                | Event::SequenceStart(anchor, _)
                | Event::MappingStart(anchor, _)
                    if anchor != 0 =>
                {
                    return Err(NO_ALIASES.to_owned());
                }
                Event::Scalar(_, _, _, Some(_))
                | Event::SequenceStart(_, Some(_))
                | Event::MappingStart(_, Some(_)) => {
                    return Err("its frontmatter has a tag (`!`): leave it out".to_owned());
                }
                Event::Scalar(text, style, ..) => {
                    Some(self.scalar(&text, style == ScalarStyle::Plain))
                }
                Event::SequenceStart(..) => {
                    self.open.push(OpenNode::List(Vec::new()));
                    None
                }
                Event::MappingStart(..) => {
                    self.open.push(OpenNode::Map(Vec::new(), None));
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err("its frontmatter has two documents".to_owned());
                }
                _ => None,
            };
            if let Some(node) = node
                && let Some(whole) = self.place(node)?
            {
                root = Some(whole);
            }
        }
        match root {
            Some(YamlNode::Map(members)) => Ok(members),
            _ => Err("its frontmatter must have members, such as `name: refunds`".to_owned()),
        }
    }

    fn close(&mut self) -> Option<YamlNode> {
        Some(match self.open.pop()? {
            OpenNode::List(items) => YamlNode::List(items),
            OpenNode::Map(members, _) => YamlNode::Map(members),
        })
    }

    /// Puts a value where it belongs; gives it back if it is the whole.
    fn place(&mut self, node: YamlNode) -> Result<Option<YamlNode>, String> {
        match self.open.last_mut() {
            None => return Ok(Some(node)),
            Some(OpenNode::List(items)) => items.push(node),
            Some(OpenNode::Map(members, name)) => match (name.take(), node) {
                (Some(key), node) => members.push((key, node)),
                (None, YamlNode::Value(Value::String(key))) => {
                    if members.iter().any(|(member, _)| *member == key) {
                        self.mistakes
                            .push(format!("its frontmatter has `{key}` twice"));
                    }
                    *name = Some(key);
                }
                (None, _) => {
                    return Err(
                        "its frontmatter has a key that is no text: put it in quotes".to_owned(),
                    );
                }
            },
        }
        Ok(None)
    }

    fn scalar(&mut self, text: &str, plain: bool) -> YamlNode {
        if !plain {
            return YamlNode::Value(text.into());
        }
        YamlNode::Value(match plain_scalar(text) {
            Ok(value) => value,
            Err(()) => {
                self.mistakes.push(format!(
                    "its frontmatter has `{text}`, which readers of YAML understand differently: put it in quotes"
                ));
                text.into()
            }
        })
    }
}

const NO_ALIASES: &str =
    "its frontmatter has an anchor or an alias (`&`, `*`): write the value again";

/// A scalar without quotes, if all readers agree on it.
fn plain_scalar(text: &str) -> Result<Value, ()> {
    let lower = text.to_ascii_lowercase();
    match text {
        "" | "null" => return Ok(Value::Null),
        "true" => return Ok(true.into()),
        "false" => return Ok(false.into()),
        _ => {}
    }
    if let Ok(Value::Number(number)) = serde_json::from_str::<Value>(text) {
        // an exponent without a dot is text in YAML 1.1, and a number beyond 64 bits is rounded
        let exact = number.is_i64() || number.is_u64() || is_short_decimal(text, &number);
        return if exact {
            Ok(Value::Number(number))
        } else {
            Err(())
        };
    }
    let ambiguous = matches!(
        lower.as_str(),
        "~" | "="
            | "<<"
            | "y"
            | "n"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "null"
            | "true"
            | "false"
            | ".nan"
            | ".inf"
            | "-.inf"
            | "+.inf"
    );
    // whatever begins as a number does and is none in JSON: 0x1f, 0o17, 1_000, 1:30, 2026-07-28, +1, .5
    let first = text.trim_start_matches(['+', '-', '.']);
    let number_like = first.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "xo_:+-.TZt ".contains(c));
    if ambiguous || number_like {
        Err(())
    } else {
        Ok(text.into())
    }
}

fn is_short_decimal(text: &str, number: &Number) -> bool {
    text.contains('.') && !text.contains(['e', 'E']) && number.to_string() == text
}

/// The members that a skill must have, and the forms of those that it may have.
fn check(members: &[(String, YamlNode)], mistakes: &mut Vec<String>) {
    let member = |name: &str| {
        members
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, node)| node)
    };
    let text = |name: &str| match member(name) {
        Some(YamlNode::Value(Value::String(text))) => Some(Ok(text.as_str())),
        Some(_) => Some(Err(())),
        None => None,
    };
    let mut required = |name: &str, mistake: fn(&str) -> Option<&'static str>| match text(name) {
        Some(Ok(text)) => {
            mistakes.extend(mistake(text).map(|mistake| format!("`{name}`: {mistake}")));
        }
        Some(Err(())) => mistakes.push(format!("`{name}` must be a text")),
        None => mistakes.push(format!("its frontmatter has no `{name}`")),
    };
    required("name", name_mistake);
    required("description", description_mistake);
    if matches!(text("license"), Some(Err(()))) {
        mistakes.push("`license` must be a text".to_owned());
    }
    match text("compatibility") {
        Some(Ok(text)) if (1..=MAX_COMPATIBILITY).contains(&text.chars().count()) => {}
        None => {}
        Some(_) => {
            mistakes.push("`compatibility` must be a text of 1 to 500 characters".to_owned());
        }
    }
    match member("allowed-tools") {
        None | Some(YamlNode::Value(Value::String(_))) => {}
        Some(YamlNode::List(tools))
            if tools
                .iter()
                .all(|tool| matches!(tool, YamlNode::Value(Value::String(_)))) => {}
        Some(_) => mistakes.push("`allowed-tools` must be a text or a list of texts".to_owned()),
    }
    match member("metadata") {
        None => {}
        Some(YamlNode::Map(metadata)) => {
            let reserved = metadata.iter().filter(|(key, _)| key.starts_with(RESERVED));
            mistakes.extend(
                reserved.map(|(key, _)| {
                    format!("`metadata` has `{key}`, which is reserved: rename it")
                }),
            );
        }
        Some(_) => mistakes.push("`metadata` must have members".to_owned()),
    }
}

/// The members of a header that was read before.
///
/// # Errors
/// When the text is no JSON object.
pub fn members(json: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn with(more: &str) -> Result<Value, Vec<String>> {
        let file = format!("---\nname: a\ndescription: b\n{more}\n---\nbody");
        read(file.as_bytes()).map(|header| serde_json::from_str(&header.json).unwrap())
    }

    #[test]
    fn every_member_is_kept_as_it_was_written() {
        let more = "license: MIT\nallowed-tools: [a, 'b']\nmetadata:\n  version: \"1.0\"\n  count: 3\n  f: 1.5\n  t: true\n  nothing: null\n  empty:\n  long: >-\n    a\n    b\nx-mine: {a: [1, -2]}";
        let expected = json!({"name": "a", "description": "b", "license": "MIT", "allowed-tools": ["a", "b"],
            "metadata": {"version": "1.0", "count": 3, "f": 1.5, "t": true, "nothing": null, "empty": null, "long": "a b"},
            "x-mine": {"a": [1, -2]}});
        assert_eq!(with(more).unwrap(), expected);
        let file = "\u{feff}---\r\nname: a\r\ndescription: \"b: c\"\r\n---\r\n";
        assert_eq!(
            read(file.as_bytes()).unwrap().json,
            r#"{"name":"a","description":"b: c"}"#
        );
    }

    #[test]
    fn what_readers_of_yaml_do_not_agree_on_is_refused() {
        for value in [
            "yes",
            "No",
            "on",
            "~",
            "0x1f",
            "0o17",
            "017",
            "1_000",
            "1:30",
            "2026-07-28",
            "2026-07-28T10:00:00Z",
            ".inf",
            "-.INF",
            ".nan",
            "1e3",
            "1.5e3",
            "+1",
            ".5",
            "1.",
            "1.10",
            "True",
            "NULL",
            "123456789012345678901234567890",
        ] {
            let mistakes = with(&format!("x: {value}")).unwrap_err();
            assert!(mistakes[0].contains("quotes"), "{value}: {mistakes:?}");
            assert!(with(&format!("x: '{value}'")).is_ok(), "{value}");
        }
        for value in ["v1.0", "1.0.0 or newer", "a: 'b'", "yes please", "2nd"] {
            let taken = with(&format!("x: {value}"));
            assert!(taken.is_ok() || value.contains(": "), "{value}: {taken:?}");
        }
    }

    #[test]
    fn what_json_can_not_say_is_refused() {
        for (more, part) in [
            ("x: &a 1\ny: *a", "alias"),
            ("x: &a [1]", "alias"),
            ("x: !!binary aGk=", "tag"),
            ("x: !!map {}", "tag"),
            ("x: 1\nx: 2", "twice"),
            ("1: 2", "quotes"),
            ("? [a]\n: b", "no text"),
            ("x: [", "not YAML"),
            (
                &format!("x: {}1{}", "[".repeat(40), "]".repeat(40)),
                "deeper",
            ),
            ("license: 3", "license"),
            ("compatibility: ''", "compatibility"),
            ("allowed-tools: {a: b}", "allowed-tools"),
            ("metadata: a", "metadata"),
            ("metadata:\n  io.modelcontextprotocol/x: a", "reserved"),
        ] {
            let mistakes = with(more).unwrap_err();
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(part)),
                "{more}: {mistakes:?}"
            );
        }
        for file in [
            "",
            "name: a",
            "---\nname: a",
            "---\n---\n",
            "---\n- a\n---\n",
            "---\na\n---\n",
            "----\nname: a\n---\n",
        ] {
            assert!(read(file.as_bytes()).is_err(), "{file:?}");
        }
        assert!(read(b"---\n\xff\n---\n").is_err());
        assert!(
            read(format!("---\nname: a\ndescription: {}\n---\n", "b".repeat(70_000)).as_bytes())
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(file in "(---\n)?(\\PC|[:\n -]|name: a\n|---\n|&a|\\*a|\\[|\\{){0,40}") {
            if let Ok(header) = read(file.as_bytes()) {
                prop_assert!(members(&header.json).is_ok());
            }
        }
    }
}
