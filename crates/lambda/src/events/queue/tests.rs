//! What the queue is asked, and what becomes of answers.

use std::sync::Mutex;

use mcpfn_aws::{AccessKeys, AwsAccount};
use mcpfn_core::port::HttpError;

use super::*;

/// Answers with these, and keeps what it was asked.
#[derive(Default)]
struct Played {
    answers: Mutex<Vec<Result<(u16, String), HttpError>>>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl HttpClient for Played {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().remove(0);
        Box::pin(std::future::ready(answer.map(|(status, body)| {
            HttpResponse {
                status,
                headers: Vec::new(),
                body: body.into(),
                truncated: false,
            }
        })))
    }
}

fn queue(answers: Vec<Result<(u16, String), HttpError>>) -> (SqsQueue, Arc<Played>) {
    let played = Arc::new(Played::default());
    *played.answers.lock().unwrap() = answers;
    let keys = AccessKeys {
        id: "AKIA".to_owned(),
        secret: "hunter2".to_owned(),
        session: None,
    };
    let at = |name: &str| {
        let url = format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{name}");
        QueueAddress::parse(&url).unwrap()
    };
    let settings = DeliveryQueue {
        queue: at("events"),
        dead: Some(at("dead")),
        scheduled: false,
        account: AwsAccount::new("eu-west-1", keys),
    };
    let queue = SqsQueue {
        settings,
        client: Arc::clone(&played) as _,
    };
    (queue, played)
}

/// An answer that took messages with these ids.
fn taken(ids: std::ops::Range<usize>) -> Result<(u16, String), HttpError> {
    let ids: Vec<Value> = ids.map(|id| json!({"Id": id.to_string()})).collect();
    Ok((200, json!({"Successful": ids, "Failed": []}).to_string()))
}

fn jobs(many: u64) -> Vec<EventJob> {
    let job = |number: u64| EventJob {
        key: number.to_string(),
        body: "work".into(),
        due_ms: 1_000 + number,
    };
    (0..many).map(job).collect()
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn work_is_put_ten_at_a_time_in_signed_requests() {
    let (queue, played) = queue(vec![taken(0..10), taken(0..10), taken(0..3)]);
    queue.put("of-shop", jobs(23), 1_000).await.unwrap();
    let asked = played.asked.lock().unwrap();
    let sizes = asked
        .iter()
        .map(|it| body(it)["Entries"].as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [10, 10, 3]);
    let request = &asked[0];
    assert_eq!(request.url, "https://sqs.eu-west-1.amazonaws.com/");
    let header = |name: &str| {
        let found = request.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!(header("x-amz-target"), "AmazonSQS.SendMessageBatch");
    let signature = header("authorization");
    assert!(
        signature.contains("/eu-west-1/sqs/aws4_request"),
        "{signature}"
    );
    assert!(signature.contains("x-amz-target"), "{signature}");
    let first = &body(request)["Entries"][0];
    let work = QueuedWork::read(first["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&*work.queue, &*work.key, work.due_ms),
        ("of-shop", "0", 1_000)
    );
    assert_eq!(work.body().unwrap(), "work");
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_to_change_is_said() {
    let no_queue = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"hunter3"}"#;
    let failed = |status, body: &str| Ok((status, body.to_owned()));
    type Said = Result<(u16, String), HttpError>;
    let cases: [(Vec<Said>, &[usize], &str); 7] = [
        (vec![taken(0..3)], &[3], ""),
        (vec![taken(1..3), taken(0..1)], &[3, 1], ""),
        (vec![failed(500, "hunter3"), taken(0..3)], &[3, 3], ""),
        (vec![Err(HttpError::TimedOut), taken(0..3)], &[3, 3], ""),
        (
            vec![taken(0..2), taken(0..0)],
            &[3, 1],
            "1 messages were not taken",
        ),
        (vec![failed(400, no_queue)], &[3], "Events=on"),
        (vec![failed(403, "hunter3")], &[3], "sqs:SendMessage"),
    ];
    for (answers, sizes, says) in cases {
        let (queue, played) = queue(answers);
        let put = queue.put("of-shop", jobs(3), 0).await;
        let said = put.err().map(|error| error.to_string()).unwrap_or_default();
        let fits = said.contains(says) && said.is_empty() == says.is_empty();
        assert!(fits && !said.contains("hunter"), "{says}: {said}");
        let asked = played.asked.lock().unwrap();
        let asked = asked
            .iter()
            .map(|it| body(it)["Entries"].as_array().unwrap().len());
        assert_eq!(asked.collect::<Vec<_>>(), sizes, "{says}");
    }
}

#[tokio::test]
async fn what_is_dead_is_kept_with_its_reason() {
    let (queue, played) = queue(vec![taken(0..1)]);
    queue
        .bury("as it came", &"why ".repeat(1_000))
        .await
        .unwrap();
    let asked = body(&played.asked.lock().unwrap()[0]);
    assert!(asked["QueueUrl"].as_str().unwrap().ends_with("/dead"));
    let entry = &asked["Entries"][0];
    assert_eq!(entry["MessageBody"], "as it came");
    let reason = &entry["MessageAttributes"]["reason"];
    assert_eq!(reason["StringValue"].as_str().unwrap().len(), REASON);
}

#[test]
fn sqs_waits_a_quarter_of_an_hour_and_whole_seconds() {
    for (due_ms, seconds) in [
        (0, 0),
        (10_000, 0),
        (10_001, 1),
        (11_000, 1),
        (11_001, 2),
        (910_000, 900),
        (2_710_000, 900),
        (u64::MAX, 900),
    ] {
        assert_eq!(delay_seconds(due_ms, 10_000), seconds, "{due_ms}");
    }
}
