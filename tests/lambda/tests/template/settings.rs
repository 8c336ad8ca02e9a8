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
        "MCPFN_DATABASE_WRITABLE",
        "of a SQLite file, and there is none but the demo shop",
    ),
    (
        "MCPFN_UPSTREAM_<NAME>_TOKEN",
        "its name has the name of an upstream",
    ),
    (
        "MCPFN_UPSTREAM_<NAME>_SCOPE",
        "its name has the name of an upstream",
    ),
];

/// The names in the table of the program's own settings, which is no library.
fn of_the_program() -> Vec<String> {
    let path = root().join("crates/server/src/settings.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.split("#[cfg(test)]").next().unwrap();
    let names = table.split("Setting::new(").skip(1);
    let names: Vec<String> = names
        .filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned()))
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
        let secret = ["Key", "Keys", "Secret", "Token", "Database", "Url"]
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
    let places = [
        ("the-key-itself".to_owned(), Value::Null),
        ("ssm:/mcpfn/key".to_owned(), parameter.clone()),
        ("ssm:/mcpfn/key#member".to_owned(), parameter),
        (format!("secretsmanager:{arn}"), secret.clone()),
        (format!("secretsmanager:{arn}#member"), secret),
    ];
    let names = [
        ("EmbeddingsApiKey", "MCPFN_EMBEDDINGS_API_KEY"),
        ("WeatherApiKey", "MCPFN_WEATHER_API_KEY"),
        ("CompanyApiKey", "MCPFN_COMPANY_API_KEY"),
        ("SearchApiKey", "MCPFN_SEARCH_API_KEY"),
        ("GithubToken", "MCPFN_GITHUB_TOKEN"),
    ];
    for (name, variable) in names {
        for (value, statements) in &places {
            let stack = template.deploy(&[(name, value)]).unwrap();
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
        .deploy(&all)
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
        ("FunctionArn", "<Function.Arn>"),
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
