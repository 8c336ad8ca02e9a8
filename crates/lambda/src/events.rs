//! Events on Lambda: what is to be sent waits in an SQS queue, and a third function of the same program
//! takes it out (`MCPFN_LAMBDA_MODE=events`). What a part of it does is the core's; what follows it is
//! `deliver`.
//!
//! A message has work as the core wrote it: an event's name, a subscription's id, a position. Address,
//! secret and text of the event are in the table and nowhere else, so that whoever can put into the
//! queue can have something sent again that is kept anyway, to those who subscribed to it.

mod deliver;
mod pump;
mod queue;

use std::sync::Arc;

use lambda_runtime::Diagnostic;
use mcpfn_aws::AwsAccount;
use mcpfn_core::port::HttpClient;
use mcpfn_native::Client;
use mcpfn_settings::EnvReader;

use crate::shared_needs::check_shared;

pub(crate) use deliver::run;
pub(crate) use pump::read_all;
pub(crate) use queue::SqsQueue;

const QUEUE: &str = "MCPFN_EVENTS_QUEUE";
const DEAD: &str = "MCPFN_EVENTS_DEAD_QUEUE";
const SCHEDULE: &str = "MCPFN_EVENTS_SCHEDULE";

/// Where events wait that are to be sent, and how it is asked.
#[derive(Debug, Clone)]
pub struct DeliveryQueue {
    /// `MCPFN_EVENTS_QUEUE`: the queue.
    pub queue: QueueAddress,
    /// `MCPFN_EVENTS_DEAD_QUEUE`: where work is kept that nobody does any more. Without it there is a
    /// line of the log.
    pub dead: Option<QueueAddress>,
    /// `MCPFN_EVENTS_SCHEDULE`: whether a schedule runs the function that sends, which then also reads
    /// the events that have a function of their own.
    pub scheduled: bool,
    /// Region and credentials, from the environment where it has them, as on Lambda.
    pub account: AwsAccount,
}

/// A queue by its URL, such as `https://sqs.eu-west-1.amazonaws.com/123456789012/events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAddress {
    url: String,
    /// Of the service.
    origin: String,
    region: Option<String>,
    account: String,
    name: String,
}

impl QueueAddress {
    /// Nothing for what is no such URL: `http` is for this machine alone.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let (account, name) = path.split_once('/')?;
        let authority: http::uri::Authority = host.parse().ok()?;
        let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(&authority.host());
        let legal = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
        let known = scheme == "https" || (scheme == "http" && loopback);
        let is_account = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
        let is_name = (1..=80).contains(&name.len()) && name.bytes().all(legal);
        if !(known && is_account && is_name) || host.contains('@') {
            return None;
        }
        let region = host
            .strip_prefix("sqs.")
            .and_then(|rest| rest.split_once(".amazonaws.com"));
        Some(Self {
            url: url.to_owned(),
            origin: format!("{scheme}://{host}"),
            region: region.map(|(region, _)| region.to_owned()),
            account: account.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether an ARN names this queue.
    #[must_use]
    pub fn has_arn(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.split(':').collect();
        let &["arn", _, "sqs", region, account, name] = &parts[..] else {
            return false;
        };
        let here = self.region.as_deref().is_none_or(|own| own == region);
        here && account == self.account && name == self.name
    }
}

impl DeliveryQueue {
    /// The queue, if the environment names one. `itself` is whether this function takes work out of
    /// it; `table` and `state_key` are whether they are set.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        itself: bool,
        table: bool,
        state_key: bool,
    ) -> Option<Self> {
        let dead = address(reader, DEAD);
        let scheduled = reader.switch(SCHEDULE, false);
        let Some(queue) = address(reader, QUEUE) else {
            if itself {
                reader.mistake(format!(
                    "MCPFN_LAMBDA_MODE=events needs {QUEUE}: the URL of the queue whose messages \
                     this function is sent"
                ));
            } else {
                for (variable, is_set) in [(DEAD, dead.is_some()), (SCHEDULE, scheduled)] {
                    if is_set {
                        reader.mistake(format!(
                            "{variable} has no effect without {QUEUE}: set that, or remove it"
                        ));
                    }
                }
            }
            return None;
        };
        let kept = "events and subscriptions are";
        check_shared(reader, QUEUE, (table, state_key), kept);
        // it makes nothing before its first request
        let client: Arc<dyn HttpClient> = Arc::new(Client::new());
        Some(Self {
            queue,
            dead,
            scheduled,
            account: AwsAccount::read(reader, QUEUE, &client),
        })
    }
}

/// What is no URL is told, and is as good as one that is not set.
fn address(reader: &mut EnvReader<'_>, variable: &str) -> Option<QueueAddress> {
    let url = reader.text(variable)?;
    let address = QueueAddress::parse(url.trim());
    if address.is_none() {
        reader.mistake(format!(
            "{variable} must be the URL of a queue, such as \
             https://sqs.eu-west-1.amazonaws.com/123456789012/events; http is for loopback alone"
        ));
    }
    address
}

/// What Lambda is told of a schedule that nobody promised.
pub(crate) fn not_scheduled() -> Diagnostic {
    Diagnostic {
        error_type: "NotScheduled".to_owned(),
        error_message: format!(
            "a schedule runs this function, and it has nothing to read: set {SCHEDULE}=on for all \
             functions of this server, or take the schedule away"
        ),
    }
}

/// What Lambda is told of an event that this function does not take.
pub(crate) fn not_of_the_queue() -> Diagnostic {
    Diagnostic {
        error_type: "NotOfTheQueue".to_owned(),
        error_message: format!(
            "this function sends events (MCPFN_LAMBDA_MODE=events), and takes messages of the queue \
             in {QUEUE} alone: map that queue to it, or correct the variable"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-events";

    #[test]
    fn a_queue_is_an_address_and_has_one_arn() {
        for (url, is_one) in [
            (URL, true),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/a_b",
                true,
            ),
            ("http://127.0.0.1:9324/000000000000/events", true),
            ("http://localhost:9324/000000000000/events", true),
            (
                "http://sqs.eu-west-1.amazonaws.com/123456789012/shop-events",
                false,
            ),
            ("http://localhost.example/000000000000/events", false),
            (
                "https://me@sqs.eu-west-1.amazonaws.com/123456789012/e",
                false,
            ),
            ("https://sqs.eu-west-1.amazonaws.com/1234/events", false),
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/e/f",
                false,
            ),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/", false),
            ("arn:aws:sqs:eu-west-1:123456789012:shop-events", false),
            ("shop-events", false),
        ] {
            assert_eq!(QueueAddress::parse(url).is_some(), is_one, "{url}");
        }
        let queue = QueueAddress::parse(URL).unwrap();
        for (arn, own) in [
            ("arn:aws:sqs:eu-west-1:123456789012:shop-events", true),
            ("arn:aws:sqs:eu-west-2:123456789012:shop-events", false),
            ("arn:aws:sqs:eu-west-1:210987654321:shop-events", false),
            ("arn:aws:sqs:eu-west-1:123456789012:shop-events-2", false),
            ("arn:aws:sns:eu-west-1:123456789012:shop-events", false),
            ("arn:aws:sqs:eu-west-1:123456789012:shop-events:x", false),
            ("", false),
        ] {
            assert_eq!(queue.has_arn(arn), own, "{arn}");
        }
    }

    type Variables = &'static [(&'static str, &'static str)];

    fn mistakes(itself: bool, variables: Variables) -> Vec<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let has = |name: &str| variables.iter().any(|(known, _)| *known == name);
        let (table, key) = (has("MCPFN_DYNAMODB_TABLE"), has("MCPFN_STATE_KEY"));
        let _ = DeliveryQueue::read(&mut reader, itself, table, key);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        mistakes.unwrap_or_default()
    }

    #[test]
    fn what_the_queue_needs_is_said() {
        const TABLE: (&str, &str) = ("MCPFN_DYNAMODB_TABLE", "t");
        const KEY: (&str, &str) = ("MCPFN_STATE_KEY", "k");
        const NAMED: (&str, &str) = (QUEUE, URL);
        let cases: [(bool, Variables, &str); 11] = [
            (false, &[], ""),
            (false, &[(SCHEDULE, "on"), NAMED, TABLE, KEY], ""),
            (
                false,
                &[(SCHEDULE, "on")],
                "MCPFN_EVENTS_SCHEDULE has no effect without",
            ),
            (
                false,
                &[(SCHEDULE, "hunter2"), NAMED, TABLE, KEY],
                "MCPFN_EVENTS_SCHEDULE must be on or off",
            ),
            (false, &[NAMED, TABLE, KEY], ""),
            (true, &[NAMED, (DEAD, URL), TABLE, KEY], ""),
            (true, &[TABLE, KEY], "needs MCPFN_EVENTS_QUEUE"),
            (false, &[NAMED, KEY], "needs MCPFN_DYNAMODB_TABLE"),
            (false, &[NAMED, TABLE], "needs MCPFN_STATE_KEY"),
            (
                false,
                &[(QUEUE, "hunter2"), TABLE, KEY],
                "must be the URL of a queue",
            ),
            (false, &[(DEAD, URL)], "has no effect without"),
        ];
        for (itself, variables, says) in cases {
            let mistakes = mistakes(itself, variables);
            let expected = usize::from(!says.is_empty());
            let alone = mistakes.len() == expected && mistakes.iter().all(|it| it.contains(says));
            assert!(alone, "{says}: {mistakes:?}");
            assert!(!mistakes.concat().contains("hunter2"), "{mistakes:?}");
        }
    }
}
