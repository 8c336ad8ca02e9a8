//! What an HTML document loads: attributes, styles and scripts, read by a tokenizer.

use html5gum::{Doctype, StartTag, State, Token, Tokenizer};

use super::{Allowed, MAX_BYTES};

/// What an address in a page is for.
#[derive(Clone, Copy)]
enum AddressUse {
    Connect,
    Resource,
    Frame,
    Base,
}

impl AddressUse {
    /// The list that would allow it, as the builder and the macro call it.
    fn list(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Resource => "resources",
            Self::Frame => "frames",
            Self::Base => "base",
        }
    }

    fn allowed(self, allowed: &Allowed) -> &[String] {
        match self {
            Self::Connect => &allowed.connect,
            Self::Resource => &allowed.resources,
            Self::Frame => &allowed.frames,
            Self::Base => &allowed.base,
        }
    }
}

/// Attributes that load something, by the elements that have them; `*` for all.
const LOADING: &[(&str, &str, AddressUse)] = &[
    ("iframe", "src", AddressUse::Frame),
    ("frame", "src", AddressUse::Frame),
    ("*", "src", AddressUse::Resource),
    ("link", "href", AddressUse::Resource),
    ("image", "href", AddressUse::Resource),
    ("image", "xlink:href", AddressUse::Resource),
    ("use", "href", AddressUse::Resource),
    ("use", "xlink:href", AddressUse::Resource),
    ("object", "data", AddressUse::Resource),
    ("*", "poster", AddressUse::Resource),
    ("*", "background", AddressUse::Resource),
    ("form", "action", AddressUse::Connect),
    ("*", "formaction", AddressUse::Connect),
    ("*", "ping", AddressUse::Connect),
    ("base", "href", AddressUse::Base),
];

/// What stands before the address of something that a script loads.
const CALLS: &[(&str, AddressUse)] = &[
    ("fetch", AddressUse::Connect),
    ("WebSocket", AddressUse::Connect),
    ("EventSource", AddressUse::Connect),
    ("sendBeacon", AddressUse::Connect),
    ("import", AddressUse::Resource),
    ("importScripts", AddressUse::Resource),
    ("Worker", AddressUse::Resource),
    ("from", AddressUse::Resource),
];

/// Every mistake of a page, as a sentence without the page's name.
///
/// ```
/// use mcpfn_embed::page::{Allowed, check};
///
/// let html = "<!doctype html><html><head><title>A</title></head><body>\
///     <script src='https://cdn.example/x.js'></script></body></html>";
/// assert_eq!(check(html, &Allowed::default()).len(), 1);
/// let allowed = Allowed { resources: vec!["https://cdn.example".into()], ..Allowed::default() };
/// assert!(check(html, &allowed).is_empty());
/// ```
#[must_use]
pub fn check(html: &str, allowed: &Allowed) -> Vec<String> {
    let mut checker = PageChecker {
        allowed,
        parts: DocumentParts::default(),
        inside: None,
        mistakes: Vec::new(),
    };
    if html.len() > MAX_BYTES {
        checker.mistakes.push(format!(
            "it has {} bytes, and a page has {MAX_BYTES} at most: make it smaller",
            html.len()
        ));
        return checker.mistakes;
    }
    let mut tokens = Tokenizer::new(html);
    while let Some(Ok(token)) = tokens.next() {
        if let Token::StartTag(tag) = &token {
            // as a browser does: what is in these is no HTML
            match &**tag.name {
                b"script" => tokens.set_state(State::ScriptData),
                b"style" => tokens.set_state(State::RawText),
                b"title" | b"textarea" => tokens.set_state(State::RcData),
                _ => {}
            }
        }
        checker.token(&token);
    }
    checker.end(html)
}

#[derive(Default)]
struct DocumentParts {
    doctype: bool,
    html: bool,
    head: bool,
    title: bool,
    body: bool,
    end: bool,
}

struct PageChecker<'a> {
    allowed: &'a Allowed,
    parts: DocumentParts,
    /// The element whose text comes next, if its text loads something, and that text so far.
    inside: Option<(&'static str, String)>,
    mistakes: Vec<String>,
}

impl PageChecker<'_> {
    fn token(&mut self, token: &Token) {
        match token {
            Token::Doctype(Doctype {
                name, force_quirks, ..
            }) => {
                self.parts.doctype = name.eq_ignore_ascii_case(b"html") && !force_quirks;
            }
            Token::StartTag(tag) => self.start(tag),
            Token::String(text) => {
                if let Some((_, inside)) = &mut self.inside {
                    inside.push_str(&String::from_utf8_lossy(text));
                }
            }
            Token::EndTag(tag) => {
                self.parts.end |= &**tag.name == b"html";
                if let Some((element, text)) = self.inside.take() {
                    match element {
                        "style" => self.style(&text),
                        _ => self.script(&text),
                    }
                }
            }
            Token::Comment(_) | Token::Error(_) => {}
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
        match name.as_str() {
            "html" => self.parts.html = true,
            "head" => self.parts.head = true,
            "title" => self.parts.title = true,
            "body" => self.parts.body = true,
            "style" => self.inside = Some(("style", String::new())),
            "script" => self.inside = Some(("script", String::new())),
            _ => {}
        }
        for (attribute, value) in &tag.attributes {
            let attribute = String::from_utf8_lossy(attribute).to_ascii_lowercase();
            let value = String::from_utf8_lossy(value);
            if name == "meta" && attribute == "http-equiv" && value.eq_ignore_ascii_case("refresh")
            {
                self.mistakes
                    .push("it has a <meta> that leads elsewhere: leave it out".to_owned());
            }
            if attribute == "style" {
                self.style(&value);
            }
            if attribute == "srcset" || attribute == "imagesrcset" {
                for address in sources(&value) {
                    self.address(address, AddressUse::Resource);
                }
            }
            let found = LOADING.iter().find(|(element, known, _)| {
                *known == attribute && (*element == name || *element == "*")
            });
            if let Some((_, _, what)) = found {
                self.address(&value, *what);
            }
        }
    }

    /// `url(..)` and `@import`.
    fn style(&mut self, text: &str) {
        for (position, _) in text.match_indices("url(") {
            let rest = text[position + 4..].trim_start();
            let end = rest.find(')').unwrap_or(rest.len());
            let address = rest[..end].trim().trim_matches(['"', '\'']);
            self.address(address, AddressUse::Resource);
        }
        for (position, word) in text.match_indices("@import") {
            let rest = &text[position + word.len()..];
            if let Some(address) = literal(rest) {
                self.address(address, AddressUse::Resource);
            }
        }
    }

    /// Calls that load something, with the address right behind them.
    fn script(&mut self, text: &str) {
        for (call, what) in CALLS {
            for (position, _) in text.match_indices(call) {
                let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                if text[..position].ends_with(part_of_a_word) {
                    continue;
                }
                let rest = text[position + call.len()..].trim_start();
                let rest = match rest.strip_prefix('(') {
                    Some(rest) => rest,
                    // `import "x"` and `from "x"` have no parentheses
                    None if ["import", "from"].contains(call) => rest,
                    None => continue,
                };
                if let Some(address) = literal(rest) {
                    self.address(address, *what);
                }
            }
        }
    }

    fn address(&mut self, address: &str, what: AddressUse) {
        let address = address.trim();
        let lower = address.to_ascii_lowercase();
        let inside = ["data:", "blob:", "about:", "#"];
        if address.is_empty() || inside.iter().any(|start| lower.starts_with(start)) {
            return;
        }
        let shown: String = address
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect();
        let mistake = match origin(&lower) {
            None => format!(
                "it loads `{shown}`, and a page has no address that others are near to: put it into \
                 the document"
            ),
            Some(origin) if covers(what.allowed(self.allowed), &origin) => return,
            Some(origin) => format!(
                "it loads `{shown}`, which its policy does not allow: put it into the document, or \
                 add {}(\"{origin}\")",
                what.list()
            ),
        };
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    fn end(mut self, html: &str) -> Vec<String> {
        let parts = &self.parts;
        let needed = [
            (parts.doctype, "<!doctype html>"),
            (parts.html, "<html>"),
            (parts.head, "<head>"),
            (parts.title, "<title>"),
            (parts.body, "<body>"),
            (parts.end, "</html>"),
        ];
        let missing: Vec<&str> = needed
            .iter()
            .filter(|(is_there, _)| !is_there)
            .map(|(_, what)| *what)
            .collect();
        if !missing.is_empty() {
            self.mistakes.insert(
                0,
                format!(
                    "it is no complete document: it has no {}",
                    missing.join(", ")
                ),
            );
        } else if !html
            .trim_ascii()
            .to_ascii_lowercase()
            .starts_with("<!doctype html>")
        {
            self.mistakes.insert(
                0,
                "it is no complete document: `<!doctype html>` comes first".to_owned(),
            );
        }
        self.mistakes
    }
}

/// The addresses of a `srcset`: each ends at a space, and what describes it at a comma.
fn sources(mut set: &str) -> Vec<&str> {
    let mut addresses = Vec::new();
    loop {
        set = set.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let end = set.find(char::is_whitespace).unwrap_or(set.len());
        let (address, rest) = set.split_at(end);
        if address.is_empty() {
            return addresses;
        }
        addresses.push(address.trim_end_matches(','));
        set = match rest.split_once(',') {
            Some((_, rest)) if !address.ends_with(',') => rest,
            _ if address.ends_with(',') => rest,
            _ => "",
        };
    }
}

/// The text between quotes at the start of a piece of code, if that is what stands there.
fn literal(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let quote = code.chars().next().filter(|c| "\"'`".contains(*c))?;
    let inside = &code[1..];
    inside.find(quote).map(|end| &inside[..end])
}

/// The origin of an absolute address, or of one that leaves the scheme out.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = match address.split_once("//") {
        Some(("", rest)) => ("https:", rest),
        Some((scheme @ ("http:" | "https:" | "ws:" | "wss:"), rest)) => (scheme, rest),
        _ => return None,
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    Some(format!("{scheme}//{host}"))
}

fn covers(allowed: &[String], origin: &str) -> bool {
    allowed
        .iter()
        .any(|allowed| match allowed.split_once("//*.") {
            None => allowed == origin,
            Some((scheme, above)) => origin
                .strip_prefix(scheme)
                .and_then(|host| host.strip_prefix("//"))
                .and_then(|host| host.strip_suffix(above))
                .is_some_and(|below| below.ends_with('.') && below.len() > 1),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(head: &str, body: &str) -> Vec<String> {
        let html = format!(
            "<!doctype html>\n<html><head><title>a</title>{head}</head><body>{body}</body></html>\n"
        );
        let allowed = Allowed {
            connect: vec!["https://api.example".to_owned()],
            resources: vec!["https://*.cdn.example".to_owned()],
            ..Allowed::default()
        };
        check(&html, &allowed)
    }

    #[test]
    fn what_is_loaded_from_elsewhere_is_found_wherever_it_stands() {
        for (head, body) in [
            ("<script src=https://evil.example/x.js></script>", ""),
            ("<SCRIPT SRC='HTTPS://EVIL.example/x.js'></SCRIPT>", ""),
            ("<script src=//evil.example/x.js></script>", ""),
            ("<script src=x.js></script>", ""),
            ("<script src=/x.js></script>", ""),
            ("<link rel=stylesheet href=https://evil.example/x.css>", ""),
            (
                "<style>a{background:url(https://evil.example/x.png)}</style>",
                "",
            ),
            ("<style>a{background:url( \"x.png\" )}</style>", ""),
            ("<style>@import 'https://evil.example/x.css';</style>", ""),
            ("<base href=https://evil.example/>", ""),
            (
                "<meta http-equiv=Refresh content='0;url=https://evil.example'>",
                "",
            ),
            ("", "<img src=https://evil.example/x.png>"),
            (
                "",
                "<img srcset='data:,x 1x, https://evil.example/x.png 2x'>",
            ),
            (
                "",
                "<div style='background:url(https://evil.example/x)'></div>",
            ),
            ("", "<iframe src=https://api.example/></iframe>"),
            ("", "<form action=https://evil.example></form>"),
            ("", "<svg><image href=https://evil.example/x /></svg>"),
            ("", "<video poster=https://evil.example/x></video>"),
            ("", "<script>fetch('https://evil.example/x')</script>"),
            ("", "<script>fetch( `/x`)</script>"),
            ("", "<script>new WebSocket('wss://evil.example')</script>"),
            (
                "",
                "<script type=module>import x from 'https://evil.example/x.js'</script>",
            ),
            (
                "",
                "<script type=module>import('https://evil.example/x.js')</script>",
            ),
            (
                "",
                "<script>navigator.sendBeacon('https://evil.example')</script>",
            ),
            ("", "<script src=https://cdn.example/x.js></script>"),
            ("", "<script src=https://evilcdn.example/x.js></script>"),
            ("", "<script src=http://a.cdn.example/x.js></script>"),
        ] {
            assert_eq!(page(head, body).len(), 1, "{head}{body}");
        }
    }

    #[test]
    fn what_is_in_the_document_or_allowed_is_not() {
        for (head, body) in [
            ("<script>fetch('https://api.example/x')</script>", ""),
            ("<script src=https://a.cdn.example/x.js></script>", ""),
            (
                "<style>a{background:url(data:image/png;base64,aa)}</style>",
                "",
            ),
            ("", "<a href=https://anywhere.example>a link</a>"),
            (
                "",
                "<svg xmlns='http://www.w3.org/2000/svg'><use href='#a'/></svg>",
            ),
            (
                "",
                "<script>document.createElementNS('http://www.w3.org/2000/svg', 'g')</script>",
            ),
            (
                "",
                "<script>const prefetch = x => x; prefetch('https://evil.example')</script>",
            ),
            ("", "<script>'<img src=https://evil.example>'</script>"),
            ("", "<!-- <img src=https://evil.example> -->"),
        ] {
            assert_eq!(page(head, body), Vec::<String>::new(), "{head}{body}");
        }
    }

    #[test]
    fn a_part_of_a_document_is_none() {
        for html in [
            "",
            "<p>hello",
            "<html><head><title>a</title></head><body></body></html>",
            "<!doctype html><html><head></head><body></body></html>",
            "<!doctype html><html><head><title>a</title></head><body>",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\"><title>a</title>",
            "x<!doctype html><html><head><title>a</title></head><body></body></html>",
        ] {
            let mistakes = check(html, &Allowed::default());
            assert!(
                mistakes.iter().any(|mistake| mistake.contains("complete")),
                "{html}"
            );
        }
        let large = format!("<!doctype html>{}", " ".repeat(MAX_BYTES));
        assert!(check(&large, &Allowed::default())[0].contains("bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(<|>|!doctype html|script|style|url\\(|import|fetch\\(|'|\"|\\PC){0,60}") {
            let _ = check(&text, &Allowed::default());
        }
    }
}
