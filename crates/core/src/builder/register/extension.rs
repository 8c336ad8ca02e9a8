//! Ids of extensions (basic, "_meta" keys with a prefix), and their settings.

use serde_json::Value;

/// What is wrong with an extension, if anything.
pub(crate) fn extension_mistake(id: &str, settings: &Value) -> Option<String> {
    if !is_id(id) {
        return Some(format!(
            "extension `{id}`: an id is a domain of yours in reverse, `/` and a name, such as \
             `com.example/reports`"
        ));
    }
    (!settings.is_object()).then(|| {
        format!("extension `{id}`: its settings are an object, `json!({{}})` if there are none")
    })
}

fn is_id(id: &str) -> bool {
    let Some((prefix, name)) = id.split_once('/') else {
        return false;
    };
    let is_word = |word: &str, inside: &[char]| {
        let ends = |character: Option<char>| character.is_some_and(|c| c.is_ascii_alphanumeric());
        let mut characters = word.chars();
        ends(characters.next())
            && ends(word.chars().next_back())
            && characters.all(|c| c.is_ascii_alphanumeric() || inside.contains(&c))
    };
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_alphabetic()) && is_word(label, &['-'])
    };
    id.len() <= 256 && prefix.split('.').all(is_label) && is_word(name, &['-', '_', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_a_domain_and_a_name() {
        for id in [
            "io.modelcontextprotocol/ui",
            "com.example/reports.v2_final-1",
            "a/b",
        ] {
            assert_eq!(extension_mistake(id, &json!({})), None, "{id}");
        }
        for id in [
            "",
            "reports",
            "/reports",
            "com.example/",
            "com..example/x",
            "1com/x",
            "com-/x",
            "com.example/x/y",
            "com.example/-x",
            "com.example/x ",
            "com.exämple/x",
        ] {
            let mistake = extension_mistake(id, &json!({})).unwrap();
            assert!(mistake.contains("com.example/reports"), "{mistake}");
        }
        for settings in [json!(null), json!(true), json!([]), json!("on")] {
            assert!(extension_mistake("a/b", &settings).is_some(), "{settings}");
        }
    }
}
