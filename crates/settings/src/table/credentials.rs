//! Which tokens, API keys and signed requests are believed, and what their holders may do. Whether
//! callers are asked for any is `MCPFN_AUTH`, which stands with the settings of every server.

use crate::setting::{Hosts, Setting};

const OAUTH: &[&str] = &["oauth"];
const API_KEY: &[&str] = &["api-key"];
const ACCESS: &[&str] = &["access"];

pub(super) const CREDENTIALS: &[Setting] = &[
    Setting::new(
        "MCPFN_ISSUER",
        "URL,..",
        "",
        "issuers whose access tokens are accepted, as in the tokens' iss",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_ISSUER_SCOPES",
        "ISSUER=SCOPE SCOPE;..",
        "everything, with one issuer",
        "what each issuer may grant at most; needed with several",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_PUBLIC_URL",
        "URL",
        "the first URL of MCPFN_AUDIENCE",
        "URL of the MCP endpoint as clients use it; tokens are issued for it",
    )
    .on(Hosts::DEPLOYED)
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_PUBLIC_URL",
        "URL",
        "the first URL of MCPFN_AUDIENCE",
        "URL of the MCP endpoint as clients use it: tokens are issued for it, and requests through \
         a proxy may name its host",
    )
    .on(Hosts::LOCAL)
    .with_auth(&["oauth", "api-key"]),
    Setting::new(
        "MCPFN_AUDIENCE",
        "TEXT,..",
        "MCPFN_PUBLIC_URL",
        "what tokens have in aud if that is not the URL",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_CLIENT_IDS",
        "ID,..",
        "none",
        "clients whose tokens are taken although they name no audience, as those of Amazon Cognito",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_ADVERTISED_SCOPES",
        "read|all|SCOPE ..",
        "read: those of everything that only reads",
        "scopes that clients are told to ask for first, in the metadata and in challenges",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_LIST_STEP_UP",
        "on|off",
        "on",
        "whether tools are listed whose scopes a caller lacks and can ask for; a call of one is \
         refused with these scopes",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_JWKS_URL",
        "URL",
        "found through the issuer",
        "where the keys of the issuer are",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_INTROSPECTION_URL",
        "URL",
        "none",
        "endpoint that is asked about tokens that are not signed; the next two go with it",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_INTROSPECTION_CLIENT_ID",
        "TEXT",
        "",
        "the client that asks",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_INTROSPECTION_CLIENT_SECRET",
        "TEXT",
        "",
        "that client's secret",
    )
    .secret()
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_API_KEYS",
        "ENTRY;..",
        "",
        "name:hash or name:hash:scope scope, separated by semicolons or line ends; hash is the \
         key's SHA-256",
    )
    .with_auth(API_KEY),
    Setting::new(
        "MCPFN_API_KEYS_SOURCE",
        "file:PATH",
        "none",
        "a file with such a list instead, read again while the server runs",
    )
    .on(Hosts::LOCAL)
    .with_auth(API_KEY),
    Setting::new(
        "MCPFN_API_KEYS_SOURCE",
        "ssm:NAME|secretsmanager:NAME",
        "none",
        "a parameter or secret with such a list instead, read again while the server runs",
    )
    .on(Hosts::LAMBDA)
    .with_auth(API_KEY),
    Setting::new(
        "MCPFN_ACCESS_TEAM",
        "TEAM",
        "",
        "the TEAM of TEAM.cloudflareaccess.com",
    )
    .on(Hosts::WORKERS)
    .with_auth(ACCESS),
    Setting::new(
        "MCPFN_ACCESS_AUDIENCE",
        "TAG,..",
        "",
        "AUD tags of applications of Cloudflare Access",
    )
    .on(Hosts::WORKERS)
    .with_auth(ACCESS),
    Setting::new(
        "MCPFN_IAM_SCOPES",
        "ARN=SCOPE SCOPE;..",
        "MCPFN_DEFAULT_SCOPES for each of them",
        "what callers may do whom IAM recognised; * in an ARN stands for anything but : and /",
    )
    .on(Hosts::LAMBDA)
    .with_auth(&["iam", "authorizer"]),
    Setting::new(
        "MCPFN_DEFAULT_SCOPES",
        "SCOPE SCOPE",
        "none",
        "scopes of a credential that names none of its own; * is every scope",
    )
    .with_auth(&["oauth", "api-key", "access", "iam", "authorizer"]),
    Setting::new(
        "MCPFN_KEYS_MAX_AGE_SECONDS",
        "SECONDS",
        "900",
        "how long issuers' keys and lists of API keys are used after they were read, 60 to 86400; \
         then callers get 503 until they can be read",
    )
    .with_auth(&["oauth", "api-key", "access"]),
];
