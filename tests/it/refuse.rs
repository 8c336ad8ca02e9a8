//! What must be refused: every file of `fixtures/refuse`, through every host.

use crate::support::in_process::InProcess;
use crate::support::runner;
use crate::support::socket::Local;

#[test]
fn in_process() {
    runner::over_http("refuse", |server| Box::new(InProcess::new(server)));
}

#[test]
fn over_a_socket() {
    runner::over_http("refuse", |server| Box::new(Local::start(server)));
}

#[test]
fn over_stdio() {
    runner::over_stdio("refuse");
}
