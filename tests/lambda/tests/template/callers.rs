//! Who may invoke the function, and whom the server then serves, for every combination of
//! parameters. What is refused is what the server itself refuses to start with, and what the
//! platform can't do: a table of few rows below. Everything else is served as the operator wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use mcpfn_lambda::{EnvReader, Setting, Settings};
use mcpfn_lambda_emulator::template::{Stack, Template};
use serde_json::{Value, json};

use crate::{combinations, template};

/// What callers come by; never the function itself, whose latest state is on trial.
const ALIAS: &str = "<FunctionAliaslive>";
const CERTIFICATE: &str = "arn:aws:acm:us-east-1:123456789012:certificate/1a";
const ISSUER: &str = "https://issuer.example";
const ENTRY: &str = "me:0000000000000000000000000000000000000000000000000000000000000000:*";
const AXES: &[(&str, &[&str])] = &[
    ("AuthType", &["AWS_IAM", "NONE"]),
    (
        "Auth",
        &["iam", "oauth", "api-key", "oauth,api-key", "none"],
    ),
    ("CloudFront", &["no", "yes"]),
    ("HttpApi", &["no", "yes"]),
    ("Issuer", &["", ISSUER]),
    ("PublicUrl", &["", "https://mcp.example/mcp"]),
    ("ApiKeys", &["", ENTRY]),
    ("ApiKeysSource", &["", "ssm:/mcpfn/keys"]),
    ("CallerAccount", &["", "999999999999"]),
    (
        "WebAcl",
        &[
            "",
            "arn:aws:wafv2:us-east-1:123456789012:global/webacl/name/id",
        ],
    ),
    ("DefaultScopes", &["", "catalog:read"]),
    (
        "IamScopes",
        &["", "arn:aws:iam::123456789012:role/Reader=catalog:read"],
    ),
];

/// What no server could make work, and what would have no effect: parameter and value, each. An
/// operator who wrote one of these expects something else than would happen.
const IMPOSSIBLE: &[&[(&str, &str)]] = &[
    // nobody is recognised, or CloudFront is for everybody
    &[("Auth", "iam"), ("AuthType", "NONE")],
    &[("Auth", "iam"), ("CloudFront", "yes")],
    // the signature is where the token would be
    &[
        ("Auth", "oauth"),
        ("AuthType", "AWS_IAM"),
        ("HttpApi", "no"),
    ],
    &[
        ("Auth", "oauth,api-key"),
        ("AuthType", "AWS_IAM"),
        ("HttpApi", "no"),
    ],
    // without effect
    &[("AuthType", "NONE"), ("CallerAccount", "999999999999")],
    &[
        ("CloudFront", "no"),
        (
            "WebAcl",
            "arn:aws:wafv2:us-east-1:123456789012:global/webacl/name/id",
        ),
    ],
];

/// Settings of the program, which are no matter here.
const PROGRAM: &[Setting] = &[
    Setting::new("MCPFN_TOOLKITS", "", "", ""),
    Setting::new("MCPFN_DATA_DIR", "", "", ""),
    Setting::new("MCPFN_FILES_WRITABLE", "", "", ""),
    Setting::new("MCPFN_KNOWLEDGE_WRITABLE", "", "", ""),
    Setting::new("MCPFN_FILES_NOTICES", "", "", ""),
    Setting::new("MCPFN_EVENTS", "", "", ""),
    Setting::new("MCPFN_EVENT_TABLES", "", "", ""),
    Setting::new("MCPFN_TOOLKIT_SKILLS", "", "", ""),
    Setting::new("MCPFN_SEARCH_API", "", "", ""),
    Setting::new("MCPFN_VECTOR_INDEX", "", "", ""),
];

#[test]
fn each_combination_serves_whom_the_operator_wrote_or_is_refused() {
    let template = template();
    let mut server = Server::default();
    let mut served: BTreeMap<String, usize> = BTreeMap::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for parameters in combinations(AXES) {
        let value = |name: &str| {
            let found = parameters.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value).unwrap_or_default()
        };
        let impossible = IMPOSSIBLE
            .iter()
            .any(|row| row.iter().all(|(name, wrong)| value(name) == *wrong));
        let starts = server.starts(&template, &parameters);
        match template.deploy(&parameters) {
            Err(sentences) => {
                assert!(
                    impossible || !starts,
                    "{parameters:?} would work, and is refused: {sentences:?}"
                );
                for sentence in sentences {
                    *refused.entry(sentence).or_default() += 1;
                }
            }
            Ok(stack) => {
                assert!(!impossible, "{parameters:?} can't work, and is not refused");
                assert!(starts, "the server does not start with {parameters:?}");
                let callers = callers(&stack);
                assert_eq!(callers, expected(&value), "{parameters:?}");
                let auth = &stack.environment("Function")["MCPFN_AUTH"];
                assert_eq!(auth, value("Auth"), "{parameters:?}");
                let who = callers.into_iter().collect::<Vec<_>>().join(", ");
                let line = format!("{who}: {auth}");
                *served.entry(line).or_default() += 1;
            }
        }
    }
    println!("who reaches the function: whom the server serves (combinations)");
    served
        .iter()
        .for_each(|(line, times)| println!("  {line} ({times})"));
    println!("refused (combinations)");
    refused
        .iter()
        .for_each(|(line, times)| println!("  {line} ({times})"));
    assert!(served.len() >= 9, "{served:?}");
}

/// Whether the real server starts with what a combination sets, rules aside. Many set the same.
#[derive(Default)]
struct Server {
    known: BTreeMap<BTreeMap<String, String>, bool>,
}

impl Server {
    fn starts(&mut self, template: &Template, parameters: &[(&str, &str)]) -> bool {
        let stack = template.deploy_without_rules(parameters).unwrap();
        let mut variables = stack.environment("Function");
        // the secret that the reference stands for has 42 letters
        let key = variables["MCPFN_STATE_KEY"].replacen('{', &"aB3xY9".repeat(7), 1);
        let (key, end) = (&key[..42], &key[key.len() - 2..]);
        variables.insert("MCPFN_STATE_KEY".to_owned(), format!("{key}{end}"));
        for (name, value) in [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        *self.known.entry(variables).or_insert_with_key(|variables| {
            let variable = |name: &str| variables.get(name).map(OsString::from);
            let reader = EnvReader::new(&variable).with_names(variables.keys().cloned());
            Settings::read(reader, PROGRAM).is_ok()
        })
    }
}

fn expected(value: &dyn Fn(&str) -> &'static str) -> BTreeSet<String> {
    let signs = value("AuthType") == "AWS_IAM";
    let reach = [
        (!signs, "everyone"),
        (signs, "holders of CallerPolicy"),
        (signs && !value("CallerAccount").is_empty(), "999999999999"),
        (
            signs && value("CloudFront") == "yes",
            "everyone through CloudFront",
        ),
        (
            value("HttpApi") == "yes" && value("Auth") != "iam",
            "everyone through the HTTP API",
        ),
        (
            value("HttpApi") == "yes" && value("Auth") == "iam",
            "holders of CallerPolicy through the HTTP API",
        ),
    ];
    let reach = reach.into_iter().filter(|(does, _)| *does);
    reach.map(|(_, who)| who.to_owned()).collect()
}

/// Who has both rights that a function URL asks for. The right to invoke the function is never
/// given without its condition: with it an event of one's own could say anything about its caller.
fn callers(stack: &Stack<'_>) -> BTreeSet<String> {
    let url = &stack.properties("FunctionUrl").unwrap()["AuthType"];
    let mut rights: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for (name, permission) in stack.of_kind("AWS::Lambda::Permission") {
        let who = principal(&permission);
        if permission["Principal"] == "apigateway.amazonaws.com" {
            let (who, means) = through_the_api(stack, &permission);
            rights.insert(who.to_owned(), means);
            continue;
        }
        let right = match permission["Action"].as_str() {
            Some("lambda:InvokeFunctionUrl") => {
                assert_eq!(&permission["FunctionUrlAuthType"], url, "{name}");
                "url"
            }
            Some("lambda:InvokeFunction") => {
                assert_eq!(permission["InvokedViaFunctionUrl"], true, "{name}");
                "function"
            }
            other => panic!("{name} gives {other:?}"),
        };
        rights.entry(who).or_default().insert(right);
    }
    if let Some(policy) = stack.properties("CallerPolicy") {
        let statements = &policy["PolicyDocument"]["Statement"];
        let mut expected = json!([
            {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": ALIAS,
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": url}}},
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": ALIAS,
                "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}},
        ]);
        if rights.contains_key("holders of CallerPolicy through the HTTP API") {
            let api = json!({"Effect": "Allow", "Action": "execute-api:Invoke",
                "Resource": "arn:aws:execute-api:eu-west-1:123456789012:<Api>/*"});
            expected.as_array_mut().unwrap().push(api);
        }
        assert_eq!(statements, &expected);
        let both = BTreeSet::from(["url", "function"]);
        rights.insert("holders of CallerPolicy".to_owned(), both);
    }
    for (who, rights) in &rights {
        assert_eq!(rights.len(), 2, "{who} has one right of two: {rights:?}");
    }
    rights.into_keys().collect()
}

/// What callers of the HTTP API come by, every one of them by the route that there is.
fn through_the_api(
    stack: &Stack<'_>,
    permission: &Value,
) -> (&'static str, BTreeSet<&'static str>) {
    assert_eq!(permission["Action"], "lambda:InvokeFunction");
    let source = "arn:aws:execute-api:eu-west-1:123456789012:<Api>/*";
    assert_eq!(permission["SourceArn"], source);
    let routes = stack.of_kind("AWS::ApiGatewayV2::Route");
    let [(_, route)] = &routes[..] else {
        panic!("one route: {routes:?}");
    };
    let signed = match route["AuthorizationType"].as_str() {
        Some("AWS_IAM") => true,
        Some("NONE") => false,
        other => panic!("{other:?}"),
    };
    // who is not recognised there must be checked by the server
    let auth = &stack.environment("Function")["MCPFN_AUTH"];
    assert_eq!(signed, auth == "iam");
    let integration = stack.properties("ApiIntegration").unwrap();
    assert_eq!(integration["IntegrationUri"], ALIAS);
    let who = match signed {
        true => "holders of CallerPolicy through the HTTP API",
        false => "everyone through the HTTP API",
    };
    (who, BTreeSet::from(["route", "function"]))
}

fn principal(permission: &Value) -> String {
    assert_eq!(permission["FunctionName"], ALIAS, "{permission}");
    match permission["Principal"].as_str() {
        Some("*") => "everyone".to_owned(),
        Some("apigateway.amazonaws.com") => "HTTP API".to_owned(),
        Some("cloudfront.amazonaws.com") => {
            let source = "arn:aws:cloudfront::123456789012:distribution/<Front>";
            assert_eq!(permission["SourceArn"], source);
            "everyone through CloudFront".to_owned()
        }
        other => other.unwrap_or_default().to_owned(),
    }
}

#[test]
fn nothing_refers_to_what_a_condition_leaves_out() {
    let template = template();
    for parameters in combinations(&[
        ("AuthType", &["AWS_IAM", "NONE"]),
        ("CloudFront", &["no", "yes"]),
        ("HttpApi", &["no", "yes"]),
        ("CallerAccount", &["", "999999999999"]),
        ("WebAcl", &["", "arn"]),
        ("ApiKeysSource", &["", "ssm:/a", "secretsmanager:arn:b"]),
        ("FilesBucket", &["", "bucket"]),
        ("FilesPrefix", &["", "team"]),
        (
            "AlarmTopic",
            &["", "arn:aws:sns:eu-west-1:123456789012:topic"],
        ),
        ("KmsKeyArn", &["", "arn:aws:kms:a:123456789012:key/b"]),
        ("Tasks", &["off", "on"]),
        ("SubnetIds", &["", "subnet-1"]),
    ]) {
        let stack = template.deploy_without_rules(&parameters).unwrap();
        assert!(stack.everything().len() > 15, "{parameters:?}");
    }
    // fronts: what a domain leads to is there whenever the rules let it pass
    for parameters in combinations(&[
        ("AuthType", &["AWS_IAM", "NONE"]),
        ("Auth", &["iam", "none"]),
        ("CloudFront", &["no", "yes"]),
        ("HttpApi", &["no", "yes"]),
        ("DomainName", &["", "mcp.example.com"]),
        ("CertificateArn", &["", CERTIFICATE]),
        ("HostedZoneId", &["", "Z1"]),
        ("AccessLogs", &["off", "on"]),
        ("AccessLogBucket", &["", "logs"]),
        ("KmsKeyArn", &["", "arn:aws:kms:a:123456789012:key/b"]),
        ("ProvisionedConcurrency", &["0", "2"]),
    ]) {
        let Ok(stack) = template.deploy(&parameters) else {
            continue;
        };
        let (all, value) = (stack.everything(), |name: &str| {
            let found = parameters.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value).unwrap_or_default()
        });
        let has = |name: &str| all.contains_key(name);
        let named = !value("DomainName").is_empty();
        let [front, http] = ["CloudFront", "HttpApi"].map(|name| value(name) == "yes");
        assert_eq!(has("ApiDomain"), named && http, "{parameters:?}");
        assert_eq!(has("Records"), named && value("HostedZoneId") == "Z1");
        assert_eq!(has("ApiLogs"), http && value("AccessLogs") == "on");
        for (there, output) in [(front, "FrontUrl"), (http, "ApiUrl")] {
            assert_eq!(has(output), there, "{parameters:?}");
            let own = there && all[output] == "https://mcp.example.com/mcp";
            assert_eq!(own, there && named, "{parameters:?}");
        }
        let provisioned = &all["FunctionAliaslive"]["ProvisionedConcurrencyConfig"];
        let wanted = value("ProvisionedConcurrency") == "2";
        assert_eq!(provisioned.is_object(), wanted, "{parameters:?}");
    }
}
