//! One server behind HTTP: a message to it, with the headers that its revision wants. What comes back is
//! not judged here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::Value;

use crate::arguments::{Access, SignInArguments};
use crate::credentials::RequestCredentials;
use crate::http::{Http, LostAnswer, endpoint};
use crate::oauth::SignIn;
use crate::output::CliError;

/// The revision that this program speaks by itself.
pub(crate) const REVISION: &str = "2026-07-28";
/// Where a message says its revision.
pub(crate) const REVISION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// The generation of the token that a request carried, at most.
#[derive(Clone, Copy)]
struct UsedToken(u64);

/// A server, and what was learned about it.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) url: Uri,
    http: Http,
    credentials: RequestCredentials,
    sign_in: Option<Arc<SignIn>>,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default, Clone)]
struct Learned {
    /// Of a handshake.
    revision: Option<String>,
    session: Option<HeaderValue>,
    /// Arguments of tools that a header has to repeat: for each tool, member and header.
    parameters: HashMap<String, Vec<(String, HeaderName)>>,
}

impl Remote {
    pub(crate) fn new(url: &str, access: &Access) -> Result<Self, CliError> {
        let url = endpoint(url)?;
        let credentials = RequestCredentials::new(access, &url)?;
        Ok(Self {
            url,
            http: Http::new(),
            credentials,
            sign_in: None,
            learned: Mutex::default(),
        })
    }

    /// Signs a person in where the server wants that, unless other credentials were given.
    pub(crate) fn with_sign_in(mut self, arguments: &SignInArguments) -> Self {
        if self.credentials.named().is_none() && !arguments.no_sign_in {
            self.sign_in = Some(Arc::new(SignIn::new(&self.url, &self.http, arguments)));
        }
        self
    }

    /// The credentials that a person gave, in words.
    pub(crate) fn credentials(&self) -> Option<String> {
        self.credentials.named()
    }

    /// Whether a message that was refused so may be sent again with another token.
    ///
    /// # Errors
    /// Why no token could be had.
    pub(crate) async fn let_in(&self, response: &Response<Incoming>) -> Result<bool, CliError> {
        let Some(sign_in) = &self.sign_in else {
            return Ok(false);
        };
        let challenges = response.headers().get_all(WWW_AUTHENTICATE);
        let mut texts = challenges.iter().filter_map(|value| value.to_str().ok());
        let challenge = texts
            .find(|text| text.to_ascii_lowercase().contains("bearer "))
            .unwrap_or_default();
        let wanted = match response.status().as_u16() {
            401 => true,
            403 => challenge.contains("insufficient_scope"),
            _ => false,
        };
        if !wanted {
            return Ok(false);
        }
        let used = response
            .extensions()
            .get::<UsedToken>()
            .map_or(0, |used| used.0);
        sign_in.renew(challenge, used).await.map(|()| true)
    }

    /// Sends a message.
    pub(crate) async fn post(&self, message: &Value) -> Result<Response<Incoming>, LostAnswer> {
        let used = self.sign_in.as_ref().map_or(0, |it| it.generation());
        let body = Bytes::from(message.to_string());
        let request = self.request(Method::POST, &body, message).await;
        let mut response = self.send(request).await?;
        response.extensions_mut().insert(UsedToken(used));
        Ok(response)
    }

    /// Opens the stream of a session on which the server speaks by itself, or what comes after an
    /// event of any stream.
    pub(crate) async fn listen(
        &self,
        after: Option<&str>,
    ) -> Result<Response<Incoming>, LostAnswer> {
        let used = self.sign_in.as_ref().map_or(0, |it| it.generation());
        let mut request = self.request(Method::GET, &Bytes::new(), &Value::Null).await;
        if let (Ok(request), Some(after)) = (&mut request, after) {
            match HeaderValue::from_bytes(after.as_bytes()) {
                Ok(after) => drop(request.headers_mut().insert(LAST_EVENT, after)),
                Err(_) => {
                    return Err(LostAnswer {
                        unsent: true,
                        unmade: true,
                        cause: "the name of the last event is no header".to_owned(),
                    });
                }
            }
        }
        let mut response = self.send(request).await?;
        response.extensions_mut().insert(UsedToken(used));
        Ok(response)
    }

    /// Ends the session, if there is one.
    pub(crate) async fn close(&self) {
        if self.has_session() {
            let request = self
                .request(Method::DELETE, &Bytes::new(), &Value::Null)
                .await;
            // a server that does not end it, or is gone, ends it later by itself
            let _ = self.send(request).await;
        }
    }

    /// Sends anything else to the same server.
    pub(crate) async fn send(
        &self,
        request: Result<Request<Full<Bytes>>, String>,
    ) -> Result<Response<Incoming>, LostAnswer> {
        let unmade = |cause| LostAnswer {
            unsent: true,
            unmade: true,
            cause,
        };
        self.http.send(request.map_err(unmade)?).await
    }

    async fn request(
        &self,
        method: Method,
        body: &Bytes,
        message: &Value,
    ) -> Result<Request<Full<Bytes>>, String> {
        let accept = if method == Method::GET {
            "text/event-stream"
        } else {
            "application/json, text/event-stream"
        };
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in self.headers_of(message) {
            headers.insert(name, value);
        }
        if let Some(sign_in) = &self.sign_in
            && let Some(token) = sign_in.token().await
        {
            request.headers_mut().insert(AUTHORIZATION, token);
        }
        self.credentials.add(&mut request, body).await?;
        Ok(request)
    }

    /// What headers have to say about a message.
    fn headers_of(&self, message: &Value) -> Vec<(HeaderName, HeaderValue)> {
        let learned = self.learned();
        let params = &message["params"];
        let mut headers = Vec::new();
        let mut add = |name: HeaderName, text: &str| headers.push((name, carried(text)));
        if let Some(revision) = params["_meta"][REVISION_KEY].as_str() {
            add(VERSION, revision);
            let method = message["method"].as_str().unwrap_or_default();
            add(HeaderName::from_static("mcp-method"), method);
            let target = match method {
                "tools/call" | "prompts/get" => params["name"].as_str(),
                "resources/read" => params["uri"].as_str(),
                _ => None,
            };
            if let Some(target) = target {
                add(HeaderName::from_static("mcp-name"), target);
            }
            let parameters = target.and_then(|tool| learned.parameters.get(tool));
            for (member, header) in parameters.into_iter().flatten() {
                match &params["arguments"][member] {
                    Value::Null => {}
                    Value::String(text) => add(header.clone(), text),
                    other => add(header.clone(), &other.to_string()),
                }
            }
            return headers;
        }
        if message["method"] != "initialize" {
            if let Some(revision) = &learned.revision {
                add(VERSION, revision);
            }
            if let Some(session) = learned.session {
                headers.push((SESSION, session));
            }
        }
        headers
    }

    /// Remembers what the answer to `request` says about the server.
    pub(crate) fn learn(&self, request: &Value, session: Option<&HeaderValue>, answer: &Value) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        match request["method"].as_str() {
            Some("initialize") => {
                let revision = answer["result"]["protocolVersion"].as_str();
                learned.revision = revision.map(str::to_owned);
                learned.session = session.cloned();
            }
            Some("tools/list") => {
                for tool in answer["result"]["tools"].as_array().into_iter().flatten() {
                    if let Some(name) = tool["name"].as_str() {
                        let parameters = parameters_of(&tool["inputSchema"]);
                        learned.parameters.insert(name.to_owned(), parameters);
                    }
                }
            }
            _ => {}
        }
    }

    pub(crate) fn has_session(&self) -> bool {
        self.session().is_some()
    }

    pub(crate) fn session(&self) -> Option<HeaderValue> {
        self.learned().session
    }

    /// Whether a handshake was made.
    pub(crate) fn is_older(&self) -> bool {
        self.learned().revision.is_some()
    }

    fn learned(&self) -> Learned {
        self.learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Members of an input schema that name a header.
fn parameters_of(schema: &Value) -> Vec<(String, HeaderName)> {
    let properties = schema["properties"].as_object();
    let named = properties
        .into_iter()
        .flatten()
        .filter_map(|(member, property)| {
            let header = format!("mcp-param-{}", property["x-mcp-header"].as_str()?);
            Some((member.clone(), header.to_lowercase().parse().ok()?))
        });
    named.collect()
}

/// A text as a header carries it: itself, or in Base64 where a header may not have its characters.
fn carried(text: &str) -> HeaderValue {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !text.starts_with("=?base64?");
    let value = if plain {
        HeaderValue::from_str(text)
    } else {
        HeaderValue::from_str(&format!("=?base64?{}?=", STANDARD.encode(text)))
    };
    // both are visible ASCII
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remote() -> Remote {
        Remote::new("http://127.0.0.1:1/mcp", &Access::default()).unwrap()
    }

    fn headers(remote: &Remote, message: &Value) -> Vec<(String, String)> {
        let text = |(name, value): (HeaderName, HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        remote.headers_of(message).into_iter().map(text).collect()
    }

    #[test]
    fn a_message_of_its_own_is_repeated_in_headers() {
        let remote = remote();
        let list = json!({"id": 1, "method": "tools/list"});
        let tools = json!([{"name": "find", "inputSchema": {"properties": {
            "city": {"x-mcp-header": "City"}, "days": {"x-mcp-header": "Days"}, "other": {}
        }}}]);
        remote.learn(&list, None, &json!({"result": {"tools": tools}}));
        let call = json!({"id": 2, "method": "tools/call", "params": {
            "name": "find", "arguments": {"city": "Ærø", "days": 3, "other": "x"},
            "_meta": {REVISION_KEY: REVISION}
        }});
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            headers(&remote, &call),
            [
                pair("mcp-protocol-version", "2026-07-28"),
                pair("mcp-method", "tools/call"),
                pair("mcp-name", "find"),
                pair("mcp-param-city", "=?base64?w4Zyw7g=?="),
                pair("mcp-param-days", "3"),
            ]
        );
    }

    #[test]
    fn a_handshake_is_remembered() {
        let remote = remote();
        let hello = json!({"id": 1, "method": "initialize", "params": {}});
        assert!(headers(&remote, &hello).is_empty());
        let session = HeaderValue::from_static("s-1");
        let answer = json!({"result": {"protocolVersion": "2025-06-18"}});
        remote.learn(&hello, Some(&session), &answer);
        let list = headers(&remote, &json!({"id": 2, "method": "tools/list"}));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair("mcp-protocol-version", "2025-06-18"),
            pair("mcp-session-id", "s-1"),
        ];
        assert_eq!(list, expected);
    }
}
