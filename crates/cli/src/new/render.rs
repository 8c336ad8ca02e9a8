//! Templates: `%name%` is a value, lines between `%if word` and `%end` are there if the word is. That
//! is all, so that a template stays a file that can be read.

/// Renders a template. Conditions may stand in conditions.
///
/// # Panics
/// When the template is wrong: templates are part of this program, and its tests render all.
pub(crate) fn render(template: &str, values: &[(&str, &str)], words: &[&str]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut shown = vec![true];
    for line in template.lines() {
        if let Some(word) = line.strip_prefix("%if ") {
            let outer = shown.last().copied().unwrap_or(true);
            shown.push(outer && words.contains(&word));
        } else if line == "%end" {
            shown.pop();
        } else if shown.last().copied().unwrap_or(true) {
            text.push_str(&filled(line, values));
            text.push('\n');
        }
    }
    assert_eq!(shown, [true], "%if and %end come in pairs");
    text
}

fn filled(line: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(line.to_owned(), |line, (name, value)| {
        line.replace(&format!("%{name}%"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_conditions() {
        let template = "a %x%\n%if one\nb\n%if two\nc\n%end\n%end\n%if two\nd\n%end\n";
        let of = |words: &[&str]| render(template, &[("x", "%y%"), ("z", "")], words);
        assert_eq!(of(&[]), "a %y%\n");
        assert_eq!(of(&["one"]), "a %y%\nb\n");
        assert_eq!(of(&["two"]), "a %y%\nd\n");
        assert_eq!(of(&["one", "two"]), "a %y%\nb\nc\nd\n");
    }
}
