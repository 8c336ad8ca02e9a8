//! Orders runs: one signed request each, which Lambda answers once the event is in its queue.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Clock, HttpClient, HttpRequest, HttpResponse, StoreError, TaskRunner};
use mcpfn_native::Client;

use super::TaskFunction;
use crate::event::TaskEvent;
use crate::signed::{AwsRefusal, send_signed};

/// For one attempt: a client waits for its task.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Answers are empty; those of errors are short.
const MAX_BODY: usize = 16 * 1024;

/// What orders runs. Nothing is asked before the first one.
pub(crate) struct Invoker {
    function: TaskFunction,
    clock: Arc<dyn Clock>,
    client: Arc<dyn HttpClient>,
}

impl Invoker {
    pub(crate) fn new(function: TaskFunction, clock: &Arc<dyn Clock>) -> Self {
        Self {
            function,
            clock: Arc::clone(clock),
            client: Arc::new(Client::new()),
        }
    }

    /// Has an event delivered to a function, by its name or ARN. Two of one task are no harm, so that
    /// a request whose answer was lost is sent again.
    pub(crate) async fn order(&self, function: &str, event: &TaskEvent) -> Result<(), StoreError> {
        let mut ordered = self.invoke(function, event).await;
        if ordered.as_ref().is_err_and(|refusal| refusal.passes) {
            ordered = self.invoke(function, event).await;
        }
        ordered.map_err(|AwsRefusal { why, .. }| {
            StoreError::new(format_args!(
                "the function {function} can't be invoked: {why}"
            ))
        })
    }

    async fn invoke(&self, function: &str, event: &TaskEvent) -> Result<(), AwsRefusal> {
        let account = &self.function.account;
        let region = account.region().await.map_err(AwsRefusal::lasting)?;
        let url = self.url(&region, function);
        let request = HttpRequest::post(url, "application/json", event.write())
            .header("x-amz-invocation-type", "Event")
            .timeout(TIMEOUT)
            .max_body(MAX_BODY);
        let lambda = ("lambda", &*region);
        let answer = send_signed(&*self.client, account, lambda, request).await?;
        refusal(&answer).map_or(Ok(()), Err)
    }

    fn url(&self, region: &str, function: &str) -> String {
        // of what a name may have, these two are none of a path's
        let function = function.replace(':', "%3A").replace('$', "%24");
        let path = format!("/2015-03-31/functions/{function}/invocations");
        match &self.function.endpoint {
            Some(endpoint) => format!("{}{path}", endpoint.trim_end_matches('/')),
            None => format!(
                "https://lambda.{region}.{}{path}",
                mcpfn_aws::domain(region)
            ),
        }
    }
}

/// What to change, by Lambda's answer.
fn refusal(answer: &HttpResponse) -> Option<AwsRefusal> {
    if answer.is_success() {
        return None;
    }
    let why = match answer.status {
        403 => "allow the role lambda:InvokeFunction on it, as template.yaml does, and leave the \
                AWS_* variables to Lambda"
            .to_owned(),
        404 => "there is none in this account and region: deploy template.yaml with Tasks=on, or \
                correct MCPFN_TASKS_FUNCTION"
            .to_owned(),
        429 => "the account's rate of asynchronous invocations is reached".to_owned(),
        status => format!("status {status}"),
    };
    Some(AwsRefusal::of(answer, why))
}

impl TaskRunner for Invoker {
    fn start<'a>(
        &'a self,
        key: &'a str,
        not_before_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if self.clock.now_ms() < not_before_ms {
                // nothing here waits so long: whoever asks for the task then orders it
                return Ok(());
            }
            self.order(&self.function.name, &TaskEvent::new(key)).await
        })
    }
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoker")
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use mcpfn_aws::{AccessKeys, AwsAccount};
    use mcpfn_core::port::HttpError;

    use super::*;

    struct Time;

    impl Clock for Time {
        fn now_ms(&self) -> u64 {
            1_000
        }
    }

    /// Answers with these, and keeps what it was asked.
    #[derive(Default)]
    struct Played {
        answers: Mutex<Vec<Result<u16, HttpError>>>,
        asked: Mutex<Vec<HttpRequest>>,
    }

    impl HttpClient for Played {
        fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
            self.asked.lock().unwrap().push(request);
            let answer = self.answers.lock().unwrap().remove(0);
            Box::pin(std::future::ready(answer.map(|status| HttpResponse {
                status,
                headers: Vec::new(),
                body: "hunter3".into(),
                truncated: false,
            })))
        }
    }

    fn invoker(answers: Vec<Result<u16, HttpError>>) -> (Invoker, Arc<Played>) {
        let played = Arc::new(Played::default());
        *played.answers.lock().unwrap() = answers;
        let keys = AccessKeys {
            id: "AKIA".to_owned(),
            secret: "hunter2".to_owned(),
            session: None,
        };
        let function = TaskFunction {
            name: "arn:aws:lambda:eu-west-1:123456789012:function:t:live".to_owned(),
            endpoint: None,
            account: AwsAccount::new("eu-west-1", keys),
        };
        let invoker = Invoker {
            function,
            clock: Arc::new(Time),
            client: Arc::clone(&played) as _,
        };
        (invoker, played)
    }

    #[tokio::test]
    async fn a_run_is_ordered_by_one_signed_event_that_names_the_key() {
        let (invoker, played) = invoker(vec![Ok(202)]);
        invoker.start("later", 1_001).await.unwrap();
        assert!(
            played.asked.lock().unwrap().is_empty(),
            "not before its time"
        );
        invoker.start("key", 1_000).await.unwrap();
        let asked = played.asked.lock().unwrap();
        let [request] = &asked[..] else {
            panic!("{asked:?}");
        };
        assert_eq!(
            request.url,
            "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/\
             arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3At%3Alive/invocations"
        );
        let header = |name: &str| {
            let found = request.headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        assert_eq!(header("x-amz-invocation-type"), "Event");
        let signature = header("authorization");
        assert!(
            signature.contains("/eu-west-1/lambda/aws4_request"),
            "{signature}"
        );
        assert!(signature.contains("x-amz-invocation-type"), "{signature}");
        assert_eq!(TaskEvent::read(&request.body), Some(TaskEvent::new("key")));
    }

    #[tokio::test]
    async fn what_may_pass_is_asked_again_and_what_to_change_is_said() {
        for (answers, asked, says) in [
            (vec![Ok(500), Ok(202)], 2, ""),
            (vec![Err(HttpError::TimedOut), Ok(202)], 2, ""),
            (vec![Ok(429), Ok(503)], 2, "status 503"),
            (vec![Ok(403)], 1, "lambda:InvokeFunction"),
            (vec![Ok(404)], 1, "MCPFN_TASKS_FUNCTION"),
        ] {
            let (invoker, played) = invoker(answers);
            let ordered = invoker.start("key", 0).await;
            assert_eq!(played.asked.lock().unwrap().len(), asked, "{says}");
            let said = ordered.err().map(|error| error.to_string());
            let said = said.unwrap_or_default();
            assert!(
                said.contains(says) && said.is_empty() == says.is_empty(),
                "{said}"
            );
            assert!(!said.contains("hunter"), "{said}");
        }
    }
}
