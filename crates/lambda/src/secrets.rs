//! Secrets from SSM Parameter Store and AWS Secrets Manager: one signed request each, when it is
//! asked for. When that is, and what is done with an answer that does not come, is decided by the
//! owner of the secret.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mcpfn_auth::KeySource;
use mcpfn_aws::{AccessKeys, AwsAccount};
use mcpfn_core::{
    handler::BoxFuture,
    port::{HttpClient, HttpRequest},
};
use mcpfn_settings::EnvReader;
use serde_json::{Value, json};

/// For the request that a first call waits for.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Secrets have 64 KiB at most, parameters 8.
const MAX_BODY: usize = 256 * 1024;

/// Where one secret is.
pub(crate) struct SecretSource {
    /// The variable that names it.
    variable: &'static str,
    store: Store,
    name: String,
    /// Which text of the JSON object that is kept there, if it is one.
    member: Option<String>,
    account: AwsAccount,
    /// Another address than the region's own.
    endpoint: Option<String>,
    client: Arc<dyn HttpClient>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    Parameters,
    Secrets,
}

impl Store {
    /// The service's name in addresses and signatures.
    fn service(self) -> &'static str {
        match self {
            Self::Parameters => "ssm",
            Self::Secrets => "secretsmanager",
        }
    }

    fn endpoint_variable(self) -> &'static str {
        match self {
            Self::Parameters => "AWS_ENDPOINT_URL_SSM",
            Self::Secrets => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }

    /// The one action that a role needs.
    fn action(self) -> &'static str {
        match self {
            Self::Parameters => "ssm:GetParameter",
            Self::Secrets => "secretsmanager:GetSecretValue",
        }
    }

    /// The operation, and the question.
    fn question(self, name: &str) -> (&'static str, Value) {
        match self {
            Self::Parameters => (
                "AmazonSSM.GetParameter",
                json!({"Name": name, "WithDecryption": true}),
            ),
            Self::Secrets => ("secretsmanager.GetSecretValue", json!({"SecretId": name})),
        }
    }

    /// The text in an answer.
    fn text(self, answer: &Value) -> Option<&str> {
        match self {
            Self::Parameters => answer["Parameter"]["Value"].as_str(),
            Self::Secrets => answer["SecretString"].as_str(),
        }
    }
}

impl SecretSource {
    /// `ssm:NAME` or `secretsmanager:NAME`, where a name may be an ARN, and `#MEMBER` behind it is a
    /// member of the JSON object that is kept there. Asks nothing.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        variable: &'static str,
        source: &str,
        client: Arc<dyn HttpClient>,
    ) -> Option<Self> {
        let (place, member) = match source.split_once('#') {
            Some((place, member)) => (place, Some(member.to_owned())),
            None => (source, None),
        };
        let (kind, name) = place.split_once(':').unwrap_or_default();
        let store = [Store::Parameters, Store::Secrets]
            .into_iter()
            .find(|store| store.service() == kind);
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@-:".contains(letter);
        let Some(store) = store.filter(|_| !name.is_empty() && name.chars().all(legal)) else {
            // not repeated: it may be the secret itself
            reader.mistake(format!(
                "{variable} must be ssm: and a parameter of SSM, or secretsmanager: and a secret of Secrets Manager, each by its name or \
                 its ARN, such as ssm:/mcpfn/api-keys"
            ));
            return None;
        };
        let account = AwsAccount::read(reader, variable, &client);
        let endpoint = mcpfn_aws::endpoint(reader, store.endpoint_variable());
        Some(Self {
            variable,
            store,
            name: name.to_owned(),
            member,
            account,
            endpoint,
            client,
        })
    }

    async fn fetch(&self) -> Result<String, String> {
        let unsigned = |why| format!("{self} can't be read: {why}");
        let region = self.account.region().await.map_err(unsigned)?;
        let keys = self.account.keys().await.map_err(unsigned)?;
        let request = self.signed(&region, &keys, SystemTime::now())?;
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| format!("{self} can't be read: {error}"))?;
        let success = answer.is_success();
        let answer: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| format!("{self}: status {}, and no JSON", answer.status))?;
        if !success {
            return Err(self.refusal(&answer, &region));
        }
        let text = self
            .store
            .text(&answer)
            .ok_or_else(|| format!("{self} has no text: a binary value can't be used here"))?;
        match &self.member {
            Some(member) => self.member_of(text, member),
            None => Ok(text.to_owned()),
        }
    }

    /// One text of a JSON object. Nothing of the object is repeated where it has none.
    fn member_of(&self, text: &str, member: &str) -> Result<String, String> {
        let object: Option<Value> = serde_json::from_str(text).ok();
        let found = object.as_ref().and_then(|object| object[member].as_str());
        found.map(str::to_owned).ok_or_else(|| {
            format!(
                "{self} is no JSON object with the text `{member}`: correct the part after # in {}",
                self.variable
            )
        })
    }

    fn url(&self, region: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => format!(
                "https://{}.{region}.{}/",
                self.store.service(),
                mcpfn_aws::domain(region)
            ),
        }
    }

    fn signed(
        &self,
        region: &str,
        keys: &AccessKeys,
        now: SystemTime,
    ) -> Result<HttpRequest, String> {
        let (operation, question) = self.store.question(&self.name);
        let request = HttpRequest::post(
            self.url(region),
            "application/x-amz-json-1.1",
            question.to_string(),
        );
        let request = request
            .header("x-amz-target", operation)
            .timeout(TIMEOUT)
            .max_body(MAX_BODY);
        mcpfn_aws::sign(request, self.store.service(), region, keys, now)
            .map_err(|why| format!("{self}: {why}"))
    }

    /// What the service says, and what to change.
    fn refusal(&self, answer: &Value, region: &str) -> String {
        let code = answer["__type"].as_str().unwrap_or_default();
        // `com.amazonaws.ssm#ParameterNotFound`
        let code = code.rsplit('#').next().unwrap_or_default();
        match code {
            "ParameterNotFound" | "ResourceNotFoundException" => {
                format!(
                    "{self} does not exist in {region}: make it, or correct {}",
                    self.variable
                )
            }
            "AccessDeniedException" => {
                let action = self.store.action();
                format!(
                    "{self} is not for this function: allow its role {action} on it, and \
                     kms:Decrypt if it has a key of your own"
                )
            }
            _ => {
                let message = ["message", "Message"]
                    .into_iter()
                    .find_map(|name| answer[name].as_str())
                    .unwrap_or("no message");
                format!("{self} can't be read: {code}: {message}")
            }
        }
    }
}

impl KeySource for SecretSource {
    fn read(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.fetch())
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.store {
            Store::Parameters => "the parameter",
            Store::Secrets => "the secret",
        };
        write!(f, "{what} `{}`", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfn_native::Client;

    const LAMBDA: [(&str, &str); 3] = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ];

    fn read(source: &str, variables: &[(&str, &str)]) -> (Option<SecretSource>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let secret = SecretSource::read(
            &mut reader,
            "MCPFN_API_KEYS_SOURCE",
            source,
            Arc::new(Client::new()),
        );
        (
            secret,
            reader
                .finish(())
                .err()
                .map(|error| error.mistakes)
                .unwrap_or_default(),
        )
    }

    #[test]
    fn names_and_arns() {
        for (source, service, name) in [
            ("ssm:/mcpfn/keys", "ssm", "/mcpfn/keys"),
            (
                "ssm:arn:aws:ssm:eu-west-1:1:parameter/x",
                "ssm",
                "arn:aws:ssm:eu-west-1:1:parameter/x",
            ),
            ("secretsmanager:keys", "secretsmanager", "keys"),
        ] {
            let (secret, mistakes) = read(source, &LAMBDA);
            let secret = secret.unwrap();
            assert!(mistakes.is_empty(), "{mistakes:?}");
            assert_eq!(
                (secret.url("eu-west-1"), secret.name.as_str()),
                (format!("https://{service}.eu-west-1.amazonaws.com/"), name)
            );
        }
    }

    #[test]
    fn a_member_of_a_secret_is_one_text_of_it() {
        let member = |source: &str| {
            let secret = read(source, &LAMBDA).0.unwrap();
            let member = secret.member.clone().unwrap();
            secret.member_of(r#"{"key": "hunter2", "port": 1}"#, &member)
        };
        assert_eq!(member("ssm:/a#key").as_deref(), Ok("hunter2"));
        let arn = "secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf#key";
        assert_eq!(member(arn).as_deref(), Ok("hunter2"));
        for source in ["ssm:/a#port", "ssm:/a#nothing", "ssm:/a#"] {
            let cause = member(source).unwrap_err();
            assert!(
                cause.contains("after #") && !cause.contains("hunter2"),
                "{cause}"
            );
        }
    }

    #[test]
    fn a_source_that_is_none_is_a_mistake_and_not_repeated() {
        for source in ["", "ssm", "ssm:", "vault:x", "ssm:a b", "alice:hunter3"] {
            let (secret, mistakes) = read(source, &LAMBDA);
            assert!(
                secret.is_none() && mistakes.len() == 1,
                "{source}: {mistakes:?}"
            );
            assert!(
                mistakes[0].contains("such as ssm:/mcpfn/api-keys")
                    && !mistakes[0].contains("hunter3"),
                "{mistakes:?}"
            );
        }
        let wrong = [
            ("AWS_ENDPOINT_URL", "localhost"),
            ("AWS_ACCESS_KEY_ID", "a"),
        ];
        assert_eq!(read("ssm:x", &wrong).1.len(), 2);
    }

    #[test]
    fn refusals_say_what_to_change() {
        let (secret, _) = read("ssm:/x", &LAMBDA);
        let secret = secret.unwrap();
        let told = |answer: &Value| secret.refusal(answer, "eu-west-1");
        assert!(
            told(&json!({"__type": "com.amazonaws.ssm#ParameterNotFound"}))
                .contains("does not exist in eu-west-1")
        );
        assert!(
            told(&json!({"__type": "AccessDeniedException"}))
                .contains("allow its role ssm:GetParameter")
        );
        assert!(
            told(&json!({"__type": "ThrottlingException", "message": "slow down"}))
                .contains("ThrottlingException: slow down")
        );
    }

    #[tokio::test]
    async fn requests_are_signed_and_show_no_secret() {
        let (secret, _) = read(
            "secretsmanager:keys",
            &[LAMBDA.as_slice(), &[("AWS_SESSION_TOKEN", "hunter4")]].concat(),
        );
        let secret = secret.unwrap();
        let keys = secret.account.keys().await.unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let request = secret.signed("eu-west-1", &keys, now).unwrap();
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
                .unwrap()
        };
        let authorization = header("authorization");
        assert!(authorization.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIA/20231114/eu-west-1/secretsmanager/aws4_request"
        ));
        assert!(
            authorization
                .contains("content-type;host;x-amz-date;x-amz-security-token;x-amz-target"),
            "{authorization}"
        );
        assert_eq!(header("x-amz-security-token"), "hunter4");
        assert!(!format!("{request:?}").contains("hunter"));
    }
}
