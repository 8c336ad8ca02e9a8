//! Every place where region and credentials may be, played on loopback: the test runs itself again
//! as a process with an environment and a home of its own, and looks at what that process found,
//! and at what was asked of whom.

mod services;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcpfn_aws::AwsAccount;
use mcpfn_core::port::HttpClient;
use mcpfn_native::{Client, Variables};
use serde_json::{Value, json};

use services::Services;

/// In the place of a test: what the process finds, as one line.
#[tokio::test]
async fn process() {
    if std::env::var_os("MCPFN_TEST_PROCESS").is_none() {
        return;
    }
    let client: Arc<dyn HttpClient> = Arc::new(Client::new());
    let account = Variables::of_process().read(|mut reader| {
        let account = AwsAccount::read(&mut reader, "MCPFN_FILES_ROOT", &client);
        reader.finish(account).expect("no mistake")
    });
    // at once, and through copies: it is asked for once
    let copy = account.clone();
    let (region, keys, again) = tokio::join!(account.region(), account.keys(), copy.keys());
    let keys = keys.map(|keys| json!([keys.id, keys.secret, keys.session]));
    let again = again.map(|keys| json!([keys.id, keys.secret, keys.session]));
    assert_eq!(keys, again);
    let found = json!({
        "region": region.as_deref().ok(),
        "no_region": region.as_ref().err(),
        "keys": keys.as_ref().ok(),
        "no_keys": keys.as_ref().err(),
    });
    println!("\nfound {found}");
}

/// A home, and the services that it may ask.
struct Place {
    home: PathBuf,
    services: Services,
}

impl Place {
    fn new() -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "mcpfn-aws-{}-{}",
            std::process::id(),
            PLACES.fetch_add(1, Ordering::SeqCst)
        );
        let home = std::env::temp_dir().join(name);
        fs::create_dir_all(home.join(".aws/sso/cache")).unwrap();
        Self {
            home,
            services: Services::start(),
        }
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home.join(path);
        fs::write(&path, self.filled(text)).unwrap();
        path
    }

    fn filled(&self, text: &str) -> String {
        text.replace("SERVICES", &self.services.url)
            .replace("HOME", self.home.to_str().unwrap())
    }

    fn run(&self, variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "process", "--nocapture"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("MCPFN_TEST_PROCESS", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_STS", &self.services.url)
            .env("AWS_ENDPOINT_URL_SSO", &self.services.url);
        for (name, value) in variables {
            command.env(name, self.filled(value));
        }
        command.output().unwrap()
    }

    /// What a process with these variables finds.
    fn found(&self, variables: &[(&str, &str)]) -> Value {
        let output = self.run(variables);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find_map(|line| line.strip_prefix("found "));
        let line = line.unwrap_or_else(|| {
            panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
        });
        serde_json::from_str(line).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// One place where credentials may be. `SERVICES` and `HOME` stand for what each test has.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    region: &'static str,
    id: &'static str,
    /// What is asked, in order.
    asked: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "the environment wins, and nothing is asked",
        files: &[(
            ".aws/credentials",
            "[default]\naws_access_key_id = PROFILE\naws_secret_access_key = x\n",
        )],
        variables: &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVICES/container"),
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "SERVICES"),
        ],
        region: "eu-west-1",
        id: "ENVIRONMENT",
        asked: &[],
    },
    Case {
        name: "keys of a profile, and its region",
        files: &[
            (
                ".aws/credentials",
                "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n[work]\naws_access_key_id = PROFILE\naws_secret_access_key = x\n",
            ),
            (
                ".aws/config",
                "[default]\nregion = us-east-1\n[profile work]\nregion = eu-central-1\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-central-1",
        id: "PROFILE",
        asked: &[],
    },
    Case {
        name: "the default profile, in files elsewhere",
        files: &[
            (
                "keys",
                "[default]\naws_access_key_id = ELSEWHERE\naws_secret_access_key = x\n",
            ),
            ("settings", "[default]\nregion = eu-north-1\n"),
        ],
        variables: &[
            ("AWS_SHARED_CREDENTIALS_FILE", "HOME/keys"),
            ("AWS_CONFIG_FILE", "HOME/settings"),
        ],
        region: "eu-north-1",
        id: "ELSEWHERE",
        asked: &[],
    },
    Case {
        name: "a region of the environment before the profile's",
        files: &[
            (
                ".aws/credentials",
                "[default]\naws_access_key_id = PROFILE\naws_secret_access_key = x\n",
            ),
            (".aws/config", "[default]\nregion = us-east-1\n"),
        ],
        variables: &[("AWS_DEFAULT_REGION", "eu-west-3")],
        region: "eu-west-3",
        id: "PROFILE",
        asked: &[],
    },
    Case {
        name: "a role, by the keys of another profile",
        files: &[
            (
                ".aws/credentials",
                "[base]\naws_access_key_id = PROFILE\naws_secret_access_key = x\n",
            ),
            (
                ".aws/config",
                "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/work\nsource_profile = base\nregion = eu-west-1\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-west-1",
        id: "ASSUMED",
        asked: &["AssumeRole arn:aws:iam::123456789012:role/work by PROFILE in eu-west-1"],
    },
    Case {
        name: "a role, by keys of the environment that only the profile names",
        files: &[(
            ".aws/config",
            "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/work\ncredential_source = EcsContainer\nregion = eu-west-1\n",
        )],
        variables: &[
            ("AWS_PROFILE", "work"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVICES/container"),
        ],
        region: "eu-west-1",
        id: "ASSUMED",
        asked: &[
            "container with no token",
            "AssumeRole arn:aws:iam::123456789012:role/work by CONTAINER in eu-west-1",
        ],
    },
    Case {
        name: "a process",
        files: &[
            (
                "helper",
                "#!/bin/sh\necho '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"x\", \"SessionToken\": \"t\", \"Expiration\": \"2099-01-01T00:00:00Z\"}'\n",
            ),
            (
                ".aws/config",
                "[profile work]\ncredential_process = sh HOME/helper\nregion = eu-west-1\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-west-1",
        id: "PROCESS",
        asked: &[],
    },
    Case {
        name: "IAM Identity Center, by a session",
        files: &[
            // the SHA-1 of the session's name
            (
                ".aws/sso/cache/CORP.json",
                "{\"startUrl\": \"https://corp.awsapps.com/start\", \"region\": \"eu-west-1\", \"accessToken\": \"sso-token\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}",
            ),
            (
                ".aws/config",
                "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n[profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader\nregion = eu-west-2\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-west-2",
        id: "SSO",
        asked: &["sso 123456789012 Reader by sso-token"],
    },
    Case {
        name: "IAM Identity Center, as profiles had it before",
        files: &[
            // the SHA-1 of the start URL
            (
                ".aws/sso/cache/START.json",
                "{\"startUrl\": \"https://corp.awsapps.com/start\", \"region\": \"eu-west-1\", \"accessToken\": \"old-token\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}",
            ),
            (
                ".aws/config",
                "[profile work]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\nsso_account_id = 123456789012\nsso_role_name = Reader\nregion = eu-west-2\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-west-2",
        id: "SSO",
        asked: &["sso 123456789012 Reader by old-token"],
    },
    Case {
        name: "a web identity, as Kubernetes sets it",
        files: &[("token", "web-token")],
        variables: &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token"),
        ],
        region: "eu-west-1",
        id: "WEB",
        asked: &["AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/pod by web-token"],
    },
    Case {
        name: "a web identity of a profile",
        files: &[
            ("token", "web-token"),
            (
                ".aws/config",
                "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/pod\nweb_identity_token_file = HOME/token\nregion = eu-west-1\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        region: "eu-west-1",
        id: "WEB",
        asked: &["AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/pod by web-token"],
    },
    Case {
        name: "a container, or a function of Lambda that was restored from a snapshot",
        files: &[],
        variables: &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVICES/container"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token"),
        ],
        region: "eu-west-1",
        id: "CONTAINER",
        asked: &["container with container-token"],
    },
    Case {
        name: "a pod of EKS, whose token is in a file",
        files: &[("token", "pod-token")],
        variables: &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVICES/container"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "HOME/token"),
        ],
        region: "eu-west-1",
        id: "CONTAINER",
        asked: &["container with pod-token"],
    },
    Case {
        name: "an instance, by sessions of its metadata service",
        files: &[],
        variables: &[
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "SERVICES"),
        ],
        region: "eu-south-1",
        id: "INSTANCE",
        asked: &["instance region", "instance role", "instance keys"],
    },
];

/// Names of files that a test can't write as they are.
fn file(name: &str) -> String {
    name.replace("CORP", "ee0bfd2552fbd840c02cc48b6e823320543c450f")
        .replace("START", "a51746d4aa793ae07b25e90c3a5db96fc7832bd7")
}

#[test]
fn each_place_is_found() {
    let mut failures = Vec::new();
    for case in CASES {
        let place = Place::new();
        for (name, text) in case.files {
            place.write(&file(name), text);
        }
        let found = place.found(case.variables);
        let mut asked = place.services.asked();
        // region and credentials are looked for at the same time
        asked.sort();
        let mut expected: Vec<String> = case.asked.iter().map(ToString::to_string).collect();
        expected.sort();
        if found["region"] != case.region || found["keys"][0] != case.id || asked != expected {
            failures.push(format!("{}: {found}, asked {asked:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What can't be had: the sentence says what to change, and no part of it is a secret.
struct Missing {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
}

const MISSING: &[Missing] = &[
    Missing {
        name: "nothing anywhere",
        files: &[],
        variables: &[],
        says: &["no credentials of AWS were found", "AWS_PROFILE"],
    },
    Missing {
        name: "a profile that is not there",
        files: &[(".aws/config", "[default]\nregion = eu-west-1\n")],
        variables: &[("AWS_PROFILE", "wrok")],
        says: &["wrok"],
    },
    Missing {
        name: "a process that prints something else",
        files: &[
            (
                "helper",
                "echo '{\"AccessKeyId\": \"hunter1\", \"SecretAccessKey\": \"hunter2\"'\n",
            ),
            (
                ".aws/config",
                "[profile work]\ncredential_process = sh HOME/helper\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        says: &["can't be had"],
    },
    Missing {
        name: "a process that fails",
        files: &[
            ("helper", "echo 'log in first: hunter2' >&2\nexit 3\n"),
            (
                ".aws/config",
                "[profile work]\ncredential_process = sh HOME/helper\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        says: &["can't be had"],
    },
    Missing {
        name: "a session of IAM Identity Center that has ended",
        files: &[
            (
                ".aws/sso/cache/CORP.json",
                "{\"startUrl\": \"https://corp.awsapps.com/start\", \"region\": \"eu-west-1\", \"accessToken\": \"hunter2\", \"expiresAt\": \"2020-01-01T00:00:00Z\"}",
            ),
            (
                ".aws/config",
                "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n[profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        says: &["can't be had", "expired"],
    },
    Missing {
        name: "a session of IAM Identity Center that never was",
        files: &[(
            ".aws/config",
            "[profile work]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\nsso_account_id = 123456789012\nsso_role_name = Reader\n",
        )],
        variables: &[("AWS_PROFILE", "work")],
        says: &["can't be had"],
    },
    Missing {
        name: "a role that is not granted",
        files: &[
            (
                ".aws/credentials",
                "[base]\naws_access_key_id = PROFILE\naws_secret_access_key = hunter2\n",
            ),
            (
                ".aws/config",
                "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/forbidden\nsource_profile = base\nregion = eu-west-1\n",
            ),
        ],
        variables: &[("AWS_PROFILE", "work")],
        says: &["can't be had", "AccessDenied"],
    },
    Missing {
        name: "a container that refuses",
        files: &[],
        variables: &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVICES/container"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2"),
        ],
        says: &["can't be had"],
    },
    Missing {
        name: "a container elsewhere without TLS",
        files: &[],
        variables: &[(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://203.0.113.7/container",
        )],
        says: &["can't be had"],
    },
];

#[test]
fn what_can_t_be_had_is_told_without_a_secret() {
    let mut failures = Vec::new();
    for case in MISSING {
        let place = Place::new();
        for (name, text) in case.files {
            place.write(&file(name), text);
        }
        let found = place.found(case.variables);
        let why = found["no_keys"].as_str().unwrap_or_default();
        let all = found.to_string();
        if all.contains("hunter") || !case.says.iter().all(|part| why.contains(part)) {
            failures.push(format!("{}: {found}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
