//! Variables out of a file, for development: `--env-file .env`. No file is read that was not named,
//! because a client may start a server in a folder that somebody else wrote.

use std::collections::BTreeMap;
use std::path::Path;

use mcpfn_native::Variables;

/// The variables of this process, and of the file if there is one.
pub(crate) fn variables(file: Option<&Path>) -> Result<Variables, String> {
    let Some(file) = file else {
        return Ok(Variables::of_process());
    };
    let shown = file.display();
    let lines = dotenvy::from_path_iter(file)
        .map_err(|error| format!("the file of --env-file, {shown}, can't be read: {error}"))?;
    let mut variables = BTreeMap::new();
    for (position, line) in lines.enumerate() {
        // the error has the line in it, which may be a secret
        let (name, value) = line.map_err(|_| {
            format!(
                "{shown}: variable {} can't be read; write NAME=VALUE, and put a value with \
                 spaces, # or $ between single quotes",
                position + 1
            )
        })?;
        variables.insert(name, value);
    }
    Ok(Variables::of_process().with_file(variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Variables, String> {
        let file = std::env::temp_dir().join(format!("mcpfn-env-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let variables = variables(Some(&file));
        std::fs::remove_file(&file).unwrap();
        variables
    }

    #[test]
    fn values_are_read_as_other_tools_read_them() {
        let text = "# a comment\nA_B=plain\nexport C_D='with # and $A_B'\nE_F=\"two\\nlines\"\n\n";
        let variables = read("good", text).unwrap();
        let found = ["A_B", "C_D", "E_F"].map(|name| variables.text(name).unwrap());
        assert_eq!(found, ["plain", "with # and $A_B", "two\nlines"]);
    }

    #[test]
    fn a_line_that_is_none_is_counted_and_not_repeated() {
        let error = read("bad", "A_B=1\nhunter2 hunter2\n").unwrap_err();
        assert!(
            error.contains("variable 2") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let error = variables(Some(Path::new("no/such/.env"))).unwrap_err();
        assert!(error.contains("no/such/.env"), "{error}");
    }
}
