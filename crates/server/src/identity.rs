//! How a deployment names itself to clients: the settings `MCPFN_SERVER_..`. What it serves is
//! `configured.rs`.

use mcpfn::content::Icon;
use mcpfn::{Builder, Server, text};

/// The name of a deployment that has none of its own.
const NAME: &str = "mcpfn";

/// Characters of the name, of the title, of the version, of the description, of a URL, of a picture
/// within the setting, of the instructions. A name stands before the names of tools in some clients,
/// which allow 64 characters for both. All but the instructions are repeated in every result.
const MAX_NAME: usize = 32;
const MAX_TITLE: usize = 100;
const MAX_VERSION: usize = 64;
const MAX_DESCRIPTION: usize = 300;
const MAX_URL: usize = 1024;
const MAX_PICTURE: usize = 3072;
const MAX_INSTRUCTIONS: usize = 4000;

const NAME_RULE: &str = "1 to 32 letters, digits, - and _, a letter or digit first, such as \
                         acme-shop: clients' configuration takes no other names";
const VERSION_RULE: &str = "1 to 64 letters, digits and . _ + -, such as 2.4.1 or 2026-11-03";
const URL_RULE: &str = "a URL such as https://example.com/about, without credentials, of at most \
                        1024 characters";
const ICON_RULE: &str = "the URL of a picture such as https://example.com/icon.png, or a small one \
                         itself as data:image/png;base64,.. of at most 3072 characters, which \
                         every answer repeats";

/// What a deployment says of itself, as far as its settings say it.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    name: Option<String>,
    title: Option<String>,
    version: Option<String>,
    description: Option<String>,
    website: Option<String>,
    icon: Option<Icon>,
    instructions: Option<String>,
}

impl Identity {
    /// Reads the settings, and adds a sentence without full stop for each mistake. No value is
    /// repeated: a URL with a password gets into the wrong place easily.
    pub(crate) fn read(
        variable: &dyn Fn(&str) -> Option<String>,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let mut checked = |name: &str, check: &dyn Fn(&str) -> bool, rule: &str| {
            let value = variable(name)?.trim().to_owned();
            if value.is_empty() {
                return None;
            }
            if !check(&value) {
                mistakes.push(format!("{name} must be {rule}"));
                return None;
            }
            Some(value)
        };
        Self {
            name: checked("MCPFN_SERVER_NAME", &is_name, NAME_RULE),
            title: checked(
                "MCPFN_SERVER_TITLE",
                &|value| is_line(value, MAX_TITLE),
                "one line of at most 100 visible characters",
            ),
            version: checked("MCPFN_SERVER_VERSION", &is_version, VERSION_RULE),
            description: checked(
                "MCPFN_SERVER_DESCRIPTION",
                &|value| is_line(value, MAX_DESCRIPTION),
                "one line of at most 300 visible characters",
            ),
            website: checked("MCPFN_SERVER_WEBSITE", &is_url, URL_RULE),
            icon: checked("MCPFN_SERVER_ICON", &is_icon, ICON_RULE).map(icon),
            instructions: checked(
                "MCPFN_SERVER_INSTRUCTIONS",
                &|value| is_text(value, MAX_INSTRUCTIONS),
                "a text of at most 4000 visible characters",
            ),
        }
    }

    /// Starts a server that has this identity; `about` describes one without a description.
    pub(crate) fn server(&self, about: Option<String>) -> Builder {
        let name = self.name.as_deref().unwrap_or(NAME);
        let version = self.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
        let mut builder = Server::builder(name, version);
        if let Some(description) = self.description.clone().or(about) {
            builder = builder.description(description);
        }
        if let Some(title) = &self.title {
            builder = builder.title(title);
        }
        if let Some(website) = &self.website {
            builder = builder.website(website);
        }
        if let Some(icon) = &self.icon {
            builder = builder.icon(icon.clone());
        }
        builder
    }

    /// Puts the operator's own instructions in the place of the toolkits', if there are any.
    pub(crate) fn instruct(self, builder: Builder) -> Builder {
        match self.instructions {
            Some(instructions) => builder.without_advice().instructions(instructions),
            None => builder,
        }
    }
}

fn is_name(value: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    value.len() <= MAX_NAME
        && value.bytes().all(legal)
        && value.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn is_version(value: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    value.len() <= MAX_VERSION && value.bytes().all(legal)
}

fn is_line(value: &str, most: usize) -> bool {
    is_text(value, most) && !value.contains(['\n', '\t'])
}

fn is_text(value: &str, most: usize) -> bool {
    value.chars().count() <= most && text::is_visible(value)
}

fn is_url(value: &str) -> bool {
    let host = value.strip_prefix("https://").unwrap_or_default();
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"@\\\"<>`".contains(&byte);
    value.len() <= MAX_URL
        && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
        && host.bytes().all(legal)
}

fn is_icon(value: &str) -> bool {
    is_url(value) || picture_type(value).is_some()
}

/// The media type of a picture that is a `data:` URL.
fn picture_type(value: &str) -> Option<&str> {
    let (kind, data) = value.strip_prefix("data:")?.split_once(";base64,")?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let known = ["png", "jpeg", "webp", "svg+xml"];
    let is_known = kind
        .strip_prefix("image/")
        .is_some_and(|kind| known.contains(&kind));
    (is_known && !data.is_empty() && data.bytes().all(legal) && value.len() <= MAX_PICTURE)
        .then_some(kind)
}

fn icon(src: String) -> Icon {
    let path = src.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit('.').next().unwrap_or_default();
    let mime = match &*ending.to_ascii_lowercase() {
        _ if src.starts_with("data:") => picture_type(&src),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
    .map(str::to_owned);
    let icon = Icon::new(src);
    match mime {
        Some(mime) => icon.mime(mime),
        None => icon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with each setting of `values`.
    fn mistakes(values: &[(&str, &str)]) -> Vec<String> {
        let mut mistakes = Vec::new();
        let variable = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Identity::read(&variable, &mut mistakes);
        mistakes
    }

    #[test]
    fn every_mistake_is_said_and_no_value_repeated() {
        let long = "x".repeat(5000);
        for (name, good, bad) in [
            (
                "MCPFN_SERVER_NAME",
                &["a", "acme-shop_2", "0"][..],
                &["a b", "-a", "_a", "é", "a.b", "a/b", "https://x:hunter2@h"][..],
            ),
            (
                "MCPFN_SERVER_TITLE",
                &["Acme", "Läden & Preise"],
                &["a\nb", "a\tb", "a\u{202e}b"],
            ),
            (
                "MCPFN_SERVER_VERSION",
                &["1", "1.0.0-rc.1+5"],
                &["1 0", "ü"],
            ),
            (
                "MCPFN_SERVER_DESCRIPTION",
                &["Prices."],
                &["a\nb", "\u{e0041}"],
            ),
            (
                "MCPFN_SERVER_WEBSITE",
                &["https://example.com", "https://[2001:db8::1]:8443/a?b#c"],
                &[
                    "http://example.com",
                    "example.com",
                    "https://",
                    "https:///a",
                    "https://x:hunter2@h",
                    "https://a b",
                    "javascript:alert(1)",
                    "https://a/\"onload=",
                ],
            ),
            (
                "MCPFN_SERVER_ICON",
                &[
                    "https://example.com/i.svg?v=1",
                    "data:image/png;base64,iVBORw0KGgo=",
                ],
                &[
                    "http://example.com/i.png",
                    "data:text/html;base64,PGI+",
                    "data:image/png,abc",
                    "data:image/png;base64,",
                    "data:image/png;base64,<b>",
                ],
            ),
            (
                "MCPFN_SERVER_INSTRUCTIONS",
                &["Search first.\nThen order."],
                &["a\u{202e}b"],
            ),
        ] {
            for value in good {
                assert_eq!(mistakes(&[(name, value)]), [""; 0], "{name}={value}");
            }
            for value in bad.iter().chain([&&*long]) {
                let said = mistakes(&[(name, value)]);
                assert_eq!(said.len(), 1, "{name}={value}: {said:?}");
                assert!(said[0].starts_with(&format!("{name} must be ")), "{said:?}");
                let repeated = ["hunter2", "xxxx"]
                    .iter()
                    .any(|part| said[0].contains(part));
                assert!(!repeated, "{said:?}");
            }
        }
        let two = [("MCPFN_SERVER_NAME", "a b"), ("MCPFN_SERVER_ICON", "x")];
        assert_eq!(mistakes(&two).len(), 2);
        assert_eq!(mistakes(&[("MCPFN_SERVER_NAME", "  ")]), [""; 0]);
    }

    #[test]
    fn a_picture_has_its_media_type() {
        for (src, mime) in [
            ("https://h/a.png", Some("image/png")),
            ("https://h/a.SVG?v=1", Some("image/svg+xml")),
            ("https://h/a", None),
            ("data:image/webp;base64,aa", Some("image/webp")),
        ] {
            assert_eq!(icon(src.to_owned()).mime_type.as_deref(), mime, "{src}");
        }
    }
}
