//! One's own tables in place of the demo shop's, for the toolkits `crm` and `inventory`: a text says
//! which tables, columns and joins stand for those that they read. Their statements stay as they are;
//! a query for each table that they name is put before them. Names are looked up in the live schema,
//! constants are bound, and nothing of the text ever stands in a statement.

mod columns;
mod compile;
mod expression;
mod keys;
mod members;
mod moment;
mod needs;
mod node;
mod read;
mod says;
mod scope;
mod target;

use std::fmt;
use std::sync::{Arc, OnceLock};

use mcpfn_core::{Cx, ToolError, handler::BoxFuture};
use mcpfn_ports::{Dialect, Rows, Sql, SqlError, SqlValue};

use compile::Compiled;
use members::MistakesFound;
use says::TableMap;

use crate::config::Config;
use crate::database::schema::DatabaseSchema;
use crate::mistakes::Mistakes;
use crate::say::database_failed;

/// The setting that has a mapping, or the name of its file.
pub const MAPPING: &str = "MCPFN_MAPPING";

/// Which of the operator's tables stand for those that `crm` and `inventory` read.
pub struct Mapping {
    tables: Vec<TableMap>,
    compiled: OnceLock<Arc<Compiled>>,
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    /// Reads a mapping's JSON. Whether a database has what it names is seen by
    /// [`check`](Self::check).
    ///
    /// # Errors
    /// Every mistake that shows without a database: sentences without full stops.
    ///
    /// ```
    /// use mcpfn_toolkits::Mapping;
    ///
    /// let mistakes = Mapping::parse(r#"{"acounts": {}}"#).unwrap_err();
    /// assert!(mistakes.to_string().contains("did you mean `accounts`"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        let mut found = MistakesFound::default();
        let tables = read::read(text, &mut found);
        let mistakes = found.into_mistakes();
        if !mistakes.is_empty() {
            return Err(Mistakes::new(mistakes));
        }
        Ok(Self {
            tables,
            compiled: OnceLock::new(),
        })
    }

    /// The mapping of the setting, if it is set; its mistakes are noted.
    pub(crate) fn read(config: &mut Config<'_>) -> Option<Self> {
        let read = Self::parse(&config.text(MAPPING)?);
        let noted = read.map_err(|mistakes| {
            for sentence in mistakes.iter() {
                config.mistake(format!("{MAPPING}: {sentence}"));
            }
        });
        noted.ok()
    }

    /// As [`read`](Self::read), for a toolkit that asks what is mapped: whoever serves the mapping
    /// notes its mistakes.
    pub(crate) fn given(config: &Config<'_>) -> Option<Self> {
        Self::parse(&config.text(MAPPING)?).ok()
    }

    /// Compares the mapping with a database's tables, and asks each mapped table for a row: for a
    /// server's start. A host that has no database at its start finds the same mistakes at the
    /// first call.
    ///
    /// # Errors
    /// Every mistake at once, or why the database can't be asked.
    pub async fn check(&self, database: &dyn Sql) -> Result<(), Mistakes> {
        let one = |sentence: String| Mistakes::new(vec![sentence]);
        let compiled = match self.compile(database).await {
            Ok(compiled) => compiled?,
            Err(error) => {
                return Err(one(format!(
                    "the database can't be asked for its tables ({error})"
                )));
            }
        };
        let mut mistakes = Vec::new();
        for relation in compiled.relations() {
            let name = relation.name;
            let statement =
                format!("SELECT count(*) FROM (SELECT * FROM {name} LIMIT 1) AS {name}_");
            let (sql, values) = compiled.rendered(&statement, &[]);
            if let Err(error) = database.query(&sql, &values, 1).await {
                mistakes.push(format!("{name}: the database refuses it ({error})"));
            }
        }
        match mistakes.is_empty() {
            true => Ok(()),
            false => Err(Mistakes::new(mistakes)),
        }
    }

    /// Whether one of the toolkits' tables is mapped.
    pub(crate) fn has(&self, relation: &str) -> bool {
        self.tables.iter().any(|map| map.relation.name == relation)
    }

    /// Whether a tool may write into it.
    pub(crate) fn writes(&self, relation: &str) -> bool {
        self.tables
            .iter()
            .any(|map| map.relation.name == relation && map.write)
    }

    async fn compile(&self, database: &dyn Sql) -> Result<Result<Compiled, Mistakes>, SqlError> {
        let schema = DatabaseSchema::read(database).await?;
        let compiled = Compiled::new(&self.tables, &schema, database.dialect());
        Ok(compiled.map_err(Mistakes::new))
    }

    /// As the first call found it.
    async fn compiled(&self, database: &dyn Sql) -> Result<Arc<Compiled>, ToolError> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(Arc::clone(compiled));
        }
        match self.compile(database).await.map_err(database_failed)? {
            Ok(compiled) => Ok(Arc::clone(self.compiled.get_or_init(|| Arc::new(compiled)))),
            Err(mistakes) => Err(ToolError::unavailable(
                "The database's tables are not as this server's settings expect them. Tell the \
                 user, who may ask the operator.",
                format!("{MAPPING}: {mistakes}"),
            )),
        }
    }
}

/// Whether a toolkit's table is there: mapped, or without a mapping the demo shop's.
pub(crate) fn has(mapping: Option<&Mapping>, relations: &[&str]) -> bool {
    mapping.is_none_or(|mapping| relations.iter().all(|relation| mapping.has(relation)))
}

/// Whether a toolkit's table may be written to.
pub(crate) fn writes(mapping: Option<&Mapping>, relation: &str) -> bool {
    mapping.is_none_or(|mapping| mapping.writes(relation))
}

/// The database as `crm` and `inventory` see it: the demo shop's tables, or one's own in their
/// place.
pub(crate) struct MappedTables {
    database: Arc<dyn Sql>,
    mapped: Option<Arc<Compiled>>,
}

/// The tables that a call reads.
pub(crate) async fn tables(cx: &Cx) -> Result<MappedTables, ToolError> {
    let database = Arc::clone(cx.port::<dyn Sql>()?);
    let mapped = match cx.state::<Mapping>() {
        Ok(mapping) => Some(mapping.compiled(&*database).await?),
        Err(_) => None,
    };
    Ok(MappedTables { database, mapped })
}

impl MappedTables {
    /// Whether a tool may write into one of the toolkits' tables.
    pub(crate) fn writes(&self, relation: &str) -> bool {
        let mapped = self.mapped.as_ref();
        mapped.is_none_or(|mapped| mapped.target(relation).is_some())
    }

    /// Whether the tables are the operator's own.
    pub(crate) fn is_mapped(&self) -> bool {
        self.mapped.is_some()
    }

    /// An id as it is stored. The shop's have no small letters.
    pub(crate) fn key(&self, given: &str) -> String {
        match self.mapped {
            Some(_) => given.to_owned(),
            None => given.to_ascii_uppercase(),
        }
    }

    /// The statement that writes one row and returns its id: expressions by column, and where they
    /// come from.
    pub(crate) fn insert(
        &self,
        relation: &'static str,
        values: &[(&str, &str)],
        rest: &str,
    ) -> Result<String, ToolError> {
        if let Some(mapped) = &self.mapped {
            let target = mapped.target(relation).ok_or_else(|| {
                ToolError::internal(format!("{relation} is mapped for reading only"))
            })?;
            return Ok(target.insert(values, rest));
        }
        let (names, values): (Vec<&str>, Vec<&str>) = values.iter().copied().unzip();
        Ok(format!(
            "INSERT INTO {relation} ({}) SELECT {} {rest} RETURNING id",
            names.join(", "),
            values.join(", ")
        ))
    }
}

impl Sql for MappedTables {
    fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        let Some(mapped) = &self.mapped else {
            return self.database.query(sql, parameters, max_rows);
        };
        Box::pin(async move {
            let (sql, values) = mapped.rendered(sql, parameters);
            self.database.query(&sql, &values, max_rows).await
        })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        let Some(mapped) = &self.mapped else {
            return self.database.execute(sql, parameters);
        };
        Box::pin(async move {
            let (sql, values) = mapped.rendered(sql, parameters);
            self.database.execute(&sql, &values).await
        })
    }
}
