//! The browser: opened with an address, and heard on loopback when it comes back with a code.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::discovery::SignInIssuer;
use crate::output::{CliError, remark};

/// How long a person may take.
const PERSON: Duration = Duration::from_mins(5);
/// How long a connection may take to say what it wants.
const REQUEST: Duration = Duration::from_secs(5);
const FAILED: &str = "The sign-in failed. The terminal says why.";
/// Bytes of a request that are read.
const MAX_REQUEST: u64 = 16 * 1024;

/// Where a browser is sent back to.
pub(super) struct BrowserReturn {
    listener: TcpListener,
    pub(super) port: u16,
}

/// A browser that came back with the code, and waits to hear how the sign-in ends.
pub(super) struct WaitingBrowser(BufReader<TcpStream>);

impl WaitingBrowser {
    /// Says how it ended, once that is known: a code alone is no sign-in.
    pub(super) async fn tell(self, signed_in: bool) {
        let answer = if signed_in {
            reply("200 OK", "You are signed in. You can close this page.")
        } else {
            reply("400 Bad Request", FAILED)
        };
        answer_with(self.0, answer).await;
    }
}

/// What came back.
#[derive(Default)]
struct ReturnedQuery {
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
}

impl BrowserReturn {
    /// On this port, or on any, where it is 0 or taken.
    pub(super) async fn listen(port: u16) -> Result<Self, CliError> {
        let listener = match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
        };
        let listener = listener.map_err(|error| format!("no port for the browser: {error}"))?;
        let port = listener
            .local_addr()
            .map_err(|error| error.to_string())?
            .port();
        Ok(Self { listener, port })
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// Waits for the code of this sign-in. Who comes with another state is sent away.
    pub(super) async fn code(
        &self,
        state: &str,
        issuer: &SignInIssuer,
    ) -> Result<(String, WaitingBrowser), CliError> {
        let waiting = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else {
                    continue;
                };
                // one that says nothing keeps nobody out for long
                let heard = tokio::time::timeout(REQUEST, hear(stream, state, issuer)).await;
                if let Ok(Some(judged)) = heard {
                    return judged;
                }
            }
        };
        let late =
            || Err(format!("nobody signed in within {} minutes", PERSON.as_secs() / 60).into());
        tokio::time::timeout(PERSON, waiting)
            .await
            .unwrap_or_else(|_| late())
    }
}

async fn hear(
    stream: TcpStream,
    state: &str,
    issuer: &SignInIssuer,
) -> Option<Result<(String, WaitingBrowser), CliError>> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let mut bounded = (&mut stream).take(MAX_REQUEST);
    bounded.read_line(&mut line).await.ok()?;
    // the rest is read, so that the answer is not lost with it
    let mut rest = String::new();
    while bounded.read_line(&mut rest).await.ok()? > 2 {
        rest.clear();
    }
    let answer = match returned(&line).and_then(|returned| judge(returned, state, issuer)) {
        Some(Ok(code)) => return Some(Ok((code, WaitingBrowser(stream)))),
        Some(Err(why)) => {
            answer_with(stream, reply("400 Bad Request", FAILED)).await;
            return Some(Err(why));
        }
        None => reply("404 Not Found", "There is nothing here."),
    };
    answer_with(stream, answer).await;
    None
}

fn reply(status: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    )
}

async fn answer_with(mut stream: BufReader<TcpStream>, answer: String) {
    let told = async {
        // the page may be closed already
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(REQUEST, told).await;
}

/// What the first line of a request brings, if it is for here.
fn returned(line: &str) -> Option<ReturnedQuery> {
    let target = line.strip_prefix("GET /callback?")?;
    let (query, _) = target.split_once(' ')?;
    let mut returned = ReturnedQuery::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Some(value.into_owned());
        match &*name {
            "code" => returned.code = value,
            "state" => returned.state = value,
            "iss" => returned.issuer = value,
            "error" => returned.error = value,
            _ => {}
        }
    }
    Some(returned)
}

/// The code, if it is of this sign-in and of this issuer. `None` for what is of another.
fn judge(
    returned: ReturnedQuery,
    state: &str,
    issuer: &SignInIssuer,
) -> Option<Result<String, CliError>> {
    if returned.state.as_deref() != Some(state) {
        return None;
    }
    let named = match returned.issuer {
        Some(named) => named == issuer.name,
        None => !issuer.names_itself,
    };
    if !named {
        let why = "the browser came back from another issuer than it was sent to; sign in again";
        return Some(Err(why.into()));
    }
    if let Some(error) = returned.error {
        let error = mcpfn_core::text::visible(&error);
        return Some(Err(
            format!("{} refused the sign-in: {error}", issuer.name).into()
        ));
    }
    Some(
        returned
            .code
            .ok_or_else(|| "the sign-in brought no code".into()),
    )
}

/// Opens the browser, and says the address to who has none.
pub(super) fn open(address: &str) {
    remark(format_args!("sign in with a browser at: {address}"));
    let own = std::env::var("BROWSER").ok().filter(|own| !own.is_empty());
    let (program, arguments): (&str, &[&str]) = match &own {
        Some(own) => (own, &[]),
        None if cfg!(target_os = "macos") => ("open", &[]),
        None if cfg!(windows) => ("rundll32", &["url.dll,FileProtocolHandler"]),
        None => ("xdg-open", &[]),
    };
    let started = Command::new(program)
        .args(arguments)
        .arg(address)
        // stdout is the protocol's
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        remark("no browser could be started: open the address yourself");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_this_sign_in_and_issuer_is_taken() {
        let issuer = |names_itself| SignInIssuer {
            name: "https://id.example.com".to_owned(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            registration_endpoint: None,
            names_itself,
        };
        let own = "iss=https%3A%2F%2Fid.example.com";
        for (query, names_itself, expected) in [
            ("code=c&state=s".to_owned(), false, "c"),
            (format!("code=c&state=s&{own}"), true, "c"),
            ("code=c&state=s".to_owned(), true, "another issuer"),
            (
                "code=c&state=s&iss=https%3A%2F%2Fevil".to_owned(),
                false,
                "another issuer",
            ),
            ("code=c&state=other".to_owned(), false, "nothing"),
            ("code=c".to_owned(), false, "nothing"),
            ("state=s".to_owned(), false, "no code"),
            (
                "error=access_denied&state=s".to_owned(),
                false,
                "access_denied",
            ),
        ] {
            let line = format!("GET /callback?{query} HTTP/1.1\r\n");
            let judged = judge(returned(&line).unwrap(), "s", &issuer(names_itself));
            let said = match judged {
                None => "nothing".to_owned(),
                Some(Ok(code)) => code,
                Some(Err(error)) => error.0,
            };
            assert!(said.contains(expected), "{query}: {said}");
        }
        for line in [
            "GET /favicon.ico HTTP/1.1",
            "POST /callback?code=c HTTP/1.1",
            "",
        ] {
            assert!(returned(line).is_none(), "{line}");
        }
    }
}
