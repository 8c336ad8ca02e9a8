//! Which tables and columns the toolkit shows: all, or those that the operator listed. What is not
//! listed is treated as if the database did not have it. Not a right of the database's role.

use std::sync::Arc;

use mcpfn_core::{Cx, ToolError, text};
use mcpfn_ports::Sql;

use super::schema::{DatabaseSchema, DatabaseTable, identifier};

/// The tables and columns that the toolkit `database` may show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedTables(Option<Vec<AllowedTable>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct AllowedTable {
    name: String,
    /// All of them when nothing is listed.
    columns: Option<Vec<String>>,
}

impl AllowedTables {
    /// Every table that the database's role can read.
    #[must_use]
    pub fn all() -> Self {
        Self(None)
    }

    /// Reads a list such as `products,orders(id,status)`: tables and views, each whole or with the
    /// columns that may be shown. Names are written as the database writes them (case counts), and
    /// have no comma and no parenthesis.
    ///
    /// # Errors
    /// A sentence without a full stop that says what is wrong with the list.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut tables: Vec<AllowedTable> = Vec::new();
        for entry in entries(list)? {
            let (name, columns) = match entry.split_once('(') {
                None => (entry, None),
                Some((name, rest)) => {
                    let columns = rest
                        .strip_suffix(')')
                        .filter(|columns| !columns.contains(['(', ')']))
                        .ok_or_else(|| {
                            format!(
                                "the entry {} has misplaced parentheses",
                                text::quoted(entry)
                            )
                        })?;
                    (name.trim_end(), Some(names(columns, entry)?))
                }
            };
            if name.is_empty() || name.contains(')') {
                return Err(format!("the entry {} names no table", text::quoted(entry)));
            }
            if tables.iter().any(|table| table.name == name) {
                return Err(format!("{} is listed twice", text::quoted(name)));
            }
            tables.push(AllowedTable {
                name: name.to_owned(),
                columns,
            });
        }
        if tables.is_empty() {
            return Err("the list is empty; name a table, or leave the setting out".to_owned());
        }
        Ok(Self(Some(tables)))
    }

    /// Reads the schema and checks that it has everything that is listed: for a server's start.
    ///
    /// # Errors
    /// A sentence that names a table or column that the database does not have, or says that the
    /// database can't be asked.
    pub async fn check(&self, database: &dyn Sql) -> Result<(), String> {
        let schema = DatabaseSchema::read(database)
            .await
            .map_err(|error| format!("the database can't be asked for its tables ({error})"))?;
        self.missing(&schema).map_or(Ok(()), Err)
    }

    /// The part of the live schema that may be shown.
    pub(super) async fn load(&self, database: &dyn Sql) -> Result<DatabaseSchema, ToolError> {
        let schema = DatabaseSchema::load(database).await?;
        // a listed column that is gone may stand under another name, which nobody allowed: a host
        // that can't ask at its start reports it here
        match self.missing(&schema) {
            None => Ok(self.visible(schema)),
            Some(cause) => Err(ToolError::unavailable(
                "The database's tables are not as this server's settings expect them. Tell the \
                 user, who may ask the operator.",
                cause,
            )),
        }
    }

    fn missing(&self, schema: &DatabaseSchema) -> Option<String> {
        self.0.iter().flatten().find_map(|allowed| {
            let Some(table) = schema
                .tables
                .iter()
                .find(|table| table.name == allowed.name)
            else {
                let known = schema.tables.iter().map(|table| table.name.as_str());
                let hint = hint(&allowed.name, known);
                let cut = if schema.cut {
                    " among those whose columns are read"
                } else {
                    ""
                };
                let name = text::quoted(&allowed.name);
                return Some(format!("there is no table {name}{cut}{hint}"));
            };
            allowed.columns.iter().flatten().find_map(|column| {
                let known = || table.columns.iter().map(|column| column.name.as_str());
                if known().any(|name| name == column) {
                    return None;
                }
                let (hint, name) = (hint(column, known()), text::quoted(column));
                Some(format!("`{}` has no column {name}{hint}", table.name))
            })
        })
    }

    fn visible(&self, mut schema: DatabaseSchema) -> DatabaseSchema {
        let Some(allowed) = &self.0 else {
            return schema;
        };
        schema.tables.retain_mut(|table| {
            let Some(allowed) = allowed.iter().find(|allowed| allowed.name == table.name) else {
                return false;
            };
            if let Some(columns) = &allowed.columns {
                table
                    .columns
                    .retain(|column| columns.contains(&column.name));
            }
            // the statement names what is not listed: other columns, a view's tables
            if allowed.columns.is_some() || table.view {
                table.definition = definition(table);
            }
            true
        });
        // what was not read is not listed
        schema.cut = false;
        schema
    }
}

pub(super) fn database(cx: &Cx) -> Result<&Arc<dyn Sql>, ToolError> {
    cx.port::<dyn Sql>()
}

/// The tables and columns that callers may see right now.
pub(super) async fn visible(cx: &Cx) -> Result<DatabaseSchema, ToolError> {
    let allowed = cx.state::<AllowedTables>()?;
    allowed.load(&**database(cx)?).await
}

/// The entries between those commas that stand outside of parentheses, without empty ones.
fn entries(list: &str) -> Result<Vec<&str>, String> {
    let (mut entries, mut start, mut inside) = (Vec::new(), 0, false);
    for (position, character) in list.char_indices() {
        match character {
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                entries.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("a parenthesis is not closed".to_owned());
    }
    entries.push(&list[start..]);
    Ok(entries
        .into_iter()
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect())
}

fn names(columns: &str, entry: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = columns
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    // `orders()` could mean all columns or none: it is neither
    if names.iter().any(String::is_empty) {
        return Err(format!(
            "the entry {} has a column without a name; list columns, or leave the parentheses out",
            text::quoted(entry)
        ));
    }
    Ok(names)
}

/// The nearest known name, as the end of a sentence.
fn hint<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    text::nearest(given, known)
        .map(|known| format!("; the nearest name is `{known}`"))
        .unwrap_or_default()
}

/// What can be said of a table without naming more than its visible columns.
fn definition(table: &DatabaseTable) -> String {
    let columns = table.columns.iter().map(|column| {
        let not_null = if column.nullable { "" } else { " NOT NULL" };
        let declared = &column.declared;
        let space = if declared.is_empty() { "" } else { " " };
        format!("  {}{space}{declared}{not_null}", identifier(&column.name))
    });
    let columns = columns.collect::<Vec<_>>().join(",\n");
    // as a table, whatever it is: a view has no list of types
    format!("CREATE TABLE {} (\n{columns}\n)", identifier(&table.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_mistakes_are_named() {
        let table = |name: &str, columns: Option<&[&str]>| AllowedTable {
            name: name.to_owned(),
            columns: columns.map(|columns| columns.iter().map(ToString::to_string).collect()),
        };
        assert_eq!(
            AllowedTables::parse(" products , orders ( id,status ),,Two words "),
            Ok(AllowedTables(Some(vec![
                table("products", None),
                table("orders", Some(&["id", "status"])),
                table("Two words", None),
            ])))
        );
        for (list, said) in [
            ("", "the list is empty"),
            (" , ", "the list is empty"),
            ("orders()", "a column without a name"),
            ("orders(id,)", "a column without a name"),
            ("orders(id", "not closed"),
            ("orders(id)x", "misplaced parentheses"),
            ("orders((id))", "misplaced parentheses"),
            ("orders)", "names no table"),
            ("(id)", "names no table"),
            ("orders,orders(id)", "listed twice"),
        ] {
            let mistake = AllowedTables::parse(list).unwrap_err();
            assert!(mistake.contains(said), "{list}: {mistake}");
        }
    }
}
