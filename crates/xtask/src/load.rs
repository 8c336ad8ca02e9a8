//! The command `load`: several instances of the fixture server behind nginx, with Redis between
//! them, under calls without a break: a rolling restart, an instance that is killed, mixed calls for a
//! while; calls a second; and many connections to one. Not a step of `test`. Conformance through the
//! same balancer is `conformance --host balanced`.

mod calls;
mod cluster;
mod connections;
mod kept;
mod mixed;
mod rates;
mod usage;

use std::{thread, time::Duration};

use crate::{
    bench,
    context::Context,
    fixture,
    report::{Counts, Error, Result, checked},
    setup, workspace,
};
use calls::Load;
pub(crate) use cluster::Cluster;
use cluster::Peers;

/// How long calls go on before and after each event.
const WHILE: Duration = Duration::from_secs(1);

/// What is asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// One of the parts; all when not set.
    part: Option<&'static str>,
    /// Of the mixed calls.
    minutes: u64,
    /// At most so many of them a second.
    rate: Option<u32>,
    /// Built as it is deployed: figures mean something then.
    release: bool,
}

const PARTS: [&str; 4] = ["restart", "connections", "rates", "mixed"];

impl Options {
    pub(crate) fn parse(rest: &[String]) -> Result<Self> {
        let mut options = Self {
            part: None,
            minutes: 3,
            rate: None,
            release: false,
        };
        let wrong = || {
            Error::new(
                "`load` takes --part restart, connections, rates or mixed, --minutes 1 to 600, \
                 --rate 1 to 100000, and --release",
            )
        };
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--release" => options.release = true,
                "--part" => {
                    let part = words.next().ok_or_else(wrong)?;
                    let known = PARTS.into_iter().find(|known| known == part);
                    options.part = Some(known.ok_or_else(wrong)?);
                }
                "--minutes" => {
                    let minutes = words.next().and_then(|text| text.parse().ok());
                    let minutes = minutes.filter(|minutes| (1..=600).contains(minutes));
                    options.minutes = minutes.ok_or_else(wrong)?;
                }
                "--rate" => {
                    let rate = words.next().and_then(|text| text.parse().ok());
                    let rate = rate.filter(|rate| (1..=100_000).contains(rate));
                    options.rate = Some(rate.ok_or_else(wrong)?);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(options)
    }

    fn has(&self, part: &str) -> bool {
        self.part.is_none_or(|only| only == part)
    }
}

pub(crate) fn run(cx: &Context, options: &Options, counts: &mut Counts) -> Result<()> {
    let program = match options.release {
        true => workspace::build_release_program(cx, "everything")?,
        false => fixture::build(cx)?,
    };
    let (nginx, redis) = match (setup::nginx(cx), setup::redis(cx)) {
        (Ok(nginx), Ok(redis)) => (nginx, redis),
        (Err(why), _) | (_, Err(why)) => {
            println!("load SKIPPED: {why}");
            return Ok(());
        }
    };
    let start = |redis, instances| Cluster::start(cx, &program, &nginx, redis, instances);
    if options.has("restart") {
        for instances in [2, 4] {
            println!("\n{instances} instances");
            let mut cluster = start(Some(&redis), instances)?;
            let name = format!("a rolling restart of {instances} loses no call");
            checked(&name, restarted(&mut cluster), counts)?;
            let name = format!("one of {instances} that is killed costs its own calls alone");
            checked(&name, killed(&mut cluster), counts)?;
        }
    }
    if options.has("connections") {
        println!("\nmany connections to one instance");
        let name = "10,000 idle connections and 2,000 streams fit into memory";
        checked(name, connections::many(&program), counts)?;
    }
    if options.has("rates") {
        if !options.release {
            println!(
                "\nbuilt without optimization (--release): only how rows compare means anything"
            );
        }
        for instances in [1, 2, 4] {
            for (between, redis) in [("alone", None), ("with Redis", Some(&redis))] {
                let cluster = start(redis, instances)?;
                let what = format!("{instances} instances {between}");
                rates::measure(cluster.address, &what, rates::ADD)?;
            }
        }
        beside(cx, &nginx, options)?;
    }
    if options.has("mixed") {
        println!("\nmixed calls for {} min", options.minutes);
        let cluster = start(Some(&redis), 2)?;
        let time = Duration::from_secs(60 * options.minutes);
        let name = "memory and descriptors stay as they are";
        checked(name, mixed::run(&cluster, time, options.rate), counts)?;
    }
    Ok(())
}

/// The same figures of servers with one tool: ours, and rmcp with axum, whose sessions are off.
fn beside(cx: &Context, nginx: &setup::DebianProgram, options: &Options) -> Result<()> {
    let profile = if options.release { "release" } else { "dev" };
    let peers: [(&str, &str, &[&str]); 2] = [
        ("mcpfn", "peer-mcpfn", &["--port"]),
        ("rmcp with axum", "peer-rmcp-http", &[]),
    ];
    let programs = peers.map(|(_, program, _)| program);
    let folder = bench::build_peers(cx, profile, &programs)?;
    for instances in [1, 2, 4] {
        for (name, program, arguments) in peers {
            let program = folder.join(program);
            let peers = Peers::start(cx, &program, arguments, nginx, instances)?;
            let what = format!("{instances} instances, one tool, {name}");
            rates::measure(peers.address, &what, rates::ECHO)?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_and_no_others() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            Options::parse(&words).ok()
        };
        let all = parse("").unwrap();
        assert!(PARTS.iter().all(|part| all.has(part)) && all.minutes == 3);
        let hour = parse("--part mixed --minutes 60 --release").unwrap();
        assert!(hour.has("mixed") && !hour.has("rates") && hour.minutes == 60 && hour.release);
        let slow = parse("--part mixed --rate 300").unwrap();
        assert_eq!(slow.rate, Some(300));
        for wrong in [
            "--rate 0",
            "--rate",
            "--part",
            "--part all",
            "--minutes 0",
            "--minutes 601",
            "mixed",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
