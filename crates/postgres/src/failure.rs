//! What went wrong with one question: of which kind it is, and a sentence for the log.

use mcpfn_native::shared::RequestFailure;
use mcpfn_sql::PostgresFailure;

use RequestFailure::{Lasting, Passing, Retried};

/// The failure as the stores' limits and breakers know it. `schema` is where the tables are.
pub(crate) fn of(failure: PostgresFailure, schema: &str) -> RequestFailure {
    match failure {
        PostgresFailure::Refused { code } => refused(&code, schema),
        PostgresFailure::Unreachable(cause) => Retried(format!("can't be reached: {cause}")),
        _ => Passing("gave a row that is larger than any that was written".to_owned()),
    }
}

/// Whether a table is not there.
pub(crate) fn is_missing_table(failure: &PostgresFailure) -> bool {
    matches!(failure, PostgresFailure::Refused { code } if ["42P01", "3F000"].contains(&&code[..]))
}

/// By SQLSTATE (PostgreSQL 18, appendix A).
fn refused(code: &str, schema: &str) -> RequestFailure {
    let of_name = || match code.len() == 5 && code.bytes().all(|it| it.is_ascii_alphanumeric()) {
        true => code.to_owned(),
        false => "an unnamed error".to_owned(),
    };
    match code {
        "3D000" => {
            Lasting("has no such database: make it, or change MCPFN_POSTGRES_STORE_URL".to_owned())
        }
        "42P01" | "3F000" => Lasting(missing_tables(schema)),
        "42501" => Lasting(format!(
            "does not let this user do what stores need: grant it USAGE on the schema {schema} and \
             SELECT, INSERT, UPDATE, DELETE on all tables in it"
        )),
        "42703" | "42804" | "42P10" => Lasting(format!(
            "has tables in the schema {schema} that are not those of this version: drop them, or set \
             another MCPFN_POSTGRES_STORE_SCHEMA"
        )),
        "25006" => Retried("takes no writes: it is a standby, or read-only".to_owned()),
        "53100" => Passing("has no disk space left".to_owned()),
        "53300" => Passing(
            "takes no more connections: raise its max_connections, four for each instance"
                .to_owned(),
        ),
        "57P03" => Passing("is not ready yet (57P03)".to_owned()),
        _ => match code.get(..2) {
            Some("28") => {
                Lasting("refuses the user or password of MCPFN_POSTGRES_STORE_URL".to_owned())
            }
            // connections, transactions that lost against others, an operator's doing
            Some("08" | "40" | "57") => Retried(format!("ended a question ({})", of_name())),
            _ => Passing(format!("refused a question ({})", of_name())),
        },
    }
}

/// Also where they can't be made.
pub(crate) fn missing_tables(schema: &str) -> String {
    format!(
        "has no tables in the schema {schema}, and this user may not make them: let its owner run \
         crates/postgres/src/tables.sql, or grant the user CREATE on the database"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_the_kind() {
        for (code, expected) in [
            ("28P01", "lasting"),
            ("28000", "lasting"),
            ("3D000", "lasting"),
            ("42P01", "lasting"),
            ("42501", "lasting"),
            ("42703", "lasting"),
            ("25006", "retried"),
            ("40001", "retried"),
            ("40P01", "retried"),
            ("57P01", "retried"),
            ("08006", "retried"),
            ("57P03", "passing"),
            ("53100", "passing"),
            ("53300", "passing"),
            ("XX000", "passing"),
            ("", "passing"),
        ] {
            let kind = match refused(code, "mcpfn") {
                Lasting(_) => "lasting",
                Passing(_) => "passing",
                Retried(_) => "retried",
                RequestFailure::Throttled(_) => "throttled",
            };
            assert_eq!(kind, expected, "{code}");
        }
    }

    #[test]
    fn only_what_is_a_code_is_repeated() {
        for code in ["hunter2", "h'; --", "\u{e9}\u{e9}a"] {
            let failure = refused(code, "mcpfn");
            assert!(
                failure.sentence().contains("an unnamed error"),
                "{failure:?}"
            );
        }
    }
}
