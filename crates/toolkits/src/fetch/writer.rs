//! Text of a bounded size, with white space only between what has been written. Knows no markup.

use mcpfn_core::text::visible;

/// Text that is no markup, up to `most` bytes. The second value says whether there was more.
pub(crate) fn plain(text: &str, most: usize) -> (String, bool) {
    let mut writer = Writer::new(most);
    writer.push(text);
    (writer.text, writer.cut)
}

/// The text so far, and the white space that stands before what comes next.
pub(super) struct Writer {
    pub(super) text: String,
    gap: Gap,
    most: usize,
    pub(super) cut: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
    Paragraph,
}

impl Writer {
    pub(super) fn new(most: usize) -> Self {
        Self {
            text: String::new(),
            gap: Gap::None,
            most,
            cut: false,
        }
    }

    pub(super) fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    /// Takes a space back: a word goes on behind a tag.
    pub(super) fn unspace(&mut self) {
        if self.gap == Gap::Space {
            self.gap = Gap::None;
        }
    }

    pub(super) fn line(&mut self) {
        self.gap = self.gap.max(Gap::Line);
    }

    pub(super) fn paragraph(&mut self) {
        self.gap = Gap::Paragraph;
    }

    pub(super) fn push(&mut self, text: &str) {
        let visible = visible(text);
        let gap = match std::mem::replace(&mut self.gap, Gap::None) {
            _ if self.text.is_empty() => "",
            Gap::None => "",
            Gap::Space => " ",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        };
        for character in gap.chars().chain(visible.chars()) {
            if self.text.len() + character.len_utf8() > self.most {
                self.cut = true;
                return;
            }
            self.text.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_its_limit() {
        assert_eq!(plain(" ab", 3), (" ab".to_owned(), false));
        assert_eq!(plain("abcd", 3), ("abc".to_owned(), true));
        assert_eq!(plain("aü", 2), ("a".to_owned(), true));
    }

    #[test]
    fn the_largest_gap_wins_and_none_stands_at_the_ends() {
        let mut writer = Writer::new(100);
        writer.paragraph();
        writer.push("a");
        writer.space();
        writer.line();
        writer.space();
        writer.push("b");
        writer.space();
        writer.unspace();
        writer.push("c");
        writer.paragraph();
        assert_eq!(writer.text, "a\nbc");
    }
}
