//! Sign-in by OAuth: a person lets this program in by the browser, and the tokens are kept. What a
//! server says about itself is checked before a browser is opened.

mod asked;
mod browser;
mod discovery;
mod held;
mod kept;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderValue, Uri};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::arguments::SignInArguments;
use crate::http::{Http, endpoint};
use crate::output::CliError;
use browser::BrowserReturn;
use discovery::SignInIssuer;
use held::HeldSignIn;
use kept::KeptSignIn;

/// Tokens are renewed this long before they expire, in seconds.
const AHEAD: u64 = 30;
/// How long a sign-in that came to nothing is not begun again: every request that waits would send the
/// person to the browser once more.
const PAUSE: Duration = Duration::from_secs(30);

/// A person's way into one server.
#[derive(Debug)]
pub(crate) struct SignIn {
    url: Uri,
    http: Http,
    client_id: Option<String>,
    issuer: Option<String>,
    callback_port: u16,
    held: HeldSignIn,
    /// One at a time: there is one person.
    busy: tokio::sync::Mutex<LastAttempt>,
}

/// How the last attempt with the browser ended.
#[derive(Debug, Default)]
struct LastAttempt {
    ended: Option<Instant>,
    failure: Option<CliError>,
    /// The generation of the token that it brought.
    generation: Option<u64>,
}

impl SignIn {
    pub(crate) fn new(url: &Uri, http: &Http, arguments: &SignInArguments) -> Self {
        Self {
            url: url.clone(),
            http: http.clone(),
            client_id: arguments.client_id.clone(),
            issuer: arguments.issuer.clone(),
            callback_port: arguments.callback_port,
            held: HeldSignIn::new(url, arguments.client_id.clone()),
            busy: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.held.generation()
    }

    /// The token that requests carry, renewed where it is about to expire.
    pub(crate) async fn token(self: &Arc<Self>) -> Option<HeaderValue> {
        let generation = self.generation();
        let kept = self.held.kept();
        if is_old(&kept) && kept.refresh_token.is_some() {
            let this = Arc::clone(self);
            // if it fails, the server says what it wants
            let _ = tokio::spawn(async move {
                let _one = this.busy.lock().await;
                if this.generation() != generation {
                    return;
                }
                let _lock = this.held.lock().await;
                if is_old(&this.held.kept()) {
                    let _ = this.refresh().await;
                }
            })
            .await;
        }
        let token = self.held.kept().access_token?;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Gets a token that a server may accept that refused one of this generation.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        challenge: &str,
        generation: u64,
    ) -> Result<(), CliError> {
        let (this, challenge) = (Arc::clone(self), challenge.to_owned());
        // a task of its own: who gives up does not take the person's work back
        let renewing = tokio::spawn(async move {
            let mut last = this.busy.lock().await;
            if this.generation() != generation {
                return Ok(());
            }
            let _lock = this.held.lock().await;
            // another program was faster
            if this.generation() != generation && !is_old(&this.held.kept()) {
                return Ok(());
            }
            let more = challenge.contains("insufficient_scope");
            let renewable = this.held.kept().refresh_token.is_some();
            if !more && renewable && this.refresh().await.is_ok() {
                return Ok(());
            }
            this.ask_person_once(&challenge, more, &mut last).await
        });
        renewing
            .await
            .unwrap_or_else(|_| Err("the sign-in was broken off".into()))
    }

    /// Asks the person, unless that came to nothing a moment ago.
    async fn ask_person_once(
        &self,
        challenge: &str,
        more: bool,
        last: &mut LastAttempt,
    ) -> Result<(), CliError> {
        if last.ended.is_some_and(|ended| ended.elapsed() < PAUSE) {
            if let Some(failure) = &last.failure {
                return Err(failure.clone());
            }
            if !more && last.generation == Some(self.generation()) {
                let url = &self.url;
                return Err(format!(
                    "{url} refuses the token that was just made for it: see that it takes this issuer \
                     and audience"
                )
                .into());
            }
        }
        let done = self.ask_person(challenge).await;
        *last = LastAttempt {
            ended: Some(Instant::now()),
            failure: done.clone().err(),
            generation: done.is_ok().then(|| self.generation()),
        };
        done
    }

    async fn refresh(&self) -> Result<(), CliError> {
        let kept = self.held.kept();
        let (Some(endpoint), Some(token)) = (&kept.token_endpoint, &kept.refresh_token) else {
            return Err("there is nothing to renew a token with".into());
        };
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let answer = self.ask_for_token(endpoint, &kept, &form).await?;
        self.take(kept, &answer)
    }

    async fn ask_person(&self, challenge: &str) -> Result<(), CliError> {
        let expected = self.issuer.as_deref();
        let found = discovery::find(&self.http, &self.url, challenge, expected).await?;
        let old = self.held.kept();
        let mut kept = KeptSignIn {
            issuer: Some(found.issuer.name.clone()),
            resource: Some(found.resource.clone()),
            token_endpoint: Some(found.issuer.token_endpoint.clone()),
            ..KeptSignIn::default()
        };
        // what one issuer gave is shown to no other
        if old.issuer == kept.issuer {
            kept.client_id.clone_from(&old.client_id);
            kept.client_secret.clone_from(&old.client_secret);
            kept.callback_port = old.callback_port;
            kept.scope = united(&old.scope, &found.scope);
        } else {
            kept.scope.clone_from(&found.scope);
        }
        let wanted = match self.callback_port {
            0 => kept.callback_port,
            port => port,
        };
        let callback = BrowserReturn::listen(wanted).await?;
        self.be_known(&found.issuer, &callback, &mut kept).await?;
        kept.callback_port = callback.port;
        let (verifier, state) = (random()?, random()?);
        let address = authorization(&found.issuer, &callback, &kept, &verifier, &state)?;
        browser::open(&address);
        let (code, browser) = callback.code(&state, &found.issuer).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &callback.address()),
            ("code_verifier", &verifier),
        ];
        let endpoint = &found.issuer.token_endpoint;
        let answer = self.ask_for_token(endpoint, &kept, &form).await;
        let done = answer.and_then(|answer| self.take(kept, &answer));
        browser.tell(done.is_ok()).await;
        done
    }

    /// Finds out as which client this program comes.
    async fn be_known(
        &self,
        issuer: &SignInIssuer,
        callback: &BrowserReturn,
        kept: &mut KeptSignIn,
    ) -> Result<(), CliError> {
        if let Some(id) = &self.client_id {
            kept.client_id = Some(id.clone());
            kept.client_secret = None;
            return Ok(());
        }
        if kept.client_id.is_some() && kept.callback_port == callback.port {
            return Ok(());
        }
        let Some(registration) = &issuer.registration_endpoint else {
            return Err(format!(
                "{} lets no client register itself: make a public client there with the redirect \
                 address http://127.0.0.1:8976/callback, and give --client-id ID --callback-port 8976",
                issuer.name
            )
            .into());
        };
        let client = json!({
            "client_name": "cargo mcpfn connect",
            "application_type": "native",
            "redirect_uris": [callback.address()],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        let body = Bytes::from(client.to_string());
        let answer = asked::post(&self.http, registration, "application/json", body).await?;
        let Some(id) = answer["client_id"].as_str() else {
            return Err(format!("{} refused to register this client", issuer.name).into());
        };
        kept.client_id = Some(id.to_owned());
        kept.client_secret = answer["client_secret"].as_str().map(str::to_owned);
        Ok(())
    }

    async fn ask_for_token(
        &self,
        endpoint: &str,
        kept: &KeptSignIn,
        form: &[(&str, &str)],
    ) -> Result<Value, CliError> {
        let body = filled(kept, form);
        let kind = "application/x-www-form-urlencoded";
        asked::post(&self.http, endpoint, kind, body).await
    }

    fn take(&self, mut kept: KeptSignIn, answer: &Value) -> Result<(), CliError> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let Some(token) = text("access_token").filter(|_| bearer) else {
            let why = text("error").unwrap_or_else(|| "no bearer token came".to_owned());
            let why = mcpfn_core::text::visible(&why);
            return Err(format!("the sign-in failed: {why}; try again").into());
        };
        kept.access_token = Some(token);
        kept.expires_at = answer["expires_in"]
            .as_u64()
            .map(|lasts| now().saturating_add(lasts));
        // one that is not replaced stays good
        kept.refresh_token = text("refresh_token").or(kept.refresh_token);
        kept.scope = text("scope").or(kept.scope);
        self.held.keep(kept);
        Ok(())
    }
}

/// The form that asks for a token.
fn filled(kept: &KeptSignIn, form: &[(&str, &str)]) -> Bytes {
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    let members = [
        ("client_id", &kept.client_id),
        ("client_secret", &kept.client_secret),
        ("resource", &kept.resource),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            body.append_pair(name, value);
        }
    }
    body.finish().into()
}

fn authorization(
    issuer: &SignInIssuer,
    callback: &BrowserReturn,
    kept: &KeptSignIn,
    verifier: &str,
    state: &str,
) -> Result<String, CliError> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", kept.client_id.as_deref().unwrap_or_default())
        .append_pair("redirect_uri", &callback.address())
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state);
    for (name, value) in [("resource", &kept.resource), ("scope", &kept.scope)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let address = &issuer.authorization_endpoint;
    let mark = if address.contains('?') { '&' } else { '?' };
    let address = format!("{address}{mark}{}", query.finish());
    endpoint(&address).map(|_| address)
}

/// The scopes of both, each once.
fn united(one: &Option<String>, other: &Option<String>) -> Option<String> {
    let mut scopes: Vec<&str> = Vec::new();
    for scope in one.iter().chain(other).flat_map(|text| text.split(' ')) {
        if !scope.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

/// 256 bits that nobody can guess.
fn random() -> Result<String, CliError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn is_old(kept: &KeptSignIn) -> bool {
    kept.expires_at.is_some_and(|end| end <= now() + AHEAD)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
