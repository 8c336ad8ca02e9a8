//! Settings as the text of `--help`. Knows no setting.

use std::fmt::Write as _;

use crate::setting::Setting;

/// The widest line, in characters.
const WIDTH: usize = 100;
const INDENT: &str = "      ";

/// What `--help` says of settings, each with what it may be, what it is for, and what holds without
/// it.
#[must_use]
pub fn help<'a>(settings: impl IntoIterator<Item = &'a Setting>) -> String {
    let mut out = String::new();
    for setting in settings {
        let mut sentence = setting.about.to_owned();
        if !setting.auth.is_empty() {
            sentence.push_str("; with MCPFN_AUTH=");
            sentence.push_str(&setting.auth.join(" or "));
        }
        if !setting.default.is_empty() {
            sentence.push_str(" [");
            sentence.push_str(setting.default);
            sentence.push(']');
        }
        // writing to a String can't fail
        let _ = writeln!(out, "  {}={}", setting.name, setting.values);
        wrap(&mut out, &sentence);
    }
    out.truncate(out.trim_end().len());
    out
}

fn wrap(out: &mut String, sentence: &str) {
    let mut column = 0;
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(INDENT);
            column = INDENT.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SETTINGS;

    #[test]
    fn one_setting_is_a_name_and_a_sentence() {
        let setting = Setting::new("MCPFN_X", "N", "7", "how many").with_auth(&["iam", "oauth"]);
        assert_eq!(
            help([&setting]),
            "  MCPFN_X=N\n      how many; with MCPFN_AUTH=iam or oauth [7]"
        );
    }

    #[test]
    fn lines_fit() {
        let text = help(SETTINGS);
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
    }
}
