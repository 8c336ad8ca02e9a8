//! Tasks: a second function that callers can't reach, and nothing of it unless it is asked for.

use serde_json::json;

use crate::template;

const OWN: [&str; 6] = [
    "TaskFunction",
    "TaskEvents",
    "FailedTasks",
    "TasksPolicy",
    "TasksFailedAlarm",
    "TasksAgeAlarm",
];

#[test]
fn without_tasks_nothing_of_them_is_made() {
    let template = template();
    let stack = template.deploy(&[]).unwrap();
    for name in OWN {
        assert!(stack.properties(name).is_none(), "{name}");
    }
    let everything = stack.everything();
    assert!(
        everything
            .values()
            .all(|value| !value.to_string().contains("TaskFunction"))
    );
    assert!(
        !stack
            .environment("Function")
            .contains_key("MCPFN_TASKS_FUNCTION")
    );
}

#[test]
fn tasks_run_in_a_function_of_the_same_program_and_settings() {
    let template = template();
    let stack = template
        .deploy(&[("Tasks", "on"), ("TasksConcurrency", "5")])
        .unwrap();
    let (front, runs) = (
        stack.properties("Function").unwrap(),
        stack.properties("TaskFunction"),
    );
    let runs = runs.unwrap();
    // before and after the serverless transform
    for same in [
        "CodeUri",
        "Code",
        "Handler",
        "Runtime",
        "Architectures",
        "Role",
        "MemorySize",
    ] {
        assert_eq!(front[same], runs[same], "{same}");
    }
    assert_eq!(
        (&runs["Timeout"], &runs["ReservedConcurrentExecutions"]),
        (&json!(900), &json!("5"))
    );
    let mut of_front = stack.environment("Function");
    let mut of_runs = stack.environment("TaskFunction");
    assert_eq!(
        of_front.remove("MCPFN_TASKS_FUNCTION").unwrap(),
        "<TaskFunction>"
    );
    assert_eq!(of_front.remove("MCPFN_LAMBDA_MODE").unwrap(), "stream");
    assert_eq!(of_runs.remove("MCPFN_LAMBDA_MODE").unwrap(), "tasks");
    assert_eq!(of_front, of_runs);
    let events = stack.properties("TaskEvents").unwrap();
    assert_eq!(events["FunctionName"], "<TaskFunction>");
    assert_eq!(
        (
            &events["MaximumRetryAttempts"],
            &events["MaximumEventAgeInSeconds"]
        ),
        (&json!(2), &json!(3600))
    );
}

/// Nobody but the role itself may invoke it: an event of one's own would be taken for a run that is
/// due.
#[test]
fn no_caller_reaches_the_function_of_tasks() {
    let template = template();
    for auth in ["AWS_IAM", "NONE"] {
        let parameters = [("Tasks", "on"), ("AuthType", auth), ("HttpApi", "yes")];
        let stack = template.deploy_without_rules(&parameters).unwrap();
        for kind in [
            "AWS::Lambda::Permission",
            "AWS::Lambda::Url",
            "AWS::IAM::ManagedPolicy",
        ] {
            for (name, about) in stack.of_kind(kind) {
                assert!(!about.to_string().contains("TaskFunction"), "{name}");
            }
        }
        let policy = stack.properties("TasksPolicy").unwrap();
        let statements = &policy["PolicyDocument"]["Statement"];
        let expected = json!([{"Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Resource": statements[0]["Resource"]}]);
        assert_eq!(statements, &expected);
        let resource = statements[0]["Resource"].as_str().unwrap();
        assert!(
            resource.contains("TaskFunction") && !resource.contains('*'),
            "{resource}"
        );
    }
}
