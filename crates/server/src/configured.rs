//! What is served, by configuration: the same on every host.

use std::ffi::OsString;
use std::sync::Arc;

use mcpfn::port::{Blobs, Sql};
use mcpfn::{Builder, Server, port::Platform};
use mcpfn_toolkits::{Needs, Secret, any_needs, defaults, register};

use crate::settings::SETTINGS;

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
    if !(cfg!(feature = "lambda") && variable("AWS_LAMBDA_RUNTIME_API").is_some())
        && let Some(setting) = SETTINGS.iter().find(|setting| {
            let secret = ["_KEY", "_TOKEN"]
                .iter()
                .any(|end| setting.name.ends_with(end));
            // one with <NAME> in it stands for others
            let one = !setting.name.contains('<');
            secret && one && text(setting.name).is_some_and(|value| Secret::is_reference(&value))
        })
    {
        return Err(format!(
            "{} refers to a secret that AWS keeps, which is read on AWS Lambda only: set it to the \
             key itself",
            setting.name
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_a_secret_of_aws_is_for_lambda() {
        let start = |on_lambda: bool, key: &'static str| {
            let read = configured(|name| match name {
                "MCPFN_TOOLKITS" => Some("weather".into()),
                "MCPFN_WEATHER_API_KEY" => Some(key.into()),
                "AWS_LAMBDA_RUNTIME_API" => on_lambda.then(|| "127.0.0.1:1".into()),
                _ => None,
            });
            read.map(drop)
        };
        assert_eq!(start(false, "key"), Ok(()));
        let refused = start(false, "ssm:/mcpfn/weather").unwrap_err();
        assert!(
            refused.starts_with("MCPFN_WEATHER_API_KEY refers to"),
            "{refused}"
        );
        assert_eq!(
            start(true, "ssm:/mcpfn/weather").is_ok(),
            cfg!(feature = "lambda")
        );
    }
}
