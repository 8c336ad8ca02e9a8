//! Events: a function that sends them, the queue in front of it and the one behind it, and nothing of
//! these unless they are asked for.

use mcpfn_lambda_emulator::filter_pattern::FilterPattern;
use mcpfn_lambda_emulator::template::Stack;
use serde_json::{Value, json};

use crate::template;

const OWN: [&str; 10] = [
    "EventFunction",
    "EventQueue",
    "DeadEvents",
    "EventSource",
    "EventsPolicy",
    "DeliveriesMetric",
    "EventsFailingAlarm",
    "EventsDeadAlarm",
    "EventsAgeAlarm",
    "EventQueueUrl",
];

#[test]
fn without_events_nothing_of_them_is_made() {
    let template = template();
    let stack = template.deploy(&[]).unwrap();
    let everything = stack.everything();
    for name in OWN {
        assert!(!everything.contains_key(name), "{name}");
    }
    let mentions = |value: &Value| {
        let text = value.to_string();
        ["EventFunction", "EventQueue", "DeadEvents"]
            .iter()
            .any(|name| text.contains(name))
    };
    assert!(!everything.values().any(mentions));
    let policies = stack.properties("Role").unwrap()["Policies"].to_string();
    assert!(!policies.contains("dynamodb:Query"), "{policies}");
}

fn two(stack: &Stack<'_>) -> (Value, Value) {
    (
        stack.properties("Function").unwrap(),
        stack.properties("EventFunction").unwrap(),
    )
}

#[test]
fn events_are_sent_by_the_same_program_with_the_same_settings() {
    let template = template();
    let parameters = [("Events", "on"), ("Tasks", "on"), ("WebhookId", "message")];
    let stack = template.deploy(&parameters).unwrap();
    let (front, sends) = two(&stack);
    // before and after the serverless transform
    for same in [
        "CodeUri",
        "Code",
        "Handler",
        "Runtime",
        "Architectures",
        "Role",
        "MemorySize",
        "VpcConfig",
    ] {
        assert_eq!(front[same], sends[same], "{same}");
    }
    let variables = ["Function", "TaskFunction", "EventFunction"].map(|name| {
        let mut variables = stack.environment(name);
        assert_eq!(variables["MCPFN_EVENTS_QUEUE"], "<EventQueue>", "{name}");
        assert_eq!(
            variables["MCPFN_EVENTS_DEAD_QUEUE"], "<DeadEvents>",
            "{name}"
        );
        assert_eq!(variables["MCPFN_WEBHOOK_ID"], "message", "{name}");
        variables.remove("MCPFN_TASKS_FUNCTION");
        let mode = variables.remove("MCPFN_LAMBDA_MODE").unwrap();
        (mode, variables)
    });
    let modes = variables.each_ref().map(|(mode, _)| mode.as_str());
    assert_eq!(modes, ["stream", "tasks", "events"]);
    assert!(variables.iter().all(|(_, rest)| *rest == variables[0].1));
}

/// What AWS asks of a queue in front of a function, and of one behind it.
#[test]
fn messages_come_again_until_they_are_given_up() {
    let template = template();
    let stack = template.deploy(&[("Events", "on")]).unwrap();
    let (_, sends) = two(&stack);
    let queue = stack.properties("EventQueue").unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let visible = number(&queue["VisibilityTimeout"]);
    assert!(visible >= 6 * number(&sends["Timeout"]), "{visible}");
    let again = &queue["RedrivePolicy"];
    assert!(
        again["deadLetterTargetArn"]
            .as_str()
            .unwrap()
            .contains("DeadEvents")
    );
    // as long as all attempts to send an event take
    assert!(visible * number(&again["maxReceiveCount"]) >= 2 * 3600);
    let dead = stack.properties("DeadEvents").unwrap();
    let kept = |queue: &Value| number(&queue["MessageRetentionPeriod"]);
    assert!(kept(&dead) > kept(&queue));
    let source = stack.properties("EventSource").unwrap();
    assert!(
        source["FunctionName"]
            .as_str()
            .unwrap()
            .contains("EventFunction")
    );
    assert!(
        source["EventSourceArn"]
            .as_str()
            .unwrap()
            .contains("EventQueue")
    );
    assert_eq!(
        source["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    assert_eq!(source["BatchSize"], 10);
    assert_eq!(source["ScalingConfig"]["MaximumConcurrency"], "10");
    for name in ["EventQueue", "DeadEvents"] {
        let queue = stack.properties(name).unwrap();
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
    let key = "arn:aws:kms:eu-west-1:123456789012:key/a";
    let stack = template
        .deploy(&[("Events", "on"), ("KmsKeyArn", key)])
        .unwrap();
    for name in ["EventQueue", "DeadEvents"] {
        let queue = stack.properties(name).unwrap();
        assert_eq!(queue["KmsMasterKeyId"], key, "{name}");
    }
}

/// Nobody but the role itself may put something into a queue, or invoke the function.
#[test]
fn no_caller_reaches_the_queues_or_the_function() {
    let template = template();
    for auth in ["AWS_IAM", "NONE"] {
        let parameters = [("Events", "on"), ("AuthType", auth), ("HttpApi", "yes")];
        let stack = template.deploy_without_rules(&parameters).unwrap();
        for kind in [
            "AWS::Lambda::Permission",
            "AWS::Lambda::Url",
            "AWS::IAM::ManagedPolicy",
            "AWS::SQS::QueuePolicy",
        ] {
            for (name, about) in stack.of_kind(kind) {
                let text = about.to_string();
                let reaches = ["EventFunction", "EventQueue", "DeadEvents"];
                assert!(!reaches.iter().any(|own| text.contains(own)), "{name}");
            }
        }
    }
    let stack = template.deploy(&[("Events", "on")]).unwrap();
    let policy = stack.properties("EventsPolicy").unwrap();
    assert_eq!(policy["RoleName"], "<Role>");
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let allowed: Vec<(Value, bool)> = statements
        .iter()
        .map(|it| {
            (
                it["Action"].clone(),
                it["Resource"].to_string().contains('*'),
            )
        })
        .collect();
    let expected = [
        (json!("dynamodb:Query"), false),
        (
            json!([
                "sqs:SendMessage",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes"
            ]),
            false,
        ),
        (json!("sqs:SendMessage"), false),
    ];
    assert_eq!(allowed, expected);
}

/// What the program writes of an attempt is what the alarm counts.
#[test]
fn alarms_hear_of_failed_attempts_dead_events_and_a_queue_that_waits() {
    let template = template();
    let stack = template
        .deploy(&[("Events", "on"), ("FailedDeliveries", "7")])
        .unwrap();
    let filter = stack.properties("DeliveriesMetric").unwrap();
    let pattern = FilterPattern::parse(filter["FilterPattern"].as_str().unwrap()).unwrap();
    for (outcome, counts) in [("delivered", false), ("retried", true), ("dead", true)] {
        let line = json!({"event": "event_delivery", "outcome": outcome, "name": "a"});
        assert_eq!(pattern.matches(&line.to_string()), counts, "{outcome}");
    }
    let counted = &filter["MetricTransformations"][0];
    let failing = stack.properties("EventsFailingAlarm").unwrap();
    assert_eq!(failing["Namespace"], counted["MetricNamespace"]);
    assert_eq!(failing["MetricName"], counted["MetricName"]);
    assert_eq!(failing["Threshold"], "7");
    for (alarm, queue, metric) in [
        (
            "EventsDeadAlarm",
            "DeadEvents",
            "ApproximateNumberOfMessagesVisible",
        ),
        (
            "EventsAgeAlarm",
            "EventQueue",
            "ApproximateAgeOfOldestMessage",
        ),
    ] {
        let about = stack.properties(alarm).unwrap();
        assert_eq!(
            (&about["Namespace"], &about["MetricName"]),
            (&json!("AWS/SQS"), &json!(metric))
        );
        assert!(about["Dimensions"].to_string().contains(queue), "{alarm}");
    }
}

/// Files of the bucket are events by one rule, which alone may invoke the function for it.
#[test]
fn files_of_the_bucket_are_events_where_there_are_both() {
    let template = template();
    let files = [("Toolkits", "files"), ("FilesBucket", "plans")];
    for (events, of_toolkits, there) in [
        ("off", "off", false),
        ("off", "on", false),
        ("on", "off", false),
        ("on", "on", true),
    ] {
        let more = [("Events", events), ("ToolkitEvents", of_toolkits)];
        let parameters = [&files[..], &more].concat();
        let stack = template.deploy(&parameters).unwrap();
        let made = stack.everything().contains_key("FileEvents");
        assert_eq!(made, there);
        // the tools say nothing of what the bucket tells
        let variables = &stack.properties("Function").unwrap()["Environment"]["Variables"];
        let notices = if there { "on" } else { "off" };
        assert_eq!(variables["MCPFN_FILES_NOTICES"], notices);
        let permission = stack.properties("FileEventsPermission");
        assert_eq!(permission.is_some(), there);
        let Some(permission) = permission else {
            continue;
        };
        let rule = stack.properties("FileEvents").unwrap();
        assert_eq!(
            rule["EventPattern"]["detail"]["bucket"]["name"],
            json!(["plans"])
        );
        assert_eq!(rule["Targets"][0]["Arn"], permission["FunctionName"]);
        assert_eq!(permission["Principal"], "events.amazonaws.com");
        assert!(
            permission["SourceArn"]
                .as_str()
                .unwrap()
                .contains("FileEvents")
        );
    }
    let parameters = [("Events", "on"), ("ToolkitEvents", "on")];
    let stack = template.deploy(&parameters).unwrap();
    assert!(stack.properties("FileEvents").is_none(), "without a bucket");
}

/// Events of tables are read by one rule, which alone may run the function for it.
#[test]
fn events_of_tables_are_read_by_a_schedule() {
    let template = template();
    for (events, of_toolkits, tables, there) in [
        ("off", "on", "", false),
        ("on", "off", "", false),
        ("on", "on", "", true),
        ("on", "off", "orders:id", true),
    ] {
        let parameters = [
            ("Events", events),
            ("ToolkitEvents", of_toolkits),
            ("EventTables", tables),
        ];
        let stack = template.deploy_without_rules(&parameters).unwrap();
        let everything = stack.everything();
        for name in ["EventSchedule", "EventScheduleRuns", "EventsUnreadAlarm"] {
            assert_eq!(everything.contains_key(name), there, "{name}");
        }
        let of = |name: &str| stack.environment(name)["MCPFN_EVENTS_SCHEDULE"].clone();
        assert_eq!(of("Function"), if there { "on" } else { "off" });
        let Some(permission) = stack.properties("EventSchedulePermission") else {
            assert!(!there);
            continue;
        };
        assert_eq!(of("EventFunction"), "on");
        let rule = stack.properties("EventSchedule").unwrap();
        assert_eq!(rule["ScheduleExpression"], "rate(1 minute)");
        let target = rule["Targets"][0]["Arn"].as_str().unwrap();
        assert!(target.contains("EventFunction"), "{target}");
        assert_eq!(permission["FunctionName"], "<EventFunction>");
        assert_eq!(permission["Principal"], "events.amazonaws.com");
        let source = permission["SourceArn"].as_str().unwrap();
        assert!(source.contains("EventSchedule"), "{source}");
        // what the alarm counts are runs of this function
        let alarm = stack.properties("EventsUnreadAlarm").unwrap();
        assert!(alarm["Dimensions"].to_string().contains("<EventFunction>"));
        let runs = stack.properties("EventScheduleRuns").unwrap();
        assert_eq!(runs["MaximumRetryAttempts"], 0);
    }
}

#[test]
fn events_refer_to_nothing_that_a_condition_leaves_out() {
    let template = template();
    for tasks in ["off", "on"] {
        for key in ["", "arn:aws:kms:eu-west-1:123456789012:key/a"] {
            for topic in ["", "arn:aws:sns:eu-west-1:123456789012:topic"] {
                let parameters = [
                    ("Events", "on"),
                    ("Tasks", tasks),
                    ("KmsKeyArn", key),
                    ("AlarmTopic", topic),
                    ("SubnetIds", "subnet-1"),
                ];
                let stack = template.deploy_without_rules(&parameters).unwrap();
                let everything = stack.everything();
                assert!(OWN.iter().all(|own| everything.contains_key(*own)));
            }
        }
    }
}
