//! What is served, by configuration: the same on every host.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn::port::{Blobs, Sql};
use mcpfn::{Builder, Server, port::Platform};
use mcpfn_toolkits::{Needs, any_needs, defaults, register};

/// A server, and what it asks its host for.
pub(crate) struct Configured {
    pub(crate) builder: Builder,
    /// `hello` alone needs none.
    pub(crate) database: bool,
    pub(crate) files: bool,
}

pub(crate) fn configured(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Configured, String> {
    let list = match variable("MCPFN_TOOLKITS") {
        Some(list) => list
            .into_string()
            .map_err(|_| "MCPFN_TOOLKITS is not text in UTF-8")?,
        None => defaults().collect::<Vec<_>>().join(","),
    };
    let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
    let builder = register(server(), &list, &text)
        .map_err(|mistakes| format!("MCPFN_TOOLKITS: {mistakes}"))?;
    Ok(Configured {
        builder,
        database: any_needs(&list, Needs::Database),
        files: any_needs(&list, Needs::Blobs),
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

fn server() -> Builder {
    Server::builder("mcpfn", env!("CARGO_PKG_VERSION"))
        .title("mcpfn demo shop")
        .description("A product catalog and a database to ask, served by mcpfn.")
        .instructions(
            "Use the catalog tools for questions about products, prices and stock. Use list_tables, describe_table and query_table, \
             in this order, for everything else in the database.",
        )
}
