//! Each line of the log has a member `event`, one word that stays: filters and alarms read it.

use super::source::{none, sources};

/// The macros of `tracing` whose lines an operator sees.
const MACROS: [&str; 3] = ["tracing::error!(", "tracing::warn!(", "tracing::info!("];

#[test]
fn every_line_of_the_log_has_its_event() {
    let mut found = Vec::new();
    let mut seen = 0;
    for source in sources(&["crates"]) {
        if !source.path.contains("/src/") {
            continue;
        }
        let code = source
            .code()
            .map(|(_, line)| line)
            .collect::<Vec<_>>()
            .join("\n");
        for name in MACROS {
            for (at, _) in code.match_indices(name) {
                seen += 1;
                let rest = code[at + name.len()..].trim_start();
                let event = rest
                    .strip_prefix("event = \"")
                    .and_then(|rest| rest.split('"').next());
                let word = |event: &str| {
                    !event.is_empty()
                        && event
                            .bytes()
                            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                };
                if !event.is_some_and(word) {
                    let line = rest.lines().next().unwrap_or_default();
                    found.push(format!("{}: {line}", source.path));
                }
            }
        }
    }
    assert!(seen > 10, "only {seen} lines were found");
    none(
        &found,
        "begin with `event = \"some_words\"`, which filters of the log can rely on",
    );
}
