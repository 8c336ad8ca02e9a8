//! What must work: every file of `fixtures/wire`, through every host. A new case is a new file.

use crate::support::in_process::InProcess;
use crate::support::lambda::{Front, Lambda};
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

fn through_lambda(front: Front) {
    runner::over_http_except("wire", &["host_loopback"], |server| {
        Box::new(Lambda::start(server, front))
    });
}

#[test]
fn through_a_function_url() {
    through_lambda(Front::Url);
}

#[test]
fn through_a_function_url_that_streams() {
    through_lambda(Front::UrlStreaming);
}

#[test]
fn through_a_rest_api() {
    through_lambda(Front::Rest);
}

#[test]
fn through_a_rest_api_that_streams() {
    through_lambda(Front::RestStreaming);
}
