//! No start-up mistake repeats a secret that was written in the wrong place: every setting of this
//! program with values that have a password in them.

use std::ffi::OsString;

use crate::settings::SETTINGS;

/// Settings whose values are names that a mistake has to repeat, or a folder that is made: no
/// addresses.
const NAMES: [&str; 3] = ["MCPFN_TOOLKITS", "MCPFN_DATABASE_TABLES", "MCPFN_DATA_DIR"];

/// Values that can't be used as what they stand for; each has the password `hunter2`.
const BROKEN: [&str; 28] = [
    "postgress://x:hunter2@h/d",
    "Postgres://x:hunter2@127.0.0.1:1/d",
    "POSTGRESQL://x:hunter2@127.0.0.1:1/d",
    " postgres://x:hunter2@127.0.0.1:1/d",
    "\tpostgres://x:hunter2@127.0.0.1:1/d\n",
    "postgres://x:hunter2@127.0.0.1:port/d",
    "postgres//x:hunter2@h/d",
    "postgres:x:hunter2@h/d",
    "mysql://x:hunter2@h/d",
    "jdbc:postgresql://h/d?user=x&password=hunter2",
    "host=h user=x password=hunter2",
    "Server=h;Pwd=hunter2",
    "x:hunter2@h",
    "x:hunter2@h:5432/d",
    "http://x:hunter2@h/mcp",
    "https://x:hunter2@h/mcp",
    "https://hunter2@h",
    "ftp://x:hunter2@h",
    "https://h/mcp?key=hunter2 x",
    "https://h/mcp#hunter2",
    "crm=https://x:hunter2@h/mcp",
    "crm=ftp://x:hunter2@h/mcp",
    "crm=http://192.0.2.2/mcp?key=hunter2",
    "x:hunter2@h=https://h/mcp",
    "s3://x:hunter2@bucket",
    "S3://x:hunter2@bucket",
    " s3://x:hunter2@bucket",
    "files=s3://x:hunter2@bucket",
];

/// What is read at the start where `set` has this value and the others are right.
fn mistakes(set: &str, value: &str) -> Vec<String> {
    let toolkits = mcpfn_toolkits::names().collect::<Vec<_>>().join(",");
    let variable = |name: &str| -> Option<OsString> {
        if name == set {
            return Some(value.into());
        }
        match name {
            "MCPFN_TOOLKITS" => Some(toolkits.clone().into()),
            "MCPFN_DATABASE" => Some("postgres://u@127.0.0.1:1/d".into()),
            "MCPFN_DATABASE_READONLY_URL" => Some("postgres://r@127.0.0.1:1/d".into()),
            "MCPFN_EMBEDDINGS_URL" => Some("https://h/v1".into()),
            "MCPFN_EMBEDDINGS_MODEL" => Some("m".into()),
            "MCPFN_UPSTREAMS" => Some("crm=https://h/mcp".into()),
            name if name.ends_with("_KEY") || name.ends_with("_TOKEN") => Some("key".into()),
            _ => None,
        }
    };
    let file = |name: &str| {
        let served = name == "MCPFN_DATABASE" && name != set;
        if served {
            Some("/no/such/file.db".into())
        } else {
            variable(name)
        }
    };
    [
        crate::configured::configured(variable).map(drop),
        crate::database::open(variable, true).map(drop),
        crate::database::open(file, false).map(drop),
        crate::database::check_tables(variable),
        crate::database::open_to_fill(variable).map(drop),
        crate::files::open(variable).map(drop),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect()
}

#[test]
fn no_mistake_repeats_a_password() {
    let mut repeated = Vec::new();
    for setting in SETTINGS
        .iter()
        .filter(|setting| !NAMES.contains(&setting.name))
    {
        let name = setting.name.replace("<NAME>", "CRM");
        for value in BROKEN {
            let said = mistakes(&name, value);
            repeated.extend(
                said.into_iter()
                    .filter(|said| said.contains("hunter2"))
                    .map(|said| format!("{name}={value}: {said}")),
            );
        }
    }
    assert!(repeated.is_empty(), "{}", repeated.join("\n"));
}
