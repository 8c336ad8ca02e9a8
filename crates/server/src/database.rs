//! Which database is served: a PostgreSQL server or a file that the operator names, or the demo
//! shop, made at the first start.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcpfn::port::Sql;
use mcpfn::text::{is_secret_reference, switch};
use mcpfn_sql::{Postgres, Sqlite};
use mcpfn_toolkits::database::{AllowedTables, TABLES};
use mcpfn_toolkits::shop;

use crate::shown::{may_have_password, shown};
use crate::stored_database::{Database, Place, StoredUrls, postgres_url};

const URL: &str = "MCPFN_DATABASE";
const READONLY_URL: &str = "MCPFN_DATABASE_READONLY_URL";

/// Opens the database. `unvetted` says whether statements that a model wrote will be run.
pub(crate) fn open(
    variable: impl Fn(&str) -> Option<OsString>,
    unvetted: bool,
) -> Result<Database, String> {
    if let Some(stored) = stored(&variable, unvetted)? {
        return Ok(stored);
    }
    open_now(variable, unvetted).map(Database::Here)
}

fn open_now(
    variable: impl Fn(&str) -> Option<OsString>,
    unvetted: bool,
) -> Result<Arc<dyn Sql>, String> {
    let Some(named) = variable(URL) else {
        return open_shop(variable);
    };
    match postgres_url(&named) {
        Some(url) => open_postgres(
            &url,
            variable(READONLY_URL).as_deref(),
            variable("MCPFN_DATABASE_FUNCTIONS").as_deref(),
            unvetted,
        ),
        None => open_file(
            &file_named(&named)?,
            variable("MCPFN_DATABASE_WRITABLE").as_deref(),
        ),
    }
}

/// The server, if one of its URLs is kept elsewhere. Nothing is read and nothing is connected to
/// before the first statement.
fn stored(
    variable: &impl Fn(&str) -> Option<OsString>,
    unvetted: bool,
) -> Result<Option<Database>, String> {
    let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
    let (main, reader) = (text(URL), text(READONLY_URL));
    let elsewhere = |text: &Option<String>| text.as_deref().is_some_and(is_secret_reference);
    if !elsewhere(&main) && !elsewhere(&reader) {
        return Ok(None);
    }
    let place = |name, text: &str| {
        let url = postgres_url(text.as_ref()).filter(|_| !is_secret_reference(text));
        if url.is_none() && !is_secret_reference(text) {
            return Err(format!(
                "{name} must be a URL such as postgres://USER:PASSWORD@HOST/NAME, or where one is \
                 kept, because the other of the two URLs is kept elsewhere"
            ));
        }
        Ok(Place::new(name, url.as_deref().unwrap_or(text)))
    };
    let reader = match reader {
        Some(reader) => Some(place(READONLY_URL, &reader)?),
        None if unvetted => return Err(no_reader()),
        None => None,
    };
    let functions = text("MCPFN_DATABASE_FUNCTIONS").unwrap_or_default();
    let connect = move |url: &str, reader: Option<&str>| {
        let database = Postgres::new(url)?;
        let database = match reader {
            Some(reader) => database.with_reader(reader)?,
            None => database,
        };
        Ok(Arc::new(database.accept_functions(&functions)) as Arc<dyn Sql>)
    };
    let main = place(URL, &main.unwrap_or_default())?;
    let urls = StoredUrls { main, reader };
    Ok(Some(Database::Elsewhere(urls, Box::new(connect))))
}

/// Why the toolkit `sql` can't be served.
fn no_reader() -> String {
    format!(
        "the toolkit `sql` needs {READONLY_URL}: the URL of a role of its own that has CONNECT, USAGE \
         and SELECT and nothing else"
    )
}

/// Whether the database has what `MCPFN_DATABASE_TABLES` lists.
pub(crate) fn check_tables(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let Some(list) = variable(TABLES) else {
        return Ok(());
    };
    let list = list
        .into_string()
        .map_err(|_| format!("{TABLES} is not text in UTF-8"))?;
    let tables = AllowedTables::parse(&list).map_err(|mistake| format!("{TABLES}: {mistake}"))?;
    asked(&variable, async |database| tables.check(database).await)
        .map_err(|mistake| format!("{TABLES}: {mistake}"))
}

/// Asks the database at the start, if it can be asked before a call.
pub(crate) fn asked(
    variable: impl Fn(&str) -> Option<OsString>,
    ask: impl AsyncFnOnce(&dyn Sql) -> Result<(), String>,
) -> Result<(), String> {
    // a handle of its own: its connections end with the runtime that they were made in
    let database = match open(&variable, false)? {
        Database::Here(database) => database,
        Database::Elsewhere(..) => return Ok(()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(ask(&*database))
}

/// The database that documents are added to: the one that is served, a file of it made if it is
/// missing, or the demo shop.
pub(crate) fn open_to_fill(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Arc<dyn Sql>, String> {
    let named = variable(URL);
    if named
        .as_ref()
        .is_some_and(|named| is_secret_reference(&named.to_string_lossy()))
    {
        return Err(format!(
            "{URL} refers to a secret that AWS keeps, which is read on AWS Lambda only: set it to the \
             URL itself"
        ));
    }
    if let Some(url) = named.as_deref().and_then(postgres_url) {
        return open_postgres(&url, None, None, false);
    }
    let file = match named {
        Some(named) => file_named(&named)?,
        None => {
            drop(open_shop(&variable)?);
            shop_path(&variable)?
        }
    };
    let opened = Sqlite::open(&file).map_err(|error| unopened(&file, "for writing", &error))?;
    Ok(Arc::new(opened))
}

/// The file, if the text can be one's name. A mistyped URL is none: it would be printed as a missing
/// file, or made as one, with its password.
fn file_named(named: &OsStr) -> Result<PathBuf, String> {
    let file = match named.to_str() {
        Some(text) => Path::new(text.trim()),
        None => Path::new(named),
    };
    if may_have_password(file) && !file.exists() {
        return Err(
            "MCPFN_DATABASE must be the path of a SQLite file, or a URL such as \
             postgres://USER:PASSWORD@HOST/NAME that begins with postgres:// or postgresql://; it \
             has `://`, `@` or `=`, and there is no such file (it is not repeated: it may have a \
             password in it)"
                .to_owned(),
        );
    }
    Ok(file.to_owned())
}

/// Why a file can't be opened, where its name may be said: the engine's words have it, too.
fn unopened(file: &Path, how: &str, error: &dyn std::fmt::Display) -> String {
    let shown = shown(file);
    if may_have_password(file) {
        format!("MCPFN_DATABASE: {shown} can't be opened {how}; name an existing one")
    } else {
        format!("MCPFN_DATABASE: {shown} can't be opened {how} ({error}); name an existing one")
    }
}

fn shop_path(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, String> {
    let folder = data_folder(variable).ok_or(
        "no folder for the demo shop is known: set MCPFN_DATA_DIR to one that can be written",
    )?;
    Ok(folder.join(shop_file()))
}

/// Nothing of a URL is repeated: it has a password.
fn open_postgres(
    url: &str,
    reader: Option<&OsStr>,
    functions: Option<&OsStr>,
    unvetted: bool,
) -> Result<Arc<dyn Sql>, String> {
    let database = Postgres::new(url).map_err(|error| format!("MCPFN_DATABASE: {error}"))?;
    let database = match reader {
        Some(reader) => {
            let reader = postgres_url(reader).ok_or(
                "MCPFN_DATABASE_READONLY_URL: write a URL such as \
                 postgres://USER:PASSWORD@HOST/NAME that begins with postgres:// or postgresql://",
            )?;
            database
                .with_reader(&reader)
                .map_err(|error| format!("MCPFN_DATABASE_READONLY_URL: {error}"))?
        }
        None if unvetted => {
            return Err(no_reader());
        }
        None => database,
    };
    let functions = functions.unwrap_or_default().to_str();
    let database = database
        .accept_functions(functions.ok_or("MCPFN_DATABASE_FUNCTIONS is not text in UTF-8")?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let checked = runtime.block_on(database.check());
    checked.map_err(|error| {
        format!(
            "MCPFN_DATABASE: the server is unavailable ({error}); check the URL, and that the \
             server runs"
        )
    })?;
    if unvetted {
        let checked = runtime.block_on(database.check_reader());
        checked.map_err(|error| {
            format!(
                "the toolkit `sql`: {error}. MCPFN_DATABASE_READONLY_URL takes the URL of such a role"
            )
        })?;
    }
    Ok(Arc::new(database))
}

fn open_file(path: &Path, writes: Option<&OsStr>) -> Result<Arc<dyn Sql>, String> {
    let writes = writes.map(|text| text.to_str().map(str::trim).and_then(switch));
    let opened = match writes {
        None | Some(Some(false)) => Sqlite::open_read_only(path),
        // opening for writing would make a missing file, and a typing error is not a request for an
        // empty database
        Some(Some(true)) => Sqlite::open_read_only(path).and_then(|_| Sqlite::open(path)),
        Some(None) => return Err("MCPFN_DATABASE_WRITABLE must be on or off".to_owned()),
    };
    let opened = opened.map_err(|error| unopened(path, "as a SQLite file", &error))?;
    Ok(Arc::new(opened))
}

/// Opens the demo shop for writing, where that is possible: a person who tries it may log calls and
/// draft orders.
fn open_shop(variable: impl Fn(&str) -> Option<OsString>) -> Result<Arc<dyn Sql>, String> {
    let file = shop_path(&variable)?;
    let explained = |error: &dyn std::fmt::Display| {
        format!(
            "the demo shop {} can't be made or opened ({error}); set MCPFN_DATA_DIR to a folder \
             that can be written",
            file.display()
        )
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| explained(&error))?;
    }
    make_shop(&file).map_err(|error| explained(&error))?;
    let opened = Sqlite::open(&file).or_else(|_| Sqlite::open_read_only(&file));
    Ok(Arc::new(opened.map_err(|error| explained(&error))?))
}

/// Another release or edition may make another shop, so each has a file of its own.
fn shop_file() -> String {
    format!("shop-{}-{}.db", env!("CARGO_PKG_VERSION"), shop::EDITION)
}

/// Makes the shop unless it is there. All of it is one transaction: a start that is interrupted
/// leaves nothing.
fn make_shop(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    if file.exists() && runtime.block_on(shop::is_present(&Sqlite::open_read_only(file)?))? {
        return Ok(());
    }
    let database = Sqlite::open(file)?;
    runtime.block_on(async {
        let made = database.execute_all(shop::statements()).await;
        // several clients may start this server at the same time: one makes the shop, the others
        // find it
        if shop::is_present(&database).await? {
            Ok(())
        } else {
            Ok(made?)
        }
    })
}

/// The folder where a user's programs keep their data, by the platform's convention.
fn data_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let under = |name: &str, rest: &str| variable(name).map(|base| Path::new(&base).join(rest));
    if let Some(folder) = variable("MCPFN_DATA_DIR") {
        return Some(folder.into());
    }
    if cfg!(windows) {
        return under("LOCALAPPDATA", "mcpfn");
    }
    if cfg!(target_os = "macos") {
        return under("HOME", "Library/Application Support/mcpfn");
    }
    under("XDG_DATA_HOME", "mcpfn").or_else(|| under("HOME", ".local/share/mcpfn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(variable: impl Fn(&str) -> Option<OsString>) -> String {
        open(variable, false).map(drop).unwrap_err()
    }

    #[test]
    fn a_named_file_must_exist() {
        for writes in [None, Some("1")] {
            let error = refused(|name| match name {
                "MCPFN_DATABASE" => Some("/no/such/file.db".into()),
                _ => writes.map(OsString::from),
            });
            assert!(
                error.contains("MCPFN_DATABASE") && error.contains("name an existing one"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_wrong_url_is_explained_without_its_password() {
        for url in [
            "postgres://user:hunter2@host:port/x",
            "postgres://hunter2",
            "postgres://user:hunter2@127.0.0.1:1/x",
        ] {
            let error = refused(|name| (name == "MCPFN_DATABASE").then(|| url.into()));
            assert!(
                error.starts_with("MCPFN_DATABASE: ") && !error.contains("hunter2"),
                "{error}"
            );
        }
        let error = refused(|name| {
            Some(
                if name == "MCPFN_DATABASE" {
                    "postgres://u@h/d"
                } else {
                    "hunter2"
                }
                .into(),
            )
        });
        assert!(
            error.starts_with("MCPFN_DATABASE_READONLY_URL: ") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn a_server_whose_url_is_elsewhere_is_not_asked_at_the_start() {
        let opened = |main: &'static str, reader: Option<&'static str>, unvetted: bool| {
            let variable = move |name: &str| match name {
                "MCPFN_DATABASE" => Some(main.into()),
                "MCPFN_DATABASE_READONLY_URL" => reader.map(Into::into),
                "MCPFN_DATABASE_TABLES" => Some("products".into()),
                _ => None,
            };
            assert_eq!(
                check_tables(variable).is_ok(),
                open(variable, false).is_ok()
            );
            let opened = open(variable, unvetted)?;
            Ok::<_, String>(matches!(opened, Database::Elsewhere(..)))
        };
        let nobody = "postgres://u:hunter2@127.0.0.1:1/d";
        assert_eq!(opened("ssm:/db", None, false), Ok(true));
        assert_eq!(opened("ssm:/db", Some("ssm:/r"), true), Ok(true));
        assert_eq!(opened(nobody, Some("secretsmanager:r"), true), Ok(true));
        for (main, reader, said) in [
            ("ssm:/db", None, "the toolkit `sql` needs"),
            (
                "/hunter2.db",
                Some("ssm:/r"),
                "MCPFN_DATABASE must be a URL",
            ),
            (
                "ssm:/db",
                Some("hunter2"),
                "MCPFN_DATABASE_READONLY_URL must be a URL",
            ),
        ] {
            let mistake = opened(main, reader, true).unwrap_err();
            assert!(
                mistake.starts_with(said) && !mistake.contains("hunter2"),
                "{mistake}"
            );
        }
        let fill = open_to_fill(|name| (name == URL).then(|| "ssm:/db".into()));
        assert!(fill.map(drop).unwrap_err().contains("the URL itself"));
    }

    #[test]
    fn statements_of_a_model_need_a_role_of_their_own() {
        let url =
            |name: &str| (name == "MCPFN_DATABASE").then(|| "postgres://u@127.0.0.1:1/d".into());
        let error = open(url, true).map(drop).unwrap_err();
        assert!(
            error.contains("the toolkit `sql` needs MCPFN_DATABASE_READONLY_URL"),
            "{error}"
        );
    }

    #[test]
    fn a_table_that_is_not_there_is_named_at_the_start() {
        let folder = std::env::temp_dir().join(format!("mcpfn-tables-{}", std::process::id()));
        let check = |list: &'static str| {
            check_tables(|name| match name {
                "MCPFN_DATA_DIR" => Some(folder.clone().into_os_string()),
                "MCPFN_DATABASE_TABLES" => Some(list.into()),
                _ => None,
            })
        };
        assert_eq!(check("products,orders(id,status)"), Ok(()));
        for (list, said) in [
            (
                "costumers",
                "there is no table `costumers`; the nearest name is `customers`",
            ),
            ("orders(state)", "`orders` has no column `state`"),
            ("orders(", "a parenthesis is not closed"),
        ] {
            let mistake = check(list).unwrap_err();
            assert_eq!(
                mistake.find("MCPFN_DATABASE_TABLES: "),
                Some(0),
                "{mistake}"
            );
            assert!(mistake.contains(said), "{mistake}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn without_any_folder_the_sentence_says_what_to_set() {
        let error = refused(|_| None);
        assert!(error.contains("set MCPFN_DATA_DIR"), "{error}");
    }

    #[test]
    fn the_shop_is_made_once() {
        let folder = std::env::temp_dir().join(format!("mcpfn-shop-test-{}", std::process::id()));
        let variable =
            |name: &str| (name == "MCPFN_DATA_DIR").then(|| folder.clone().into_os_string());
        drop(open(variable, false).unwrap());
        let file = folder.join(shop_file());
        let made = std::fs::metadata(&file).unwrap().modified().unwrap();
        drop(open(variable, false).unwrap());
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), made);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
