//! What must work: every file of `fixtures/wire`, through every host. A new case is a new file.

use crate::support::in_process::InProcess;
use crate::support::runner;
use crate::support::socket::Local;

#[test]
fn in_process() {
    runner::over_http("wire", |server| Box::new(InProcess::new(server)));
}

#[test]
fn over_a_socket() {
    runner::over_http("wire", |server| Box::new(Local::start(server)));
}

#[test]
fn over_stdio() {
    runner::over_stdio("wire");
}
