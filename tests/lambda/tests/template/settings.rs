//! Every setting of the deployed program has a way through the template, and each deployment of
//! `samconfig.toml` is one that the template takes.

use std::collections::BTreeSet;

use mcpfn_settings::{Hosts, SETTINGS};

use serde_json::{Value, json};

use crate::{root, template};

/// Settings that the template does not set, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "MCPFN_LOG",
        "the parameter LogLevel, which Lambda itself passes on",
    ),
    (
        "MCPFN_UPSTREAM_<NAME>_TOKEN",
        "its name has the name of an upstream: UpstreamTokens",
    ),
    (
        "MCPFN_UPSTREAM_<NAME>_SCOPE",
        "its name has the name of an upstream: UpstreamScopes",
    ),
];

/// Secrets that can't be kept elsewhere by a reference, and why.
const NEVER_ELSEWHERE: &[(&str, &str)] = &[
    (
        "MCPFN_STATE_KEY",
        "the stack makes this secret itself, and needs it before a first call",
    ),
    (
        "MCPFN_UPSTREAM_<NAME>_TOKEN",
        "its name has the name of an upstream: UpstreamTokens",
    ),
];

/// The names in the table of the program's own settings, which is no library.
fn of_the_program() -> Vec<String> {
    entries_of_the_program()
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// These names, and whether each is marked as a secret.
fn entries_of_the_program() -> Vec<(String, bool)> {
    let path = root().join("crates/server/src/settings.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.split("#[cfg(test)]").next().unwrap();
    let names = table.split("Setting::new(").skip(1);
    let names: Vec<_> = names
        .filter_map(|rest| {
            let name = rest.split('"').nth(1)?.to_owned();
            Some((name, rest.contains("\n    .secret()")))
        })
        .collect();
    assert!(names.len() > 20, "{names:?}");
    names
}

#[test]
fn every_setting_has_a_way_through_the_template() {
    let template = template();
    let function = &template.document()["Resources"]["Function"]["Properties"];
    let set: BTreeSet<&str> = function["Environment"]["Variables"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|name| name.starts_with("MCPFN_"))
        .collect();
    let of_hosts = SETTINGS
        .iter()
        .filter(|setting| setting.hosts.meets(Hosts::LAMBDA));
    let mut names: BTreeSet<String> = of_hosts.map(|setting| setting.name.to_owned()).collect();
    names.extend(of_the_program());
    for (name, _) in ELSEWHERE {
        assert!(names.remove(*name), "{name} is no setting any more");
    }
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let missing: Vec<_> = names.difference(&set).collect();
    assert_eq!(
        missing, [&""; 0],
        "add parameters for them to template.yaml"
    );
    let unknown: Vec<_> = set.difference(&names).collect();
    assert_eq!(unknown, [&""; 0], "no program reads them");
}

#[test]
fn what_is_secret_is_not_shown() {
    let template = template();
    let parameters = template.document()["Parameters"].as_object().unwrap();
    for (name, about) in parameters {
        let secret = [
            "Key", "Keys", "Secret", "Token", "Tokens", "Headers", "Database", "Url",
        ]
        .iter()
        .any(|end| name.ends_with(end));
        let harmless = [
            "PublicUrl",
            "JwksUrl",
            "IntrospectionUrl",
            "EmbeddingsUrl",
            "WeatherUrl",
            "CompanyUrl",
            "SearchUrl",
            "GithubUrl",
        ];
        let hidden = about["NoEcho"] == true;
        assert_eq!(
            hidden,
            secret && !harmless.contains(&name.as_str()),
            "{name}"
        );
    }
}

#[test]
fn deployments_of_samconfig_are_taken() {
    let template = template();
    let config = std::fs::read_to_string(root().join("samconfig.toml")).unwrap();
    let lists = config
        .lines()
        .filter_map(|line| line.strip_prefix("parameter_overrides = "));
    let lists: Vec<Vec<String>> = lists
        .map(|list| serde_json::from_str(list).expect("a list on one line"))
        .collect();
    assert_eq!(lists.len(), 2);
    for list in &lists {
        let parameters: Vec<_> = list
            .iter()
            .map(|set| set.split_once('=').expect("NAME=VALUE"))
            .collect();
        let stack = template.deploy(&parameters);
        let stack = stack.unwrap_or_else(|refused| panic!("{parameters:?}: {refused:?}"));
        // an account that is new has no environments to reserve
        let function = stack.properties("Function").unwrap();
        assert!(
            function["ReservedConcurrentExecutions"].is_null(),
            "{parameters:?}"
        );
        assert_ne!(
            stack.environment("Function")["MCPFN_AUTH"],
            "none",
            "{parameters:?}"
        );
    }
}

#[test]
fn a_key_of_ones_own_is_for_everything_that_is_kept() {
    let template = template();
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let stack = template.deploy(&[("KmsKeyArn", key)]).unwrap();
    let of = |name: &str, member: &str| stack.properties(name).unwrap()[member].clone();
    assert_eq!(of("Function", "KmsKeyArn"), key);
    assert_eq!(of("Logs", "KmsKeyId"), key);
    assert_eq!(of("StateKey", "KmsKeyId"), key);
    assert_eq!(of("Table", "SSESpecification")["KMSMasterKeyId"], key);
    let policies = of("Role", "Policies");
    let policy = policies
        .as_array()
        .unwrap()
        .iter()
        .find(|policy| policy["PolicyName"] == "key");
    assert_eq!(
        policy.unwrap()["PolicyDocument"]["Statement"][0]["Resource"],
        key
    );
    let without = template.deploy(&[]).unwrap().everything();
    assert!(
        without
            .values()
            .all(|value| !value.to_string().contains("kms:"))
    );
}

#[test]
fn a_vpc_is_one_where_the_operator_says_so() {
    let template = template();
    let named = [
        ("SubnetIds", "subnet-1, subnet-2"),
        ("SecurityGroupIds", "sg-1"),
    ];
    for (parameters, inside) in [(&named[..], true), (&[], false)] {
        let stack = template.deploy(parameters).unwrap();
        let function = stack.properties("Function").unwrap();
        let expected = json!({"SubnetIds": ["subnet-1", "subnet-2"],
            "SecurityGroupIds": ["sg-1"]});
        assert_eq!(function["VpcConfig"] == expected, inside);
        let role = stack.properties("Role").unwrap().to_string();
        assert_eq!(role.contains("ec2:CreateNetworkInterface"), inside);
    }
}

#[test]
fn a_file_system_is_reached_by_its_access_point_alone() {
    let template = template();
    let arn =
        "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0";
    let vpc = [("SubnetIds", "subnet-1"), ("SecurityGroupIds", "sg-1")];
    let file = [("FileSystem", arn), ("Database", "/mnt/data/shop.db")];
    let written = [("DatabaseWritable", "on"), ("ReservedConcurrency", "1")];
    let sets = [
        (
            [&vpc[..], &file].concat(),
            "off",
            json!(["elasticfilesystem:ClientMount"]),
        ),
        (
            [&vpc[..], &file, &written].concat(),
            "on",
            json!([
                "elasticfilesystem:ClientMount",
                "elasticfilesystem:ClientWrite"
            ]),
        ),
    ];
    for (parameters, writable, actions) in sets {
        let stack = template.deploy(&parameters).unwrap();
        let function = stack.properties("Function").unwrap();
        let mounted = json!([{"Arn": arn, "LocalMountPath": "/mnt/data"}]);
        assert_eq!(function["FileSystemConfigs"], mounted);
        let environment = stack.environment("Function");
        assert_eq!(environment["MCPFN_DATABASE"], "/mnt/data/shop.db");
        assert_eq!(environment["MCPFN_DATABASE_WRITABLE"], writable);
        let policies = stack.properties("Role").unwrap()["Policies"].clone();
        let mut policies = policies.as_array().unwrap().iter();
        let policy = policies.find(|policy| policy["PolicyName"] == "file-system");
        let statement = &policy.unwrap()["PolicyDocument"]["Statement"][0];
        assert_eq!(statement["Action"], actions);
        let condition = json!({"StringEquals": {"elasticfilesystem:AccessPointArn": arn}});
        assert_eq!(statement["Condition"], condition);
    }
    let without = template.deploy(&[]).unwrap();
    assert!(
        !without
            .environment("Function")
            .contains_key("MCPFN_DATABASE_WRITABLE")
    );
    let role = without.properties("Role").unwrap().to_string();
    assert!(!role.contains("elasticfilesystem"));
}

#[test]
fn a_state_key_is_replaced_without_losing_the_old_one() {
    let template = template();
    let deployed = |count| {
        let stack = template.deploy(&[("StateKeyRotation", count)]).unwrap();
        (
            stack.environment("Function")["MCPFN_STATE_KEY"].clone(),
            stack.properties("Function"),
        )
    };
    let (first, second, third) = (deployed("0"), deployed("1"), deployed("2"));
    assert_eq!(
        first.0,
        "{{resolve:secretsmanager:<StateKey>:SecretString}}A="
    );
    assert_eq!(
        second.0,
        "{{resolve:secretsmanager:<StateKey>:SecretString}}A=,\
         {{resolve:secretsmanager:<StateKey>:SecretString::AWSPREVIOUS}}A="
    );
    // the second replacement is a change of the function, too, or nothing would be deployed
    assert_eq!(second.0, third.0);
    assert_ne!(second.1, third.1);
}

#[test]
fn the_role_reads_exactly_the_secrets_that_are_kept_elsewhere() {
    let template = template();
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mcpfn-AbCdEf";
    let secret = json!([{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
        "Resource": arn}]);
    let parameter = json!([{"Effect": "Allow", "Action": "ssm:GetParameter",
        "Resource": "arn:aws:ssm:eu-west-1:123456789012:parameter/mcpfn/key"}]);
    let places = |name: &str| {
        let itself = match name {
            "Database" | "DatabaseReadonlyUrl" => "postgres://me@db.example/shop",
            "UpstreamTokens" => "crm=token,files=token",
            _ => "the-key-itself",
        };
        // all members of the object are tokens
        let members = name != "UpstreamTokens";
        let mut places = vec![
            (itself.to_owned(), Value::Null),
            ("ssm:/mcpfn/key".to_owned(), parameter.clone()),
            ("ssm:/mcpfn/key#member".to_owned(), parameter.clone()),
            (format!("secretsmanager:{arn}"), secret.clone()),
            (format!("secretsmanager:{arn}#member"), secret.clone()),
        ];
        places.retain(|(value, _)| members || !value.contains('#'));
        places
    };
    // every secret of both tables, and the parameter that its variable has its value from
    let function = &template.document()["Resources"]["Function"]["Properties"];
    let set = function["Environment"]["Variables"].as_object().unwrap();
    let of_hosts = SETTINGS
        .iter()
        .filter(|setting| setting.secret && setting.hosts.meets(Hosts::LAMBDA));
    let of_hosts = of_hosts.map(|setting| setting.name.to_owned());
    let of_program = entries_of_the_program();
    let of_program = of_program.into_iter().filter(|(_, secret)| *secret);
    let mut secrets: Vec<String> = of_hosts.chain(of_program.map(|(name, _)| name)).collect();
    for (name, _) in NEVER_ELSEWHERE {
        let position = secrets.iter().position(|known| known == name);
        secrets.remove(position.unwrap_or_else(|| panic!("{name} is no secret any more")));
    }
    let names: Vec<(&str, &str)> = secrets
        .iter()
        .map(|variable| {
            let parameter = set[variable]["Ref"].as_str();
            let parameter = parameter.unwrap_or_else(|| panic!("{variable} is no parameter's"));
            (parameter, variable.as_str())
        })
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for (name, variable) in names.iter().copied() {
        for (value, statements) in &places(name) {
            let stack = template.deploy_without_rules(&[(name, value)]).unwrap();
            let policy = stack.properties("SecretsPolicy");
            let found = policy.map(|policy| policy["PolicyDocument"]["Statement"].clone());
            assert_eq!(&found.unwrap_or_default(), statements, "{name}={value}");
            assert_eq!(stack.environment("Function")[variable], *value);
        }
        for wide in ["ssm:/*", "ssm:/a?", "two words"] {
            assert!(template.deploy(&[(name, wide)]).is_err(), "{name}={wide}");
        }
    }
    let all: Vec<_> = names
        .iter()
        .map(|(name, _)| (*name, "ssm:/mcpfn/key"))
        .collect();
    let policy = template
        .deploy_without_rules(&all)
        .unwrap()
        .properties("SecretsPolicy")
        .unwrap();
    assert_eq!(
        policy["PolicyDocument"]["Statement"]
            .as_array()
            .unwrap()
            .len(),
        names.len()
    );
}

#[test]
fn calls_are_traced_where_the_operator_says_so() {
    let template = template();
    for (tracing, mode) in [("on", "Active"), ("off", "PassThrough")] {
        let stack = template.deploy(&[("Tracing", tracing)]).unwrap();
        let function = stack.properties("Function").unwrap();
        // before and after the serverless transform
        let found = function
            .get("Tracing")
            .unwrap_or(&function["TracingConfig"]["Mode"]);
        assert_eq!(found, mode);
        let role = stack.properties("Role").unwrap().to_string();
        assert_eq!(role.contains("xray:PutTraceSegments"), tracing == "on");
    }
}

#[test]
fn outputs_name_what_commands_and_documents_need() {
    let template = template();
    let everything = template.deploy(&[]).unwrap().everything();
    for (name, value) in [
        ("FunctionName", "<Function>"),
        ("FunctionArn", "<FunctionAliaslive>"),
        ("LogGroup", "<Logs>"),
        ("StateKeyArn", "<StateKey>"),
        ("TableName", "<Table>"),
        ("Url", "https://functionurl.lambda-url.eu-west-1.on.aws/mcp"),
    ] {
        assert_eq!(everything[name], value, "{name}");
    }
    assert!(
        everything["DashboardUrl"]
            .as_str()
            .unwrap()
            .ends_with("/<Dashboard>")
    );
}
