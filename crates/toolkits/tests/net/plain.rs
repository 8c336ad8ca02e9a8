//! Credentials of this server leave by https, or stay on this machine: every setting that is an
//! address with a key of its own, with every form of address.

use mcpfn_core::Server;
use mcpfn_toolkits::register;

/// Toolkit, the variables of the address and of the credential, what stands before the address and
/// whether the toolkit starts without the credential.
const SETTINGS: [(&str, &str, &str, &str, bool); 6] = [
    (
        "weather",
        "MCPFN_WEATHER_URL",
        "MCPFN_WEATHER_API_KEY",
        "",
        false,
    ),
    (
        "company",
        "MCPFN_COMPANY_URL",
        "MCPFN_COMPANY_API_KEY",
        "",
        false,
    ),
    ("web", "MCPFN_SEARCH_URL", "MCPFN_SEARCH_API_KEY", "", false),
    ("github", "MCPFN_GITHUB_URL", "MCPFN_GITHUB_TOKEN", "", true),
    (
        "knowledge",
        "MCPFN_EMBEDDINGS_URL",
        "MCPFN_EMBEDDINGS_API_KEY",
        "",
        true,
    ),
    (
        "upstream",
        "MCPFN_UPSTREAMS",
        "MCPFN_UPSTREAM_CRM_TOKEN",
        "crm=",
        true,
    ),
];

const SAFE: [&str; 9] = [
    "https://192.0.2.2:9977/mcp",
    "https://crm.example",
    "http://localhost",
    "http://LocalHost:9977/mcp",
    "http://127.0.0.1/mcp",
    "http://127.9.9.9:9977",
    "http://[::1]",
    "http://[::1]:9977/mcp",
    "http://[0:0:0:0:0:0:0:1]/mcp",
];

const OPEN: [&str; 15] = [
    "http://192.0.2.2:9977/mcp",
    "http://10.0.0.7/mcp",
    "http://crm.example",
    "http://crm.internal:8080/mcp",
    "http://localhost.evil.example/mcp",
    "http://127.0.0.1.evil.example/mcp",
    "http://evil.example/localhost",
    "http://evil.example:80/127.0.0.1:1",
    "http://128.0.0.1",
    "http://0.0.0.0:9977/mcp",
    "http://[::]:9977/mcp",
    "http://[::2]/mcp",
    "http://[fe80::1]/mcp",
    "http://[::ffff:192.0.2.2]/mcp",
    "http://my.localhost/mcp",
];

fn mistakes(setting: usize, address: &str, credential: Option<&str>) -> Vec<String> {
    let (toolkit, url, key, before, _) = SETTINGS[setting];
    let variable = |name: &str| match name {
        "MCPFN_EMBEDDINGS_MODEL" => Some("m".to_owned()),
        name if name == url => Some(format!("{before}{address}")),
        name if name == key => credential.map(str::to_owned),
        _ => None,
    };
    match register(Server::builder("x", "1"), toolkit, &variable) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(str::to_owned).collect(),
    }
}

#[test]
fn a_credential_leaves_by_https_or_stays_on_this_machine() {
    for (number, (toolkit, url, key, _, starts_without)) in SETTINGS.into_iter().enumerate() {
        for address in SAFE {
            let said = mistakes(number, address, Some("hunter2"));
            assert_eq!(said, [""; 0], "{toolkit} {address}");
        }
        for address in OPEN {
            // a reference is a credential, too; an upstream takes none
            let credentials = ["hunter2", "ssm:/hunter2"];
            for credential in &credentials[..if toolkit == "upstream" { 1 } else { 2 }] {
                let said = mistakes(number, address, Some(credential));
                assert_eq!(said.len(), 1, "{toolkit} {address}: {said:?}");
                assert!(
                    said[0].contains(url)
                        && said[0].contains("write https://")
                        && !said[0].contains("hunter2"),
                    "{said:?}"
                );
            }
            if starts_without {
                let said = mistakes(number, address, None);
                assert_eq!(said, [""; 0], "{toolkit} {address} without {key}");
            }
        }
    }
}
