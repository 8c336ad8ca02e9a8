//! Which table, where, and as whom: settings only.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_aws::AwsAccount;
use mcpfn_core::port::HttpClient;
use mcpfn_native::Client;
use mcpfn_settings::EnvReader;

/// Milliseconds that a request may take with its retry, unless told otherwise: a DynamoDB in the
/// same region answers in 2 to 10, and a first connection costs three round trips more.
const TIMEOUT: u64 = 250;

/// The table and how to reach it.
#[derive(Debug, Clone)]
pub struct Table {
    /// `MCPFN_DYNAMODB_TABLE`: its name.
    pub name: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`: another address than the region's own.
    pub endpoint: Option<String>,
    /// Region and credentials, from the environment where it has them, as on Lambda.
    pub account: AwsAccount,
    /// `MCPFN_DYNAMODB_TIMEOUT_MS`: how long a request may take with its retry; 250 milliseconds when not
    /// set. One attempt has three fifths of it, and a connection two fifths.
    pub timeout: Duration,
    /// How long a connection may be idle and still be used again: one minute, far below the 350
    /// seconds after which gateways on the way forget connections without a word.
    pub idle: Duration,
}

impl Table {
    /// The table, if the environment names one.
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Option<Self> {
        let name = reader.text("MCPFN_DYNAMODB_TABLE")?.trim().to_owned();
        // it makes nothing before its first request
        let client: Arc<dyn HttpClient> = Arc::new(Client::new());
        let account = AwsAccount::read(reader, "MCPFN_DYNAMODB_TABLE", &client);
        let endpoint = mcpfn_aws::endpoint(reader, "AWS_ENDPOINT_URL_DYNAMODB");
        let milliseconds: u64 = reader.parsed(
            "MCPFN_DYNAMODB_TIMEOUT_MS",
            TIMEOUT,
            "a number of milliseconds",
        );
        if !(10..=10_000).contains(&milliseconds) {
            reader.mistake("MCPFN_DYNAMODB_TIMEOUT_MS must be between 10 and 10000 milliseconds");
        }
        let (timeout, idle) = (Duration::from_millis(milliseconds), Duration::from_secs(60));
        Some(Self {
            name,
            endpoint,
            account,
            timeout,
            idle,
        })
    }

    /// How long one attempt may take.
    pub(super) fn attempt(&self) -> Duration {
        self.timeout * 3 / 5
    }

    /// How long a connection may take to be made.
    pub(super) fn connect(&self) -> Duration {
        self.timeout * 2 / 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<Table>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let table = Table::read(&mut reader);
        (
            table,
            reader
                .finish(())
                .err()
                .map(|error| error.mistakes)
                .unwrap_or_default(),
        )
    }

    #[test]
    fn without_a_name_there_is_no_table_and_nothing_else_is_needed() {
        let (table, mistakes) = read(&[]);
        assert!(table.is_none() && mistakes.is_empty(), "{mistakes:?}");
    }

    #[test]
    fn what_lambda_sets_is_enough() {
        let lambda = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        let (table, mistakes) =
            read(&[&[("MCPFN_DYNAMODB_TABLE", "mcpfn")], lambda.as_slice()].concat());
        let table = table.unwrap();
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(
            (table.timeout, table.attempt(), table.connect()),
            (ms(250), ms(150), ms(100))
        );
        assert!(
            !format!("{table:?}").contains("hunter2"),
            "secrets are not printed"
        );
    }

    #[test]
    fn every_mistake_is_reported() {
        let (_, mistakes) = read(&[
            ("MCPFN_DYNAMODB_TABLE", "mcpfn"),
            ("MCPFN_DYNAMODB_TIMEOUT_MS", "5"),
            ("AWS_ENDPOINT_URL", "localhost:8000"),
        ]);
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
}
