//! The filter patterns of CloudWatch Logs for lines of JSON, as documented under "Filter pattern
//! syntax". Patterns of other forms, for words and for columns, are refused.

use regex_lite::Regex;
use serde_json::Value;

/// A pattern such as `{ $.event = "call" && $.outcome = "internal" }`.
#[derive(Debug)]
pub struct FilterPattern(Expression);

#[derive(Debug)]
enum Expression {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Term(Vec<Step>, Test),
}

#[derive(Debug)]
enum Step {
    Member(String),
    Element(usize),
}

#[derive(Debug)]
enum Test {
    IsNull,
    Is(bool),
    Exists(bool),
    Text { equal: bool, pattern: Regex },
    Number(Operator, f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl FilterPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let mut parser = Parser {
            rest: inner.ok_or("the pattern is not in braces")?.trim(),
        };
        let expression = parser.any()?;
        if parser.rest.is_empty() {
            Ok(Self(expression))
        } else {
            Err(format!("`{}` is not expected", parser.rest))
        }
    }

    /// Whether a line matches. One that is not JSON does not.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        serde_json::from_str(line).is_ok_and(|line: Value| line.is_object() && self.0.holds(&line))
    }

    /// The members at the top that it reads.
    #[must_use]
    pub fn members(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.0.members(&mut names);
        names
    }
}

impl Expression {
    fn holds(&self, line: &Value) -> bool {
        match self {
            Self::And(one, other) => one.holds(line) && other.holds(line),
            Self::Or(one, other) => one.holds(line) || other.holds(line),
            Self::Term(path, test) => {
                test.holds(path.iter().try_fold(line, |value, step| match step {
                    Step::Member(name) => value.get(name),
                    Step::Element(index) => value.get(index),
                }))
            }
        }
    }

    fn members<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                one.members(names);
                other.members(names);
            }
            Self::Term(path, _) => {
                if let Some(Step::Member(name)) = path.first() {
                    names.push(name);
                }
            }
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            return matches!(self, Self::Exists(false));
        };
        match self {
            Self::IsNull => value.is_null(),
            Self::Is(expected) => value.as_bool() == Some(*expected),
            Self::Exists(expected) => *expected,
            Self::Text { equal, pattern } => value
                .as_str()
                .is_some_and(|text| pattern.is_match(text) == *equal),
            Self::Number(operator, number) => value
                .as_f64()
                .is_some_and(|value| operator.holds(value, *number)),
        }
    }
}

impl Operator {
    fn holds(self, one: f64, other: f64) -> bool {
        match self {
            Self::Equal => one == other,
            Self::NotEqual => one != other,
            Self::Less => one < other,
            Self::AtMost => one <= other,
            Self::Greater => one > other,
            Self::AtLeast => one >= other,
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Expression, String> {
        let mut made = self.all()?;
        while self.takes("||") {
            made = Expression::Or(Box::new(made), Box::new(self.all()?));
        }
        Ok(made)
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut made = self.term()?;
        while self.takes("&&") {
            made = Expression::And(Box::new(made), Box::new(self.term()?));
        }
        Ok(made)
    }

    fn term(&mut self) -> Result<Expression, String> {
        if self.takes("(") {
            let inner = self.any()?;
            return if self.takes(")") {
                Ok(inner)
            } else {
                Err("a parenthesis is not closed".to_owned())
            };
        }
        let path = self.path()?;
        Ok(Expression::Term(path, self.test()?))
    }

    fn path(&mut self) -> Result<Vec<Step>, String> {
        if !self.takes("$") {
            return Err(format!("`{}` does not begin with a selector", self.rest));
        }
        let mut path = Vec::new();
        loop {
            if let Some(rest) = self
                .rest
                .strip_prefix(".['")
                .or(self.rest.strip_prefix("['"))
            {
                let (name, rest) = rest.split_once("']").ok_or("a name is not closed")?;
                path.push(Step::Member(name.to_owned()));
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                let legal = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
                let end = rest.find(|letter| !legal(letter)).unwrap_or(rest.len());
                path.push(Step::Member(rest[..end].to_owned()));
                self.rest = &rest[end..];
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let (index, rest) = rest.split_once(']').ok_or("an index is not closed")?;
                let index = index
                    .parse()
                    .map_err(|_| format!("`{index}` is no index"))?;
                path.push(Step::Element(index));
                self.rest = rest;
            } else {
                self.rest = self.rest.trim_start();
                return if path.is_empty() {
                    Err("`$` selects nothing".to_owned())
                } else {
                    Ok(path)
                };
            }
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        for (words, test) in [
            ("IS NULL", Test::IsNull),
            ("IS TRUE", Test::Is(true)),
            ("IS FALSE", Test::Is(false)),
            ("NOT EXISTS", Test::Exists(false)),
            ("EXISTS", Test::Exists(true)),
        ] {
            if self.takes(words) {
                return Ok(test);
            }
        }
        let operators = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let operator = operators.into_iter().find(|(sign, _)| self.takes(sign));
        let (_, operator) = operator.ok_or_else(|| format!("`{}` is no comparison", self.rest))?;
        self.value(operator)
    }

    fn value(&mut self, operator: Operator) -> Result<Test, String> {
        let equal = operator == Operator::Equal;
        if !equal && operator != Operator::NotEqual {
            let word = self.word();
            let number = word.parse().map_err(|_| format!("`{word}` is no number"))?;
            return Ok(Test::Number(operator, number));
        }
        if self.takes("%") {
            let (pattern, rest) = self.rest.split_once('%').ok_or("a `%` is not closed")?;
            self.rest = rest.trim_start();
            let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
            return Ok(Test::Text { equal, pattern });
        }
        if self.takes("\"") {
            let text = self.quoted()?;
            return Ok(Test::Text {
                equal,
                pattern: wildcard(&text)?,
            });
        }
        let word = self.word();
        match word.parse() {
            Ok(number) => Ok(Test::Number(operator, number)),
            Err(_) => Ok(Test::Text {
                equal,
                pattern: wildcard(word)?,
            }),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = self.rest[at + 1..].trim_start();
                    return Ok(text);
                }
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                _ => text.push(letter),
            }
        }
        Err("a text is not closed".to_owned())
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|letter: char| letter.is_whitespace() || ")&|".contains(letter));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word
    }

    fn takes(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }
}

/// A whole text, in which `*` stands for any.
fn wildcard(text: &str) -> Result<Regex, String> {
    let mut pattern = "^".to_owned();
    for letter in text.chars() {
        match letter {
            '*' => pattern.push_str(".*"),
            _ if letter.is_alphanumeric() || "_ ".contains(letter) => pattern.push(letter),
            _ => pattern.extend(['\\', letter]),
        }
    }
    Regex::new(&(pattern + "$")).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The event of the documentation, and what it has beside that in examples elsewhere.
    const EVENT: &str = r#"{
        "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": null, "cluster.name": "c", "someFlag": true,
        "bandwidth": 76, "latency": 49.5, "number": [0.001], "errorCode": 400,
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane@example.com"}],
        "actions": ["GET", "PUT", "DELETE"], "message": "error \"message\""
    }"#;

    #[test]
    fn documented_patterns_match_as_documented() {
        for (pattern, expected) in [
            (r#"{ $.eventType = "UpdateTrail" }"#, true),
            (r#"{ $.eventType = "DeleteTrail" }"#, false),
            (r#"{ $.eventType = "*" }"#, true),
            (r#"{ $.absent = "*" }"#, false),
            (r#"{ $.absent != "x" }"#, false),
            ("{ $.sourceIPAddress != 123.123.* }", true),
            ("{ $.sourceIPAddress = 111.111.* }", true),
            (r#"{ $.sourceIPAddress = "*.111" }"#, true),
            (r#"{ $.arrayKey[0] = "value" }"#, true),
            (r#"{ $.arrayKey[1] = "value" }"#, false),
            (r"{ $.eventType = %Trail% }", true),
            (r"{ $.eventType != %Trail% }", false),
            (r"{ $.eventType = %[0-9]% }", false),
            ("{ $.objectList[1].id = 2 }", true),
            ("{ $.objectList[0].id = 2 }", false),
            ("{ $.SomeObject IS NULL }", true),
            ("{ $.user IS NULL }", false),
            ("{ $.SomeOtherObject NOT EXISTS }", true),
            ("{ $.SomeObject NOT EXISTS }", false),
            ("{ $.someFlag IS TRUE }", true),
            ("{ $.someFlag IS FALSE }", false),
            (r#"{ $.['cluster.name'] = "c" }"#, true),
            ("{ $.bandwidth > 75 }", true),
            ("{ $.latency < 50 }", true),
            ("{ $.bandwidth >= 77 }", false),
            ("{ $.latency <= 5 }", false),
            ("{ $.errorCode = 400 }", true),
            ("{ $.errorCode != 500 }", true),
            (r#"{ $.errorCode = "400" }"#, false),
            ("{ $.number[0] = 1e-3 }", true),
            ("{ $.number[0] != 1e+3 }", true),
            (
                r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#,
                true,
            ),
            (
                r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "DELETE" }"#,
                true,
            ),
            (
                r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }"#,
                false,
            ),
            // `&&` before `||`
            (
                r#"{ $.user.id = 1 || $.user.id = 2 && $.errorCode = 1 }"#,
                true,
            ),
            (
                r#"{ ($.user.id = 1 || $.user.id = 2) && $.errorCode = 1 }"#,
                false,
            ),
            (r#"{ $.message = "error \"message\"" }"#, true),
        ] {
            let parsed = FilterPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(EVENT), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_for_json_is_refused() {
        for pattern in [
            "",
            "{}",
            "ERROR",
            "[ip, user]",
            "{ $.a }",
            "{ $ = 1 }",
            "{ $.a % 1 }",
            "{ $.a = \"x }",
            "{ ($.a = 1 }",
            "{ $.a = 1 && }",
            "{ $.a > \"1\" }",
            "{ a = 1 }",
        ] {
            assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
        }
        let pattern = FilterPattern::parse("{ $.a NOT EXISTS }").unwrap();
        assert!(!pattern.matches("START RequestId: 1"), "not JSON");
    }
}
