//! The page for browsers: whether it is served, and what its sign-in needs. What it looks like is
//! `mcpfn-http`'s.

use mcpfn_core::text::switch;
#[cfg(feature = "page")]
use mcpfn_http::BrowserPage;

#[cfg(feature = "page")]
use crate::clients::{ClientAccess, ClientEntry, ClientLanguage};
use crate::reader::EnvReader;

const PAGE: &str = "MCPFN_PAGE";
const CLIENT_ID: &str = "MCPFN_PAGE_CLIENT_ID";
const ORIGINS: &str = "MCPFN_PAGE_ORIGINS";

/// What the variables say of the page for browsers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageSettings {
    /// `MCPFN_PAGE`: whether it is served; never in a program without the feature `page`.
    pub on: bool,
    /// `MCPFN_PAGE_CLIENT_ID`: as which client of the issuer people sign in there.
    pub client_id: Option<String>,
    /// `MCPFN_PAGE_ORIGINS`: what a sign-in asks beside the issuers.
    pub origins: Vec<String>,
}

impl PageSettings {
    /// Reads them for a server with this public URL; with `oauth`, those of the sign-in, too.
    /// `here` is whether it listens where nobody but the person at this machine is.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        here: bool,
        public_url: Option<&str>,
        oauth: bool,
    ) -> Self {
        let on = is_on(reader, here, public_url);
        if !oauth {
            return Self {
                on,
                ..Self::default()
            };
        }
        let client_id = reader.text(CLIENT_ID).map(|id| id.trim().to_owned());
        let origins = reader.web_origins(ORIGINS);
        for (name, set) in [
            (CLIENT_ID, client_id.is_some()),
            (ORIGINS, !origins.is_empty()),
        ] {
            if set && !on {
                reader.mistake(format!(
                    "{name} is for the page's sign-in, and the page is off: set {PAGE} to on, or \
                     remove {name}"
                ));
            }
        }
        Self {
            on,
            client_id,
            origins,
        }
    }

    /// The page, if it is on; `access` is how clients reach the server, but for its URL. How a
    /// program of this machine is started is nobody's business there.
    #[cfg(feature = "page")]
    pub(crate) fn page(
        self,
        public_url: Option<&str>,
        access: ClientAccess,
    ) -> Option<BrowserPage> {
        let mut page = self.on.then(BrowserPage::new)?;
        if let Some(url) = public_url {
            page = page.url(url);
        }
        if let Some(id) = self.client_id {
            page = page.client_id(id);
        }
        let page = self
            .origins
            .into_iter()
            .fold(page, BrowserPage::sign_in_origin);
        let entries = access.at(public_url.unwrap_or("{url}")).entries();
        // in a link the URL is encoded, so that the page can't put its own there
        let ready = |entry: &ClientEntry| {
            public_url.is_some() || entry.language != ClientLanguage::Url || entry.text == "{url}"
        };
        Some(entries.into_iter().filter(ready).fold(page, |page, entry| {
            let place = entry.place();
            page.client(entry.client, place, entry.text)
        }))
    }
}

/// `MCPFN_PAGE`: on where nobody but the person at this machine reaches the server, and else off
/// until somebody wants it.
fn is_on(reader: &mut EnvReader<'_>, here: bool, public_url: Option<&str>) -> bool {
    let Some(text) = reader.text(PAGE) else {
        return cfg!(feature = "page") && here && public_url.is_none_or(is_loopback);
    };
    match switch(text.trim()) {
        Some(true) if cfg!(not(feature = "page")) => {
            reader.mistake(format!(
                "{PAGE} is on, and this program was built without the page: build it with the \
                 feature `page` of mcpfn, for Workers `worker-page`, or remove the variable"
            ));
            false
        }
        Some(on) => on,
        None => {
            reader.mistake(format!("{PAGE} must be on or off"));
            false
        }
    }
}

/// Whether a URL is of this machine's own.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use crate::{AuthMethod, Common, Deployment, Host, Hosts};

    use super::*;

    const LOCAL: Host = Host {
        id: Hosts::LOCAL,
        methods: &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None],
        auth_unset: None,
        max_body: 1024,
        rate: None,
        rate_with_auth: None,
        key_source: None,
        listening: None,
        deployment: None,
    };
    const NETWORK: Host = Host {
        auth_unset: Some("set MCPFN_AUTH"),
        ..LOCAL
    };
    const LAMBDA: Host = Host {
        id: Hosts::LAMBDA,
        deployment: Some(Deployment {
            unit: "function",
            instance: "environment",
            state_key: "",
        }),
        ..NETWORK
    };

    fn page(host: &Host, variables: &[(&str, &str)]) -> Result<bool, Vec<String>> {
        let values = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let names = variables.iter().map(|(name, _)| (*name).to_owned());
        let mut reader = EnvReader::new(&values).with_names(names);
        let common = Common::read(&mut reader, host, &[]);
        let on = common.page.on;
        reader.finish(on).map_err(|error| error.mistakes)
    }

    /// Every host, with each way to be asked for: on by itself for the person at this machine alone.
    #[test]
    fn the_page_is_on_where_one_person_is_and_elsewhere_by_setting() {
        let built = cfg!(feature = "page");
        let hash = "ci:".to_owned() + &"0".repeat(64);
        let keys = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &*hash)];
        let none = [("MCPFN_AUTH", "none")];
        let local = ("MCPFN_PUBLIC_URL", "http://127.0.0.1:8787/mcp");
        let public = ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp");
        let near = ("MCPFN_PUBLIC_URL", "https://localhost.example.com/mcp");
        for (host, variables, by_itself) in [
            (LOCAL, none.to_vec(), true),
            (LOCAL, keys.to_vec(), true),
            (LOCAL, [&keys[..], &[local]].concat(), true),
            (LOCAL, [&keys[..], &[public]].concat(), false),
            (LOCAL, [&keys[..], &[near]].concat(), false),
            (NETWORK, keys.to_vec(), false),
            (LAMBDA, keys.to_vec(), false),
            (LAMBDA, none.to_vec(), false),
        ] {
            let with = |value| [&variables[..], &[("MCPFN_PAGE", value)]].concat();
            assert_eq!(
                page(&host, &variables),
                Ok(by_itself && built),
                "{variables:?}"
            );
            assert_eq!(page(&host, &with("off")), Ok(false), "{variables:?}");
            let on = page(&host, &with("on"));
            match built {
                true => assert_eq!(on, Ok(true), "{variables:?}"),
                false => assert!(on.unwrap_err()[0].contains("worker-page")),
            }
            assert!(page(&host, &with("maybe")).unwrap_err()[0].contains("on or off"));
        }
    }

    #[cfg(feature = "page")]
    #[test]
    fn links_are_there_once_the_url_is_known() {
        let on = PageSettings {
            on: true,
            ..PageSettings::default()
        };
        let page = |url| {
            let page = on.clone().page(url, ClientAccess::new("shop").with_key());
            format!("{:?}", page.unwrap())
        };
        let here = page(None);
        assert!(
            here.contains("{url}") && here.contains("X-API-Key"),
            "{here}"
        );
        assert!(!here.contains("vscode:"), "{here}");
        let public = page(Some("https://mcp.example.com/mcp"));
        assert!(
            public.contains("vscode:") && !public.contains("{url}"),
            "{public}"
        );
        assert!(
            PageSettings::default()
                .page(None, ClientAccess::new("shop"))
                .is_none()
        );
    }

    #[cfg(feature = "page")]
    #[test]
    fn what_a_sign_in_asks_are_origins() {
        let variables = |name, value, page| {
            [
                ("MCPFN_AUTH", "oauth"),
                ("MCPFN_ISSUER", "https://id.example.com"),
                ("MCPFN_PUBLIC_URL", "http://localhost:8787/mcp"),
                ("MCPFN_PAGE", page),
                (name, value),
            ]
        };
        for (name, value, right) in [
            ("MCPFN_PAGE_CLIENT_ID", "page", true),
            ("MCPFN_PAGE_ORIGINS", "https://t.example.com", true),
            ("MCPFN_PAGE_ORIGINS", "https://t.example.com/token", false),
            ("MCPFN_PAGE_ORIGINS", "*", false),
            ("MCPFN_PAGE_ORIGINS", "https://*", false),
            ("MCPFN_PAGE_ORIGINS", "app://x", false),
        ] {
            let told = |page_is| page(&LOCAL, &variables(name, value, page_is));
            match right {
                true => assert_eq!(told("on"), Ok(true), "{value}"),
                false => assert!(told("on").unwrap_err()[0].contains(name), "{value}"),
            }
            let off = told("off").unwrap_err().concat();
            assert!(off.contains("the page is off") || !right, "{off}");
        }
    }
}
