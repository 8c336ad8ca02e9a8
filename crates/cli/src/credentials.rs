//! What a request carries to be let in: headers that a person gave, with variables in them, or a
//! signature of AWS, by credentials from where every program of AWS finds them.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::Full;
use mcpfn_aws::AwsAccount;
use mcpfn_core::port::HttpClient;
use mcpfn_native::{Client, Variables};

use crate::arguments::Access;
use crate::output::CliError;

/// Headers and a signature.
#[derive(Clone)]
pub(crate) struct RequestCredentials {
    headers: Vec<(HeaderName, HeaderValue)>,
    signature: Option<(SigningScope, AwsAccount)>,
}

impl std::fmt::Debug for RequestCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // values are secrets
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Credentials")
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// For which service and region a request is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SigningScope {
    service: String,
    /// Of the URL or the command line; else that of the account.
    region: Option<String>,
}

impl RequestCredentials {
    /// What a person gave for a server at `url`.
    ///
    /// # Errors
    /// What is wrong with it; no value is repeated.
    pub(crate) fn new(access: &Access, url: &Uri) -> Result<Self, CliError> {
        let variable = |name: &str| std::env::var(name).ok();
        let headers = access
            .header
            .iter()
            .map(|text| header(text, &variable))
            .collect::<Result<_, _>>()?;
        let signature = access
            .sigv4
            .then(|| Ok::<_, CliError>((signing_scope(access, url), account()?)))
            .transpose()?;
        Ok(Self { headers, signature })
    }

    /// What lets in, in words: a header, as its name says, or a signature. `None` where nothing does.
    pub(crate) fn named(&self) -> Option<String> {
        if self.signature.is_some() {
            return Some("the signature of --sigv4".to_owned());
        }
        let (name, _) = self.headers.iter().find(|(name, _)| lets_in(name))?;
        Some(format!("what --header '{name}: ..' gives"))
    }

    /// The bearer token among the headers.
    pub(crate) fn bearer(&self) -> Option<String> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(name, _)| name == http::header::AUTHORIZATION)?;
        value
            .to_str()
            .ok()?
            .strip_prefix("Bearer ")
            .map(str::to_owned)
    }

    /// Adds them to a request. The last thing that is done to it.
    ///
    /// # Errors
    /// Why it can't be signed.
    pub(crate) async fn add(
        &self,
        request: &mut Request<Full<Bytes>>,
        body: &Bytes,
    ) -> Result<(), String> {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let Some((SigningScope { service, region }, account)) = &self.signature else {
            return Ok(());
        };
        let region: Arc<str> = match region {
            Some(region) => region.as_str().into(),
            None => account
                .region()
                .await
                .map_err(|why| format!("the URL names no region of AWS: give --region; {why}"))?,
        };
        let keys = account.keys().await?;
        let mut unsigned = mcpfn_core::port::HttpRequest::get(request.uri().to_string());
        unsigned.method = match request.method().as_str() {
            "GET" => "GET",
            "DELETE" => "DELETE",
            "OPTIONS" => "OPTIONS",
            _ => "POST",
        };
        unsigned.body = body.clone();
        // what a proxy may change is not signed
        let signed_names = ["content-type", "accept"];
        unsigned.headers = request
            .headers()
            .iter()
            .filter(|(name, _)| signed_names.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let before = unsigned.headers.len();
        let signed = mcpfn_aws::sign(unsigned, service, &region, &keys, SystemTime::now())?;
        for (name, value) in signed.headers.into_iter().skip(before) {
            let name: HeaderName = name.parse().map_err(|_| "a signed header has no name")?;
            let value = HeaderValue::from_str(&value).map_err(|_| "a signature is no header")?;
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

/// Whose credentials sign: those of the environment, a profile, a sign-in, a role.
fn account() -> Result<AwsAccount, CliError> {
    let client: Arc<dyn HttpClient> = Arc::new(Client::new());
    Variables::of_process()
        .read(|mut reader| {
            let account = AwsAccount::read(&mut reader, "--sigv4", &client);
            reader.finish(account)
        })
        .map_err(|error| CliError(error.to_string()))
}

/// `Name: value`, where `${NAME}` is the value of a variable: what stands in a command line can be
/// read by everybody at this machine.
fn header(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(HeaderName, HeaderValue), CliError> {
    let (name, value) = text.split_once(':').ok_or(
        "--header needs a name and a value, such as --header 'Authorization: Bearer ${TOKEN}'",
    )?;
    let name: HeaderName = name
        .trim()
        .parse()
        .map_err(|_| "--header: the name has characters that no header has; write 'Name: value'")?;
    let filled = filled(value.trim(), variable)?;
    let mut value = HeaderValue::from_str(&filled)
        .map_err(|_| format!("--header {name}: the value has characters that no header has"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Whether a header is a credential, as far as its name says.
fn lets_in(name: &HeaderName) -> bool {
    let words = [
        "auth",
        "key",
        "token",
        "secret",
        "cookie",
        "password",
        "credential",
        "session",
        "signature",
    ];
    words.iter().any(|word| name.as_str().contains(word))
}

fn filled(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, CliError> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after
            .split_once('}')
            .ok_or("--header: `${` has no `}` after it")?;
        let value = variable(name)
            .ok_or_else(|| format!("--header names the variable {name}, which is not set"))?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    Ok(out + rest)
}

/// Service and region stand in the host of most endpoints of AWS.
fn signing_scope(access: &Access, url: &Uri) -> SigningScope {
    let (service, region) = of_host(url.host().unwrap_or_default());
    let service = access.service.clone().or(service);
    SigningScope {
        service: service.unwrap_or_else(|| "lambda".to_owned()),
        region: access.region.clone().or(region),
    }
}

fn of_host(host: &str) -> (Option<String>, Option<String>) {
    let parts: Vec<&str> = host.split('.').collect();
    let owned = |text: &str| Some(text.to_owned());
    match parts.as_slice() {
        [_, "lambda-url", region, "on", "aws"] => (owned("lambda"), owned(region)),
        [_, "execute-api", region, "amazonaws", "com", ..] => (owned("execute-api"), owned(region)),
        [.., "bedrock-agentcore", region, "amazonaws", "com"] => {
            (owned("bedrock-agentcore"), owned(region))
        }
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(header: &[&str]) -> Access {
        Access {
            header: header.iter().map(ToString::to_string).collect(),
            ..Access::default()
        }
    }

    #[test]
    fn variables_stand_in_headers() {
        let variable = |name: &str| (name == "TOKEN").then(|| "hunter2".to_owned());
        let (name, value) = header("Authorization: Bearer ${TOKEN}", &variable).unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Bearer hunter2")
        );
        let bad = |name: &str| (name == "TOKEN").then(|| "hunter2\r\nx: y".to_owned());
        for (text, variable, why) in [
            (
                "X-Key: ${OTHER}",
                &variable as &dyn Fn(&str) -> _,
                "OTHER, which is not set",
            ),
            ("X-Key ${TOKEN}", &variable, "needs a name and a value"),
            (
                "X Key: ${TOKEN}",
                &variable,
                "characters that no header has",
            ),
            ("X-Key: ${TOKEN", &variable, "no `}`"),
            ("X-Key: ${TOKEN}", &bad, "characters that no header has"),
        ] {
            let error = header(text, variable).unwrap_err();
            assert!(
                error.0.contains(why) && !error.0.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn hosts_of_aws_name_service_and_region() {
        let given = Access {
            region: Some("eu-central-1".to_owned()),
            service: Some("execute-api".to_owned()),
            ..Access::default()
        };
        for (url, access, service, region) in [
            (
                "https://abc.lambda-url.eu-west-1.on.aws/mcp",
                &access(&[]),
                "lambda",
                Some("eu-west-1"),
            ),
            (
                "https://abc.execute-api.us-east-1.amazonaws.com/prod/mcp",
                &access(&[]),
                "execute-api",
                Some("us-east-1"),
            ),
            (
                "https://bedrock-agentcore.us-west-2.amazonaws.com/x",
                &access(&[]),
                "bedrock-agentcore",
                Some("us-west-2"),
            ),
            // that of the account
            ("https://mcp.example.com/mcp", &access(&[]), "lambda", None),
            (
                "https://abc.lambda-url.eu-west-1.on.aws/mcp",
                &given,
                "execute-api",
                Some("eu-central-1"),
            ),
        ] {
            let scope = signing_scope(access, &url.parse().unwrap());
            assert_eq!(
                (scope.service.as_str(), scope.region.as_deref()),
                (service, region),
                "{url}"
            );
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let url = "https://mcp.example.com/mcp".parse().unwrap();
        let made = RequestCredentials::new(&access(&["X-Api-Key: hunter2"]), &url).unwrap();
        assert!(!format!("{made:?}").contains("hunter2"));
    }
}
