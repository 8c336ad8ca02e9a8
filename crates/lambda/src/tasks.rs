//! Tasks on Lambda: runs are invocations of a second function of the same program, ordered as events
//! that Lambda queues, delivers at least once and repeats after a failure. What a run does is the
//! core's; when one follows another is `follow`.
//!
//! An event names a task by its key and nothing else. Everything that counts is in the table, so
//! that whoever can forge an event can make a task run that is due anyway.

mod follow;
mod invoker;

use std::sync::Arc;

use lambda_runtime::Diagnostic;
use mcpfn_aws::AwsAccount;
use mcpfn_core::port::HttpClient;
use mcpfn_native::Client;
use mcpfn_settings::EnvReader;

use crate::shared_needs::check_shared;

pub(crate) use follow::run;
pub(crate) use invoker::Invoker;

const VARIABLE: &str = "MCPFN_TASKS_FUNCTION";

/// The function that runs tasks, and how to invoke it.
#[derive(Debug, Clone)]
pub struct TaskFunction {
    /// `MCPFN_TASKS_FUNCTION`: its name or ARN, with an alias if it has one. In that function itself
    /// (`MCPFN_LAMBDA_MODE=tasks`) the name that Lambda says.
    pub name: String,
    /// `AWS_ENDPOINT_URL_LAMBDA`, else `AWS_ENDPOINT_URL`: another address than the region's own.
    pub endpoint: Option<String>,
    /// Region and credentials, from the environment where it has them, as on Lambda.
    pub account: AwsAccount,
}

impl TaskFunction {
    /// The function, if the environment names one. `itself` is whether this
    /// function is it; `table` and `state_key` are whether they are set.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        itself: bool,
        table: bool,
        state_key: bool,
    ) -> Option<Self> {
        let named = reader.text(VARIABLE);
        let (name, what) = match (itself, named) {
            (true, None) => {
                let own = reader.text("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
                (own, "MCPFN_LAMBDA_MODE=tasks")
            }
            (true, Some(_)) => {
                reader.mistake(format!(
                    "{VARIABLE} has no effect with MCPFN_LAMBDA_MODE=tasks, because this function \
                     is the one that runs tasks: remove it"
                ));
                return None;
            }
            (false, None) => return None,
            (false, Some(named)) => (named.trim().to_owned(), VARIABLE),
        };
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "-_:$".contains(letter);
        if what == VARIABLE && (name.len() > 256 || !name.chars().all(legal)) {
            reader.mistake(format!(
                "{VARIABLE} must be the name or the ARN of a function, such as shop-tasks:live"
            ));
        }
        let kept = "tasks are between their runs";
        check_shared(reader, what, (table, state_key), kept);
        // it makes nothing before its first request
        let client: Arc<dyn HttpClient> = Arc::new(Client::new());
        Some(Self {
            name,
            endpoint: mcpfn_aws::endpoint(reader, "AWS_ENDPOINT_URL_LAMBDA"),
            account: AwsAccount::read(reader, what, &client),
        })
    }
}

/// What Lambda is told of an event that this function does not take.
pub(crate) fn not_a_task() -> Diagnostic {
    Diagnostic {
        error_type: "NotATask".to_owned(),
        error_message: "this function runs tasks (MCPFN_LAMBDA_MODE=tasks), and the event names \
                        none: call the function that has a URL"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(itself: bool, variables: &[(&str, &str)]) -> (Option<TaskFunction>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let has = |name: &str| variables.iter().any(|(known, _)| *known == name);
        let (table, key) = (has("MCPFN_DYNAMODB_TABLE"), has("MCPFN_STATE_KEY"));
        let function = TaskFunction::read(&mut reader, itself, table, key);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        (function, mistakes.unwrap_or_default())
    }

    const TABLE: (&str, &str) = ("MCPFN_DYNAMODB_TABLE", "t");
    const KEY: (&str, &str) = ("MCPFN_STATE_KEY", "k");

    #[test]
    fn a_function_is_named_or_is_this_one() {
        assert!(matches!(read(false, &[]), (None, mistakes) if mistakes.is_empty()));
        for (itself, variable, name) in [
            (false, (VARIABLE, "shop-tasks"), "shop-tasks"),
            (
                false,
                (
                    VARIABLE,
                    "arn:aws:lambda:eu-west-1:123456789012:function:t:live",
                ),
                "arn:aws:lambda:eu-west-1:123456789012:function:t:live",
            ),
            (
                true,
                ("AWS_LAMBDA_FUNCTION_NAME", "shop-tasks"),
                "shop-tasks",
            ),
        ] {
            let (function, mistakes) = read(itself, &[variable, TABLE, KEY]);
            assert_eq!(mistakes, [""; 0]);
            assert_eq!(function.unwrap().name, name);
        }
    }

    #[test]
    fn what_tasks_need_is_said() {
        type Variables = &'static [(&'static str, &'static str)];
        const NAMED: (&str, &str) = (VARIABLE, "shop-tasks");
        let cases: [(bool, Variables, &str); 5] = [
            (false, &[NAMED, KEY], "needs MCPFN_DYNAMODB_TABLE"),
            (false, &[NAMED, TABLE], "needs MCPFN_STATE_KEY"),
            (true, &[TABLE], "needs MCPFN_STATE_KEY"),
            (true, &[NAMED, TABLE, KEY], "has no effect with"),
            (
                false,
                &[(VARIABLE, "a/b"), TABLE, KEY],
                "the name or the ARN",
            ),
        ];
        for (itself, variables, says) in cases {
            let (_, mistakes) = read(itself, variables);
            let alone = mistakes.len() == 1 && mistakes[0].contains(says);
            assert!(alone, "{says}: {mistakes:?}");
        }
    }
}
