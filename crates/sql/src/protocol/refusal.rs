//! What the server says when it refuses: whose fault it is, by its SQLSTATE. A statement's own fault
//! is never called an outage, because nobody would change the statement then.

use fallible_iterator::FallibleIterator as _;
use mcpfn_ports::SqlError;
use postgres_protocol::message::backend::ErrorResponseBody;

/// The server's own words.
#[derive(Debug, Default)]
pub(crate) struct ServerRefusal {
    /// Five characters of SQLSTATE.
    pub(crate) code: String,
    message: String,
    hint: String,
}

impl ServerRefusal {
    /// What a text with nothing in it gets.
    pub(crate) fn no_statement() -> Self {
        Self {
            code: "42601".to_owned(),
            message: "there is no statement".to_owned(),
            hint: String::new(),
        }
    }

    pub(crate) fn read(body: &ErrorResponseBody) -> Self {
        let mut refusal = Self::default();
        let mut fields = body.fields();
        // fields that can't be read are left out: there is an error to report already
        while let Ok(Some(field)) = fields.next() {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => refusal.code = value,
                b'M' => refusal.message = value,
                b'H' => refusal.hint = value,
                _ => {}
            }
        }
        refusal
    }
}

impl From<ServerRefusal> for SqlError {
    fn from(refusal: ServerRefusal) -> Self {
        let ServerRefusal {
            code,
            message,
            hint,
        } = refusal;
        let said = if code == "08P01" && message.starts_with("bind message") {
            // what the protocol calls it helps nobody who wrote a statement
            "the statement has parameters such as $1, and they get no values here: write the \
             values in their place (08P01)"
                .to_owned()
        } else if hint.is_empty() {
            format!("{message} ({code})")
        } else {
            format!("{message} ({code}). Hint: {hint}")
        };
        match Blame::of(&code) {
            Blame::Statement => Self::Rejected(said),
            Blame::Write => Self::ReadOnly(said),
            Blame::Rights => Self::NoRight(said),
            Blame::Time => Self::TooLong(said),
            Blame::Server => Self::Unavailable(said),
        }
    }
}

/// Whose fault a refusal is.
#[derive(Debug, PartialEq, Eq)]
enum Blame {
    /// The statement has to be changed.
    Statement,
    /// It writes where nothing may be written.
    Write,
    /// Its role lacks a right.
    Rights,
    /// It ran for too long.
    Time,
    /// The server's, its operator's, or that of other transactions: the same statement can succeed
    /// later.
    Server,
}

impl Blame {
    fn of(code: &str) -> Self {
        match code {
            // a transaction for reading only
            "25006" => Self::Write,
            "42501" => Self::Rights,
            // by the server's time limit, as nothing else cancels
            "57014" => Self::Time,
            // of classes of outages, what a statement alone brings about: values that its
            // parameters lack, a constraint at its end, a limit that was set for statements, files
            // that it names
            "08P01" | "40002" | "53400" | "58P01" | "58P02" | "58P03" => Self::Statement,
            // a database that is not there, a lock that others held
            "3D000" | "55P03" => Self::Server,
            _ => match code.get(..2) {
                // connections; who may connect; transactions that lost against others; resources;
                // the operator; the system
                Some("08" | "28" | "40" | "53" | "57" | "58") => Self::Server,
                _ => Self::Statement,
            },
        }
    }
}

/// Whether a text has nothing but blanks, comments and semicolons.
pub(crate) fn is_blank(sql: &str) -> bool {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
        if let Some(line) = rest.strip_prefix("--") {
            rest = line.split_once('\n').map_or("", |(_, below)| below);
        } else if let Some(inside) = rest.strip_prefix("/*") {
            rest = behind_comment(inside);
        } else {
            return rest.is_empty();
        }
    }
}

/// What follows a comment, in which others may stand.
fn behind_comment(mut inside: &str) -> &str {
    let mut depth = 1_u32;
    while let Some(at) = inside.find(['*', '/']) {
        inside = &inside[at..];
        let (opens, closes) = (inside.starts_with("/*"), inside.starts_with("*/"));
        depth = depth + u32::from(opens) - u32::from(closes);
        inside = &inside[if opens || closes { 2 } else { 1 }..];
        if depth == 0 {
            return inside;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the classes that are not about statements alone (PostgreSQL 18, appendix A),
    /// and some of the others.
    #[test]
    fn each_code_has_its_blame() {
        for (blame, codes) in [
            (
                Blame::Server,
                "08000 08003 08006 08001 08004 08007 28000 28P01 3D000 40000 40001 40003 40P01 53000 \
                 53100 53200 53300 55P03 57000 57P01 57P02 57P03 57P04 57P05 58000 58030",
            ),
            (
                Blame::Statement,
                "08P01 40002 53400 58P01 58P02 58P03 42601 42703 42P01 22012 22P02 23505 0A000 \
                 54001 XX000 ",
            ),
            (Blame::Write, "25006"),
            (Blame::Rights, "42501"),
            (Blame::Time, "57014"),
        ] {
            for code in codes.split_whitespace() {
                assert_eq!(Blame::of(code), blame, "{code}");
            }
        }
        for odd in ["", "5", "é", "57é"] {
            Blame::of(odd);
        }
    }

    #[test]
    fn nothing_to_run() {
        for blank in [
            "",
            " \n;",
            "-- x",
            "/* a /* b */ c */ ; -- x\n",
            "/* open",
            "/**/",
        ] {
            assert!(is_blank(blank), "{blank}");
        }
        for text in [
            "SELECT 1",
            "/* a */ SELECT 1",
            "-- x\nSELECT 1",
            "/ *",
            "-",
            "x",
        ] {
            assert!(!is_blank(text), "{text}");
        }
    }
}
