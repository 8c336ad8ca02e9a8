//! The settings of this program: which toolkits, and what they and its database need. What a host
//! needs is a table of the hosts'. Read by nothing here: `--help` and the check of variables without
//! effect take it as data.

use mcpfn::{Hosts, Setting};

/// Every variable that this program reads by itself.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "MCPFN_TOOLKITS",
        "NAME,..",
        "those that need no variable and reach nothing outside",
        "toolkits to serve",
    ),
    Setting::new(
        "MCPFN_SERVER_NAME",
        "NAME",
        "mcpfn",
        "the server's name for programs, in the configuration of clients too: 1 to 32 letters, \
         digits, - and _",
    ),
    Setting::new(
        "MCPFN_SERVER_TITLE",
        "TEXT",
        "the name",
        "its name for people, at most 100 characters",
    ),
    Setting::new(
        "MCPFN_SERVER_VERSION",
        "TEXT",
        "this program's",
        "its version: results that were kept are those of one version",
    ),
    Setting::new(
        "MCPFN_SERVER_DESCRIPTION",
        "TEXT",
        "what the toolkits are about",
        "one line on what it is for, at most 300 characters",
    ),
    Setting::new(
        "MCPFN_SERVER_WEBSITE",
        "URL",
        "none",
        "its home page, https://",
    ),
    Setting::new(
        "MCPFN_SERVER_ICON",
        "URL",
        "none",
        "a picture of it: https://, or a small one as data:image/png;base64,..",
    ),
    Setting::new(
        "MCPFN_SERVER_INSTRUCTIONS",
        "TEXT",
        "what the toolkits say, for tools that the caller can see",
        "what models read before they use its tools, at most 4000 characters; the same for every \
         caller",
    ),
    Setting::new(
        "MCPFN_DATABASE",
        "FILE|URL",
        "the demo shop",
        "a SQLite file to serve, or postgres://USER:PASSWORD@HOST/NAME",
    )
    .secret()
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_DATABASE_WRITABLE",
        "on|off",
        "off",
        "open that file for writing too, as the toolkits crm and inventory can",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_DATABASE_READONLY_URL",
        "URL",
        "",
        "toolkit sql: a postgres:// URL of a role that can only read; required with PostgreSQL",
    )
    .secret()
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_DATABASE_FUNCTIONS",
        "SCHEMA.NAME,..",
        "none",
        "toolkit sql on PostgreSQL: functions that do more than read and that this role may call",
    ),
    Setting::new(
        "MCPFN_DATABASE_TABLES",
        "TABLE(COLUMN,..),..",
        "all",
        "toolkit database: tables, or their columns, that are shown, such as \
         products,orders(id,status)",
    ),
    Setting::new(
        "MCPFN_MAPPING",
        "FILE|JSON",
        "the demo shop's tables",
        "toolkits crm and inventory: which tables of yours stand for those that they read; a file, \
         or on Workers its text",
    ),
    Setting::new(
        "MCPFN_DATA_DIR",
        "DIRECTORY",
        "the user's data folder",
        "folder of the demo shop's file, made at the first start",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_FILES_ROOT",
        "DIRECTORY|URL",
        "",
        "toolkit files: the directory to serve, several as NAME=DIRECTORY,NAME=DIRECTORY, or \
         s3://BUCKET/PREFIX with the region and credentials of AWS_PROFILE or of the environment, \
         and AWS_ENDPOINT_URL_S3 for R2 or MinIO",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_FILES_WRITABLE",
        "on|off",
        "off",
        "toolkit files: add the tools that write and move files",
    ),
    Setting::new(
        "MCPFN_FILES_NOTICES",
        "on|off",
        "off",
        "toolkit files: its bucket says what is written to it, through EventBridge or a queue, and \
         the event file.written comes of that",
    )
    .on(Hosts::LAMBDA.and(Hosts::WORKERS)),
    Setting::new(
        "MCPFN_EVENTS",
        "on|off",
        "off",
        "events of the toolkits crm, inventory and files, that clients may subscribe to",
    ),
    Setting::new(
        "MCPFN_EVENT_TABLES",
        "TABLE:COLUMN,..",
        "none",
        "toolkit database: tables whose new rows are events, each with a column of whole numbers \
         that grow, such as orders:id",
    ),
    Setting::new(
        "MCPFN_TOOLKIT_SKILLS",
        "on|off",
        "on",
        "whether each toolkit comes with a skill, which tells models how to use it",
    ),
    Setting::new(
        "MCPFN_SKILLS_ROOT",
        "DIRECTORY|URL",
        "none",
        "skills of your own, a directory with a SKILL.md for each: where they are, as \
         MCPFN_FILES_ROOT says it; on Workers the R2 binding SKILLS",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_SKILLS_SCOPE",
        "SCOPE",
        "none",
        "the scope that callers need to see skills of your own",
    ),
    Setting::new(
        "MCPFN_KNOWLEDGE_WRITABLE",
        "on|off",
        "off",
        "toolkit knowledge: add the tool that makes documents of the files of the toolkit files",
    ),
    Setting::new(
        "MCPFN_EMBEDDINGS_URL",
        "URL",
        "texts are found by their words",
        "toolkit knowledge: an OpenAI-compatible service of embeddings. `ingest FOLDER` adds \
         documents to the database, `ingest FOLDER --sql FILE` writes the statements that add them \
         to D1",
    ),
    Setting::new(
        "MCPFN_EMBEDDINGS_MODEL",
        "NAME",
        "",
        "that service's model; needed with the URL",
    ),
    Setting::new(
        "MCPFN_EMBEDDINGS_API_KEY",
        "KEY",
        "none",
        "a key of that service",
    )
    .secret(),
    Setting::new(
        "MCPFN_VECTOR_INDEX",
        "auto|pgvector",
        "auto",
        "toolkit knowledge: with pgvector the server starts only where the index of that extension \
         of PostgreSQL finds its passages, and says what is missing; with auto the index is used \
         where there is one, or vectors are compared in memory",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_WEATHER_API_KEY",
        "KEY",
        "",
        "toolkit weather: a key of OpenWeatherMap",
    )
    .secret(),
    Setting::new("MCPFN_WEATHER_URL", "URL", "OpenWeatherMap", "its address"),
    Setting::new(
        "MCPFN_COMPANY_API_KEY",
        "KEY",
        "",
        "toolkit company: a key of Apollo",
    )
    .secret(),
    Setting::new("MCPFN_COMPANY_URL", "URL", "Apollo", "its address"),
    Setting::new(
        "MCPFN_SEARCH_API",
        "brave|serper",
        "brave",
        "toolkit web: the search engine",
    ),
    Setting::new(
        "MCPFN_SEARCH_API_KEY",
        "KEY",
        "",
        "toolkit web: a key of that engine",
    )
    .secret(),
    Setting::new("MCPFN_SEARCH_URL", "URL", "the engine's own", "its address"),
    Setting::new(
        "MCPFN_FETCH_HOSTS",
        "HOST:PORT,..",
        "public ones only",
        "toolkits fetch and web: hosts of the own network that pages may be read from",
    ),
    Setting::new(
        "MCPFN_GITHUB_TOKEN",
        "TOKEN",
        "public repositories only",
        "toolkit github: what it may read",
    )
    .secret(),
    Setting::new(
        "MCPFN_GITHUB_URL",
        "URL",
        "https://api.github.com",
        "its address",
    ),
    #[cfg(feature = "upstream")]
    Setting::new(
        "MCPFN_UPSTREAMS",
        "NAME=URL,..",
        "",
        "toolkit upstream: other MCP servers to front; their tools are listed as NAME__tool",
    ),
    #[cfg(feature = "upstream")]
    Setting::new(
        "MCPFN_UPSTREAM_TOKENS",
        "NAME=TOKEN,..",
        "none",
        "this server's own bearer tokens there, for several at once",
    )
    .secret(),
    #[cfg(feature = "upstream")]
    Setting::new(
        "MCPFN_UPSTREAM_SCOPES",
        "NAME=SCOPE,..",
        "upstream:NAME for each",
        "the scopes that callers need to see and use them",
    ),
    #[cfg(feature = "upstream")]
    Setting::new(
        "MCPFN_UPSTREAM_<NAME>_TOKEN",
        "TOKEN",
        "none",
        "this server's own bearer token there; a caller's token is never passed on",
    )
    .secret()
    .with_names_of("MCPFN_UPSTREAMS"),
    #[cfg(feature = "upstream")]
    Setting::new(
        "MCPFN_UPSTREAM_<NAME>_SCOPE",
        "SCOPE",
        "upstream:NAME",
        "the scope that a caller needs to see and use that server",
    )
    .with_names_of("MCPFN_UPSTREAMS"),
];

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::ffi::OsString;

    use super::*;

    /// The variables that this program reads where some are set.
    fn read(variables: &[(&str, &str)]) -> BTreeSet<String> {
        let names = RefCell::new(BTreeSet::new());
        let variable = |name: &str| -> Option<OsString> {
            names.borrow_mut().insert(name.to_owned());
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        // what each makes of them is no matter here
        drop(crate::configured::configured(variable));
        drop(crate::mapping::inlined(variable));
        drop(crate::database::open(variable, false));
        drop(crate::files::open(variable));
        drop(crate::vector_index::is_required(variable));
        drop(crate::files::open_skills(variable));
        let builder = mcpfn::Server::builder("a", "1");
        drop(crate::configured::with_skills(builder, Ok(None), variable));
        names.into_inner()
    }

    #[test]
    fn the_table_has_what_is_read_and_nothing_else() {
        let toolkits = mcpfn_toolkits::names().collect::<Vec<_>>().join(",");
        let mut names = read(&[
            ("MCPFN_TOOLKITS", &toolkits),
            ("MCPFN_EMBEDDINGS_URL", "https://embeddings.example/v1"),
            ("MCPFN_UPSTREAMS", "crm=https://crm.example/mcp"),
            ("MCPFN_DATABASE", "postgres://"),
        ]);
        names.extend(read(&[("MCPFN_DATABASE", "/no/such/file.db")]));
        names.extend(read(&[]));
        names.retain(|name| name.starts_with("MCPFN_"));
        let unlisted: Vec<&String> = names
            .iter()
            .filter(|name| !SETTINGS.iter().any(|setting| setting.is(name)))
            // the hosts' own, by which it is known who sees what
            .filter(|name| *name != "MCPFN_AUTH")
            .collect();
        assert_eq!(unlisted, [""; 0], "add them to SETTINGS");
        let unread: Vec<&str> = SETTINGS
            .iter()
            .filter(|setting| !names.iter().any(|name| setting.is(name)))
            .map(|setting| setting.name)
            .collect();
        assert_eq!(
            unread, [""; 0],
            "nothing reads them: take them out of SETTINGS"
        );
    }
}
