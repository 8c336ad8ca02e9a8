//! Which files a project has, by what was chosen. Their text is in `templates/`.

use std::path::PathBuf;

use super::render::render;
use crate::arguments::{DeployHost, Template};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The worker-build that goes with the crate `worker` of this release.
pub(crate) const WORKER_BUILD: &str = "0.8.7";

/// What somebody chose.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) template: Template,
    pub(super) on: Vec<DeployHost>,
    pub(super) source: CrateSource,
    /// There is a workspace around it.
    pub(super) alone: bool,
}

/// Where mcpfn comes from.
#[derive(Debug)]
pub(super) enum CrateSource {
    /// The repository, at the tag of this release.
    Release,
    /// A checkout on this machine.
    Checkout(PathBuf),
}

impl CrateSource {
    /// The dependency on one crate, as Cargo.toml has it.
    fn dependency(&self, folder: &str, features: &[&str]) -> String {
        let from = self.from(folder);
        if features.is_empty() {
            return format!("{{ {from} }}");
        }
        format!("{{ {from}, features = {features:?} }}")
    }

    /// The same without the features that are on by default.
    fn bare_dependency(&self, folder: &str, features: &[&str]) -> String {
        let from = self.from(folder);
        format!("{{ {from}, default-features = false, features = {features:?} }}")
    }

    fn from(&self, folder: &str) -> String {
        match self {
            Self::Release => format!("git = \"{REPOSITORY}\", tag = \"v{VERSION}\""),
            Self::Checkout(checkout) => {
                let path = checkout.join("crates").join(folder);
                // a text of TOML has the escapes of one of Rust
                format!("path = {:?}", path.display().to_string())
            }
        }
    }
}

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../templates/", $name, ".txt"))
    };
}

fn program(template: Template) -> &'static str {
    match template {
        Template::Tool => template!("tool.rs"),
        Template::Database => template!("database.rs"),
        Template::ApiClient => template!("api-client.rs"),
        Template::Upstream => template!("upstream.rs"),
    }
}

/// Every file with its text.
pub(super) fn rendered(choice: &Choice) -> Vec<(&'static str, String)> {
    let mut words = vec![choice.template.name()];
    words.extend(choice.on.iter().map(|host| host.name()));
    if choice.alone {
        words.push("alone");
    }
    let on_lambda = choice.on.contains(&DeployHost::Lambda);
    let source = &choice.source;
    let mcpfn = if on_lambda {
        source.bare_dependency("mcpfn", &["dynamodb", "secrets"])
    } else {
        source.dependency("mcpfn", &[])
    };
    let first = choice.on.first().map_or("lambda", |host| host.name());
    let (verb, then) = match choice.on.first() {
        Some(DeployHost::Container) => ("build", "makes its image"),
        _ => ("deploy", "puts it where everybody can reach it"),
    };
    let values = [
        ("name", choice.name.clone()),
        ("verb", verb.to_owned()),
        ("then", then.to_owned()),
        ("first", first.to_owned()),
        ("repository", REPOSITORY.to_owned()),
        ("worker-build", WORKER_BUILD.to_owned()),
        ("mcpfn", mcpfn),
        ("testing", source.dependency("mcpfn", &["testing"])),
        ("sql", source.dependency("sql", &[])),
        ("toolkits", source.dependency("toolkits", &["upstream"])),
    ];
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    templates(choice)
        .into_iter()
        .map(|(path, template)| (path, render(template, &values, &words)))
        .collect()
}

/// Every file with its template.
fn templates(choice: &Choice) -> Vec<(&'static str, &'static str)> {
    let mut files = vec![
        ("Cargo.toml", template!("Cargo.toml")),
        ("src/main.rs", program(choice.template)),
        ("README.md", template!("README.md")),
        (".env.example", template!("env")),
        (".gitignore", template!("gitignore")),
        (".github/workflows/ci.yml", template!("ci.yml")),
    ];
    if choice.template == Template::Database {
        files.push(("migrations/0001_note.sql", template!("migration.sql")));
    }
    if choice.on.contains(&DeployHost::Lambda) {
        files.push(("template.yaml", template!("template.yaml")));
        files.push(("samconfig.toml", template!("samconfig.toml")));
    }
    if choice.on.contains(&DeployHost::Container) {
        files.push(("Dockerfile", template!("Dockerfile")));
        files.push((".dockerignore", template!("dockerignore")));
    }
    if choice.on.contains(&DeployHost::Workers) {
        files.push(("src/lib.rs", template!("lib.rs")));
        files.push(("wrangler.toml", template!("wrangler.toml")));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Choice> {
        let templates = [
            Template::Tool,
            Template::Database,
            Template::ApiClient,
            Template::Upstream,
        ];
        let hosts = [
            vec![DeployHost::Lambda],
            vec![DeployHost::Workers],
            vec![DeployHost::Container],
            vec![DeployHost::Lambda, DeployHost::Workers],
            vec![
                DeployHost::Lambda,
                DeployHost::Workers,
                DeployHost::Container,
            ],
        ];
        templates.into_iter().flat_map(move |template| {
            hosts.clone().into_iter().map(move |on| Choice {
                name: "weather".to_owned(),
                template,
                on,
                source: CrateSource::Release,
                alone: false,
            })
        })
    }

    #[test]
    fn every_choice_is_rendered_to_its_end() {
        for choice in all() {
            for (path, text) in rendered(&choice) {
                let left = [
                    "%name",
                    "%verb",
                    "%then",
                    "%if",
                    "%end",
                    "%mcpfn",
                    "%first",
                    "%repository",
                ];
                let found = left.iter().find(|mark| text.contains(*mark));
                assert_eq!(found, None, "{path} of {choice:?}");
                let ends = text.ends_with('\n') && !text.ends_with("\n\n");
                assert!(
                    ends && !text.contains("\n\n\n"),
                    "{path} of {choice:?}:\n{text}"
                );
            }
        }
    }

    #[test]
    fn tables_are_tables() {
        for choice in all() {
            for (path, text) in rendered(&choice) {
                if path.ends_with(".toml") {
                    let read = text.parse::<toml::Table>();
                    assert!(read.is_ok(), "{path} of {choice:?}: {read:?}\n{text}");
                }
            }
        }
    }

    #[test]
    fn a_template_of_aws_is_short() {
        for choice in all() {
            let files = rendered(&choice);
            let template = files.iter().find(|(path, _)| *path == "template.yaml");
            if let Some((_, text)) = template {
                let lines = text.lines().count();
                // a third of them is for the function that runs tasks
                assert!(lines <= 120, "{lines} lines of {choice:?}");
            }
        }
    }

    #[test]
    fn files_of_a_host_are_there_if_it_is() {
        for choice in all() {
            let files = rendered(&choice);
            let has = |name: &str| files.iter().any(|(path, _)| *path == name);
            assert_eq!(
                has("template.yaml"),
                choice.on.contains(&DeployHost::Lambda)
            );
            assert_eq!(
                has("wrangler.toml"),
                choice.on.contains(&DeployHost::Workers)
            );
            for file in ["Dockerfile", ".dockerignore"] {
                assert_eq!(has(file), choice.on.contains(&DeployHost::Container));
            }
        }
    }
}
