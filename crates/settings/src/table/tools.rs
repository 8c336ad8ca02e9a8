//! What is different about single tools, and which subscriptions clients have, on every host.

use crate::setting::Setting;

pub(super) const TOOLS: &[Setting] = &[
    Setting::new(
        "MCPFN_TIMEOUTS",
        "TOOL=TIME,..",
        "each tool's own, 5s for most",
        "how long a call of these tools may take, such as get_weather=3s,search=8s; 100ms to 15m",
    ),
    Setting::new(
        "MCPFN_CACHE",
        "TOOL=TIME,..",
        "each tool's own",
        "how long results of these tools are kept for the same caller, such as \
         search_products=60s,get_weather=off; 1s to 7d, tools that only read",
    ),
    Setting::new(
        "MCPFN_CONFIRM",
        "auto|always|never",
        "auto",
        "whether the user is asked before a tool does what can't be taken back: auto where the \
         client can show the question, always also refuses where it can't",
    ),
    Setting::new(
        "MCPFN_SUBSCRIPTIONS",
        "poll|off",
        "off",
        "clients may subscribe to resources, and ask for changes each 30 s; those of 2026-07-28 \
         hold a stream",
    ),
];
