//! The page for browsers: whether it is served, and what its sign-in needs.

use crate::setting::{Hosts, Setting};

const OAUTH: &[&str] = &["oauth"];

pub(super) const PAGE: &[Setting] = &[
    Setting::new(
        "MCPFN_PAGE",
        "on|off",
        "on; off where others can reach the address",
        "browsers get a page at this server's URL, which lists the tools and calls them",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_PAGE",
        "on|off",
        "off",
        "browsers get a page at this server's URL, which lists the tools and calls them",
    )
    .on(Hosts::DEPLOYED),
    Setting::new(
        "MCPFN_PAGE_CLIENT_ID",
        "ID",
        "the page registers itself, where the issuer lets it",
        "the public client of the issuer as which people sign in on that page; its redirect URI is \
         the page's URL",
    )
    .with_auth(OAUTH),
    Setting::new(
        "MCPFN_PAGE_ORIGINS",
        "ORIGIN,..",
        "those of the issuers",
        "further origins that a sign-in on that page asks, such as that of a token endpoint",
    )
    .with_auth(OAUTH),
];
