//! `MCPFN_MAPPING` on a machine: a file is read, and the database is asked at the start whether it has
//! what the mapping names. What a mapping means is in `mcpfn-toolkits`.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use mcpfn_toolkits::{MAPPING, Mapping};

use crate::database::asked;

/// One byte more than the longest mapping, which its reader then refuses.
const MAX_BYTES: u64 = 64 * 1024 + 1;

/// The mapping's text: the setting itself where it is JSON, and the content of a file otherwise.
pub(crate) fn inlined(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<OsString>, String> {
    let Some(value) = variable(MAPPING) else {
        return Ok(None);
    };
    let is_text = value
        .to_str()
        .is_some_and(|text| text.trim_start().starts_with('{'));
    if is_text {
        return Ok(Some(value));
    }
    let path = Path::new(&value);
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(Some(text.into())),
        Err(error) => Err(format!(
            "{MAPPING}: the file {} can't be read ({error}); name a file of JSON",
            path.display()
        )),
    }
}

/// Whether the database has what the mapping names: every mistake at once.
pub(crate) fn check(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let Some(text) = variable(MAPPING) else {
        return Ok(());
    };
    let mapping = Mapping::parse(&text.to_string_lossy());
    let mapping = mapping.map_err(|mistakes| format!("{MAPPING}: {mistakes}"))?;
    asked(variable, async |database| {
        let checked = mapping.check(database).await;
        checked.map_err(|mistakes| format!("{MAPPING}: {mistakes}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"{"accounts": {"from": "compani", "columns": {"id": "code", "name": "nam"}}}"#;

    fn with(folder: &Path, mapping: &str) -> impl Fn(&str) -> Option<OsString> {
        let (database, mapping) = (folder.join("own.db"), OsString::from(mapping));
        move |name: &str| match name {
            MAPPING => Some(mapping.clone()),
            "MCPFN_DATABASE" => Some(database.clone().into()),
            _ => None,
        }
    }

    #[test]
    fn a_file_is_read_and_compared_with_the_database() {
        let folder = std::env::temp_dir().join(format!("mcpfn-mapping-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = rusqlite::Connection::open(folder.join("own.db")).unwrap();
        database
            .execute_batch("CREATE TABLE company (code TEXT, name TEXT)")
            .unwrap();
        let file = folder.join("mapping.json");
        std::fs::write(&file, TEXT.replace("compani", "company")).unwrap();
        let read = inlined(with(&folder, file.to_str().unwrap())).unwrap();
        let text = read.unwrap().into_string().unwrap();
        let said = check(with(&folder, &text)).unwrap_err();
        let hint = "MCPFN_MAPPING: accounts.columns.name: `company` has no column `nam`; the \
            nearest name is `name`";
        assert_eq!(said, hint);
        let said = check(with(&folder, TEXT)).unwrap_err();
        assert!(said.contains("there is no table `compani`"), "{said}");
        assert_eq!(
            check(with(&folder, &text.replace("\"nam\"", "\"name\""))),
            Ok(())
        );
        assert_eq!(inlined(|_| Some(TEXT.into())), Ok(Some(TEXT.into())));
        let said = inlined(|_| Some("/no/such/file.json".into())).unwrap_err();
        assert!(said.contains("name a file of JSON"), "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
