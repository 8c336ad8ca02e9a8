//! The issuer: its document, its keys, its verdicts on opaque tokens, over real HTTP. It can be
//! slow, broken and gone. It issues nothing: tests sign for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::keys::Key;

/// How the issuer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Well,
    /// It answers after a while.
    Slow(Duration),
    /// It answers everything with this status.
    Status(u16),
    /// It answers everything with this text.
    Says(String),
    /// It ends every connection without a word.
    Gone,
}

/// An issuer that runs until it is dropped.
#[derive(Debug)]
pub struct Issuer {
    /// Its identifier, which is its URL.
    pub id: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    document: Value,
    document_path: String,
    page: Option<String>,
    keys: Value,
    verdicts: Vec<(String, Value)>,
    requests: Vec<String>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Issuer {
    /// An issuer with these keys, whose document is where RFC 8414 puts it.
    pub async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let id = format!(
            "http://{}",
            listener.local_addr().expect("a listener has an address")
        );
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Well,
            document: json!({"issuer": id, "jwks_uri": format!("{id}/keys"), "token_endpoint": format!("{id}/token")}),
            document_path: "/.well-known/oauth-authorization-server".to_owned(),
            page: None,
            keys: json!({"keys": []}),
            verdicts: Vec::new(),
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&shared), request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        let issuer = Self { id, state, task };
        issuer.publish(keys.iter().map(|key| key.jwk()));
        issuer
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it looks")
    }

    /// Replaces the published keys.
    pub fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        let keys: Vec<Value> = keys.into_iter().collect();
        self.state().keys = json!({ "keys": keys });
    }

    /// Changes how it is.
    pub fn is(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Moves the document, and changes a member of it.
    pub fn document(&self, path: &str, member: &str, value: &str) {
        let mut state = self.state();
        path.clone_into(&mut state.document_path);
        state.document[member] = json!(value);
    }

    /// Answers this path with something that is no JSON object.
    pub fn page(&self, path: &str) {
        self.state().page = Some(path.to_owned());
    }

    /// Answers introspection of `token` with `verdict`, from now on.
    pub fn knows(&self, token: &str, verdict: Value) {
        self.state().verdicts.push((token.to_owned(), verdict));
    }

    /// How many requests there were for a path that begins like this.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        self.state()
            .requests
            .iter()
            .filter(|request| request.contains(&format!(" {path}")))
            .count()
    }

    /// Every request: method, path, who asked, body.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|_| "the request broke")?
        .to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let who = head
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("-");
    let (mood, found) = {
        let mut state = state.lock().map_err(|_| "a test panicked")?;
        state
            .requests
            .push(format!("{} {} {who} {body}", head.method, head.uri.path()));
        let found = match (&head.method, head.uri.path()) {
            (&Method::GET, path) if path == state.document_path => Some(state.document.clone()),
            (&Method::GET, path) if Some(path) == state.page.as_deref() => {
                Some(json!("a page for people"))
            }
            (&Method::GET, "/keys" | "/cdn-cgi/access/certs") => Some(state.keys.clone()),
            (&Method::POST, "/introspect") => {
                let asked = |(token, _): &&(String, Value)| {
                    body.split('&').any(|part| part == format!("token={token}"))
                };
                let verdict = state
                    .verdicts
                    .iter()
                    .rev()
                    .find(asked)
                    .map(|(_, verdict)| verdict.clone());
                Some(verdict.unwrap_or_else(|| json!({"active": false})))
            }
            _ => None,
        };
        (state.mood.clone(), found)
    };
    match mood {
        Mood::Well => {}
        Mood::Slow(while_) => tokio::time::sleep(while_).await,
        Mood::Status(status) => return Ok(response(status, "{}".to_owned())),
        Mood::Says(text) => return Ok(response(200, text)),
        Mood::Gone => return Err("gone"),
    }
    Ok(match found {
        Some(found) => response(200, found.to_string()),
        None => response(404, "{}".to_owned()),
    })
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
