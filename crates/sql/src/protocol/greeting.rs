//! The first messages of a connection: who asks, the password, what the session is. Opens no stream.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use super::refusal::ServerRefusal;
use super::wire::{Fault, Stream, Wire, unexpected};

/// The largest message before there is a statement, in bytes.
const GREETING: usize = 64 * 1024;

/// As whom a server is asked.
pub(crate) struct PostgresLogin<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) database: &'a str,
    /// Nobody on the way can read what is sent.
    pub(crate) private: bool,
}

/// What stops a running statement from another connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct CancelKey {
    pub(crate) process: i32,
    pub(crate) secret: i32,
}

/// Begins a session on a stream that is connected, with settings of its own.
pub(crate) async fn greet(
    stream: Box<dyn Stream>,
    login: &PostgresLogin<'_>,
    settings: &[(&str, &str)],
) -> Result<(Wire, CancelKey), Fault> {
    let mut wire = Wire::new(stream, GREETING);
    let mut out = BytesMut::new();
    let who = [
        ("user", login.user),
        ("database", login.database),
        ("application_name", "mcpfn"),
        ("client_encoding", "UTF8"),
    ];
    let settings = who.iter().chain(settings).copied();
    frontend::startup_message(settings, &mut out)?;
    wire.send(&out).await?;
    prove(&mut wire, login).await?;
    let mut key = CancelKey::default();
    loop {
        match wire.next().await? {
            Message::BackendKeyData(body) => {
                key = CancelKey {
                    process: body.process_id(),
                    secret: body.secret_key(),
                }
            }
            Message::ReadyForQuery(_) => return Ok((wire, key)),
            Message::ErrorResponse(body) => {
                return Err(Fault::Refused(ServerRefusal::read(&body)));
            }
            _ => return Err(unexpected()),
        }
    }
}

/// Shows the password in the way that the server asks for, unless it asks for none.
async fn prove(wire: &mut Wire, login: &PostgresLogin<'_>) -> Result<(), Fault> {
    let PostgresLogin { user, password, .. } = login;
    let mut scram = None;
    loop {
        let mut out = BytesMut::new();
        match wire.next().await? {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(user.as_bytes(), password.as_bytes(), body.salt());
                frontend::password_message(hash.as_bytes(), &mut out)?;
            }
            // as it is, and so only where nobody else can read it
            Message::AuthenticationCleartextPassword if login.private => {
                frontend::password_message(password.as_bytes(), &mut out)?;
            }
            Message::AuthenticationSasl(body) => {
                if !body
                    .mechanisms()
                    .any(|mechanism| Ok(mechanism == SCRAM_SHA_256))?
                {
                    return Err(Fault::Broken(
                        "the server asks for a way to log in that is not known here".to_owned(),
                    ));
                }
                let exchange = scram.insert(ScramSha256::new(
                    password.as_bytes(),
                    ChannelBinding::unsupported(),
                ));
                frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), &mut out)?;
            }
            Message::AuthenticationSaslContinue(body) => {
                let exchange = scram.as_mut().ok_or_else(unexpected)?;
                exchange.update(body.data())?;
                frontend::sasl_response(exchange.message(), &mut out)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                scram.as_mut().ok_or_else(unexpected)?.finish(body.data())?;
            }
            Message::ErrorResponse(body) => {
                return Err(Fault::Refused(ServerRefusal::read(&body)));
            }
            _ => {
                return Err(Fault::Broken(
                    "the server asks for a way to log in that is not known here".to_owned(),
                ));
            }
        }
        if !out.is_empty() {
            wire.send(&out).await?;
        }
    }
}
