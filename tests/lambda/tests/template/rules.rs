//! What the template refuses, and that the change which it names is enough.

use std::collections::BTreeSet;

use crate::template;

type Parameters = &'static [(&'static str, &'static str)];

const ENTRY: (&str, &str) = ("ApiKeys", "me:hash:*");
const FILE_SYSTEM: (&str, &str) = (
    "FileSystem",
    "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0a",
);
const DOMAIN: (&str, &str) = ("DomainName", "mcp.example.com");
const CERTIFICATE: (&str, &str) = (
    "CertificateArn",
    "arn:aws:acm:eu-west-1:123456789012:certificate/1a",
);
const OPEN: (&str, &str) = ("AuthType", "NONE");

/// Parameters that are refused for one reason, what to add to them or to put in their place, and
/// words of the reason.
const REFUSED: &[(Parameters, Parameters, &str)] = &[
    (&[OPEN], &[("AuthType", "AWS_IAM")], "recognises nobody"),
    (
        &[("CloudFront", "yes")],
        &[("Auth", "none")],
        "signs for everyone",
    ),
    (
        &[
            OPEN,
            ("Auth", "oauth"),
            ("PublicUrl", "https://a.example/mcp"),
        ],
        &[("Issuer", "https://i.example")],
        "needs Issuer",
    ),
    (
        &[OPEN, ("Auth", "oauth"), ("Issuer", "https://i.example")],
        &[("PublicUrl", "https://a.example/mcp")],
        "needs PublicUrl",
    ),
    (
        &[
            ("Auth", "oauth"),
            ("Issuer", "https://i.example"),
            ("PublicUrl", "https://a.example/mcp"),
        ],
        &[OPEN],
        "takes the place of the token",
    ),
    (
        &[("Issuer", "https://i.example")],
        &[("Issuer", "")],
        "without oauth",
    ),
    (&[("Auth", "api-key"), OPEN], &[ENTRY], "needs ApiKeys"),
    (
        &[
            ("Auth", "api-key"),
            OPEN,
            ENTRY,
            ("ApiKeysSource", "ssm:/keys"),
        ],
        &[("ApiKeys", "")],
        "both set",
    ),
    (&[ENTRY], &[("Auth", "api-key")], "without api-key"),
    (
        &[("Auth", "none"), ("DefaultScopes", "a:read")],
        &[("DefaultScopes", "")],
        "DefaultScopes has no",
    ),
    (
        &[("Auth", "none"), ("IamScopes", "arn:x=a")],
        &[("Auth", "iam")],
        "IamScopes has no",
    ),
    (
        &[OPEN, ("Auth", "none"), ("CallerAccount", "123456789012")],
        &[("AuthType", "AWS_IAM")],
        "CallerAccount has no",
    ),
    (
        &[("WebAcl", "arn:x")],
        &[("CloudFront", "yes"), ("Auth", "none")],
        "WebAcl protects",
    ),
    (
        &[("Metrics", "emf"), ("LogLevel", "WARN")],
        &[("LogLevel", "INFO")],
        "emf makes metrics",
    ),
    (
        &[("Toolkits", "hello,files")],
        &[("FilesBucket", "bucket")],
        "needs FilesBucket",
    ),
    (
        &[("FilesBucket", "bucket")],
        &[("Toolkits", "files")],
        "FilesBucket lets",
    ),
    (
        &[("FilesPrefix", "a")],
        &[("FilesPrefix", "")],
        "FilesPrefix and FilesWritable",
    ),
    (
        &[("SkillsPrefix", "a")],
        &[("SkillsPrefix", "")],
        "SkillsPrefix and SkillsScope",
    ),
    (
        &[("Toolkits", "hello,wether")],
        &[("Toolkits", "hello")],
        "that there is not",
    ),
    (
        &[("Toolkits", "weather")],
        &[("WeatherApiKey", "k")],
        "needs WeatherApiKey",
    ),
    (
        &[("Toolkits", "company")],
        &[("CompanyApiKey", "k")],
        "needs CompanyApiKey",
    ),
    (
        &[("Toolkits", "web")],
        &[("SearchApiKey", "k")],
        "needs SearchApiKey",
    ),
    (
        &[("Toolkits", "upstream")],
        &[("Upstreams", "a=https://a.example/mcp")],
        "needs Upstreams",
    ),
    (
        &[("Toolkits", "knowledge")],
        &[("Database", "postgres://u@h/d")],
        "knowledge needs",
    ),
    (
        &[("Toolkits", "contracts")],
        &[("Database", "postgres://u@h/d")],
        "contracts needs",
    ),
    (
        &[("Toolkits", "sql"), ("Database", "postgres://u@h/d")],
        &[("DatabaseReadonlyUrl", "postgres://r@h/d")],
        "needs DatabaseReadonlyUrl",
    ),
    (
        &[("EmbeddingsUrl", "https://e.example")],
        &[("EmbeddingsModel", "m")],
        "EmbeddingsModel",
    ),
    (
        &[
            OPEN,
            ("Auth", "oauth"),
            ("Issuer", "https://i.example"),
            ("PublicUrl", "https://a.example/mcp"),
            ("IntrospectionUrl", "https://i.example/in"),
        ],
        &[
            ("IntrospectionClientId", "id"),
            ("IntrospectionClientSecret", "secret"),
        ],
        "IntrospectionClientId",
    ),
    (
        &[DOMAIN, ("CloudFront", "yes"), ("Auth", "none")],
        &[CERTIFICATE],
        "DomainName needs CertificateArn",
    ),
    (
        &[DOMAIN, CERTIFICATE],
        &[("HttpApi", "yes")],
        "DomainName is for a front",
    ),
    (
        &[
            DOMAIN,
            CERTIFICATE,
            ("CloudFront", "yes"),
            ("HttpApi", "yes"),
            ("Auth", "none"),
        ],
        &[("CloudFront", "no")],
        "one front only",
    ),
    (
        &[("HostedZoneId", "Z1")],
        &[DOMAIN, CERTIFICATE, ("HttpApi", "yes")],
        "without DomainName",
    ),
    (
        &[("EventsConcurrency", "5")],
        &[("Events", "on")],
        "have no effect without Events=on",
    ),
    (
        &[("WebhookId", "message")],
        &[("Events", "on")],
        "have no effect without Events=on",
    ),
    (
        &[
            ("Events", "on"),
            FILE_SYSTEM,
            ("Database", "/mnt/data/shop.db"),
            ("DatabaseWritable", "on"),
            ("ReservedConcurrency", "1"),
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
        &[("Events", "off")],
        "another function that would open",
    ),
    (
        &[("TasksConcurrency", "5")],
        &[("Tasks", "on")],
        "TasksConcurrency has no effect",
    ),
    (
        &[
            ("Tasks", "on"),
            ("Database", "/mnt/data/shop.db"),
            ("DatabaseWritable", "on"),
            ("ReservedConcurrency", "1"),
            FILE_SYSTEM,
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
        &[("Tasks", "off")],
        "which several writers damage",
    ),
    (
        &[("AccessLogs", "on")],
        &[("HttpApi", "yes")],
        "is of the HTTP API",
    ),
    (
        &[("AccessLogBucket", "logs")],
        &[("CloudFront", "yes"), ("Auth", "none")],
        "logs of CloudFront",
    ),
    (
        &[("OtlpHeaders", "x-key=a")],
        &[("OtlpEndpoint", "https://otlp.example")],
        "OtlpHeaders has no",
    ),
    (
        &[("UpstreamScopes", "a=a:use")],
        &[("Upstreams", "a=https://a.example/mcp")],
        "UpstreamTokens and UpstreamScopes",
    ),
    (
        &[FILE_SYSTEM],
        &[("SubnetIds", "subnet-1"), ("SecurityGroupIds", "sg-1")],
        "in its VPC only",
    ),
    (
        &[("DatabaseWritable", "on"), ("ReservedConcurrency", "1")],
        &[
            FILE_SYSTEM,
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
        "there is none without FileSystem",
    ),
    (
        &[
            ("DatabaseWritable", "on"),
            FILE_SYSTEM,
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
        &[("ReservedConcurrency", "1")],
        "needs ReservedConcurrency=1",
    ),
    (
        &[("SubnetIds", "subnet-1,subnet-2")],
        &[("SecurityGroupIds", "sg-1")],
        "SecurityGroupIds",
    ),
];

#[test]
fn each_refusal_has_one_reason_and_its_change_is_enough() {
    let template = template();
    let mut said = BTreeSet::new();
    for (parameters, change, words) in REFUSED {
        let refused = template.deploy(parameters).expect_err(words);
        assert_eq!(refused.len(), 1, "{parameters:?}: {refused:?}");
        assert!(refused[0].contains(words), "{parameters:?}: {refused:?}");
        let kept = parameters
            .iter()
            .filter(|(name, _)| !change.iter().any(|(new, _)| new == name));
        let changed: Vec<_> = kept.chain(*change).copied().collect();
        // the change of one may need another that its own sentence names
        let accepted = template.deploy(&changed).map(|_| ());
        assert_eq!(accepted, Ok(()), "{changed:?}");
        said.extend(refused);
    }
    let rules = template.document()["Rules"].as_object().unwrap();
    let assertions = rules
        .values()
        .flat_map(|rule| rule["Assertions"].as_array().unwrap());
    for assertion in assertions {
        let sentence = assertion["AssertDescription"].as_str().unwrap();
        assert!(
            said.contains(sentence),
            "nothing above is refused with `{sentence}`"
        );
    }
}

#[test]
fn values_that_no_setting_takes_are_refused() {
    let template = template();
    for (name, value) in [
        ("Auth", ""),
        ("Auth", "None"),
        ("AuthType", "IAM"),
        ("PublicUrl", "http://a.example/mcp"),
        ("PublicUrl", "https://a.example/mcp/"),
        ("ApiKeysSource", "hunter2"),
        ("Database", "mysql://u@h/d"),
        ("Database", "ssm:/*"),
        ("Database", "secretsmanager:arn:aws:x:*"),
        ("Database", "/etc/passwd"),
        ("DatabaseReadonlyUrl", "/mnt/data/x"),
        ("UpstreamTokens", "ssm:/tokens#crm"),
        ("UpstreamTokens", "token"),
        ("FileSystem", "fs-1"),
        ("DomainName", "https://mcp.example.com"),
        ("CertificateArn", "certificate"),
        ("HostedZoneId", "example.com"),
        ("Canary", "on"),
        ("CanarySteps", "AllAtOnce"),
        ("MaxBodyBytes", "4 MiB"),
        ("BasePath", "tools"),
        ("BasePath", "/tools/"),
        ("KmsKeyArn", "alias/mine"),
        ("CallerAccount", "me"),
        ("ReservedConcurrency", "-2"),
        ("Nonsense", "1"),
    ] {
        let refused = template.deploy(&[(name, value)]).unwrap_err();
        assert!(refused[0].contains(name), "{name}={value}: {refused:?}");
    }
}

#[test]
fn every_refusal_names_a_parameter() {
    let template = template();
    let rules = template.document()["Rules"].as_object().unwrap();
    for (name, rule) in rules {
        for assertion in rule["Assertions"].as_array().unwrap() {
            let said = assertion["AssertDescription"].as_str().unwrap();
            let names = template
                .parameters()
                .any(|parameter| said.contains(parameter));
            assert!(names, "{name}: {said}");
        }
    }
}
