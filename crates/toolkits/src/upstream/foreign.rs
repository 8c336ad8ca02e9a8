//! What an upstream says, before it is read: without the token that this server has there, and
//! without what people would not see. Every text of an upstream comes through here.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use mcpfn_core::text::visible;
use serde_json::value::RawValue;

use mcpfn_ports::Secret;

/// Stands where the token was.
const REPLACED: &str = "[token]";
/// The shortest token, in bytes, whose other spellings are looked for: those of a shorter one would
/// be found in any text.
const LEAST_CODED: usize = 8;

/// JSON of an upstream that nobody has cleaned yet.
#[derive(Debug)]
pub(super) struct Foreign(Box<RawValue>);

impl Foreign {
    pub(super) fn new(json: Box<RawValue>) -> Self {
        Self(json)
    }

    /// Every string of it cleaned: names of members, and texts.
    pub(super) fn cleaned(self, cleaner: &Cleaner) -> Box<RawValue> {
        match cleaner.json(self.0.get()) {
            Some(cleaned) => RawValue::from_string(cleaned).unwrap_or_default(),
            None => self.0,
        }
    }

    /// As it came, for a list, whose entries are cleaned one by one.
    pub(super) fn as_it_came(&self) -> &RawValue {
        &self.0
    }
}

/// How many tokens are taken out at most: the one that is sent, and those that it took the place of,
/// which an answer on its way may still repeat.
const MAX_TOKENS: usize = 3;

/// Takes out of texts what no caller and no log may read.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    /// Replaced as a whole where a token is read anew; an answer is cleaned without the lock.
    known: RwLock<Arc<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The tokens, newest first.
    tokens: Vec<String>,
    /// Each of them as it is and in other spellings.
    spellings: Vec<String>,
    /// A spelling that JSON writes with escapes.
    escaped: bool,
}

impl Cleaner {
    pub(super) fn new(token: Option<&Secret>) -> Self {
        let cleaner = Self::default();
        token.into_iter().for_each(|token| cleaner.learn(token));
        cleaner
    }

    /// Takes this token out, too, before it is sent for the first time.
    pub(super) fn learn(&self, token: &Secret) {
        let token = token.expose();
        let known = self.known();
        if token.is_empty() || known.tokens.first().is_some_and(|first| first == token) {
            return;
        }
        let older = known.tokens.iter().filter(|older| *older != token);
        let mut tokens = vec![token.to_owned()];
        tokens.extend(older.take(MAX_TOKENS - 1).cloned());
        let spellings: Vec<String> = tokens.iter().flat_map(|one| spellings(one)).collect();
        let escaped = spellings.iter().any(|one| one.contains(['"', '\\', '/']));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Known {
            tokens,
            spellings,
            escaped,
        });
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A text as people see it, without the token.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // first what is hidden: the token may be spelled around it
        let seen = visible(text);
        match self.without_token(&seen) {
            Some(without) => Cow::Owned(without),
            None => seen,
        }
    }

    /// Whether the token is in a text.
    pub(super) fn finds(&self, text: &str) -> bool {
        let (seen, known) = (visible(text), self.known());
        let mut spellings = known.spellings.iter();
        spellings.any(|one| seen.contains(one.as_str()))
    }

    /// A text letter by letter, unless the token is in it.
    pub(super) fn redacted(&self, text: &mut String) {
        if let Some(without) = self.without_token(&visible(text)) {
            *text = without;
        }
    }

    /// The text without the token in any spelling; `None` where none is in it. One pass, however
    /// often it stands there: whoever was sent a token can flood with it.
    fn without_token(&self, text: &str) -> Option<String> {
        let known = self.known();
        let mut found: Vec<Spelled> = known
            .spellings
            .iter()
            .filter_map(|one| Spelled::first(text, one))
            .collect();
        found.first()?;
        let (mut without, mut done) = (String::with_capacity(text.len()), 0);
        while let Some((start, end)) = found.iter().map(Spelled::range).min() {
            // as far as others go on from within
            let end = found.iter().fold(end, |end, other| other.reach(end));
            let range = widened(text, start, end);
            without.push_str(&text[done..range.start.max(done)]);
            without.push_str(REPLACED);
            done = range.end;
            found.retain_mut(|one| one.move_on(text, done));
        }
        without.push_str(&text[done..]);
        Some(without)
    }

    /// Valid JSON with every string cleaned; `None` when nothing had to be. Its nesting costs no
    /// stack.
    pub(super) fn json(&self, json: &str) -> Option<String> {
        if self.is_clean(json) {
            return None;
        }
        let (mut cleaned, mut rest) = (String::with_capacity(json.len()), json);
        while let Some(start) = rest.find('"') {
            let literal = &rest[start..];
            let end = end_of_string(literal);
            cleaned.push_str(&rest[..start]);
            cleaned.push_str(&self.literal(&literal[..end]));
            rest = &literal[end..];
        }
        cleaned.push_str(rest);
        Some(cleaned)
    }

    fn literal<'a>(&self, literal: &'a str) -> Cow<'a, str> {
        if self.is_clean(literal) {
            return Cow::Borrowed(literal);
        }
        // half of a character that JSON writes as two: no text, and nothing is lost
        let text: String = serde_json::from_str(literal).unwrap_or_default();
        let cleaned = self.text(&text);
        Cow::Owned(serde_json::Value::from(cleaned.as_ref()).to_string())
    }

    /// Whether JSON has nothing that has to be looked at: characters of ASCII without escapes but
    /// those of line ends, tabs and quotation marks, and no token.
    fn is_clean(&self, json: &str) -> bool {
        let known = self.known();
        let mut escape = false;
        let plain = json.bytes().all(|byte| {
            let plain = !escape || matches!(byte, b'n' | b't') || (byte == b'"' && !known.escaped);
            escape = !escape && byte == b'\\';
            plain && byte < 0x7f
        });
        plain
            && !known
                .spellings
                .iter()
                .any(|one| json.contains(one.as_str()))
    }
}

/// The next place of one spelling in a text. Each is looked for from where the last one ended, and
/// never in what was put in its place: a token may be a part of [`REPLACED`].
struct Spelled<'a> {
    spelling: &'a str,
    start: usize,
}

impl<'a> Spelled<'a> {
    fn first(text: &str, spelling: &'a str) -> Option<Self> {
        let start = text.find(spelling)?;
        Some(Self { spelling, start })
    }

    fn range(&self) -> (usize, usize) {
        (self.start, self.start + self.spelling.len())
    }

    /// The end of this one if it begins before `end`.
    fn reach(&self, end: usize) -> usize {
        match self.range() {
            (start, own_end) if start < end => own_end.max(end),
            _ => end,
        }
    }

    /// To the next place from `done` on; whether there is one.
    fn move_on(&mut self, text: &str, done: usize) -> bool {
        if self.start < done {
            match text[done..].find(self.spelling) {
                Some(ahead) => self.start = done + ahead,
                None => return false,
            }
        }
        true
    }
}

/// Where the string ends that begins a text, after its quotation mark.
fn end_of_string(literal: &str) -> usize {
    let mut escape = false;
    for (position, byte) in literal.bytes().enumerate().skip(1) {
        match byte {
            _ if escape => escape = false,
            b'\\' => escape = true,
            b'"' => return position + 1,
            _ => {}
        }
    }
    literal.len()
}

/// How the token may be written: as it is, in hexadecimal digits, in Base64 wherever it begins
/// there.
fn spellings(token: &str) -> Vec<String> {
    let mut spellings = vec![token.to_owned()];
    if token.len() < LEAST_CODED {
        return spellings;
    }
    let hexadecimal = |write: fn(u8) -> String| token.bytes().map(write).collect::<String>();
    spellings.push(hexadecimal(|byte| format!("{byte:02x}")));
    spellings.push(hexadecimal(|byte| format!("{byte:02X}")));
    for before in 0..3 {
        let text = [&b"???"[..before], token.as_bytes()].concat();
        // six bits a letter: without those that hold bits of what stands around
        let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for coded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let inner = coded[first..end].to_owned();
            if !spellings.contains(&inner) {
                spellings.push(inner);
            }
        }
    }
    spellings
}

/// With the letters of Base64 on both sides that may hold bits of the token's first and last byte.
fn widened(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let coded = |byte: &u8| {
        alphabet::STANDARD.as_str().as_bytes().contains(byte) || matches!(byte, b'-' | b'_' | b'=')
    };
    let bytes = text.as_bytes();
    let left = bytes[..start]
        .iter()
        .rev()
        .take(1)
        .take_while(|byte| coded(byte));
    let right = bytes[end..].iter().take(1).take_while(|byte| coded(byte));
    start - left.count()..end + right.count()
}

/// How deep JSON is nested, in levels of arrays and objects. It costs no stack.
pub(super) fn nesting(json: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0_usize);
    let mut rest = json;
    while let Some(at) = rest.find(['"', '[', ']', '{', '}']) {
        let end = match rest.as_bytes()[at] {
            b'"' => at + end_of_string(&rest[at..]),
            b'[' | b'{' => {
                depth += 1;
                most = most.max(depth);
                at + 1
            }
            _ => {
                depth = depth.saturating_sub(1);
                at + 1
            }
        };
        rest = &rest[end..];
    }
    most
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use proptest::{collection, sample};
    use serde_json::{Value, json};

    use super::*;

    const TOKEN: &str = "ghp_planted0token1value2";

    fn cleaner() -> Cleaner {
        Cleaner::new(Some(&Secret::new(TOKEN).unwrap()))
    }

    #[test]
    fn the_token_is_found_in_base64_wherever_it_begins() {
        let known = "a word before, and one after".as_bytes();
        for before in 0..=known.len() {
            for after in 0..=known.len() {
                let text = [&known[..before], TOKEN.as_bytes(), &known[..after]].concat();
                for coded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let cleaned = cleaner().text(&coded).into_owned();
                    assert!(cleaned.contains(REPLACED), "{before} {after}: {coded}");
                    // of what is left, no eight letters in a row are those of the token
                    let left: Vec<u8> = cleaned.split(REPLACED).flat_map(str::bytes).collect();
                    assert!(left.len() <= coded.len() - TOKEN.len() * 8 / 6, "{cleaned}");
                }
            }
        }
    }

    #[test]
    fn strings_of_json_are_cleaned_and_the_rest_stays() {
        let cleaner = cleaner();
        let clean = |json: &str| cleaner.json(json).unwrap_or_else(|| json.to_owned());
        let same = r#" {"a": [1.50, 12345678901234567890123, "x\n\"y\" \\n", true], "ü": "\/"} "#;
        assert_eq!(
            serde_json::from_str::<Value>(&clean(same)).unwrap(),
            serde_json::from_str::<Value>(same).unwrap()
        );
        assert!(clean(same).contains("1.50, 12345678901234567890123"));
        for (json, cleaned) in [
            (r#"{"a\u202eb":"c\u0000d\u001be"}"#, r#"{"ab":"cde"}"#),
            (
                r#"["\ud83d\ude00","\ud83d","\udb40\udd00x"]"#,
                "[\"😀\",\"\",\"x\"]",
            ),
            (r#"["ghp_plan\u0074ed0token1value2"]"#, r#"["[token]"]"#),
            (
                r#"["ghp_planted0\u200btoken1value2\"\\"]"#,
                r#"["[token]\"\\"]"#,
            ),
            (r#"["\\u202e"]"#, r#"["\\u202e"]"#),
        ] {
            assert_eq!(clean(json), cleaned);
        }
        let deep = "[".repeat(100_000) + "\"\u{202e}\"" + &"]".repeat(100_000);
        assert_eq!(clean(&deep).len(), 200_002);
        assert_eq!(nesting(&deep), 100_000);
        assert_eq!(nesting(r#"{"a[[":["]"],"b":[[]]}"#), 3);
    }

    /// Any JSON whose texts have hidden characters, and parts of the token, in any place.
    fn any_json() -> impl Strategy<Value = Value> {
        let part = prop_oneof![
            Just(TOKEN.to_owned()),
            Just(STANDARD.encode(format!("u:{TOKEN}"))),
            proptest::char::any().prop_map(String::from),
            sample::select(vec![
                "\u{202e}",
                "\u{e0041}",
                "\u{fe0f}",
                "\"",
                "\\",
                "/",
                "\0",
                "ghp_"
            ])
            .prop_map(str::to_owned),
        ];
        let text = collection::vec(part, 0..6).prop_map(|parts| parts.concat());
        let leaf = prop_oneof![
            text.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// The same by way of values.
    fn cleaned(value: Value) -> Value {
        let text = |text: &str| cleaner().text(text).into_owned();
        match value {
            Value::String(said) => text(&said).into(),
            Value::Array(items) => items.into_iter().map(cleaned).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| (text(&key), cleaned(value)))
                .collect(),
            other => other,
        }
    }

    proptest! {
        #[test]
        fn text_by_text_is_the_same_as_value_by_value(value in any_json()) {
            for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let text = cleaner().json(&json).unwrap_or(json);
                prop_assert!(!text.contains(TOKEN));
                let read: Value = serde_json::from_str(&text).unwrap();
                let cleaned = cleaned(value.clone());
                // two names may become one: then only one of the members is left
                if members(&cleaned) == members(&value) {
                    prop_assert_eq!(read, cleaned);
                }
            }
        }
    }

    /// A token and a text of which parts are the token, other spellings of it, and pieces of what
    /// stands in its place.
    fn token_and_text() -> impl Strategy<Value = (String, String)> {
        let token = prop_oneof![
            Just(TOKEN.to_owned()),
            sample::select(vec![
                "token", "t", "[", "]", "[token]", "ok", "aa", "aXa", "n]"
            ])
            .prop_map(str::to_owned),
            "[a-c]{1,12}",
        ];
        token.prop_flat_map(|token| {
            let mut parts = spellings(&token);
            parts.extend([REPLACED, "[", "]", "a", "é", " token"].map(str::to_owned));
            let text = collection::vec(sample::select(parts), 0..12).prop_map(|all| all.concat());
            (Just(token), text)
        })
    }

    proptest! {
        /// Also where the token is a part of what stands in its place.
        #[test]
        fn cleaning_ends_and_leaves_no_token((token, text) in token_and_text()) {
            let cleaner = Cleaner::new(Some(&Secret::new(&token).unwrap()));
            let cleaned = cleaner.text(&text).into_owned();
            for left in cleaned.split(REPLACED) {
                // what a stranger wrote itself may look like it, where that is the token
                let own = REPLACED.contains(&token) || token.contains(REPLACED);
                prop_assert!(own || !left.contains(&token), "{token:?} {text:?} {cleaned:?}");
            }
            prop_assert!(cleaned.len() <= text.len() * REPLACED.len());
        }
    }

    /// An upstream knows the token that it was sent, and may repeat it as often as an answer is
    /// long. Work in the square of that takes minutes here, in which nothing else is done.
    #[test]
    fn a_flood_of_tokens_is_cleaned_in_one_pass() {
        let text = format!("{TOKEN} é ").repeat(100_000);
        let cleaned = cleaner().text(&text).into_owned();
        assert_eq!(cleaned, format!("{REPLACED} é ").repeat(100_000));
        let coded = STANDARD.encode(TOKEN.repeat(100_000));
        assert!(cleaner().text(&coded).starts_with(REPLACED));
    }

    fn members(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(members).sum(),
            Value::Object(inner) => inner.len() + inner.values().map(members).sum::<usize>(),
            _ => 0,
        }
    }

    #[test]
    fn tokens_that_were_replaced_are_taken_out_for_a_while() {
        let cleaner = Cleaner::new(None);
        let tokens = [
            "ghp_one00000000",
            "ghp_two00000000",
            "ghp_three000000",
            "ghp_four0000000",
        ];
        for (position, token) in tokens.iter().enumerate() {
            assert_eq!(cleaner.text(token), *token, "it was not sent yet");
            let secret = Secret::new(*token).unwrap();
            cleaner.learn(&secret);
            cleaner.learn(&secret);
            let kept = position.saturating_sub(MAX_TOKENS - 1)..=position;
            for known in &tokens[kept] {
                assert_eq!(cleaner.text(known), REPLACED);
                assert!(cleaner.finds(&STANDARD.encode(format!("u:{known}"))));
            }
        }
        assert_eq!(cleaner.text(tokens[0]), tokens[0], "they are bounded");
        // a reference is no token
        cleaner.learn(&Secret::new("ssm:/mcpfn/crm").unwrap());
        assert_eq!(cleaner.text("ssm:/mcpfn/crm x"), "ssm:/mcpfn/crm x");
    }

    #[test]
    fn a_token_with_signs_that_json_escapes_is_found() {
        let token = "tok\"en\\with/signs";
        let cleaner = Cleaner::new(Some(&Secret::new(token).unwrap()));
        let said = json!([token, format!("Bearer {token}!"), STANDARD.encode(token)]).to_string();
        for said in [said.clone(), said.replace('/', "\\/")] {
            let cleaned = cleaner.json(&said).unwrap();
            assert_eq!(cleaned.matches(REPLACED).count(), 3, "{cleaned}");
        }
        // a short one is no part of other words
        let short = Cleaner::new(Some(&Secret::new("abc").unwrap()));
        assert_eq!(short.text("YWJj abc"), "YWJj [token]");
    }
}
