//! HTML as readable text, in one pass over its tags. Follows nothing and runs nothing.
//!
//! Written here over the tokens of `html5gum`, because the libraries that give text build a tree:
//! on a megabyte of nested tags they took over 20 s, or overflowed the stack. They are also 4 to 6
//! times as large (wasm after gzip: html2text 237 KB, dom_smoothie 370 KB, html5gum 57 KB).

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use mcpfn_core::text::visible;

use super::writer::Writer;

/// The longest title, in characters.
const MAX_TITLE_LENGTH: usize = 200;

/// Elements whose content is not read by people, or not as text.
const UNREAD: [&str; 14] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas",
    "audio", "video", "select", "textarea", "dialog",
];

/// Elements around the content of a page.
const FRAME: [&str; 5] = ["nav", "header", "footer", "aside", "menu"];

/// How much of a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PagePart {
    /// All that can be read.
    Everything,
    /// All but navigation, headers, footers and side notes.
    Body,
    /// What the page itself marks as its content.
    Main,
}

/// A page's text.
#[derive(Debug, Default)]
pub(crate) struct Readable {
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    /// There was more.
    pub(crate) cut: bool,
}

/// The text of a page, up to `most` bytes.
pub(crate) fn readable(html: &str, part: PagePart, most: usize) -> Readable {
    let mut emitter = DefaultEmitter::default();
    // without a tree this says where scripts and styles end
    emitter.naively_switch_states(true);
    let mut reader = HtmlReader {
        part,
        text: Writer::new(most),
        title: String::new(),
        in_title: false,
        unread: None,
        main: 0,
        pre: 0,
        cells: 0,
    };
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.start(&tag),
            Token::EndTag(tag) => reader.end(&name(&tag.name)),
            Token::String(text) => reader.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if reader.text.cut {
            break;
        }
    }
    let title: String = reader
        .title
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_TITLE_LENGTH)
        .collect();
    Readable {
        title: (!title.is_empty()).then_some(title),
        text: reader.text.text,
        cut: reader.text.cut,
    }
}

struct HtmlReader {
    part: PagePart,
    text: Writer,
    title: String,
    in_title: bool,
    /// Inside an element that is not read: its name, and how many of this name are open.
    unread: Option<(String, usize)>,
    main: usize,
    pre: usize,
    /// Cells of a table's row so far.
    cells: usize,
}

impl HtmlReader {
    fn start(&mut self, tag: &StartTag<()>) {
        let name = name(&tag.name);
        if let Some((unread, open)) = &mut self.unread {
            *open += usize::from(*unread == name && !tag.self_closing);
            return;
        }
        // an article's own header has its headline
        let framed = self.part != PagePart::Everything
            && FRAME.contains(&name.as_str())
            && (name != "header" || self.main == 0);
        if UNREAD.contains(&name.as_str()) || framed || (is_hidden(tag) && !is_void(&name)) {
            let closed = tag.self_closing && matches!(name.as_str(), "svg" | "math");
            self.unread = (!closed).then_some((name, 1));
            return;
        }
        self.open(&name, tag);
    }

    /// What a tag that is read does to the text.
    fn open(&mut self, name: &str, tag: &StartTag<()>) {
        match name {
            "title" => self.in_title = self.title.is_empty(),
            "main" | "article" => {
                self.main += 1;
                self.text.paragraph();
            }
            "br" => self.text.line(),
            "pre" => {
                self.pre += 1;
                self.text.paragraph();
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.text.paragraph();
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.write(&"#".repeat(level));
                self.text.space();
            }
            "li" => {
                self.text.line();
                self.write("-");
                self.text.space();
            }
            "tr" => {
                self.cells = 0;
                self.text.line();
            }
            "td" | "th" => {
                if self.cells > 0 {
                    self.text.space();
                    self.write("|");
                    self.text.space();
                }
                self.cells += 1;
            }
            "img" => {
                if let Some(alt) = tag
                    .attributes
                    .get(&b"alt"[..])
                    .filter(|alt| !alt.trim_ascii().is_empty())
                {
                    self.words(&format!(" [image: {}] ", String::from_utf8_lossy(alt)));
                }
            }
            name if is_paragraph(name) => self.text.paragraph(),
            name if is_line(name) => self.text.line(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((unread, open)) = &mut self.unread {
            *open -= usize::from(unread == name);
            if *open == 0 {
                self.unread = None;
                self.text.line();
            }
            return;
        }
        match name {
            "title" => self.in_title = false,
            "main" | "article" => {
                self.main = self.main.saturating_sub(1);
                self.text.paragraph();
            }
            "pre" => {
                self.pre = self.pre.saturating_sub(1);
                self.text.paragraph();
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.text.paragraph(),
            name if is_paragraph(name) => self.text.paragraph(),
            name if is_line(name) => self.text.line(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.unread.is_some() {
            return;
        }
        if self.in_title {
            self.title
                .extend(visible(text).chars().take(MAX_TITLE_LENGTH * 4));
        } else if self.pre > 0 {
            self.write(text);
        } else {
            self.words(text);
        }
    }

    /// Text in which any white space is one space.
    fn words(&mut self, text: &str) {
        let white = |character: char| character.is_whitespace();
        if text.starts_with(white) {
            self.text.space();
        }
        for word in text.split_whitespace() {
            self.write(word);
            self.text.space();
        }
        if !text.ends_with(white) {
            self.text.unspace();
        }
    }

    fn write(&mut self, text: &str) {
        if self.part != PagePart::Main || self.main > 0 {
            self.text.push(text);
        }
    }
}

fn name(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Text that people can't see is not for models either.
fn is_hidden(tag: &StartTag<()>) -> bool {
    let style = tag.attributes.get(&b"style"[..]).map(|style| {
        String::from_utf8_lossy(style)
            .to_ascii_lowercase()
            .replace(' ', "")
    });
    tag.attributes.contains_key(&b"hidden"[..])
        || style.is_some_and(|style| {
            style.contains("display:none") || style.contains("visibility:hidden")
        })
}

/// Elements without content, which have no end.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_paragraph(name: &str) -> bool {
    matches!(
        name,
        "p" | "section"
            | "blockquote"
            | "ul"
            | "ol"
            | "dl"
            | "table"
            | "figure"
            | "hr"
            | "details"
            | "body"
    )
}

fn is_line(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "li"
            | "dt"
            | "dd"
            | "tr"
            | "caption"
            | "figcaption"
            | "address"
            | "header"
            | "footer"
            | "nav"
            | "aside"
            | "form"
            | "fieldset"
            | "option"
            | "summary"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        readable(html, PagePart::Everything, 10_000).text
    }

    #[test]
    fn pages_as_text() {
        let page = "<!doctype html><html><head><title> A  &amp; B </title><style>p{}</style></head><body>\n<h1>Head<b>line</b></h1>\
            <p>One\n  two <i>three</i>, four<p>five<br>six<ul><li>a<li>b</ul><table><tr><th>x<th>y<tr><td>1<td>2</table>\
            <script>var x = '<p>no</p>';</script><pre>a\n  b</pre><img alt='a cat'>end&nbsp;&eacute;";
        let read = readable(page, PagePart::Everything, 10_000);
        assert_eq!(read.title.as_deref(), Some("A & B"));
        let expected = "# Headline\n\nOne two three, four\n\nfive\nsix\n\n- a\n- b\n\nx | y\n1 | \
            2\n\na\n  b\n\n[image: a cat] end é";
        assert_eq!(read.text, expected);
    }

    #[test]
    fn what_people_do_not_see() {
        assert_eq!(text("a<div hidden>no<div>no</div>no</div>b"), "a\nb");
        assert_eq!(
            text("a<p style='color:red; Display : none'>no</p>b"),
            "a\nb"
        );
        assert_eq!(
            text("a<noscript>no</noscript><template><p>no</template><svg><title>no</title></svg>b"),
            "a\nb"
        );
        assert_eq!(text("a<!-- no -->b"), "ab");
        assert_eq!(text("a\u{200b}b\u{e0041}c\u{202e}d\u{7}"), "abcd");
        assert_eq!(text("<svg/>a<input hidden>b"), "ab");
    }

    #[test]
    fn the_parts_of_a_page() {
        let page = "<body><nav>menu</nav><header>top</header><form><main><header><h1>T</h1></header><p>word</p><aside>ad</aside></main></form><p>rest</p><footer>end</footer>";
        let part = |part| readable(page, part, 1000).text;
        assert_eq!(part(PagePart::Main), "# T\n\nword");
        assert_eq!(part(PagePart::Body), "# T\n\nword\n\nrest");
        assert_eq!(
            part(PagePart::Everything),
            "menu\ntop\n\n# T\n\nword\n\nad\n\nrest\n\nend"
        );
    }

    #[test]
    fn a_cut_is_said_and_keeps_characters_whole() {
        let read = readable(&format!("<p>{}", "ü".repeat(100)), PagePart::Everything, 11);
        assert_eq!((read.text.as_str(), read.cut), ("üüüüü", true));
    }

    #[test]
    fn hostile_pages_take_no_longer_than_others() {
        let started = std::time::Instant::now();
        for unit in [
            "<div>",
            "<b>",
            "<b><p>",
            "<ul><li>",
            "<table><td>",
            "<a href=x><p>",
            "<svg><g>",
            "<",
            "&",
            "&amp",
            "<!--",
            "</p>",
            "<p hidden>",
            "<select>",
            "<pre>",
        ] {
            let page = unit.repeat(500_000 / unit.len());
            readable(&page, PagePart::Body, 50_000);
        }
        let attributes: String = (0..50_000).map(|number| format!(" a{number}")).collect();
        readable(&format!("<p{attributes}>x"), PagePart::Everything, 50_000);
        // debug builds take a few seconds for all; a tree of one of them takes minutes
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }
}
