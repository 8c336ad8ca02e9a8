//! The settings of the hosts: which there are, where each counts, what it means. Those of a program
//! (its toolkits, say) are a table of the program's own. Read by nothing here: `--help`, the check
//! of variables without effect and the tests take it as data.

mod machine;
mod page;
mod tools;

use crate::setting::{Hosts, Setting};
use machine::MACHINE;
use page::PAGE;
use tools::TOOLS;

const OAUTH: &[&str] = &["oauth"];
const API_KEY: &[&str] = &["api-key"];
const ACCESS: &[&str] = &["access"];

const PARTS: [&[Setting]; 4] = [MACHINE, TOOLS, PAGE, REST];
const LENGTH: usize = MACHINE.len() + TOOLS.len() + PAGE.len() + REST.len();

/// Every setting of every host.
pub const SETTINGS: &[Setting] = &joined();

/// The tables of settings, one after the other.
const fn joined() -> [Setting; LENGTH] {
    let mut all = [MACHINE[0]; LENGTH];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[at] = PARTS[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

const REST: &[Setting] = &[
    Setting::new(
        "MCPFN_AUTH",
        "METHOD,..",
        "none on loopback addresses",
        "how callers over HTTP prove who they are: oauth, api-key, or none, with which this \
         machine's own address is enough",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_AUTH",
        "METHOD,..",
        "",
        "how callers prove who they are: iam, authorizer (a JWT or Lambda authorizer in front), \
         oauth, api-key, or none, with which anybody may call; must be set",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_AUTH",
        "METHOD,..",
        "",
        "how callers prove who they are: oauth, api-key, access (Cloudflare Access in front), or \
         none, with which anybody may call; must be set",
    )
    .on(Hosts::WORKERS),
    Setting::new(
        "MCPFN_LAMBDA_MODE",
        "buffer|stream|tasks",
        "buffer",
        "how answers leave: stream for a function URL with InvokeMode RESPONSE_STREAM; tasks in the \
         function that runs tasks and has no URL",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_BASE_PATH",
        "PATH",
        "none",
        "path in front of /mcp, such as /tools; the stage of an API is taken off by itself",
    )
    .of_listening(),
    Setting::new(
        "MCPFN_DEADLINE_MARGIN_MS",
        "MILLISECONDS",
        "200",
        "how long before the function's timeout a call is ended with an answer",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_ALLOWED_ORIGINS",
        "ORIGIN,..",
        "none",
        "browser origins that may call, such as https://app.example.com or \
         chrome-extension://ID; vscode-webview://* is any of that scheme; loopback ones may on this \
         machine anyway",
    ),
    Setting::new(
        "MCPFN_REGISTRY_AUTH",
        "TEXT",
        "none",
        "what the registry of MCP servers reads at /.well-known/mcp-registry-auth, so that its \
         domain is yours: v=MCPv1; k=ed25519; p=KEY, with the public key; or k=ecdsap384",
    ),
    Setting::new(
        "MCPFN_MAX_BODY_BYTES",
        "BYTES",
        "4194304",
        "the most bytes of a message",
    )
    .on(Hosts::PROCESSES),
    Setting::new(
        "MCPFN_MAX_BODY_BYTES",
        "BYTES",
        "2097152",
        "the most bytes of a message",
    )
    .on(Hosts::WORKERS),
    Setting::new(
        "MCPFN_MAX_VALUES",
        "NUMBER",
        "100000",
        "the most JSON values of a message, at any depth; an object with members counts as five",
    ),
    Setting::new(
        "MCPFN_DYNAMODB_TABLE",
        "NAME",
        "none: each environment has its own",
        "DynamoDB table by which all environments share cached results, rate limits and idempotent \
         writes",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_DYNAMODB_TIMEOUT_MS",
        "MILLISECONDS",
        "250",
        "how long a request to the table may take, retry included; 10 to 10000",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_TASKS_FUNCTION",
        "NAME",
        "none: no call is a task",
        "name or ARN of the function that runs tasks; it needs MCPFN_DYNAMODB_TABLE and \
         MCPFN_STATE_KEY",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_RATE_LIMIT",
        "RATE",
        "none; 60/min with MCPFN_AUTH, and where others can reach the address",
        "calls and lists of one caller, such as 60/min, 10/s or 5/10s; or none",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_RATE_LIMIT",
        "RATE",
        "60/min",
        "calls and lists of one caller, such as 60/min, 10/s or 5/10s; or none",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_RATE_LIMIT",
        "RATE",
        "none",
        "calls and lists of one caller, such as 60/min or 100/10s, with a rate limit bound to it; or none",
    )
    .on(Hosts::WORKERS),
    Setting::new(
        "MCPFN_RATE_LIMIT_ON_ERROR",
        "allow|deny",
        "allow",
        "what happens to calls while the rate limiter is unavailable",
    ),
    Setting::new(
        "MCPFN_RATE_LIMIT_IPV6_PREFIX",
        "BITS",
        "64",
        "how many bits of an IPv6 address are one caller, where callers are told apart by it; 32 \
         to 128",
    ),
    Setting::new(
        "MCPFN_REFUSED_CREDENTIALS_LIMIT",
        "RATE",
        "60/min",
        "wrong tokens and API keys of one address, such as 60/min; then its requests get 429 \
         before anything of them is checked; or none",
    )
    .with_auth(&["oauth", "api-key", "access"]),
    Setting::new(
        "MCPFN_IDEMPOTENCY_ON_ERROR",
        "allow|deny",
        "deny",
        "what happens to writes with an idempotency key while their store is unavailable",
    ),
    Setting::new(
        "MCPFN_STATE_KEY",
        "KEY,..",
        "made at each start",
        "32 random bytes in Base64 that seal request state; several, newest first",
    )
    .secret(),
    Setting::new(
        "MCPFN_METRICS",
        "on|off",
        "off",
        "serve calls, faults and durations of each tool at /metrics, for Prometheus",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_METRICS",
        "emf|off",
        "off",
        "each call's log line is a CloudWatch metric too, which CloudWatch charges for",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_METRICS_NAMESPACE",
        "TEXT",
        "mcpfn",
        "the namespace of these metrics in CloudWatch, at most 255 letters, digits and . - _ / # :",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_METRICS_TOOLS",
        "NUMBER",
        "20",
        "how many tools have metrics of their own there, the first ones in the list; 0 to 1000",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_LOG",
        "error|warn|info|debug|trace",
        "info",
        "the least level that is logged; on stderr on this machine",
    )
    .on(Hosts::LOCAL.and(Hosts::WORKERS)),
    Setting::new(
        "MCPFN_LOG",
        "error|warn|info|debug|trace",
        "AWS_LAMBDA_LOG_LEVEL, or info",
        "the least level that is logged",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_LOG_FORMAT",
        "text|json",
        "text",
        "how log lines look",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_LOG_ARGUMENTS",
        "redacted|off",
        "off",
        "each call's log line has its arguments, without what looks like a secret",
    ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_means_one_thing_on_one_host() {
        for (position, setting) in SETTINGS.iter().enumerate() {
            for other in &SETTINGS[position + 1..] {
                assert!(
                    setting.name != other.name || !setting.hosts.meets(other.hosts),
                    "{} stands twice",
                    setting.name
                );
            }
            assert!(setting.name.starts_with("MCPFN_"));
            assert!(!setting.about.ends_with('.') && !setting.about.is_empty());
        }
    }
}
