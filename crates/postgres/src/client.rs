//! Asking PostgreSQL: a question, its limits, and the tables where they are missing. Knows no store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcpfn_core::port::StoreError;
use mcpfn_native::shared::{RequestFailure, RequestLimits, SharedService};
use mcpfn_ports::{Rows, SqlValue};
use mcpfn_sql::PostgresFailure;
use tokio::sync::Mutex;

use crate::cleaning::Cleaning;
use crate::event_statements::EventStatements;
use crate::failure;
use crate::server::{PostgresServer, TIMEOUT_MS};
use crate::statements::Statements;
use crate::tables::tables_in;

pub(crate) struct StoreClient {
    pub(crate) server: PostgresServer,
    pub(crate) service: SharedService,
    pub(crate) statements: Statements,
    pub(crate) events: EventStatements,
    pub(crate) cleaning: Cleaning,
    /// This instance has written tasks: their table is younger than the others, and may be missing
    /// where nobody has any.
    pub(crate) has_tasks: AtomicBool,
    /// The same of events.
    pub(crate) has_events: AtomicBool,
    /// One makes the tables, and the others wait for that.
    making: Mutex<()>,
}

impl StoreClient {
    pub(crate) fn new(server: PostgresServer) -> Self {
        let service = SharedService {
            subject: format!("PostgreSQL at {}", server.place()),
            setting: TIMEOUT_MS,
            limits: RequestLimits::of(server.timeout),
        };
        Self {
            service,
            statements: Statements::new(server.schema()),
            events: EventStatements::new(server.schema()),
            cleaning: Cleaning::default(),
            has_tasks: AtomicBool::new(false),
            has_events: AtomicBool::new(false),
            making: Mutex::default(),
            server,
        }
    }

    /// Asks whatever a breaker says.
    pub(crate) async fn insist(
        &self,
        statement: &str,
        parameters: &[SqlValue],
    ) -> Result<Rows, StoreError> {
        let first = AtomicBool::new(true);
        let attempt = |left| {
            self.attempt(
                left,
                first.swap(false, Ordering::Relaxed),
                statement,
                parameters,
            )
        };
        Ok(self.service.insist(attempt).await?)
    }

    /// Deletes rows that are over, a bounded number of each table, and says how many.
    pub(crate) async fn clean(&self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        let tables = if self.has_tasks.load(Ordering::Relaxed) {
            4
        } else {
            3
        };
        let events = match self.has_events.load(Ordering::Relaxed) {
            true => &self.events.clean[..],
            false => &[],
        };
        let cleaned = self.statements.clean.iter().take(tables);
        for statement in cleaned.chain(events) {
            let rows = self.insist(statement, &[]).await?.rows;
            if let Some([SqlValue::Integer(rows)]) = rows.first().map(Vec::as_slice) {
                deleted += u64::try_from(*rows).unwrap_or_default();
            }
        }
        Ok(deleted)
    }

    /// Asks once. That a kept connection has ended says nothing of the server: then a new one is asked,
    /// and so it is where the first attempt failed.
    pub(crate) async fn attempt(
        &self,
        left: Duration,
        first: bool,
        statement: &str,
        parameters: &[SqlValue],
    ) -> Result<Rows, RequestFailure> {
        let database = &self.server.database;
        let asking = async {
            let mut asked = Err(PostgresFailure::Unreachable(String::new()));
            if first {
                asked = database.ask(statement, parameters).await;
            }
            if let Err(PostgresFailure::Unreachable(_)) = asked {
                asked = database.ask_anew(statement, parameters).await;
            }
            match asked {
                Err(missing) if failure::is_missing_table(&missing) => {
                    self.ask_in_tables(statement, parameters).await
                }
                asked => asked.map_err(|failure| failure::of(failure, self.server.schema())),
            }
        };
        self.service.within(left, asking).await
    }

    /// Makes the tables, unless another call has made them meanwhile, and asks.
    async fn ask_in_tables(
        &self,
        statement: &str,
        parameters: &[SqlValue],
    ) -> Result<Rows, RequestFailure> {
        let (database, schema) = (&self.server.database, self.server.schema());
        let _one = self.making.lock().await;
        match database.ask(statement, parameters).await {
            Err(missing) if failure::is_missing_table(&missing) => {}
            asked => return asked.map_err(|failure| failure::of(failure, schema)),
        }
        match database.ask_all(&tables_in(schema)).await {
            Ok(()) => {
                let place = self.server.place();
                let said = format!("made the tables of stores in the schema {schema} of {place}");
                tracing::info!(event = "store_tables_made", "{said}");
            }
            Err(PostgresFailure::Refused { code }) if code == "42501" => {
                return Err(RequestFailure::Lasting(failure::missing_tables(schema)));
            }
            Err(other) => return Err(failure::of(other, schema)),
        }
        let asked = database.ask(statement, parameters).await;
        asked.map_err(|failure| failure::of(failure, schema))
    }
}
