//! What is served, by configuration: the same on every host.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn::port::{Blobs, Sql};
use mcpfn::{Builder, port::Platform};
use mcpfn_toolkits::files::has_notices;
use mcpfn_toolkits::{Needs, about, any_needs, defaults, register};

use crate::identity::Identity;

/// A server, and what it asks its host for.
pub(crate) struct Configured {
    pub(crate) builder: Builder,
    /// `hello` alone needs none.
    pub(crate) database: bool,
    /// Statements that a model wrote are run.
    pub(crate) unvetted: bool,
    pub(crate) files: bool,
}

pub(crate) fn configured(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Configured, String> {
    let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
    let mut mistakes = Vec::new();
    let identity = Identity::read(&text, &mut mistakes);
    let list = match variable("MCPFN_TOOLKITS").map(OsString::into_string) {
        Some(Ok(list)) => list,
        Some(Err(_)) => {
            mistakes.push("MCPFN_TOOLKITS is not text in UTF-8".to_owned());
            return Err(mistakes.join("; "));
        }
        None => defaults().collect::<Vec<_>>().join(","),
    };
    let builder = match register(identity.server(described(&list, &text)), &list, &text) {
        // with what is wrong with single tools, which shows when it is built
        Ok(builder) => mistakes.into_iter().fold(builder, Builder::mistake),
        Err(wrong) => {
            mistakes.push(format!("MCPFN_TOOLKITS: {wrong}"));
            return Err(mistakes.join("; "));
        }
    };
    let builder = identity.instruct(builder);
    Ok(Configured {
        builder,
        database: any_needs(&list, Needs::Database),
        unvetted: list.split(',').any(|toolkit| toolkit.trim() == "sql"),
        files: any_needs(&list, Needs::Blobs),
    })
}

/// What the toolkits are about, where every caller sees all of them. Every answer repeats it to
/// everybody, and what a caller may not see is not told either.
fn described(list: &str, text: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let methods = text("MCPFN_AUTH").unwrap_or_default();
    let open = ["", "none"].contains(&methods.trim());
    open.then(|| about(list)).filter(|about| !about.is_empty())
}

/// A part that its settings do not let be opened is told with what else is wrong.
pub(crate) fn opened<T>(builder: Builder, part: Result<Option<T>, String>) -> (Builder, Option<T>) {
    match part {
        Ok(part) => (builder, part),
        Err(mistake) => (builder.mistake(mistake), None),
    }
}

/// Whether the bucket of files says what is written to it.
pub(crate) fn notices(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    has_notices(&|name| variable(name).and_then(|given| given.into_string().ok()))
}

/// Adds the operator's own skills, for callers with the scope of `MCPFN_SKILLS_SCOPE`.
pub(crate) fn with_skills(
    builder: Builder,
    place: Result<Option<Arc<dyn Blobs>>, String>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Builder {
    let (builder, place) = opened(builder, place);
    let scope = variable("MCPFN_SKILLS_SCOPE");
    let Some(place) = place else {
        return match scope {
            None => builder,
            Some(_) => builder.mistake(
                "MCPFN_SKILLS_SCOPE is set, and there are no skills that need it: name a place of \
                 skills, or remove it"
                    .to_owned(),
            ),
        };
    };
    let skills = mcpfn_toolkits::skills::stored("skills", place);
    builder.skills(match scope {
        None => skills,
        Some(scope) => skills.scope(scope.to_string_lossy()),
    })
}

/// Gives the platform what the host opened.
pub(crate) fn ports(
    database: Option<Arc<dyn Sql>>,
    files: Option<Arc<dyn Blobs>>,
) -> impl FnOnce(Platform) -> Platform {
    move |mut platform| {
        if let Some(database) = database {
            platform = platform.with_port::<dyn Sql>(database);
        }
        if let Some(files) = files {
            platform = platform.with_port::<dyn Blobs>(files);
        }
        platform
    }
}

#[cfg(test)]
mod tests {
    use mcpfn::testing::{Discovery, TestClient};

    use super::*;

    fn served(values: &[(&str, &str)]) -> Result<TestClient, String> {
        let variable = |name: &str| -> Option<OsString> {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        configured(variable).map(|configured| TestClient::new(configured.builder))
    }

    fn discovery(values: &[(&str, &str)]) -> Discovery {
        let client = served(values).unwrap();
        client.discover().wait().unwrap()
    }

    #[test]
    fn a_deployment_says_who_it_is() {
        let set = [
            ("MCPFN_TOOLKITS", "hello"),
            ("MCPFN_SERVER_NAME", "acme"),
            ("MCPFN_SERVER_TITLE", "Acme shop"),
            ("MCPFN_SERVER_VERSION", "7"),
            ("MCPFN_SERVER_DESCRIPTION", "What Acme has."),
            ("MCPFN_SERVER_WEBSITE", "https://acme.example"),
            ("MCPFN_SERVER_ICON", "https://acme.example/i.png"),
            ("MCPFN_SERVER_INSTRUCTIONS", "Greet first."),
        ];
        let client = served(&set).unwrap();
        let result = client.request("server/discover", serde_json::json!({}));
        let result = result.wait().unwrap();
        assert_eq!(result["instructions"], "Greet first.");
        let expected = serde_json::json!({
            "name": "acme", "title": "Acme shop", "version": "7", "description": "What Acme has.",
            "websiteUrl": "https://acme.example",
            "icons": [{"src": "https://acme.example/i.png", "mimeType": "image/png"}],
        });
        assert_eq!(
            result["_meta"]["io.modelcontextprotocol/serverInfo"],
            expected
        );
    }

    #[test]
    fn what_is_not_set_comes_from_the_toolkits() {
        let found = discovery(&[
            ("MCPFN_TOOLKITS", "weather,hello"),
            ("MCPFN_WEATHER_API_KEY", "key"),
        ]);
        assert_eq!(
            (&*found.name, &*found.version),
            ("mcpfn", env!("CARGO_PKG_VERSION"))
        );
        let instructions = found.instructions.unwrap();
        assert!(instructions.contains("`get_weather`"), "{instructions}");
        assert!(!instructions.contains("table"), "{instructions}");
        assert!(!instructions.contains("catalog"), "{instructions}");
    }

    /// Every kind of mistake that shows before the server is built, and one that shows only then.
    #[test]
    fn mistakes_of_identity_ports_and_tools_are_one_list() {
        let set = |name: &str| -> Option<OsString> {
            match name {
                "MCPFN_TOOLKITS" => Some("hello".into()),
                "MCPFN_SERVER_NAME" => Some("a b".into()),
                "MCPFN_SERVER_ICON" => Some("x".into()),
                _ => None,
            }
        };
        let gone = Err::<Option<()>, _>("MCPFN_DATABASE is gone".to_owned());
        let (builder, _) = opened(configured(set).unwrap().builder, gone);
        let told = builder.page_size(0).build().unwrap_err().to_string();
        for part in [
            "MCPFN_SERVER_NAME",
            "MCPFN_SERVER_ICON",
            "MCPFN_DATABASE",
            "a page",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    /// What nobody may know who can't see it is in no answer to them.
    #[test]
    fn a_description_names_no_toolkit_that_a_caller_may_not_see() {
        for (auth, named) in [
            (None, true),
            (Some("none"), true),
            (Some("api-key"), false),
            (Some("oauth,api-key"), false),
            (Some("iam"), false),
        ] {
            let mut values = vec![
                ("MCPFN_TOOLKITS", "weather,hello"),
                ("MCPFN_WEATHER_API_KEY", "key"),
            ];
            values.extend(auth.map(|auth| ("MCPFN_AUTH", auth)));
            let client = served(&values)
                .unwrap()
                .principal(mcpfn::Principal::anonymous());
            let found = client
                .request("server/discover", serde_json::json!({}))
                .wait()
                .unwrap();
            assert_eq!(
                found.to_string().contains("Tools for"),
                named,
                "{auth:?}: {found}"
            );
        }
    }

    #[test]
    fn mistakes_of_all_settings_are_told_at_once() {
        let mistakes = served(&[
            ("MCPFN_TOOLKITS", "weather,wether"),
            ("MCPFN_SERVER_NAME", "a b"),
            ("MCPFN_SERVER_WEBSITE", "acme.example"),
        ])
        .unwrap_err();
        for part in [
            "MCPFN_SERVER_NAME",
            "MCPFN_SERVER_WEBSITE",
            "`wether`",
            "MCPFN_WEATHER_API_KEY",
        ] {
            assert!(mistakes.contains(part), "{part}: {mistakes}");
        }
    }
}
