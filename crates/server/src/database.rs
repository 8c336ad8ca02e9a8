//! Which database is served: a file that the operator names, or the demo shop, made at the first start.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mcpfn_sql::Sqlite;
use mcpfn_toolkits::shop;

/// Opens the database for reading only.
pub(crate) fn open(variable: impl Fn(&str) -> Option<OsString>) -> Result<Sqlite, String> {
    if let Some(path) = variable("MCPFN_DATABASE") {
        let shown = Path::new(&path).display();
        return Sqlite::open_read_only(&path)
            .map_err(|error| format!("MCPFN_DATABASE: {shown} can't be opened as a SQLite file ({error}); name an existing one"));
    }
    let folder = data_folder(&variable).ok_or("no folder for the demo shop is known: set MCPFN_DATA_DIR to one that can be written")?;
    // another release may make another shop, so each has a file of its own
    let file = folder.join(format!("shop-{}.db", env!("CARGO_PKG_VERSION")));
    let explained = |error: &dyn std::fmt::Display| {
        format!("the demo shop {} can't be made or opened ({error}); set MCPFN_DATA_DIR to a folder that can be written", file.display())
    };
    std::fs::create_dir_all(&folder).map_err(|error| explained(&error))?;
    make_shop(&file).map_err(|error| explained(&error))?;
    Sqlite::open_read_only(&file).map_err(|error| explained(&error))
}

/// Makes the shop unless it is there. All of it is one transaction: a start that is interrupted leaves nothing.
fn make_shop(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    if file.exists() && runtime.block_on(shop::is_present(&Sqlite::open_read_only(file)?))? {
        return Ok(());
    }
    let database = Sqlite::open(file)?;
    runtime.block_on(async {
        let made = database.execute_all(shop::statements()).await;
        // several clients may start this server at the same time: one makes the shop, the others find it
        if shop::is_present(&database).await? { Ok(()) } else { Ok(made?) }
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

    #[test]
    fn a_named_file_must_exist() {
        let error = open(|name| (name == "MCPFN_DATABASE").then(|| "/no/such/file.db".into())).unwrap_err();
        assert!(error.contains("MCPFN_DATABASE") && error.contains("name an existing one"), "{error}");
    }

    #[test]
    fn without_any_folder_the_sentence_says_what_to_set() {
        let error = open(|_| None).unwrap_err();
        assert!(error.contains("set MCPFN_DATA_DIR"), "{error}");
    }

    #[test]
    fn the_shop_is_made_once() {
        let folder = std::env::temp_dir().join(format!("mcpfn-shop-test-{}", std::process::id()));
        let variable = |name: &str| (name == "MCPFN_DATA_DIR").then(|| folder.clone().into_os_string());
        open(variable).unwrap();
        let file = folder.join(format!("shop-{}.db", env!("CARGO_PKG_VERSION")));
        let made = std::fs::metadata(&file).unwrap().modified().unwrap();
        open(variable).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), made);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
