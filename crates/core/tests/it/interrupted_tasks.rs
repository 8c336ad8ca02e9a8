//! Runs of tasks that come to no end of their own: the store does not keep a step, or the instance is
//! told to end. Another run goes on in each case.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::TaskRun;
use mcpfn_core::port::Shutdown;
use mcpfn_core::task::TaskOptions;
use mcpfn_core::{Cx, NoArguments, Server, Tool, ToolError};
use mcpfn_testing::{TestClient, TestClock, TestTasks, block_on};
use serde_json::json;

/// Steps that a handler took, counted over all runs.
#[derive(Clone, Default)]
struct Steps(Arc<AtomicU32>);

impl Steps {
    fn take(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn taken(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a handler does with the failure of a checkpoint.
#[derive(Clone, Copy, Debug)]
enum Handling {
    Returned,
    Reworded,
    Repeated,
    Ignored,
}

/// Counts to three with a checkpoint for each; the store fails in the second one of the first run, so
/// many times.
fn counting(handling: Handling, failures: u32, steps: &Steps) -> (TestClient, TestClock) {
    let store = Arc::new(OnceLock::<TestTasks>::new());
    let (kept, steps) = (Arc::clone(&store), steps.clone());
    let count = Tool::new("count").description("Counts to three.");
    let count = count
        .task(TaskOptions::new())
        .handler(move |_: NoArguments, cx: Cx| {
            let (store, steps) = (Arc::clone(&kept), steps.clone());
            async move {
                let task = cx.task();
                let mut counted: u32 = task.resume().unwrap_or_default();
                let from = counted;
                while counted < 3 {
                    counted += 1;
                    steps.take();
                    if (from, counted) == (0, 2) {
                        store.get().unwrap().fail(failures);
                    }
                    match (task.checkpoint(&counted).await, handling) {
                        (Ok(()), _) | (Err(_), Handling::Ignored) => {}
                        (Err(error), Handling::Returned) => return Err(error),
                        (Err(_), Handling::Reworded) => return Err(ToolError::new("no luck")),
                        (Err(_), Handling::Repeated) => task.checkpoint(&counted).await?,
                    }
                }
                Ok(format!("counted from {from}"))
            }
        });
    let clock = TestClock::manual();
    let server = Server::builder("shop", "1.0.0").tool(count);
    let client = TestClient::with_clock(server, clock.clone()).does_tasks();
    let _ = store.set(client.tasks().clone());
    (client, clock)
}

fn begun(client: &TestClient) -> String {
    let task = client.begin("count", json!({})).wait().unwrap();
    task.id().to_owned()
}

#[test]
fn a_step_that_the_store_did_not_keep_is_taken_again_by_another_run() {
    for (handling, counted_from, taken) in [
        (Handling::Returned, 1, 4),
        (Handling::Reworded, 1, 4),
        // these two did what they were to do
        (Handling::Repeated, 0, 3),
        (Handling::Ignored, 0, 3),
    ] {
        let steps = Steps::default();
        let (client, _) = counting(handling, 1, &steps);
        let id = begun(&client);
        client.run_tasks();
        let task = client.task(&id).wait().unwrap();
        let text = format!("counted from {counted_from}");
        assert_eq!(task.result().text(), text, "{handling:?}");
        assert_eq!(steps.taken(), taken, "{handling:?}");
        let failures = client.audit().degraded();
        assert_eq!(failures.len(), 1, "{handling:?}: {failures:?}");
    }
}

#[test]
fn a_task_waits_for_a_store_that_is_down_and_goes_on_at_its_checkpoint() {
    let steps = Steps::default();
    let (client, clock) = counting(Handling::Returned, u32::MAX, &steps);
    let id = begun(&client);
    let (key, _) = client.tasks().orders()[0].clone();
    client.tasks().lose_orders();
    let run = || block_on(client.server().run_task(&key, client.platform(), None));
    assert_eq!(run(), TaskRun::Unavailable);
    client.tasks().come_back();
    // it could not say that it ended, so it may still be at work
    assert!(matches!(run(), TaskRun::Again { .. }));
    clock.advance(Duration::from_secs(45));
    assert_eq!(run(), TaskRun::Ended);
    let task = client.task(&id).wait().unwrap();
    assert_eq!(task.result().text(), "counted from 1");
    assert_eq!(steps.taken(), 4);
}

/// A store that never keeps the same step ends the task, and no run is begun for ever.
#[test]
fn a_step_that_is_never_kept_is_given_up() {
    let steps = Steps::default();
    let stubborn = Tool::new("count").description("Keeps too much.");
    let (kept, taken) = (Arc::new(OnceLock::<TestTasks>::new()), steps.clone());
    let store = Arc::clone(&kept);
    let stubborn = stubborn
        .task(TaskOptions::new())
        .handler(move |_: NoArguments, cx: Cx| {
            let (store, steps) = (Arc::clone(&store), taken.clone());
            async move {
                steps.take();
                store.get().unwrap().fail(1);
                cx.task().checkpoint(&1).await?;
                Ok::<_, ToolError>("never")
            }
        });
    let client = TestClient::new(Server::builder("shop", "1.0.0").tool(stubborn)).does_tasks();
    let _ = kept.set(client.tasks().clone());
    let id = begun(&client);
    client.run_tasks();
    let task = client.task(&id).wait().unwrap();
    assert_eq!((task.status(), steps.taken()), ("failed", 5));
}

/// Told by the test.
#[derive(Clone)]
struct TestShutdown(TestClock, u64);

impl Shutdown for TestShutdown {
    fn begun(&self) -> BoxFuture<'static, ()> {
        use mcpfn_core::port::Timer as _;
        let left = self.1.saturating_sub(self.0.now_ms());
        self.0.sleep(Duration::from_millis(left))
    }
}

fn slow(steps: &Steps) -> Server {
    let steps = steps.clone();
    let count = Tool::new("count").description("Counts to three, in half a minute.");
    let count = count
        .task(TaskOptions::new())
        .handler(move |_: NoArguments, cx: Cx| {
            let steps = steps.clone();
            async move {
                let mut counted: u32 = cx.task().resume().unwrap_or_default();
                let from = counted;
                while counted < 3 {
                    steps.take();
                    cx.sleep(Duration::from_secs(10)).await;
                    counted += 1;
                    cx.task().checkpoint(&counted).await?;
                }
                Ok::<_, ToolError>(format!("counted from {from}"))
            }
        });
    Server::builder("shop", "1.0.0")
        .tool(count)
        .build()
        .unwrap()
}

#[test]
fn an_instance_that_ends_hands_its_task_over_at_once() {
    let (steps, clock) = (Steps::default(), TestClock::auto());
    let other = TestClient::with_clock(slow(&steps), clock.clone()).does_tasks();
    let at_ms = other.platform().now_ms() + 15_000;
    let shutdown = TestShutdown(clock.clone(), at_ms);
    let ending = other
        .clone()
        .map_platform(|platform| platform.with_shutdown(Arc::new(shutdown)));
    // often enough that it would be given up if these counted as attempts
    let id = begun(&other);
    let (key, _) = other.tasks().orders()[0].clone();
    other.tasks().lose_orders();
    let run = block_on(ending.server().run_task(&key, ending.platform(), None));
    assert_eq!((run, other.platform().now_ms()), (TaskRun::Ended, at_ms));
    // nothing is begun there any more
    for _ in 0..6 {
        let run = block_on(ending.server().run_task(&key, ending.platform(), None));
        assert_eq!((run, steps.taken()), (TaskRun::Ended, 2));
    }
    // who asks elsewhere has it go on, without waiting for anything
    let task = other.task(&id).wait().unwrap();
    assert_eq!(
        (task.status(), other.tasks().orders().len()),
        ("working", 1)
    );
    assert_eq!(other.platform().now_ms(), at_ms);
    other.run_tasks();
    let task = other.task(&id).wait().unwrap();
    assert_eq!(task.result().text(), "counted from 1");
    assert_eq!(steps.taken(), 4);
}

#[test]
fn a_task_that_was_handed_over_often_is_not_given_up() {
    let (steps, clock) = (Steps::default(), TestClock::auto());
    let client = TestClient::with_clock(slow(&steps), clock.clone()).does_tasks();
    let id = begun(&client);
    let (key, _) = client.tasks().orders()[0].clone();
    for _ in 0..6 {
        let shutdown = TestShutdown(clock.clone(), client.platform().now_ms() + 5_000);
        let ending = client
            .clone()
            .map_platform(|platform| platform.with_shutdown(Arc::new(shutdown)));
        block_on(ending.server().run_task(&key, ending.platform(), None));
    }
    client.run_tasks();
    assert_eq!(
        client.task(&id).wait().unwrap().result().text(),
        "counted from 0"
    );
    // and one that its client wants to end does
    let id = begun(&client);
    let (key, _) = client.tasks().orders()[0].clone();
    let at_ms = client.platform().now_ms() + 5_000;
    let shutdown = TestShutdown(clock, at_ms);
    let ending = client
        .clone()
        .map_platform(|platform| platform.with_shutdown(Arc::new(shutdown)));
    let mut run = Box::pin(ending.server().run_task(&key, ending.platform(), None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(run.as_mut().poll(&mut context).is_pending());
    client.cancel_task(&id).wait().unwrap();
    block_on(run);
    assert_eq!(client.task(&id).wait().unwrap().status(), "cancelled");
}
