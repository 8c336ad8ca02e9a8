//! An open loop: calls are sent when a clock says so, whether or not earlier ones were answered,
//! and each counts from when it was due. So what waits behind a stall shows it, which a client that
//! sends its next call after an answer never asks for.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::yield_now;

use crate::load::Connection;

/// A rate was held if its last answer came no later than this after the time was over: less is
/// latency, more is a queue that grows.
const BEHIND: Duration = Duration::from_millis(100);

/// Calls at a constant rate, for some time.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) per_second: f64,
    pub(crate) time: Duration,
}

impl Schedule {
    /// How many calls are due before the time is over.
    fn calls(self) -> usize {
        (self.per_second * self.time.as_secs_f64()).ceil() as usize
    }

    /// When a call is due, counted from 0.
    fn due(self, call: usize) -> Duration {
        Duration::from_secs_f64(call as f64 / self.per_second)
    }
}

/// What a turn of an open loop found.
pub(crate) struct Turn {
    /// From when it began to the last answer.
    elapsed: Duration,
    /// Of every call, in microseconds from when it was due.
    pub(crate) latencies: Vec<f64>,
}

impl Turn {
    /// Whether the server kept up.
    pub(crate) fn held(&self, schedule: Schedule) -> bool {
        self.elapsed <= schedule.time + BEHIND
    }

    /// How many calls a second were answered.
    pub(crate) fn per_second(&self, schedule: Schedule) -> f64 {
        self.latencies.len() as f64 / self.elapsed.max(schedule.time).as_secs_f64()
    }
}

/// The same request by schedule, over each connection in turn. A call whose connection is busy
/// waits for it, and its wait counts.
pub(crate) async fn turn(
    connections: &mut Vec<Connection>,
    request: &[u8],
    schedule: Schedule,
) -> io::Result<Turn> {
    let request: Arc<[u8]> = request.into();
    let begun = Instant::now();
    let (mut queues, mut tasks) = (Vec::new(), Vec::new());
    for connection in connections.drain(..) {
        let (queue, due) = unbounded_channel();
        queues.push(queue);
        tasks.push(tokio::spawn(serve(connection, request.clone(), due, begun)));
    }
    let (calls, mut sent) = (schedule.calls(), 0);
    while sent < calls {
        // a timer is a thousand times as coarse as a fast answer, so the clock is asked all the
        // time; the load has a core of its own
        while sent < calls && schedule.due(sent) <= begun.elapsed() {
            // a queue is closed where its connection failed, which its task will say
            let _ = queues[sent % queues.len()].send(schedule.due(sent));
            sent += 1;
        }
        yield_now().await;
    }
    drop(queues);
    let mut turn = Turn {
        elapsed: Duration::ZERO,
        latencies: Vec::with_capacity(calls),
    };
    for task in tasks {
        let served = task.await.map_err(io::Error::other)??;
        connections.push(served.connection);
        turn.latencies.extend(served.latencies);
        turn.elapsed = turn.elapsed.max(served.last);
    }
    Ok(turn)
}

/// What one connection did.
struct Served {
    connection: Connection,
    latencies: Vec<f64>,
    /// When its last answer came.
    last: Duration,
}

async fn serve(
    mut connection: Connection,
    request: Arc<[u8]>,
    mut queue: UnboundedReceiver<Duration>,
    begun: Instant,
) -> io::Result<Served> {
    let (mut latencies, mut last) = (Vec::new(), Duration::ZERO);
    while let Some(due) = queue.recv().await {
        connection.ask(&request).await?;
        last = begun.elapsed();
        latencies.push((last - due).as_secs_f64() * 1e6);
    }
    Ok(Served {
        connection,
        latencies,
        last,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::load::{self, Until};

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    const STALL: Duration = Duration::from_millis(300);

    /// Answers all at once, but stalls before one answer.
    fn server(stalls_at: usize) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            for call in 0.. {
                if stream.read(&mut request).unwrap_or_default() == 0 {
                    return;
                }
                if call == stalls_at {
                    std::thread::sleep(STALL);
                }
                stream.write_all(ANSWER).unwrap();
            }
        });
        port
    }

    /// Those that took at least a tenth of the stall.
    fn slow(latencies: &[f64]) -> usize {
        let least = STALL.as_secs_f64() * 1e6 / 10.0;
        latencies.iter().filter(|took| **took >= least).count()
    }

    #[test]
    fn calls_are_due_one_after_the_other_until_the_time_is_over() {
        let schedule = Schedule {
            per_second: 1_000.0,
            time: Duration::from_millis(1500),
        };
        assert_eq!(schedule.calls(), 1_500);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1_250), Duration::from_millis(1250));
        assert!(schedule.due(schedule.calls()) >= schedule.time);
    }

    #[test]
    fn a_rate_is_held_when_no_queue_is_left_at_the_end() {
        let schedule = Schedule {
            per_second: 1_000.0,
            time: Duration::from_secs(2),
        };
        let turn = |milliseconds| Turn {
            elapsed: Duration::from_millis(milliseconds),
            latencies: vec![0.0; schedule.calls()],
        };
        assert!(turn(2_050).held(schedule));
        assert!(!turn(4_000).held(schedule));
        assert_eq!(turn(4_000).per_second(schedule), 500.0);
        // the last call is due, and answered, a little before the time is over
        assert_eq!(turn(1_999).per_second(schedule), 1_000.0);
    }

    #[tokio::test]
    async fn what_waits_behind_a_stall_shows_it() {
        let mut connections = vec![Connection::open(server(20)).await.unwrap()];
        let schedule = Schedule {
            per_second: 200.0,
            time: Duration::from_millis(600),
        };
        let open = turn(&mut connections, b"x", schedule).await.unwrap();
        assert_eq!((open.latencies.len(), connections.len()), (120, 1));
        // sixty calls are due within the stall
        assert!(slow(&open.latencies) > 30, "{:?}", open.latencies);

        let mut connections = vec![Connection::open(server(20)).await.unwrap()];
        let closed = load::turn(&mut connections, b"x", Until::Calls(120)).await;
        let closed = closed.unwrap().latencies;
        assert!(slow(&closed) < 30, "{closed:?}");
    }

    #[tokio::test]
    async fn a_connection_that_fails_is_told() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut connections = vec![Connection::open(port).await.unwrap()];
        drop(listener);
        let schedule = Schedule {
            per_second: 100.0,
            time: Duration::from_millis(50),
        };
        assert!(turn(&mut connections, b"x", schedule).await.is_err());
    }
}
