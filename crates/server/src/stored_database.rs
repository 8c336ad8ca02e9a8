//! A PostgreSQL server whose URLs a store of secrets has: read on the first statement, and again as
//! the store decides, so that a password is replaced without a deployment. Opens no connection of
//! its own; that is `mcpfn-sql`'s.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};

use mcpfn::handler::BoxFuture;
use mcpfn::port::{Dialect, Platform, ReadLimits, Rows, SecretStore, Sql, SqlError, SqlValue};
use mcpfn::text::{is_secret_reference, percent_encoded};
use serde_json::Value;

/// A URL, or where it is.
#[derive(Clone)]
pub(crate) struct Place {
    variable: &'static str,
    text: String,
}

impl Place {
    pub(crate) fn new(variable: &'static str, text: &str) -> Self {
        let text = text.trim().to_owned();
        Self { variable, text }
    }
}

/// Where a server's URLs are.
#[derive(Clone)]
pub(crate) struct StoredUrls {
    pub(crate) main: Place,
    pub(crate) reader: Option<Place>,
}

/// Makes of a URL, and the one of a role that only reads, what can be asked; no connection yet.
pub(crate) type Connect =
    Box<dyn Fn(&str, Option<&str>) -> Result<Arc<dyn Sql>, SqlError> + Send + Sync>;

/// What is served.
pub(crate) enum Database {
    /// It was found at the start.
    Here(Arc<dyn Sql>),
    /// It is found on the first statement.
    Elsewhere(StoredUrls, Connect),
}

impl Database {
    /// What statements are given to.
    pub(crate) fn sql(self, platform: &Platform) -> Arc<dyn Sql> {
        match self {
            Self::Here(database) => database,
            Self::Elsewhere(urls, connect) => {
                let secrets = platform.port::<dyn SecretStore>().map(Arc::clone);
                Arc::new(StoredDatabase::new(urls, secrets, connect))
            }
        }
    }
}

/// The URLs themselves.
#[derive(PartialEq, Eq)]
struct Urls {
    main: String,
    reader: Option<String>,
}

/// The server at these places.
struct StoredDatabase {
    urls: StoredUrls,
    /// Without one nothing is found.
    secrets: Option<Arc<dyn SecretStore>>,
    connect: Connect,
    /// With the URLs that it was made of.
    made: Mutex<Option<(Urls, Arc<dyn Sql>)>>,
}

impl StoredDatabase {
    fn new(urls: StoredUrls, secrets: Option<Arc<dyn SecretStore>>, connect: Connect) -> Self {
        let made = Mutex::default();
        Self {
            urls,
            secrets,
            connect,
            made,
        }
    }

    /// The server as the store names it now. Statements on an earlier one go on to their end.
    async fn now(&self) -> Result<Arc<dyn Sql>, SqlError> {
        let main = self.url(&self.urls.main).await?;
        let reader = match &self.urls.reader {
            Some(place) => Some(self.url(place).await?),
            None => None,
        };
        let urls = Urls { main, reader };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some((of, database)) if *of == urls => Ok(Arc::clone(database)),
            _ => {
                let database = (self.connect)(&urls.main, urls.reader.as_deref())?;
                *made = Some((urls, Arc::clone(&database)));
                Ok(database)
            }
        }
    }

    async fn url(&self, place: &Place) -> Result<String, SqlError> {
        if !is_secret_reference(&place.text) {
            return Ok(place.text.clone());
        }
        let secrets = self
            .secrets
            .as_ref()
            .ok_or_else(|| SqlError::Unavailable("this host has no store of secrets".to_owned()))?;
        let read = secrets.read(&place.text).await;
        let read = read.map_err(SqlError::Unavailable)?;
        // nothing of it is repeated
        url(read.trim()).ok_or_else(|| {
            SqlError::Unavailable(format!(
                "what {} refers to is no URL such as postgres://USER:PASSWORD@HOST/NAME, and no JSON \
                 object with the texts username, password, host and dbname: correct the secret",
                place.variable
            ))
        })
    }
}

/// The URL in a secret: as it is, or in the form in which AWS keeps and rotates the credentials of
/// its databases, a JSON object.
fn url(secret: &str) -> Option<String> {
    if !secret.starts_with('{') {
        return postgres_url(secret.as_ref());
    }
    let object: Value = serde_json::from_str(secret).ok()?;
    let text = |name: &str| object[name].as_str().filter(|text| !text.is_empty());
    let port = match &object["port"] {
        Value::Null => 5432,
        Value::String(port) => port.parse::<u16>().ok()?,
        port => u16::try_from(port.as_u64()?).ok()?,
    };
    let [user, password, name] =
        [text("username")?, text("password")?, text("dbname")?].map(percent_encoded);
    let host = text("host").filter(|host| !host.contains(['/', '@', '?', ':']))?;
    Some(format!("postgres://{user}:{password}@{host}:{port}/{name}"))
}

/// The URL, if the text is a server's and not a file's name: without the spaces around it, and with
/// its scheme as the driver writes it.
pub(crate) fn postgres_url(named: &OsStr) -> Option<String> {
    let (scheme, rest) = named.to_str()?.trim().split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    ["postgres", "postgresql"]
        .contains(&scheme.as_str())
        .then(|| format!("{scheme}://{rest}"))
}

impl Sql for StoredDatabase {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move { self.now().await?.query(sql, parameters, max_rows).await })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async move { self.now().await?.check().await })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        Box::pin(async move { self.now().await?.execute(sql, parameters).await })
    }

    fn read<'a>(
        &'a self,
        sql: &'a str,
        limits: ReadLimits,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move { self.now().await?.read(sql, limits).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a store has now, by name.
    #[derive(Default)]
    struct Store(Mutex<Vec<(&'static str, &'static str)>>);

    impl SecretStore for Store {
        fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<String, String>> {
            let known = self.0.lock().unwrap();
            let found = known.iter().find(|(name, _)| *name == reference);
            let found = found.map(|(_, text)| (*text).to_owned());
            Box::pin(async move { found.ok_or_else(|| "away".to_owned()) })
        }
    }

    /// Answers with the URLs that it was made of.
    struct Echo(String);

    impl Sql for Echo {
        fn dialect(&self) -> Dialect {
            Dialect::Postgres
        }

        fn query<'a>(
            &'a self,
            _: &'a str,
            _: &'a [SqlValue],
            _: usize,
        ) -> BoxFuture<'a, Result<Rows, SqlError>> {
            let of = self.0.clone();
            Box::pin(async move { Err(SqlError::Rejected(of)) })
        }

        fn execute<'a>(
            &'a self,
            sql: &'a str,
            parameters: &'a [SqlValue],
        ) -> BoxFuture<'a, Result<u64, SqlError>> {
            Box::pin(async move { self.query(sql, parameters, 0).await.map(|_| 0) })
        }
    }

    fn place(text: &str) -> Place {
        Place::new("MCPFN_DATABASE", text)
    }

    #[tokio::test]
    async fn urls_are_read_on_the_first_statement_and_replaced() {
        let store = Arc::new(Store::default());
        let made = Arc::new(Mutex::new(0));
        let count = Arc::clone(&made);
        let connect: Connect = Box::new(move |main, reader| {
            *count.lock().unwrap() += 1;
            Ok(Arc::new(Echo(format!("{main} {reader:?}"))))
        });
        let urls = StoredUrls {
            main: place("ssm:/main"),
            reader: Some(place("secretsmanager:reader#url")),
        };
        let database = StoredDatabase::new(urls, Some(Arc::clone(&store) as _), connect);
        let put = |known: &[(&'static str, &'static str)]| {
            *store.0.lock().unwrap() = known.to_vec();
        };
        let asked = async || match database.query("", &[], 1).await {
            Err(SqlError::Rejected(of)) => of,
            other => format!("{other:?}"),
        };
        assert_eq!(*made.lock().unwrap(), 0, "nothing is made before");
        assert!(asked().await.contains("away"));
        let reader = ("secretsmanager:reader#url", "postgres://r@h/d");
        put(&[("ssm:/main", "postgres://u:one@h/d\n"), reader]);
        let first = asked().await;
        assert!(first.starts_with("postgres://u:one@h/d ") && first.contains("r@h/d"));
        assert_eq!((asked().await, *made.lock().unwrap()), (first, 1));
        put(&[("ssm:/main", "postgres://u:two@h/d"), reader]);
        assert!(asked().await.contains("u:two@h"));
        assert_eq!(*made.lock().unwrap(), 2, "one for each URL");
        put(&[("ssm:/main", "postgres//u:hunter2@h/d"), reader]);
        let wrong = asked().await;
        assert!(wrong.contains("correct the secret") && !wrong.contains("hunter2"));
    }

    #[test]
    fn credentials_that_aws_rotates_are_a_url() {
        let of = |secret: &str| url(secret);
        let aws = r#"{"engine":"postgres","host":"db.example","port":5433,"username":"me",
            "password":"p@:/?#% {","dbname":"shop"}"#;
        assert_eq!(
            of(aws).as_deref(),
            Some("postgres://me:p%40%3A%2F%3F%23%25%20%7B@db.example:5433/shop")
        );
        let short = r#"{"host":"h","username":"u","password":"p","dbname":"d","port":"1"}"#;
        assert_eq!(of(short).as_deref(), Some("postgres://u:p@h:1/d"));
        assert_eq!(of("Postgres://u@h/d").as_deref(), Some("postgres://u@h/d"));
        for wrong in [
            "",
            "hunter2",
            "{",
            r#"{"username":"u","password":"p","dbname":"d"}"#,
            r#"{"host":"h@x","username":"u","password":"p","dbname":"d"}"#,
            r#"{"host":"h","username":"u","password":"p","dbname":"d","port":"x"}"#,
            r#"{"host":"h","username":"u","password":"p","dbname":"d","port":99999}"#,
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
