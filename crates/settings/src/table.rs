//! The settings of the hosts: which there are, where each counts, what it means. Those of a program
//! (its toolkits, say) are a table of the program's own. Read by nothing here: `--help`, the check
//! of variables without effect and the tests take it as data.

mod credentials;
mod events;
mod machine;
mod page;
mod tools;

use crate::setting::{Hosts, Setting};
use credentials::CREDENTIALS;
use events::EVENTS;
use machine::MACHINE;
use page::PAGE;
use tools::TOOLS;

const PARTS: [&[Setting]; 6] = [MACHINE, TOOLS, EVENTS, PAGE, REST, CREDENTIALS];
const LENGTH: usize =
    MACHINE.len() + TOOLS.len() + EVENTS.len() + PAGE.len() + REST.len() + CREDENTIALS.len();

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
        "buffer|stream|tasks|events",
        "buffer",
        "how answers leave: stream for a function URL with InvokeMode RESPONSE_STREAM; tasks and \
         events in the functions that run tasks or send events, and have no URL",
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
        "MCPFN_SERVER_CARD",
        "NAME=URL",
        "none",
        "directories of servers read a card behind the endpoint at /server-card, and a catalog at \
         /.well-known/mcp/catalog.json (a draft): the name below your domain, and the public URL, \
         such as com.example/shop=https://mcp.example.com/mcp",
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
        "MCPFN_EVENTS_QUEUE",
        "URL",
        "none: nothing is kept of what tools emit",
        "SQS queue of events that are to be sent to clients; it needs MCPFN_DYNAMODB_TABLE and \
         MCPFN_STATE_KEY",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_EVENTS_DEAD_QUEUE",
        "URL",
        "none: a line of the log",
        "SQS queue that gets work for subscribers that nobody does any more, with its reason",
    )
    .on(Hosts::LAMBDA),
    Setting::new(
        "MCPFN_EVENTS_SCHEDULE",
        "on",
        "off: events that have a function of their own are asked for alone",
        "a schedule reads events that have a function of their own for their subscribers",
    )
    .on(Hosts::DEPLOYED),
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
