//! Variables: what they make, what is wrong with them, and that no secret is repeated.

use std::ffi::OsString;

use mcpfn_auth::hash_key;
use mcpfn_auth_tests::platform;
use mcpfn_core::Scopes;
use mcpfn_http::AuthErrorKind::Invalid;
use mcpfn_settings::{AuthMethod, Common, Credentials, EnvReader, Host, Hosts, SettingsError};
use serde_json::json;

use crate::world::{RSA, World, bearer, refused};

const ALL: [AuthMethod; 6] = [
    AuthMethod::Iam,
    AuthMethod::Authorizer,
    AuthMethod::OAuth,
    AuthMethod::ApiKey,
    AuthMethod::CloudflareAccess,
    AuthMethod::None,
];

/// A host that has all of them.
const HOST: Host = Host {
    id: Hosts::ALL,
    methods: &ALL,
    auth_unset: Some("MCPFN_AUTH is not set"),
    max_body: 4 * 1024 * 1024,
    rate: None,
    rate_with_auth: None,
    listening: None,
    key_source: Some(|reader, _, _| {
        reader.mistake("this host has no store of secrets");
        None
    }),
    deployment: None,
};

pub(crate) fn read(variables: &[(&str, &str)]) -> Result<Credentials, SettingsError> {
    read_on(&HOST, variables)
}

fn read_on(host: &Host, variables: &[(&str, &str)]) -> Result<Credentials, SettingsError> {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    };
    let names = variables.iter().map(|(name, _)| (*name).to_owned());
    let mut reader = EnvReader::new(&variable).with_names(names);
    let common = Common::read(&mut reader, host, &[]);
    reader.finish(common.credentials)
}

#[track_caller]
pub(crate) fn mistakes(variables: &[(&str, &str)], expected: &[&str]) {
    let mistakes = read(variables).expect_err("there are mistakes").mistakes;
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(
            mistake.contains(expected),
            "`{expected}` is not in `{mistake}`"
        );
    }
}

#[test]
fn words_of_the_method() {
    mistakes(&[], &["MCPFN_AUTH is not set"]);
    assert!(
        read(&[("MCPFN_AUTH", "none")])
            .unwrap()
            .auth
            .authenticators
            .is_empty()
    );
    assert!(
        read(&[("MCPFN_AUTH", " iam , authorizer ")])
            .unwrap()
            .auth
            .authenticators
            .is_empty()
    );
    mistakes(
        &[("MCPFN_AUTH", "none,iam")],
        &["none beside other methods"],
    );
    for wrong in ["IAM", "oauth2", "iam;oauth", ","] {
        mistakes(
            &[("MCPFN_AUTH", wrong)],
            &["iam, authorizer, oauth, api-key, access, none"],
        );
    }
    let host = Host {
        methods: &[AuthMethod::ApiKey, AuthMethod::None],
        ..HOST
    };
    let error = read_on(&host, &[("MCPFN_AUTH", "iam")]).unwrap_err();
    assert_eq!(
        error.mistakes,
        ["MCPFN_AUTH must be one or more of api-key, none, separated by commas"]
    );
}

#[tokio::test]
async fn everything_at_once() {
    let world = World::new().await;
    let keys = format!(
        "robot:{}:catalog;operator:{}",
        hash_key("robot-key"),
        hash_key("operator-key")
    );
    let introspect = format!("{}/introspect", world.issuer.id);
    let url = "https://mcp.example.com/mcp";
    let proofs = read(&[
        ("MCPFN_AUTH", "oauth,api-key,access,iam"),
        ("MCPFN_ISSUER", &world.issuer.id),
        ("MCPFN_PUBLIC_URL", url),
        ("MCPFN_INTROSPECTION_URL", &introspect),
        ("MCPFN_INTROSPECTION_CLIENT_ID", "id"),
        ("MCPFN_INTROSPECTION_CLIENT_SECRET", "secret"),
        ("MCPFN_API_KEYS", &keys),
        ("MCPFN_ACCESS_TEAM", "acme"),
        ("MCPFN_ACCESS_AUDIENCE", "tag"),
        (
            "MCPFN_IAM_SCOPES",
            "arn:aws:iam::123456789012:role/Reader*=catalog:read crm:read; \
             arn:aws:iam::123456789012:role/Admin=*",
        ),
        ("MCPFN_DEFAULT_SCOPES", "hello"),
    ]);
    let proofs = proofs.unwrap();
    let resource = proofs.auth.resource.as_ref().unwrap();
    assert_eq!(
        (&*resource.url, &resource.authorization_servers),
        (url, &vec![world.issuer.id.clone()])
    );
    assert_eq!(
        proofs
            .iam
            .unwrap()
            .scopes("arn:aws:sts::123456789012:assumed-role/Reader1/s"),
        Scopes::parse("catalog:read crm:read")
    );

    // the list is asked as the service does: the first that finds something of its kind decides
    let ask = async |token: &str| {
        for authenticator in &proofs.auth.authenticators {
            match authenticator
                .authenticate(&bearer(token), &world.platform)
                .await
            {
                Ok(None) => {}
                decided => return decided,
            }
        }
        Ok(None)
    };
    world.issuer.knows(
        "opaque",
        world.claims_with(&json!({"active": true, "sub": "carol", "scope": null})),
    );
    let no_scopes = RSA.token(&world.claims_with(&json!({"scope": null})));
    for (token, subject, scopes) in [
        ("robot-key", "robot".to_owned(), "catalog"),
        ("operator-key", "operator".to_owned(), "hello"),
        (
            &*RSA.token(&world.claims()),
            format!("alice@{}", world.issuer.id),
            "crm:read catalog",
        ),
        (&*no_scopes, format!("alice@{}", world.issuer.id), "hello"),
        ("opaque", format!("carol@{}", world.issuer.id), "hello"),
    ] {
        let principal = ask(token).await.unwrap().expect(token);
        assert_eq!(
            (principal.subject, principal.scopes),
            (subject, Scopes::parse(scopes))
        );
    }
    refused(ask("neither").await, Invalid, "revoked");
    refused(ask("a.b.c.d.e").await, Invalid, "revoked");
}

#[tokio::test]
async fn a_bearer_token_that_is_no_key_is_refused() {
    let keys = format!("robot:{}", hash_key("robot-key"));
    let proofs = read(&[("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &keys)]).unwrap();
    assert!(proofs.auth.resource.is_none() && proofs.iam.is_none());
    let (platform, _) = platform();
    let last = proofs.auth.authenticators.last().unwrap();
    refused(
        last.authenticate(&bearer("other"), &platform).await,
        Invalid,
        "bearer token not accepted",
    );
}

#[test]
fn the_audience_may_be_other_than_the_url() {
    let resource = |variables: &[(&str, &str)]| {
        let all = [
            &[
                ("MCPFN_AUTH", "oauth"),
                ("MCPFN_ISSUER", "https://a.example"),
            ],
            variables,
        ]
        .concat();
        read(&all).unwrap().auth.resource.unwrap().url
    };
    assert_eq!(
        resource(&[
            ("MCPFN_AUDIENCE", "api://x"),
            ("MCPFN_PUBLIC_URL", "https://m.example/mcp")
        ]),
        "https://m.example/mcp"
    );
    assert_eq!(
        resource(&[("MCPFN_AUDIENCE", "api://x, https://m.example/mcp")]),
        "https://m.example/mcp"
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "https://a.example"),
            ("MCPFN_AUDIENCE", "api://x"),
        ],
        &["MCPFN_PUBLIC_URL is not set"],
    );
}

#[test]
fn mistakes_are_all_said_at_once() {
    mistakes(
        &[("MCPFN_AUTH", "oauth,api-key,access")],
        &[
            "MCPFN_ACCESS_TEAM is not set",
            "MCPFN_ACCESS_AUDIENCE is not set",
            "MCPFN_API_KEYS is not set",
            "MCPFN_ISSUER is not set",
            "MCPFN_PUBLIC_URL is not set",
        ],
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "http://a.example, https://b.example"),
            ("MCPFN_PUBLIC_URL", "mcp.example.com"),
            ("MCPFN_JWKS_URL", "https://u:p@a.example"),
            ("MCPFN_INTROSPECTION_URL", "https://a.example/introspect"),
        ],
        &[
            "MCPFN_ISSUER must begin with https",
            "MCPFN_PUBLIC_URL must begin with https",
            "MCPFN_ISSUER_SCOPES is not set, and MCPFN_ISSUER names several",
            "MCPFN_JWKS_URL must not have credentials",
            "MCPFN_JWKS_URL has the keys of one issuer",
            "belong together",
        ],
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "iam"),
            ("MCPFN_IAM_SCOPES", "x; y=z"),
            ("MCPFN_API_KEYS", "x"),
            ("MCPFN_ISSUER", "x"),
            ("MCPFN_ACCESS_TEAM", "x"),
        ],
        &[
            "MCPFN_ACCESS_TEAM is set, but",
            "MCPFN_API_KEYS is set, but",
            "MCPFN_ISSUER is set, but",
            "`x`: needs a =",
            "`y=z`: needs an ARN",
        ],
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "none"),
            ("MCPFN_DEFAULT_SCOPES", "*"),
            ("MCPFN_KEYS_MAX_AGE_SECONDS", "900"),
        ],
        &[
            "MCPFN_DEFAULT_SCOPES is set, but",
            "MCPFN_KEYS_MAX_AGE_SECONDS is set, but",
        ],
    );
    for age in ["59", "86401", "soon"] {
        mistakes(
            &[
                ("MCPFN_AUTH", "access"),
                ("MCPFN_ACCESS_TEAM", "acme"),
                ("MCPFN_ACCESS_AUDIENCE", "tag"),
                ("MCPFN_KEYS_MAX_AGE_SECONDS", age),
            ],
            &["MCPFN_KEYS_MAX_AGE_SECONDS must be a number of seconds from 60 to 86400"],
        );
    }
    mistakes(
        &[("MCPFN_AUTH", "none"), ("MCPFN_IAM_SCOPES", "*=*")],
        &["MCPFN_IAM_SCOPES is set, but MCPFN_AUTH does not have iam or authorizer"],
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "access"),
            ("MCPFN_ACCESS_TEAM", "acme.cloudflareaccess.com"),
            ("MCPFN_ACCESS_AUDIENCE", "t"),
        ],
        &["MCPFN_ACCESS_TEAM must be the TEAM"],
    );
}

#[test]
fn no_secret_is_repeated() {
    let error = read(&[
        ("MCPFN_AUTH", "api-key,oauth"),
        ("MCPFN_API_KEYS", "robot:hunter2-plain-key"),
        ("MCPFN_ISSUER", "https://user:hunter2@a.example"),
        ("MCPFN_PUBLIC_URL", "https://m.example/mcp"),
        ("MCPFN_INTROSPECTION_CLIENT_SECRET", "hunter2"),
    ]);
    let error = error.unwrap_err();
    assert_eq!(error.mistakes.len(), 3);
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_source_of_keys_is_one_that_the_host_has_and_the_only_list() {
    let entry = format!("robot:{}", hash_key("robot-key"));
    let source = ("MCPFN_API_KEYS_SOURCE", "ssm:/mcpfn/keys");
    mistakes(
        &[("MCPFN_AUTH", "api-key"), source],
        &["this host has no store of secrets"],
    );
    mistakes(
        &[
            ("MCPFN_AUTH", "api-key"),
            ("MCPFN_API_KEYS", &entry),
            source,
        ],
        &["are both set"],
    );
    mistakes(
        &[("MCPFN_AUTH", "iam"), source],
        &["MCPFN_API_KEYS_SOURCE is set, but MCPFN_AUTH does not have api-key"],
    );
}
