//! What a company is, from the address of a person who works there: an enrichment API like
//! Apollo's. Only the domain is asked for; the address itself never leaves this server.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_COMPANY_API_KEY` | the API key; required |
//! | `MCPFN_COMPANY_URL` | another address than `https://api.apollo.io` |

use mcpfn_core::text::percent_encoded;
use mcpfn_core::{Builder, Cx, ToolError, input, output, text, tool};
use mcpfn_ports::Secret;
use serde::Deserialize;

use crate::api::ApiClient;
use crate::config::Config;

const KEY: &str = "MCPFN_COMPANY_API_KEY";
const URL: &str = "https://api.apollo.io";

/// How much of a company's description is shown, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 1000;

/// Domains at which people have addresses of their own. Asking for these costs money and finds a
/// mail provider.
const PERSONAL: [&str; 24] = [
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "web.de",
    "yahoo.com",
    "yandex.ru",
];

struct Enrichment(ApiClient);

/// Adds `lookup_company` with the scope `company:read`, over the API at `url` (without a slash at
/// its end).
pub fn toolkit(builder: Builder, url: impl Into<String>, key: Secret) -> Builder {
    let api = ApiClient {
        name: "The company directory",
        base: url.into(),
        key: Some(key),
        key_variable: KEY,
        max_body: 1024 * 1024,
    };
    builder
        .state(Enrichment(api))
        .tool(lookup_company)
        .advice(
            ["lookup_company"],
            "`lookup_company` costs money: once for each company.",
        )
        .advice(
            ["search_accounts", "lookup_company"],
            "Look for a company with `search_accounts` before `lookup_company`.",
        )
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let source = "get a key at https://app.apollo.io under Settings, Integrations, API keys";
    let key = config.required_secret(KEY, "company", source);
    let url = config.url_for("MCPFN_COMPANY_URL", URL, KEY);
    match key {
        Some(key) => toolkit(builder, url, key),
        None => builder,
    }
}

/// Whose company.
#[input]
#[derive(Debug)]
pub struct CompanyAddress {
    /// An e-mail address at the company's own domain, e.g. "ada@example.com". Not one at a mail
    /// provider such as gmail.com.
    #[schemars(length(min = 6, max = 254))]
    pub email: String,
}

/// A company, as far as the directory knows it.
#[output]
#[derive(Debug)]
pub struct Company {
    /// Its name.
    pub company: String,
    /// The domain that was looked up.
    pub domain: String,
    /// How many people work there, estimated.
    pub employees: Option<u64>,
    /// Industry, such as "information technology & services".
    pub industry: Option<String>,
    /// The year in which it was founded.
    pub founded: Option<u64>,
    /// Its headquarters: city, state, country.
    pub location: Option<String>,
    /// Yearly revenue in US dollars as the directory prints it, such as "12.5M".
    pub revenue: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its page on LinkedIn.
    pub linkedin: Option<String>,
    /// What it does, in its own words.
    pub description: Option<String>,
}

/// Look up the company behind a business e-mail address: name, employees, industry, location,
/// website.
///
/// Use this when the user wants to know who a lead or a sender works for. Each new look-up costs
/// money: ask once for each company, and not for addresses at mail providers. The person is not
/// looked up. Fields that the directory does not know are null.
#[tool(
    read_only,
    idempotent,
    scope = "company:read",
    title = "Company by e-mail",
    cache = "24h",
    cache_stale_if_error = "168h",
    rate_limit = "10/m"
)]
pub async fn lookup_company(args: CompanyAddress, cx: &Cx) -> Result<Company, ToolError> {
    // kept for the same caller only: the speed of an answer would tell others which companies are
    // being looked at
    let domain = domain(&args.email)?;
    let Enrichment(api) = cx.state()?;
    let api = &*api.ready(cx).await?;
    let key = api.key.as_ref().map(Secret::expose).unwrap_or_default();
    let request = api
        .get(&format!(
            "/api/v1/organizations/enrich?domain={}",
            percent_encoded(&domain)
        ))
        .header("x-api-key", key);
    let answer = api.read(cx, request).await?;
    let unknown = || {
        ToolError::not_found(format!(
            "The directory knows no company with the domain {}.",
            text::quoted(&domain)
        ))
    };
    if matches!(answer.status, 404 | 422) {
        return Err(unknown());
    }
    let CompanyReply {
        organization:
            Some(Organization {
                name: Some(name),
                found,
            }),
    } = api.json(&answer)?
    else {
        return Err(unknown());
    };
    let place: Vec<String> = [found.city, found.state, found.country]
        .into_iter()
        .flatten()
        .collect();
    Ok(Company {
        company: name,
        employees: found.estimated_num_employees,
        industry: found.industry,
        founded: found.founded_year,
        location: (!place.is_empty()).then(|| place.join(", ")),
        revenue: found
            .annual_revenue_printed
            .or(found.organization_revenue_printed),
        website: found.website_url,
        linkedin: found.linkedin_url,
        description: found
            .short_description
            .map(|text| text.chars().take(MAX_DESCRIPTION_LENGTH).collect()),
        domain,
    })
}

/// The part of the service's answer that is used. A domain that it does not know gives an answer
/// without a company.
#[derive(Deserialize)]
struct CompanyReply {
    organization: Option<Organization>,
}

#[derive(Deserialize)]
struct Organization {
    name: Option<String>,
    #[serde(flatten)]
    found: Facts,
}

#[derive(Deserialize)]
struct Facts {
    estimated_num_employees: Option<u64>,
    industry: Option<String>,
    founded_year: Option<u64>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    annual_revenue_printed: Option<String>,
    organization_revenue_printed: Option<String>,
    website_url: Option<String>,
    linkedin_url: Option<String>,
    short_description: Option<String>,
}

/// The domain of an address, in lower case, if the address can be one of a company.
fn domain(email: &str) -> Result<String, ToolError> {
    let email = email.trim();
    let wrong = || {
        ToolError::new(format!(
            "{} is not an e-mail address. Write it like \"ada@example.com\".",
            text::quoted(email)
        ))
    };
    let (name, domain) = email.rsplit_once('@').ok_or_else(wrong)?;
    let legal_name =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let name_fits = (1..=64).contains(&name.len())
        && name.bytes().all(legal_name)
        && !name.starts_with('.')
        && !name.ends_with('.');
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let top = labels.last().copied().unwrap_or_default();
    let domain_fits = labels.len() >= 2
        && labels.iter().copied().all(label_fits)
        && top.len() >= 2
        && !top.bytes().all(|byte| byte.is_ascii_digit());
    if email.len() > 254 || !name_fits || !domain_fits {
        return Err(wrong());
    }
    let domain = domain.to_ascii_lowercase();
    if PERSONAL.contains(&domain.as_str()) {
        return Err(ToolError::new(format!(
            "{domain} is a mail provider, so the address says nothing about a company. Use an \
             address at the company's own domain."
        )));
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_their_domains() {
        for (email, expected) in [
            ("ada@example.com", "example.com"),
            (" Ada.L+news@Sub.Example.CO.uk ", "sub.example.co.uk"),
            ("o'neil@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain(email).unwrap(), expected, "{email}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for email in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@example",
            "ada@.com",
            "ada@example..com",
            "ada@-a.com",
            "ada@127.0.0.1",
            "a b@example.com",
            "a@b@example.com",
            ".a@example.com",
            "ada@exa mple.com",
            "ada@example.com?x=1",
            "ada@example.com/../x",
            "ada@bücher.example",
            "ada@example.c",
            &long,
        ] {
            let sentence = domain(email).unwrap_err();
            assert!(
                sentence
                    .message()
                    .unwrap()
                    .contains("is not an e-mail address"),
                "{email}"
            );
        }
        let sentence = domain("ada@GMail.com").unwrap_err();
        assert!(
            sentence
                .message()
                .unwrap()
                .starts_with("gmail.com is a mail provider")
        );
    }
}
