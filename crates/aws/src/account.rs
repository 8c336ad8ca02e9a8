//! Whose requests they are: region and credentials, from the environment where it has them, as on
//! Lambda, and else from where every program of AWS looks. Nothing is asked before the first use.

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError};
use mcpfn_core::port::HttpClient;
use mcpfn_settings::EnvReader;

use crate::chain::Chain;
use crate::keys::{AccessKeys, is_region};

/// A region, and the credentials that requests are signed with. Copies share what was found, and so
/// do all accounts of a process whose credentials are not in its environment.
///
/// ```
/// use mcpfn_aws::{AccessKeys, AwsAccount};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let keys = AccessKeys { id: "AKID".into(), secret: "secret".into(), session: None };
/// let account = AwsAccount::new("eu-central-1", keys);
/// assert_eq!(&*account.region().await?, "eu-central-1");
/// assert_eq!(account.keys().await?.id, "AKID");
/// # Ok::<(), String>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct AwsAccount {
    /// Of the environment.
    region: Option<Arc<str>>,
    source: Source,
}

#[derive(Clone)]
enum Source {
    /// They do not change while the process lives.
    Environment(Arc<AccessKeys>),
    Chain(Arc<Chain>),
}

impl AwsAccount {
    /// This region, and these credentials.
    #[must_use]
    pub fn new(region: &str, keys: AccessKeys) -> Self {
        Self {
            region: Some(region.into()),
            source: Source::Environment(keys.into()),
        }
    }

    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, if they are set, as
    /// Lambda does. Otherwise what the SDKs of AWS find by themselves, in their order: the profile
    /// that `AWS_PROFILE` names in `~/.aws` (keys, roles, IAM Identity Center, processes), a web
    /// identity, the container's role, the instance's role. The region is `AWS_REGION`, else
    /// `AWS_DEFAULT_REGION`, else the profile's, else the instance's.
    ///
    /// `user` is the variable that needs them. What is asked of services goes through `client`, from
    /// the first use on.
    pub fn read(reader: &mut EnvReader<'_>, user: &str, client: &Arc<dyn HttpClient>) -> Self {
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(|name| reader.text(name));
        if region.as_deref().is_some_and(|region| !is_region(region)) {
            reader.mistake("AWS_REGION must be the name of a region, such as eu-west-1");
        }
        let id = reader.text("AWS_ACCESS_KEY_ID");
        let secret = reader.text("AWS_SECRET_ACCESS_KEY");
        let session = reader.text("AWS_SESSION_TOKEN");
        let source = match (id, secret) {
            (Some(id), Some(secret)) => Source::Environment(Arc::new(AccessKeys {
                id,
                secret,
                session,
            })),
            (None, None) => Source::Chain(Chain::of_this_process(client)),
            (id, _) => {
                let (set, missing) = match id {
                    Some(_) => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
                    None => ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
                };
                reader.mistake(format!(
                    "{set} is set, but {missing} is not, and {user} can't be used so: set both, or \
                     neither, e.g. with AWS_PROFILE"
                ));
                Source::Chain(Chain::of_this_process(client))
            }
        };
        Self {
            region: region.map(Into::into),
            source,
        }
    }

    /// The region.
    ///
    /// # Errors
    /// When there is none; a sentence that says what to change.
    pub async fn region(&self) -> Result<Arc<str>, String> {
        match (&self.region, &self.source) {
            (Some(region), _) => Ok(Arc::clone(region)),
            (None, Source::Chain(chain)) => chain.region().await,
            (None, Source::Environment(_)) => Err(
                "AWS_REGION is not set: set it to the region, such as eu-west-1; Lambda sets it \
                 by itself"
                    .to_owned(),
            ),
        }
    }

    /// The credentials, which are valid now. Those that expire are renewed before they do.
    ///
    /// # Errors
    /// When there are none; a sentence that says what to change.
    pub async fn keys(&self) -> Result<Arc<AccessKeys>, String> {
        match &self.source {
            Source::Environment(keys) => Ok(Arc::clone(keys)),
            Source::Chain(chain) => chain.keys().await,
        }
    }

    async fn credentials(&self) -> provider::Result {
        let keys = self.keys().await.map_err(CredentialsError::not_loaded)?;
        let AccessKeys {
            id,
            secret,
            session,
        } = &*keys;
        Ok(Credentials::new(id, secret, session.clone(), None, "mcpfn"))
    }
}

/// For a client of the SDK. It needs no cache of its own.
impl ProvideCredentials for AwsAccount {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        provider::future::ProvideCredentials::new(self.credentials())
    }
}

impl fmt::Debug for AwsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::Environment(_) => "environment",
            Source::Chain(_) => "default chain",
        };
        f.debug_struct("AwsAccount")
            .field("region", &self.region)
            .field("source", &source)
            .finish()
    }
}

/// `AWS_ENDPOINT_URL_SERVICE`, else `AWS_ENDPOINT_URL`: another address than the region's own.
pub fn endpoint(reader: &mut EnvReader<'_>, variable: &str) -> Option<String> {
    let endpoint = reader
        .text(variable)
        .or_else(|| reader.text("AWS_ENDPOINT_URL"));
    if endpoint
        .as_deref()
        .is_some_and(|endpoint| !is_address(endpoint))
    {
        reader.mistake(format!(
            "{variable} (or AWS_ENDPOINT_URL) must be an address such as http://127.0.0.1:8000"
        ));
    }
    endpoint
}

/// What the names of a region's services end with.
#[must_use]
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}
