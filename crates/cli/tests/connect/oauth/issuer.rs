//! A server that wants tokens, and its issuer, on one port. It takes what OAuth 2.1 lets it take
//! and nothing else: the redirect that was registered, the proof of PKCE, each code once.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What is wrong with it.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) no_registration: bool,
    pub(super) no_pkce: bool,
    pub(super) resource: Option<&'static str>,
    pub(super) issuer: Option<&'static str>,
    pub(super) iss: Option<&'static str>,
    pub(super) elsewhere: bool,
    pub(super) denied: bool,
    /// Members of the metadata document in place of the good ones; `OWN` is this server.
    pub(super) document: Option<(&'static str, &'static str)>,
    /// The status of documents.
    pub(super) status: Option<u16>,
    /// It gives no tokens.
    pub(super) no_tokens: bool,
    /// It takes no token, not even its own.
    pub(super) deaf: bool,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    scopes: Vec<String>,
    redirects: HashSet<String>,
    /// What each code was given for.
    codes: HashMap<String, HashMap<String, String>>,
    /// The scope of each token.
    tokens: HashMap<String, String>,
    refresh: HashMap<String, String>,
    /// Each refresh token that came, in order.
    renewals: Vec<String>,
    no_refresh: bool,
    page: Option<String>,
    next: u64,
}

pub(super) struct Issuer {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    pub(super) fn start(faults: Faults) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // one that hung up is no fault
                let _ = answer(stream, port, &faults, &shared);
            }
        });
        Self { port, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn asked(&self, path: &str) -> usize {
        self.state()
            .asked
            .iter()
            .filter(|asked| *asked == path)
            .count()
    }

    /// Waits until so many requests came for a path.
    pub(super) fn wait_for(&self, path: &str, times: usize) {
        let begin = std::time::Instant::now();
        while self.asked(path) < times {
            assert!(begin.elapsed() < crate::PATIENCE, "{path} is not asked for");
            std::thread::yield_now();
        }
    }

    /// Its page is somewhere else.
    pub(super) fn move_page(&self, place: &str) {
        self.state().page = Some(place.to_owned());
    }

    /// It gives no refresh tokens.
    pub(super) fn renew_nothing(&self) {
        self.state().no_refresh = true;
    }

    /// Those that each sign-in asked for.
    pub(super) fn scopes(&self) -> Vec<String> {
        self.state().scopes.clone()
    }

    /// Whether a refresh token came twice, which ends a sign-in at real issuers.
    pub(super) fn saw_one_twice(&self) -> bool {
        let state = self.state();
        let different: HashSet<&String> = state.renewals.iter().collect();
        different.len() < state.renewals.len()
    }

    pub(super) fn end_tokens(&self) {
        self.state().tokens.clear();
    }

    pub(super) fn end_sign_ins(&self) {
        self.end_tokens();
        self.state().refresh.clear();
    }
}

fn answer(
    mut stream: TcpStream,
    port: u16,
    faults: &Faults,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap_or_default(),
            Some(("authorization", value)) => token = value.replace("Bearer ", ""),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let target = first.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(path.to_owned());
    let own = format!("http://127.0.0.1:{port}");
    let (status, header, body) = match path {
        "/mcp" => mcp(&state, &own, faults, &token, &body),
        "/.well-known/oauth-protected-resource/mcp" => {
            let resource = faults.resource.map_or(format!("{own}/mcp"), str::to_owned);
            let document = json!({"resource": resource, "authorization_servers": [own]});
            (faults.status.unwrap_or(200), String::new(), document)
        }
        "/.well-known/oauth-authorization-server" => {
            let mut document = document(&own, faults);
            if let Some(page) = &state.page {
                document["authorization_endpoint"] = json!(page);
            }
            (200, String::new(), document)
        }
        "/register" => {
            let client: Value = serde_json::from_slice(&body).unwrap_or_default();
            let redirect = client["redirect_uris"][0].as_str().unwrap_or_default();
            state.redirects.insert(redirect.to_owned());
            (201, String::new(), json!({"client_id": "registered"}))
        }
        "/authorize" => authorize(&mut state, &own, faults, query.as_bytes()),
        "/token" if faults.no_tokens => (400, String::new(), json!({"error": "invalid_grant"})),
        "/token" => grant(&mut state, &own, &body),
        _ => (404, String::new(), json!({})),
    };
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\n{header}connection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

type Answer = (u16, String, Value);

fn mcp(state: &State, own: &str, faults: &Faults, token: &str, body: &[u8]) -> Answer {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let wanted = match message["params"]["name"].as_str() {
        Some("write") => "write",
        _ => "read",
    };
    let place = if faults.elsewhere {
        "http://127.0.0.1:1"
    } else {
        own
    };
    let place = format!("{place}/.well-known/oauth-protected-resource/mcp");
    let challenge = |error: &str| {
        format!(
            "www-authenticate: Bearer {error}scope=\"{wanted}\", resource_metadata=\"{place}\"\r\n"
        )
    };
    match state.tokens.get(token).filter(|_| !faults.deaf) {
        None => (401, challenge(""), json!({})),
        Some(scope) if !scope.split(' ').any(|scope| scope == wanted) => {
            (403, challenge("error=\"insufficient_scope\", "), json!({}))
        }
        Some(_) => {
            let result = json!({"content": [{"type": "text", "text": "Hello!"}]});
            let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            (200, String::new(), answer)
        }
    }
}

fn document(own: &str, faults: &Faults) -> Value {
    let mut document = json!({
        "issuer": faults.issuer.unwrap_or(own),
        "authorization_endpoint": format!("{own}/authorize"),
        "token_endpoint": format!("{own}/token"),
        "registration_endpoint": format!("{own}/register"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let members = document.as_object_mut().expect("an object");
    if let Some((member, value)) = faults.document {
        let value = value.replace("OWN", own);
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        members.insert(member.to_owned(), value);
    }
    if faults.no_registration {
        members.remove("registration_endpoint");
    }
    if faults.no_pkce {
        members.remove("code_challenge_methods_supported");
    }
    document
}

fn form(text: &[u8]) -> HashMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn authorize(state: &mut State, own: &str, faults: &Faults, query: &[u8]) -> Answer {
    let asked = form(query);
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let known = state.redirects.contains(of("redirect_uri")) || of("client_id") == "by-hand";
    if !known || of("code_challenge_method") != "S256" || of("resource") != format!("{own}/mcp") {
        return (400, String::new(), json!(asked));
    }
    state.scopes.push(of("scope").to_owned());
    state.next += 1;
    let code = format!("code-{}", state.next);
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.append_pair("state", of("state"));
    back.append_pair("iss", faults.iss.unwrap_or(own));
    if faults.denied {
        back.append_pair("error", "access_denied");
    } else {
        back.append_pair("code", &code);
    }
    let place = format!("location: {}?{}\r\n", of("redirect_uri"), back.finish());
    state.codes.insert(code, asked);
    (302, place, json!({}))
}

fn grant(state: &mut State, own: &str, body: &[u8]) -> Answer {
    let sent = form(body);
    let of = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
    let scope = match of("grant_type") {
        "refresh_token" => {
            state.renewals.push(of("refresh_token").to_owned());
            state.refresh.remove(of("refresh_token"))
        }
        "authorization_code" => state.codes.remove(of("code")).and_then(|asked| {
            let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
            let same = |name: &str| asked.get(name) == sent.get(name);
            let good = asked.get("code_challenge") == Some(&proof)
                && same("client_id")
                && same("redirect_uri");
            good.then(|| asked.get("scope").cloned().unwrap_or_default())
        }),
        _ => None,
    };
    let Some(scope) = scope.filter(|_| of("resource") == format!("{own}/mcp")) else {
        return (400, String::new(), json!({"error": "invalid_grant"}));
    };
    state.next += 1;
    let (token, refresh) = (
        format!("token-{}", state.next),
        format!("again-{}", state.next),
    );
    state.tokens.insert(token.clone(), scope.clone());
    state.refresh.insert(refresh.clone(), scope.clone());
    let mut answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": refresh, "scope": scope,
    });
    if state.no_refresh {
        answer["refresh_token"] = Value::Null;
    }
    (200, String::new(), answer)
}
