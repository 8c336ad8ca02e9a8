//! Which server, as whom, and how patiently: settings only.

use std::fmt;
use std::time::Duration;

use mcpfn_ports::SqlError;
use mcpfn_settings::EnvReader;
use mcpfn_sql::Postgres;

use crate::tables::{SCHEMA, is_name};

/// Milliseconds that a question may take with its retry, unless told otherwise: a first connection
/// with TLS and a password takes some round trips and some processor time on both sides.
const TIMEOUT: u64 = 1000;

const URL: &str = "MCPFN_POSTGRES_STORE_URL";
const SCHEMA_NAME: &str = "MCPFN_POSTGRES_STORE_SCHEMA";
pub(crate) const TIMEOUT_MS: &str = "MCPFN_POSTGRES_STORE_TIMEOUT_MS";

/// A PostgreSQL server and how to reach it.
#[derive(Clone)]
pub struct PostgresServer {
    pub(crate) database: Postgres,
    /// `MCPFN_POSTGRES_STORE_SCHEMA`: where the tables are; `mcpfn` when not set.
    pub(crate) schema: String,
    /// `MCPFN_POSTGRES_STORE_TIMEOUT_MS`: how long a question may take with its retry; a second when
    /// not set. One attempt has three fifths of it.
    pub timeout: Duration,
}

impl PostgresServer {
    /// The server of a URL, as the toolkits' databases have it:
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Connections are encrypted and the certificate is
    /// checked, unless the host is this machine or the URL says `?sslmode=disable`;
    /// `?sslrootcert=FILE` trusts the certificates of a PEM file, which is read now.
    ///
    /// # Errors
    /// A sentence that says what to change, and repeats no part of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let database = Postgres::new(url).map_err(|error| match error {
            SqlError::Rejected(sentence) => sentence,
            other => other.to_string(),
        })?;
        Ok(Self {
            database,
            schema: SCHEMA.to_owned(),
            timeout: Duration::from_millis(TIMEOUT),
        })
    }

    /// With the tables in another schema, so that several servers share a database.
    ///
    /// # Errors
    /// When it is no name that can stand in statements without quotes.
    pub fn with_schema(self, schema: &str) -> Result<Self, String> {
        if is_name(schema) {
            let schema = schema.to_owned();
            return Ok(Self { schema, ..self });
        }
        Err("must have small letters, digits and _, begin with none of the digits nor with pg_, and \
             be at most 63 characters long"
            .to_owned())
    }

    /// Where the tables are.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The server, if the variables name one.
    pub fn read(reader: &mut EnvReader<'_>) -> Option<Self> {
        let url = reader.text(URL);
        let range = 10..=10_000;
        let milliseconds = reader.within(TIMEOUT_MS, TIMEOUT, range, "a number of milliseconds");
        let schema = reader.text(SCHEMA_NAME);
        let Some(url) = url else {
            for name in [TIMEOUT_MS, SCHEMA_NAME] {
                if reader.text(name).is_some() {
                    reader.mistake(format!("{name} has no effect without {URL}: set that too"));
                }
            }
            return None;
        };
        let mut server = match Self::parse(&url) {
            Ok(server) => server,
            Err(mistake) => {
                reader.mistake(format!("{URL}: {mistake}"));
                return None;
            }
        };
        server.timeout = Duration::from_millis(milliseconds);
        let schema = schema.as_deref().map_or(SCHEMA, str::trim);
        match server.with_schema(schema) {
            Ok(server) => Some(server),
            Err(mistake) => {
                reader.mistake(format!("{SCHEMA_NAME} {mistake}"));
                None
            }
        }
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn place(&self) -> String {
        self.database.place()
    }
}

impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("place", &self.place())
            .field("schema", &self.schema)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<PostgresServer>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let server = PostgresServer::read(&mut reader);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        (server, mistakes.unwrap_or_default())
    }

    #[test]
    fn variables_say_where_and_show_no_password() {
        let url = (URL, "postgres://me:hunter2@db.internal:6000/shop");
        let (server, mistakes) = read(&[url, (SCHEMA_NAME, "shop"), (TIMEOUT_MS, "250")]);
        assert_eq!(mistakes, [""; 0]);
        let server = server.unwrap();
        assert_eq!(server.place(), "db.internal:6000/shop");
        assert_eq!((server.schema(), server.timeout.as_millis()), ("shop", 250));
        assert!(!format!("{server:?}").contains("hunter2"));
        assert!(matches!(read(&[]), (None, mistakes) if mistakes.is_empty()));
    }

    #[test]
    fn mistakes_are_named_and_nothing_is_repeated() {
        let url = (URL, "postgres://me:hunter2@localhost/shop");
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[(URL, "redis://hunter2")], "begins with postgres://"),
            (&[(SCHEMA_NAME, "shop")], "without MCPFN_POSTGRES_STORE_URL"),
            (&[(TIMEOUT_MS, "100")], "without MCPFN_POSTGRES_STORE_URL"),
            (&[url, (SCHEMA_NAME, "Hunter2")], "small letters"),
            (&[url, (TIMEOUT_MS, "5")], TIMEOUT_MS),
        ];
        for (variables, says) in cases {
            let (_, mistakes) = read(variables);
            let alone = mistakes.len() == 1 && mistakes[0].contains(says);
            assert!(alone, "{mistakes:?}");
            assert!(
                !mistakes[0].to_lowercase().contains("hunter2"),
                "{mistakes:?}"
            );
        }
    }
}
