//! Releases: callers come by an alias, which points to a version, and whatever changes the function
//! makes another one. Otherwise a deployment would change nothing for callers, without a word.

use mcpfn_lambda_emulator::template::Stack;
use serde_json::{Value, json};

use crate::template;

/// Parameters that change the function and need no version: a bound that is the function's own, and
/// secrets, for which `SecretsRotation` is counted up.
const NO_VERSION: &[&str] = &["ReservedConcurrency", "SecretsRotation"];

/// Values that a parameter may have besides its default, by what it is called or is.
fn other_value(name: &str, about: &Value) -> String {
    let pattern = about["AllowedPattern"].as_str().unwrap_or_default();
    let arn =
        |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:123456789012:{rest}");
    if let Some(allowed) = about["AllowedValues"].as_array() {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let default = text(&about["Default"]);
        let other = allowed.iter().map(text).find(|one| *one != default);
        return other.unwrap();
    }
    match name {
        "KmsKeyArn" => arn("kms", "key/a"),
        "FileSystem" => arn("elasticfilesystem", "access-point/fsap-0a"),
        "CertificateArn" => arn("acm", "certificate/a"),
        "ServerCard" => "com.example/shop=https://mcp.example.com/mcp".to_owned(),
        "PublicUrl" => "https://mcp.example.com/mcp".to_owned(),
        "CallerAccount" => "999999999999".to_owned(),
        "ApiKeysSource" => "ssm:/keys".to_owned(),
        "BasePath" => "/tools".to_owned(),
        "HostedZoneId" => "Z1".to_owned(),
        "DomainName" => "mcp.example.com".to_owned(),
        "Database" | "DatabaseReadonlyUrl" => "postgres://u@h/d".to_owned(),
        "UpstreamTokens" => "crm=token".to_owned(),
        "OtlpEndpoint" => "https://otlp.example.com".to_owned(),
        "FailedPercent" => "7".to_owned(),
        _ if about["Type"] == "Number" => "200".to_owned(),
        _ if pattern.contains("https://") => "https://example.com/a".to_owned(),
        _ if pattern.contains("[0-9]*") => "77".to_owned(),
        _ => "something".to_owned(),
    }
}

/// What decides whether the next deployment makes a version.
fn number(stack: &Stack<'_>) -> Value {
    let versions = stack.of_kind("AWS::Lambda::Version");
    let [(_, version)] = &versions[..] else {
        panic!("one version: {versions:?}");
    };
    assert_eq!(version["Description"], "settings <Settings>");
    stack.properties("Settings").unwrap()["Content"].clone()
}

#[test]
fn whatever_changes_the_function_makes_a_version() {
    let template = template();
    let parameters = template.document()["Parameters"].as_object().unwrap();
    // those that others have an effect with
    let always = [
        ("FilesBucket", "files"),
        ("SkillsBucket", "skills"),
        ("FileSystem", FILE_SYSTEM),
    ];
    let of = |name: &str, value: &str| {
        let given = always.iter().copied().filter(|(known, _)| *known != name);
        let given: Vec<_> = given.chain([(name, value)]).collect();
        let stack = template.deploy_without_rules(&given);
        let stack = stack.unwrap_or_else(|refused| panic!("{name}={value}: {refused:?}"));
        (stack.properties("Function").unwrap(), number(&stack))
    };
    let mut changed = 0;
    for (name, about) in parameters {
        // as it is, and as a reference to where it is
        let mut values = vec![other_value(name, about)];
        // two are never kept elsewhere
        let elsewhere = name != "ApiKeys" && name != "OtlpHeaders";
        let secret = about["NoEcho"] == true && name != "ApiKeys";
        if secret && elsewhere {
            values.push("ssm:/somewhere/else".to_owned());
        }
        let (before, first) = of("MemorySize", "256");
        for (position, value) in values.iter().enumerate() {
            let (after, second) = of(name, value);
            let literal = secret && position == 0;
            if before == after {
                continue;
            }
            changed += 1;
            let without = literal || NO_VERSION.contains(&name.as_str());
            assert_eq!(
                first != second,
                !without,
                "{name}={value}: add it to Settings"
            );
            if literal {
                assert!(!second.to_string().contains(value), "{name} is a secret");
            }
        }
    }
    assert!(changed > 60, "{changed}");
    let (before, after) = (of("SecretsRotation", "0").1, of("SecretsRotation", "1").1);
    assert_ne!(before, after);
}

const FILE_SYSTEM: &str = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0a";

#[test]
fn callers_come_by_the_alias_and_old_versions_stay() {
    let template = template();
    let stack = template.deploy(&[]).unwrap();
    let url = stack.properties("FunctionUrl").unwrap();
    assert_eq!(url["TargetFunctionArn"], "<FunctionAliaslive>");
    let alias = stack.properties("FunctionAliaslive").unwrap();
    assert_eq!(alias["Name"], "live");
    let policy = &template.document()["Resources"]["Function"]["UpdateReplacePolicy"];
    assert_eq!(policy, "Retain");
    let resources = template.document()["Resources"].as_object().unwrap();
    let versions = resources
        .iter()
        .filter(|(_, about)| about["Type"] == "AWS::Lambda::Version");
    for (name, version) in versions {
        // after the serverless transform it says so itself
        if name != "FunctionVersion" {
            assert_eq!(version["UpdateReplacePolicy"], "Retain", "{name}");
            assert_eq!(version["DeletionPolicy"], "Retain", "{name}");
        }
    }
}

/// Steps are taken back by alarms, which are there in every stack.
#[test]
fn a_canary_listens_to_alarms_that_there_are() {
    let template = template();
    let resources = template.document()["Resources"].as_object().unwrap();
    let alarms = json!([{"Ref": "FailedAlarm"}, {"Ref": "ErrorsAlarm"}, {"Ref": "SlowAlarm"}]);
    let text = std::fs::read_to_string(crate::root().join("template.yaml")).unwrap();
    assert!(text.contains("Alarms: [!Ref FailedAlarm, !Ref ErrorsAlarm, !Ref SlowAlarm]"));
    for alarm in alarms.as_array().unwrap() {
        let about = &resources[alarm["Ref"].as_str().unwrap()];
        assert_eq!(about["Type"], "AWS::CloudWatch::Alarm");
        assert!(about["Condition"].is_null(), "{alarm}");
    }
    // where the transform was asked for it, it is there
    if let Some(group) = resources.get("FunctionDeploymentGroup") {
        let named = group["Properties"]["AlarmConfiguration"]["Alarms"].as_array();
        let named: Vec<_> = named
            .unwrap()
            .iter()
            .map(|alarm| alarm["Name"].clone())
            .collect();
        assert_eq!(json!(named), alarms);
        let alias = &resources["FunctionAliaslive"]["UpdatePolicy"];
        assert!(alias["CodeDeployLambdaAliasUpdate"].is_object(), "{alias}");
    }
}

/// Versions and the one that is live, what is asked for, and which one then is.
const BACK: &[(&str, &str, Option<&str>, Option<&str>)] = &[
    ("$LATEST\t1\t2\t10\t9", "10", None, Some("9")),
    ("$LATEST\t1\t2\t10\t9", "9", None, Some("2")),
    ("$LATEST\t1\t2\t10", "10", Some("1"), Some("1")),
    ("$LATEST\t3", "3", None, None),
];

/// `infra/rollback.sh` over a command line of AWS that is played here.
#[test]
fn one_command_goes_back() {
    let name = format!("mcpfn-rollback-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let (aws, log) = (folder.join("aws"), folder.join("log"));
    let script = "#!/bin/sh\ncase $2 in get-alias) echo \"$LIVE\";; list-versions-by-function) \
        echo \"$VERSIONS\";; update-alias) echo \"$*\" >> \"$LOG\";; esac\n";
    std::fs::write(&aws, script).unwrap();
    let made = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&aws)
        .status();
    assert!(made.unwrap().success());
    for (versions, live, asked, back) in BACK {
        std::fs::write(&log, "").unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut command = std::process::Command::new("sh");
        command
            .arg(crate::root().join("infra/rollback.sh"))
            .arg("mcpfn-Function");
        command.args(*asked).env("PATH", path).env("LOG", &log);
        let output = command
            .env("LIVE", live)
            .env("VERSIONS", versions)
            .output()
            .unwrap();
        let called = std::fs::read_to_string(&log).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), back.is_some(), "{said}");
        match back {
            Some(back) => {
                let moved = format!("--name live --function-version {back} ");
                assert!(called.contains(&moved), "{called}");
                assert!(called.contains("AdditionalVersionWeights={}"), "{called}");
            }
            None => assert!(called.is_empty() && said.contains("no version before 3")),
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
