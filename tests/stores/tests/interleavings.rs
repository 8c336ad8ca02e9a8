//! Random interleavings of callers, environments, faults and repeats, over the stores of every
//! host. What must hold in all of them: a write has at most one effect for each key, or its caller
//! is told that the outcome is unknown; no more calls than the rate and a lease of each
//! environment; and a fault of one key changes nothing for another. `PROPTEST_CASES` says how many
//! schedules; one that fails is cut down to the smallest that does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mcpfn_core::policy::FailureMode;
use mcpfn_core::port::Rate;
use mcpfn_lambda::dynamodb;
use mcpfn_native::memory::MemoryStores;
use mcpfn_store_tests::contract::Store;
use mcpfn_store_tests::fake::{Asked, Fake, Fault, Schedule};
use mcpfn_store_tests::faulty::Faulty;
use mcpfn_store_tests::objects::Objects;
use mcpfn_store_tests::world::{Outcome, Step, Work, World};
use mcpfn_testing::TestStores;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::time::Instant;

/// Environments of a world.
const ENVIRONMENTS: usize = 3;

/// The stores of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    /// Each environment has its own view of one table.
    DynamoDb,
    /// The objects of Workers, shared by isolates.
    Objects,
    /// Memory, which the calls of one process share.
    Memory,
    /// What tests of servers have.
    Testing,
}

const HOSTS: [Host; 4] = [Host::DynamoDb, Host::Objects, Host::Memory, Host::Testing];

impl Host {
    /// The stores as each environment sees them, behind faults.
    fn environments(self, schedule: &Arc<Schedule>) -> Vec<Arc<dyn Store>> {
        let shared: Arc<dyn Store> = match self {
            Self::DynamoDb => {
                let fake = Fake::default();
                let faults = Arc::clone(schedule);
                fake.faults(move |asked| faults(asked));
                let view = |_| Arc::new(dynamodb::Stores::over(Fake::table(), fake.clone())) as _;
                return (0..ENVIRONMENTS).map(view).collect();
            }
            Self::Objects => Arc::new(Objects::default()),
            Self::Memory => Arc::new(MemoryStores::default()),
            Self::Testing => Arc::new(TestStores::default()),
        };
        let faulty: Arc<dyn Store> = Arc::new(Faulty::new(shared, Arc::clone(schedule)));
        vec![faulty; ENVIRONMENTS]
    }
}

/// Runs a world in time of its own.
fn in_time<T>(world: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(world)
}

/// `usual` is for tests of every day.
fn check<S: Strategy>(
    usual: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    let cases = wanted.and_then(|text| text.parse().ok()).unwrap_or(usual);
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::with_cases(cases)
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(failure) = runner.run(strategy, test) {
        panic!("{failure}");
    }
}

/// Faults by the number of the request that they meet, counted for each key.
type Faults = BTreeMap<usize, Fault>;

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::LostAfter),
        2 => Just(Fault::LostBefore),
        3 => Just(Fault::Throttled),
        2 => (1..3000_u64).prop_map(Fault::AnsweredLate),
        2 => (1..3000_u64).prop_map(Fault::DoneLate),
        1 => Just(Fault::Hangs),
    ]
}

fn faults() -> impl Strategy<Value = Faults> {
    btree_map(0..12_usize, fault(), 0..8)
}

/// A key that is hit for long, by one fault or by several.
fn lasting_faults() -> impl Strategy<Value = Faults> {
    let one = (0..4_usize, fault())
        .prop_map(|(first, fault)| (first..40).map(|number| (number, fault)).collect());
    prop_oneof![2 => one, 1 => btree_map(0..12_usize, fault(), 4..12)]
}

/// Calls that meet in one environment.
fn crowded() -> impl Strategy<Value = Vec<Step>> {
    vec(step(1), 4..16)
}

/// How long there are faults: a client that comes much later meets none.
const FAULTS: Duration = Duration::from_secs(30);

/// These faults meet the requests of one kind that `hits` names by their key.
fn schedule(
    faults: Faults,
    kind: &'static str,
    hits: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Arc<Schedule> {
    let (asked_so_far, start) = (Mutex::new(BTreeMap::new()), OnceLock::new());
    Arc::new(move |asked: &Asked<'_>| {
        let over = start.get_or_init(Instant::now).elapsed() > FAULTS;
        if over || asked.kind != kind || !hits(asked.key) {
            return Fault::None;
        }
        let mut counts = asked_so_far.lock().unwrap();
        let count = counts.entry(asked.key.to_owned()).or_insert(0_usize);
        *count += 1;
        faults.get(&(*count - 1)).copied().unwrap_or(Fault::None)
    })
}

fn works() -> impl Strategy<Value = Vec<Work>> {
    let work = (
        prop_oneof![2 => Just(0_u64), 2 => 1..900_u64, 1 => 900..1500_u64],
        prop::bool::weighted(0.2),
    );
    vec(work.prop_map(|(ms, fails)| Work { ms, fails }), 2)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(ENVIRONMENTS), 1..7)
}

fn step(environments: usize) -> impl Strategy<Value = Step> {
    let step = (
        prop_oneof![2 => 0..200_u64, 1 => 0..8000_u64],
        0..environments,
        0..2_u8,
        0..2_u8,
        prop::option::weighted(0.2, 1..1500_u64),
    );
    step.prop_map(|(at_ms, environment, caller, write, gone_after_ms)| Step {
        at_ms,
        environment,
        caller,
        write: Some(write),
        gone_after_ms,
    })
}

/// Calls enough that no rate limit is met.
const MANY: Rate = Rate {
    calls: 100_000,
    per: Duration::from_secs(1),
};

/// Every sentence that a call of a write may be answered with.
const SENTENCES: [&str; 6] = [
    "run 1",
    "it failed",
    "The outcome is unknown: look whether it wrote",
    "outcome unknown: an earlier call",
    "is still running: repeat it with the same key",
    "so the write was not made",
];

#[test]
fn a_write_has_one_effect_for_each_key() {
    check(
        40,
        &(steps(), works(), prop_oneof![faults(), lasting_faults()]),
        |(steps, works, faults)| {
            for host in HOSTS {
                let faults = schedule(faults.clone(), "idempotency", |_| true);
                let (world, outcomes) = in_time(written(host, &steps, &works, &faults));
                for outcome in &outcomes {
                    let said = outcome.said.as_deref();
                    let known = said.is_none_or(|said| {
                        SENTENCES.iter().any(|sentence| said.contains(sentence))
                    });
                    prop_assert!(known, "{host:?} said {said:?}");
                }
                for step in &steps {
                    let (caller, write) = (step.caller, step.write.unwrap_or_default());
                    let effects = world.effects(caller, write);
                    prop_assert!(
                        effects <= 1,
                        "{host:?}: {effects} effects of write {write} of caller {caller}: {outcomes:#?}"
                    );
                    let told = outcomes.iter().any(|outcome| {
                        (outcome.step.caller, outcome.step.write) == (caller, step.write)
                            && outcome.said.as_deref() == Some("run 1")
                    });
                    prop_assert!(!told || effects == 1, "{host:?} made up a result");
                }
            }
            Ok(())
        },
    );
}

/// A schedule; and much later each write again, by a client that lost its answer.
async fn written(
    host: Host,
    steps: &[Step],
    works: &[Work],
    faults: &Arc<Schedule>,
) -> (Arc<World>, Vec<Outcome>) {
    let stores = host.environments(faults);
    let world = Arc::new(World::new(stores, works, MANY, FailureMode::Closed));
    let mut outcomes = world.run(steps).await;
    let late = world.elapsed_ms() + 60_000;
    let again = |step: &Step| Step {
        at_ms: late,
        environment: (step.environment + 1) % ENVIRONMENTS,
        gone_after_ms: None,
        ..step.clone()
    };
    let repeats: Vec<Step> = steps.iter().map(again).collect();
    outcomes.extend(world.run(&repeats).await);
    (world, outcomes)
}

/// Calls of one caller, at these times and in these environments.
fn looks() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let spread = vec((0..3000_u64, 0..ENVIRONMENTS), 1..60);
    // more than any rate here admits, in bursts: what is leased in one is used in another
    let burst = (0..1500_u64, 0..ENVIRONMENTS, 1..160_usize);
    let bursts = vec(burst, 1..6).prop_map(|bursts| {
        let calls = |(at_ms, environment, calls)| vec![(at_ms, environment); calls];
        bursts.into_iter().flat_map(calls).collect()
    });
    prop_oneof![1 => spread, 2 => bursts]
}

fn look(caller: u8, (at_ms, environment): (u64, usize)) -> Step {
    Step {
        at_ms,
        environment,
        caller,
        write: None,
        gone_after_ms: None,
    }
}

/// Whether so many are never exceeded, whenever one begins to count: what a bucket holds, and what
/// it gains meanwhile.
fn within(outcomes: &[Outcome], rate: Rate, extra: u64) -> Result<(), TestCaseError> {
    let admitted = |outcome: &&Outcome| outcome.said.as_deref() == Some("admitted");
    let mut times: Vec<u64> = outcomes
        .iter()
        .filter(admitted)
        .map(|outcome| outcome.step.at_ms)
        .collect();
    times.sort_unstable();
    for (first, start) in times.iter().enumerate() {
        for (last, end) in times.iter().enumerate().skip(first) {
            // as a bucket counts: a part of a call is left in it, and gains the rest
            let time = rate.bucket_us() + (end - start) * 1000;
            let allowed = time / rate.call_us() + extra;
            let counted = (last - first + 1) as u64;
            prop_assert!(
                counted <= allowed,
                "{counted} calls from {start} to {end} ms, where {allowed} are allowed"
            );
        }
    }
    Ok(())
}

#[test]
fn no_more_calls_than_the_rate_and_the_leases() {
    let rates = prop_oneof![1..8_u32, 64..100_u32];
    check(24, &(looks(), rates, faults()), |(looks, calls, faults)| {
        // what is throttled is counted by each environment alone, and is not this promise
        let faults: Faults = faults
            .into_iter()
            .filter(|(_, fault)| *fault != Fault::Throttled)
            .collect();
        let rate = Rate {
            calls,
            per: Duration::from_millis(200),
        };
        for host in HOSTS {
            let faults = schedule(faults.clone(), "rate", |_| true);
            let outcomes = in_time(async {
                let stores = host.environments(&faults);
                let world = Arc::new(World::new(stores, &[], rate, FailureMode::Closed));
                let steps: Vec<Step> = looks.iter().map(|&at| look(0, at)).collect();
                world.run(&steps).await
            });
            let lease = u64::from(if host == Host::DynamoDb {
                calls / 32
            } else {
                0
            });
            within(&outcomes, rate, lease * ENVIRONMENTS as u64)?;
        }
        Ok(())
    });
}

#[test]
fn a_hot_caller_is_counted_by_each_environment_and_never_less() {
    check(24, &looks(), |looks| {
        let rate = Rate {
            calls: 5,
            per: Duration::from_secs(60),
        };
        let outcomes = in_time(async {
            let throttled: Arc<Schedule> = Arc::new(|_: &Asked<'_>| Fault::Throttled);
            let stores = Host::DynamoDb.environments(&throttled);
            let world = Arc::new(World::new(stores, &[], rate, FailureMode::Open));
            let steps: Vec<Step> = looks.iter().map(|&at| look(0, at)).collect();
            world.run(&steps).await
        });
        for environment in 0..ENVIRONMENTS {
            let own: Vec<Outcome> = outcomes
                .iter()
                .filter(|outcome| outcome.step.environment == environment)
                .cloned()
                .collect();
            within(&own, rate, 0)?;
        }
        Ok(())
    });
}

#[test]
fn a_fault_of_one_key_changes_nothing_for_another() {
    check(
        8,
        &(crowded(), works(), lasting_faults()),
        |(steps, works, faults)| {
            for kind in ["idempotency", "rate", "cache"] {
                for host in HOSTS {
                    let others = |faults: Arc<Schedule>| {
                        let steps: Vec<Step> = steps
                            .iter()
                            .filter(|step| step.caller == 1)
                            .cloned()
                            .collect();
                        let seen = Arc::new(Mutex::new(BTreeSet::new()));
                        let keys = Arc::clone(&seen);
                        let noting: Arc<Schedule> = Arc::new(move |asked: &Asked<'_>| {
                            keys.lock().unwrap().insert(asked.key.to_owned());
                            faults(asked)
                        });
                        let outcomes = in_time(written(host, &steps, &works, &noting)).1;
                        let keys = seen.lock().unwrap().clone();
                        (outcomes, keys)
                    };
                    let (alone, theirs) = others(Arc::new(|_: &Asked<'_>| Fault::None));
                    let hit = schedule(faults.clone(), kind, move |key| !theirs.contains(key));
                    let (_, mut beside) = in_time(written(host, &steps, &works, &hit));
                    beside.retain(|outcome| outcome.step.caller == 1);
                    let told = |outcomes: &[Outcome]| -> Vec<_> {
                        let told = |outcome: &Outcome| outcome.said.clone();
                        outcomes.iter().map(told).collect()
                    };
                    prop_assert_eq!(told(&alone), told(&beside), "{:?}, {}", host, kind);
                }
            }
            Ok(())
        },
    );
}
