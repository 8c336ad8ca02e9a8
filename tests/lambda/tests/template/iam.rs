//! What the function's role may do, as a reviewer reads it: every statement of each set of
//! parameters, printed. No action and no resource is wider than a setting needs.

use std::collections::BTreeSet;

use mcpfn_lambda_emulator::template::Stack;
use serde_json::Value;

use crate::template;

type Parameters = &'static [(&'static str, &'static str)];

const ARN: &str =
    "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf#url";
const SETS: &[(&str, Parameters)] = &[
    ("the defaults", &[]),
    (
        "for anyone, with keys in SSM",
        &[
            ("AuthType", "NONE"),
            ("Auth", "api-key"),
            ("ApiKeysSource", "ssm:/mcpfn/keys"),
        ],
    ),
    (
        "files, read",
        &[
            ("Toolkits", "files"),
            ("FilesBucket", "shop"),
            ("FilesPrefix", "public"),
        ],
    ),
    (
        "files, written",
        &[
            ("Toolkits", "files"),
            ("FilesBucket", "shop"),
            ("FilesWritable", "on"),
        ],
    ),
    (
        "skills of one's own",
        &[("SkillsBucket", "shop"), ("SkillsPrefix", "skills")],
    ),
    (
        "PostgreSQL in a VPC, with secrets elsewhere",
        &[
            ("Toolkits", "database,github"),
            ("Database", ARN),
            ("GithubToken", "ssm:/mcpfn/github"),
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
    ),
    (
        "SQLite on EFS",
        &[
            ("Database", "/mnt/data/shop.db"),
            ("DatabaseWritable", "on"),
            ("ReservedConcurrency", "1"),
            (
                "FileSystem",
                "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0a",
            ),
            ("SubnetIds", "subnet-1"),
            ("SecurityGroupIds", "sg-1"),
        ],
    ),
    (
        "a key of one's own, and traces",
        &[
            ("KmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/1a"),
            ("Tracing", "on"),
        ],
    ),
    ("an HTTP API for signed callers", &[("HttpApi", "yes")]),
    ("tasks", &[("Tasks", "on")]),
    ("events", &[("Events", "on")]),
];

/// Policies whose actions AWS knows no resource for.
const EVERYWHERE: [&str; 2] = ["network", "traces"];

/// Policies of a stack: a name, and statements.
fn policies(stack: &Stack<'_>) -> Vec<(String, Vec<Value>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let statements = |about: &Value| {
        let list = about["PolicyDocument"]["Statement"].as_array();
        list.cloned().unwrap_or_default()
    };
    let role = stack.properties("Role").unwrap();
    let own = role["Policies"].as_array().unwrap().iter();
    let mut found: Vec<_> = own
        .map(|policy| (text(&policy["PolicyName"]), statements(policy)))
        .collect();
    for (name, policy) in stack.of_kind("AWS::IAM::RolePolicy") {
        assert_eq!(policy["RoleName"], "<Role>", "{name}");
        found.push((text(&policy["PolicyName"]), statements(&policy)));
    }
    for (name, policy) in stack.of_kind("AWS::IAM::ManagedPolicy") {
        found.push((format!("{name}, for callers"), statements(&policy)));
    }
    found
}

fn listed(value: &Value) -> Vec<String> {
    let one = value.as_str().map(str::to_owned);
    let several = value.as_array().into_iter().flatten();
    let several = several.map(|value| value.as_str().unwrap().to_owned());
    one.into_iter().chain(several).collect()
}

#[test]
fn no_statement_is_wider_than_a_setting_needs() {
    let template = template();
    let mut policies_seen = BTreeSet::new();
    for (about, parameters) in SETS {
        println!("{about}: {parameters:?}");
        let stack = template.deploy(parameters);
        let stack = stack.unwrap_or_else(|refused| panic!("{about}: {refused:?}"));
        for (policy, statements) in policies(&stack) {
            assert!(!statements.is_empty(), "{about}: {policy} says nothing");
            for statement in statements {
                assert_eq!(statement["Effect"], "Allow");
                let actions = listed(&statement["Action"]);
                let resources = listed(&statement["Resource"]);
                let condition = statement.get("Condition");
                let condition = condition
                    .map(|one| format!(" if {one}"))
                    .unwrap_or_default();
                println!(
                    "  {policy}: {} on {}{condition}",
                    actions.join(", "),
                    resources.join(", ")
                );
                assert!(!actions.is_empty() && !resources.is_empty(), "{statement}");
                assert!(
                    !actions.iter().any(|action| action.contains('*')),
                    "{statement}"
                );
                let everywhere = resources.iter().any(|resource| resource == "*");
                assert_eq!(
                    everywhere,
                    EVERYWHERE.contains(&policy.as_str()),
                    "{statement}"
                );
                // a part of a resource is open only where something else bounds it
                for resource in resources.iter().filter(|resource| resource.contains('*')) {
                    let bounded = resource.starts_with("arn:aws:s3:::shop/")
                        || resource
                            .starts_with("arn:aws:execute-api:eu-west-1:123456789012:<Api>/")
                        || (policy == "file-system" && !condition.is_empty());
                    assert!(bounded || everywhere, "{statement}");
                }
                policies_seen.insert(policy.clone());
            }
        }
    }
    // every policy that the template has is in one of the sets
    let all = template.document()["Resources"].to_string();
    let named = all.split("\"PolicyName\":\"").skip(1);
    for name in named.filter_map(|rest| rest.split('"').next()) {
        assert!(
            policies_seen.contains(name),
            "add a set of parameters with the policy {name}"
        );
    }
}
