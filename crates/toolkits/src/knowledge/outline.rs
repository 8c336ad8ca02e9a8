//! A document's headings and passages, from its text alone: Markdown headings, numbered clauses,
//! articles. Knows no database.

use std::ops::Range;

/// The longest passage, in characters.
pub const MAX_PASSAGE_LENGTH: usize = 1200;

/// A line longer than this is no heading, in bytes.
const MAX_HEADING_LENGTH: usize = 120;

/// A line that opens a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    /// 1 is the top. A section ends where a heading of the same or a higher level begins.
    pub(crate) level: usize,
    /// Such as `7` or `7.2`, where the document counts its clauses.
    pub(crate) number: Option<String>,
    /// Without the number.
    pub(crate) title: String,
    /// The line's first byte.
    pub(crate) start: usize,
}

impl Heading {
    /// As a document shows it.
    pub(crate) fn shown(&self) -> String {
        match &self.number {
            Some(number) if self.title.is_empty() => number.clone(),
            Some(number) => format!("{number} {}", self.title),
            None => self.title.clone(),
        }
    }
}

/// A part of a document that is searched and shown as one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The heading above it, and before it those with nothing between; empty before the first.
    pub(crate) section: String,
    /// Bytes of the document's text. Passages follow each other without gaps.
    pub(crate) range: Range<usize>,
}

/// Every heading of a text, in its order.
pub(crate) fn headings(text: &str) -> Vec<Heading> {
    let mut start = 0;
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(heading(trimmed, start));
        }
        start += line.len();
    }
    found
}

fn heading(line: &str, start: usize) -> Option<Heading> {
    if line.is_empty() || line.len() > MAX_HEADING_LENGTH {
        return None;
    }
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&marks) && line[marks..].starts_with(' ') {
        let line = line[marks..].trim().trim_end_matches('#').trim_end();
        let (number, title) =
            numbered(line).map_or((None, line), |(number, title)| (Some(number), title));
        return Some(Heading {
            level: marks,
            number,
            title: title.to_owned(),
            start,
        });
    }
    let (number, title) = numbered(line)?;
    // "3. Bring a coat." is a sentence in a list, not a heading
    let is_title = title.chars().next().is_none_or(char::is_uppercase)
        && !title.ends_with(['.', ';', ',', ':']);
    // below every Markdown heading, so that a clause belongs to its chapter
    let level = 7 + number.matches('.').count();
    is_title.then(|| Heading {
        level,
        number: Some(number),
        title: title.to_owned(),
        start,
    })
}

/// The number and the rest of `7.2 Title`, `7. Title`, `Article 7 - Title`, `Section 7.2: Title`.
pub(crate) fn numbered(line: &str) -> Option<(String, &str)> {
    let (first, after) = line.split_once(' ').unwrap_or((line, ""));
    let named = ["article", "section", "clause", "§"].contains(&first.to_lowercase().as_str());
    let rest = if named { after.trim_start() } else { line };
    let end = rest
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(rest.len());
    let number = rest[..end].trim_end_matches('.');
    let parts_are_short = number.split('.').all(|part| (1..=3).contains(&part.len()));
    if number.is_empty() || !parts_are_short {
        return None;
    }
    let title = &rest[end..];
    // "7th floor" and, without a word before it, "12 months" are not numbers of clauses
    let separated = title.is_empty() || title.starts_with([' ', ':', ')', '-', '–']);
    let counted = named || rest[..end].contains('.') || title.starts_with(')') || title.is_empty();
    (separated && counted && (named || !title.trim().is_empty())).then(|| {
        (
            number.to_owned(),
            title
                .trim_start_matches([' ', ':', ')', '-', '–', '—'])
                .trim(),
        )
    })
}

/// The whole text as passages: a section each, and long sections at the ends of paragraphs,
/// sentences or words. A heading with nothing below it goes with what follows: by itself it would
/// be found and answer nothing.
pub(crate) fn passages(text: &str) -> Vec<Passage> {
    let headings = headings(text);
    let mut found = Vec::new();
    let mut start = headings.first().map_or(text.len(), |heading| heading.start);
    split(text, 0..start, "", &mut found);
    let mut section = String::new();
    for (at, heading) in headings.iter().enumerate() {
        if !section.is_empty() {
            section.push_str(" / ");
        }
        section.push_str(&heading.shown());
        let next = headings.get(at + 1);
        let end = next.map_or(text.len(), |next| next.start);
        let body = text[heading.start..end]
            .split_once('\n')
            .map_or("", |(_, body)| body);
        if next.is_some() && body.trim().is_empty() {
            continue;
        }
        split(text, start..end, &section, &mut found);
        start = end;
        section.clear();
    }
    found
}

fn split(text: &str, range: Range<usize>, section: &str, found: &mut Vec<Passage>) {
    let mut start = range.start;
    while start < range.end {
        let rest = &text[start..range.end];
        let end = match rest.char_indices().nth(MAX_PASSAGE_LENGTH) {
            None => rest.len(),
            Some((most, _)) => {
                let window = &rest[..most];
                let after = |mark: &str| {
                    window
                        .rfind(mark)
                        .map(|at| at + mark.len())
                        .filter(|end| *end > most / 3)
                };
                after("\n\n")
                    .or_else(|| after(". "))
                    .or_else(|| after("\n"))
                    .or_else(|| after(" "))
                    .unwrap_or(most)
            }
        };
        found.push(Passage {
            section: section.to_owned(),
            range: start..start + end,
        });
        start += end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_heading() {
        for (line, expected) in [
            ("# Travel", Some((1, None, "Travel"))),
            (
                "## 7.2 Term and Termination ##",
                Some((2, Some("7.2"), "Term and Termination")),
            ),
            (
                "7. Confidentiality",
                Some((7, Some("7"), "Confidentiality")),
            ),
            ("7.2 Term", Some((8, Some("7.2"), "Term"))),
            (
                "Article 12 - Governing Law",
                Some((7, Some("12"), "Governing Law")),
            ),
            ("Section 3.1: Fees", Some((8, Some("3.1"), "Fees"))),
            ("3. Bring a coat.", None),
            ("12 months after delivery", None),
            ("2026.", None),
            ("#hashtag", None),
            ("A sentence of 7. Things", None),
        ] {
            let found =
                heading(line, 0).map(|heading| (heading.level, heading.number, heading.title));
            assert_eq!(
                found,
                expected.map(|(level, number, title)| (
                    level,
                    number.map(str::to_owned),
                    title.to_owned()
                )),
                "{line}"
            );
        }
        assert_eq!(headings("```\n# no\n```\n# yes").len(), 1);
    }

    #[test]
    fn passages_cover_the_text_without_gaps_and_are_bounded() {
        let long = "Ünïcode wörds make a sentence. ".repeat(200);
        let text = format!(
            "Before.\n# One\n{long}\n\n{long}\n## 1.1 Two\nEnd{}",
            "x".repeat(5000)
        );
        let found = passages(&text);
        assert!(found.len() > 10);
        assert_eq!(
            found
                .iter()
                .map(|passage| &text[passage.range.clone()])
                .collect::<String>(),
            text
        );
        assert!(
            found
                .iter()
                .all(|passage| text[passage.range.clone()].chars().count() <= MAX_PASSAGE_LENGTH)
        );
        assert_eq!(
            found.last().map(|passage| passage.section.as_str()),
            Some("1.1 Two")
        );
        assert!(passages("").is_empty());
    }

    #[test]
    fn a_heading_with_nothing_below_it_goes_with_what_follows() {
        let found = |text| {
            passages(text)
                .into_iter()
                .map(|passage| (passage.section, text[passage.range].to_owned()))
                .collect::<Vec<_>>()
        };
        let passage = |section: &str, text: &str| (section.to_owned(), text.to_owned());
        let text = "# Guide\n\n## Travel\nBy train.\n## Old\n## New\nBy boat.\n# End\n";
        let expected = [
            passage("Guide / Travel", "# Guide\n\n## Travel\nBy train.\n"),
            passage("Old / New", "## Old\n## New\nBy boat.\n"),
            // nothing follows it
            passage("End", "# End\n"),
        ];
        assert_eq!(found(text), expected);
        assert_eq!(
            found("Before.\n# Only\n"),
            [passage("", "Before.\n"), passage("Only", "# Only\n")]
        );
    }
}
