//! `--sigv4`: the server sees a signature by the credentials of each place where they may be.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bridge::Bridge;
use crate::{call, forgetful};

/// A home of its own, gone at the end.
struct Home(PathBuf);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        static HOMES: AtomicUsize = AtomicUsize::new(0);
        let number = HOMES.fetch_add(1, Ordering::SeqCst);
        let name = format!("mcpfn-connect-{}-{number}", std::process::id());
        let home = std::env::temp_dir().join(name);
        fs::create_dir_all(home.join(".aws")).expect("a home");
        for (path, text) in files {
            fs::write(home.join(path), text).expect("a file");
        }
        Self(home)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bridge(port: u16, home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Bridge {
    Bridge::with(port, |command| {
        command
            .arg("--sigv4")
            .args(arguments)
            .env_clear()
            .env("HOME", &home.0)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied());
    })
}

const CONFIG: &str = "[profile work]\nregion = eu-north-1\naws_access_key_id = OFPROFILE\n\
    aws_secret_access_key = hunter2\n[profile tool]\nregion = eu-south-1\n\
    credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"OFPROCESS\", \
    \"SecretAccessKey\": \"x\", \"SessionToken\": \"session\"}'\n";

/// Arguments, variables, and what the signature names.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn credentials_come_from_where_programs_of_aws_find_them() {
    let keys = ("AWS_ACCESS_KEY_ID", "OFENV");
    let secret = ("AWS_SECRET_ACCESS_KEY", "x");
    let cases: [Case<'_>; 5] = [
        (
            &["--region", "us-east-1"],
            &[keys, secret],
            "OFENV us-east-1/lambda",
        ),
        (
            &[],
            &[keys, secret, ("AWS_REGION", "us-west-2")],
            "OFENV us-west-2/lambda",
        ),
        (
            &[],
            &[("AWS_PROFILE", "work")],
            "OFPROFILE eu-north-1/lambda",
        ),
        (
            &["--service", "execute-api"],
            &[("AWS_PROFILE", "tool")],
            "OFPROCESS eu-south-1/execute-api",
        ),
        (
            &["--region", "us-east-1"],
            &[("AWS_PROFILE", "work")],
            "OFPROFILE us-east-1/lambda",
        ),
    ];
    for (arguments, variables, expected) in cases {
        let home = Home::new(&[(".aws/config", CONFIG)]);
        let (port, signatures) = forgetful::signed();
        let mut bridge = bridge(port, &home, arguments, variables);
        bridge.send(&call(1, "greet"));
        let answer = bridge.next();
        assert_eq!(answer["id"], 1, "{answer}");
        let seen = signatures.try_recv().unwrap_or_else(|_| panic!("{answer}"));
        let (id, scope) = expected.split_once(' ').expect("two words");
        assert!(
            seen.contains(&format!("Credential={id}/"))
                && seen.contains(&format!("/{scope}/aws4_request")),
            "{expected}: {seen}"
        );
    }
}

#[test]
fn without_credentials_nothing_is_sent_and_the_error_says_what_to_set() {
    for (arguments, variables, named) in [
        (&["--region", "us-east-1"][..], &[][..], "AWS_PROFILE"),
        (
            &["--region", "us-east-1"],
            &[("AWS_PROFILE", "absent")],
            "absent",
        ),
        // the profile of another part has no region
        (&[], &[], "--region"),
    ] {
        let home = Home::new(&[]);
        let (port, signatures) = forgetful::signed();
        let mut bridge = bridge(port, &home, arguments, variables);
        bridge.send(&call(1, "greet"));
        let answer = bridge.next();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(named), "{named}: {answer}");
        assert!(!message.contains("had an effect"), "{answer}");
        assert!(signatures.try_recv().is_err(), "{answer}");
    }
}
