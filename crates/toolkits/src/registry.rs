//! The toolkits by name, for servers that choose them in their configuration. Reads variables only
//! through the function it is given.

use mcpfn_core::{Builder, text};

use crate::config::Config;
use crate::mapping::Mapping;
use crate::mistakes::Mistakes;
#[cfg(feature = "skills")]
use crate::skills;
#[cfg(feature = "upstream")]
use crate::upstream;
use crate::{
    catalog, company, contracts, crm, database, events, fetch, files, github, hello, inventory,
    knowledge, sql, weather, web, workflow,
};

/// Whether each toolkit comes with its skill.
#[cfg(feature = "skills")]
const SKILLS: &str = "MCPFN_TOOLKIT_SKILLS";

/// What a toolkit asks its host for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// No port.
    Nothing,
    /// The port `Sql`.
    Database,
    /// The port `HttpClient`.
    HttpClient,
    /// The port `Blobs`.
    Blobs,
}

struct Toolkit {
    name: &'static str,
    /// What it is about, within a sentence.
    subject: &'static str,
    needs: Needs,
    /// Switched on where nothing is said: it needs no variable and reaches nothing outside.
    by_default: bool,
    add: fn(Builder, &mut Config<'_>) -> Builder,
}

const TOOLKITS: &[Toolkit] = &[
    Toolkit {
        name: "hello",
        subject: "a greeting",
        needs: Needs::Nothing,
        by_default: true,
        add: |builder, _| hello::toolkit(builder),
    },
    Toolkit {
        name: "catalog",
        subject: "a product catalog",
        needs: Needs::Database,
        by_default: true,
        add: |builder, _| catalog::toolkit(builder),
    },
    Toolkit {
        name: "database",
        subject: "a database's tables",
        needs: Needs::Database,
        by_default: true,
        add: database::configured,
    },
    Toolkit {
        name: "crm",
        subject: "customers",
        needs: Needs::Database,
        by_default: true,
        add: crm::configured,
    },
    Toolkit {
        name: "inventory",
        subject: "stock and orders",
        needs: Needs::Database,
        by_default: true,
        add: inventory::configured,
    },
    Toolkit {
        name: "sql",
        subject: "SQL queries",
        needs: Needs::Database,
        by_default: false,
        add: |builder, _| sql::toolkit(builder),
    },
    Toolkit {
        name: "knowledge",
        subject: "documents",
        needs: Needs::Database,
        by_default: false,
        add: knowledge::configured,
    },
    Toolkit {
        name: "contracts",
        subject: "contracts",
        needs: Needs::Database,
        by_default: false,
        add: |builder, _| contracts::toolkit(builder),
    },
    Toolkit {
        name: "weather",
        subject: "weather",
        needs: Needs::HttpClient,
        by_default: false,
        add: weather::configured,
    },
    Toolkit {
        name: "company",
        subject: "companies",
        needs: Needs::HttpClient,
        by_default: false,
        add: company::configured,
    },
    Toolkit {
        name: "fetch",
        subject: "web pages",
        needs: Needs::HttpClient,
        by_default: false,
        add: |builder, _| fetch::toolkit(builder),
    },
    Toolkit {
        name: "web",
        subject: "web search",
        needs: Needs::HttpClient,
        by_default: false,
        add: web::configured,
    },
    Toolkit {
        name: "github",
        subject: "GitHub",
        needs: Needs::HttpClient,
        by_default: false,
        add: github::configured,
    },
    #[cfg(feature = "upstream")]
    Toolkit {
        name: "upstream",
        subject: "other MCP servers",
        needs: Needs::HttpClient,
        by_default: false,
        add: upstream::configured,
    },
    Toolkit {
        name: "files",
        subject: "files",
        needs: Needs::Blobs,
        by_default: false,
        add: files::configured,
    },
    Toolkit {
        name: "workflow",
        subject: "workflows",
        needs: Needs::Nothing,
        by_default: false,
        add: |builder, _| workflow::toolkit(builder),
    },
];

/// The name of every toolkit.
pub fn names() -> impl Iterator<Item = &'static str> {
    TOOLKITS.iter().map(|toolkit| toolkit.name)
}

/// The names of the toolkits that a server has unless it is told otherwise.
pub fn defaults() -> impl Iterator<Item = &'static str> {
    TOOLKITS
        .iter()
        .filter(|toolkit| toolkit.by_default)
        .map(|toolkit| toolkit.name)
}

/// What the toolkits that `list` names are about, in a sentence for people; empty if it names none.
/// It depends on the list alone, and is no secret: the scopes that servers publish say as much.
///
/// ```
/// let about = mcpfn_toolkits::about("weather, hello");
/// assert_eq!(about, "Tools for a greeting and weather.");
/// ```
#[must_use]
pub fn about(list: &str) -> String {
    let chosen = TOOLKITS
        .iter()
        .filter(|toolkit| wanted(list).any(|name| name == toolkit.name));
    let subjects: Vec<&str> = chosen.map(|toolkit| toolkit.subject).collect();
    match subjects.split_last() {
        None => String::new(),
        Some((only, [])) => format!("Tools for {only}."),
        Some((last, others)) => format!("Tools for {} and {last}.", others.join(", ")),
    }
}

/// Whether one of the toolkits that `list` names asks its host for this.
#[must_use]
pub fn any_needs(list: &str, needs: Needs) -> bool {
    TOOLKITS
        .iter()
        .any(|toolkit| toolkit.needs == needs && wanted(list).any(|name| name == toolkit.name))
}

/// Adds the toolkits that a comma-separated list names, such as `hello,catalog`. Spaces and
/// repetitions do no harm; an empty list adds nothing. `variable` gives the text of a variable that
/// is set; each toolkit's documentation says which it reads.
///
/// # Errors
/// Names that are not among [`names`], and variables that are missing or wrong: all of them at
/// once.
pub fn register(
    builder: Builder,
    list: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Builder, Mistakes> {
    let mut config = Config::new(variable);
    let known = || {
        let known = names().map(|known| format!("`{known}`"));
        known.collect::<Vec<_>>().join(", ")
    };
    if wanted(list).next().is_none() {
        config.mistake(format!(
            "there is no name in the list; known are {}",
            known()
        ));
    }
    for name in wanted(list).filter(|name| !names().any(|known| known == *name)) {
        let name = text::quoted(name);
        config.mistake(format!("there is no toolkit {name}; known are {}", known()));
    }
    let chosen = TOOLKITS
        .iter()
        .filter(|toolkit| wanted(list).any(|name| name == toolkit.name));
    let mut builder = chosen.fold(builder, |builder, toolkit| {
        (toolkit.add)(builder, &mut config)
    });
    #[cfg(feature = "skills")]
    if config.switched_on(SKILLS) {
        let chosen = TOOLKITS
            .iter()
            .filter(|toolkit| wanted(list).any(|name| name == toolkit.name));
        let skills = chosen.filter_map(|toolkit| skills::of(toolkit.name));
        builder = skills.fold(builder, Builder::skills);
    }
    if wanted(list).any(|name| ["fetch", "web"].contains(&name))
        && let Some(hosts) = fetch::OwnHosts::read(&mut config)
    {
        // one list for both
        builder = builder.state(hosts);
    }
    if wanted(list).any(|name| ["crm", "inventory"].contains(&name))
        && let Some(mapping) = Mapping::read(&mut config)
    {
        // one for both
        builder = builder.state(mapping);
    }
    let has = |name: &str| wanted(list).any(|known| known == name);
    builder = events::configured(builder, &has, &mut config);
    check_together(list, &mut config);
    let mistakes = config.mistakes();
    if mistakes.is_empty() {
        Ok(builder)
    } else {
        Err(Mistakes::new(mistakes))
    }
}

/// What one toolkit needs of another.
fn check_together(list: &str, config: &mut Config<'_>) {
    let has = |name: &str| wanted(list).any(|known| known == name);
    if has("knowledge") && !has("files") && config.switch(knowledge::WRITES) {
        config.mistake(format!(
            "{} is on, and documents are made of the files of the toolkit `files`: add `files` to \
             the list, or add documents with the command `ingest`",
            knowledge::WRITES
        ));
    }
}

fn wanted(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}
