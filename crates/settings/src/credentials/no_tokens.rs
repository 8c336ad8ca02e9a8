//! The same where the program checks no tokens: a setting that needs them is a mistake.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::Scopes;
use mcpfn_http::{AuthConfig, Authenticator};

use super::needed::OpenKeySource;
use crate::methods::AuthMethod;
use crate::reader::EnvReader;

pub(super) fn access(
    reader: &mut EnvReader<'_>,
    _: &Scopes,
    _: Duration,
) -> Option<Arc<dyn Authenticator>> {
    refuse(reader, AuthMethod::CloudflareAccess);
    None
}

pub(super) fn oauth(
    reader: &mut EnvReader<'_>,
    _: &Scopes,
    _: Duration,
    _: Option<OpenKeySource>,
    _: &mut AuthConfig,
) -> Option<String> {
    refuse(reader, AuthMethod::OAuth);
    None
}

fn refuse(reader: &mut EnvReader<'_>, method: AuthMethod) {
    reader.mistake(format!(
        "MCPFN_AUTH has {}, and this program was built without tokens: add `tokens` to the features \
         of mcpfn in Cargo.toml, or choose another method",
        method.as_str()
    ));
}
