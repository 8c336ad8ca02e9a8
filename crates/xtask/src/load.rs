//! The command `load`: several instances of the fixture server behind nginx, with Redis between
//! them, under calls without a break: a rolling restart, and an instance that is killed. Not a step
//! of `test`. Conformance through the same balancer is `conformance --host balanced`.

mod calls;
mod cluster;

use std::{thread, time::Duration};

use crate::{
    context::Context,
    fixture,
    report::{Counts, Error, Result, checked},
    setup,
};
use calls::Load;
pub(crate) use cluster::Cluster;

/// How long calls go on before and after each event.
const WHILE: Duration = Duration::from_secs(1);

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let program = fixture::build(cx)?;
    let (nginx, redis) = match (setup::nginx(cx), setup::redis(cx)) {
        (Ok(nginx), Ok(redis)) => (nginx, redis),
        (Err(why), _) | (_, Err(why)) => {
            println!("load SKIPPED: {why}");
            return Ok(());
        }
    };
    for instances in [2, 4] {
        println!("\n{instances} instances");
        let mut cluster = Cluster::start(cx, &program, &nginx, &redis, instances)?;
        let name = format!("a rolling restart of {instances} loses no call");
        checked(&name, restarted(&mut cluster), counts)?;
        let name = format!("one of {instances} that is killed costs its own calls alone");
        checked(&name, killed(&mut cluster), counts)?;
    }
    Ok(())
}

/// Each instance is told to end, ends, and is started again, while calls go on.
fn restarted(cluster: &mut Cluster) -> Result<()> {
    let load = Load::start(cluster.address);
    thread::sleep(WHILE);
    for instance in 0..cluster.instances() {
        cluster.stop(instance)?;
        cluster.again(instance)?;
        thread::sleep(WHILE);
    }
    let ended = load.end();
    println!("  {} calls", ended.served);
    if ended.lost.is_empty() && ended.served > 100 {
        Ok(())
    } else {
        Err(Error::new(format!(
            "of {} calls {} were lost: {}",
            ended.served,
            ended.lost.len(),
            ended
                .lost
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join("; ")
        )))
    }
}

/// What an instance had to answer is lost with it, at once; all other calls are served.
fn killed(cluster: &mut Cluster) -> Result<()> {
    let slow = calls::slow(cluster.address);
    // they work for some 150 ms
    thread::sleep(Duration::from_millis(60));
    cluster.kill(0)?;
    let (served, lost) = slow.end();
    let after = calls::several(cluster.address, 50);
    cluster.again(0)?;
    println!("  {served} calls in flight were served, {lost} were lost");
    if served > 0 && lost < served + lost && after.lost.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!(
            "{served} served, {lost} lost, and then: {:?}",
            after.lost
        )))
    }
}
