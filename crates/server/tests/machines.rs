//! The files of `infra` for machines of one's own: every variable and every metric in them is one of
//! this program, and what the image would run is run in its place. What needs other programs (nginx,
//! Caddy, the schemas of Kubernetes) is `cargo xtask machines`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra")
}

/// Files below, and what they have.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else {
            found.push((
                path.display().to_string(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found
}

/// Words that begin so, up to what no name has.
fn words(text: &str, beginning: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let names = text.split(|letter| !is_part(letter));
    names
        .filter(|name| name.starts_with(beginning))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_variable_in_these_files_is_a_setting() {
    let help = Command::new(env!("CARGO_BIN_EXE_mcpfn"))
        .arg("--help")
        .output()
        .unwrap();
    let known = words(&String::from_utf8(help.stdout).unwrap(), "MCPFN_");
    assert!(known.contains("MCPFN_LISTEN") && known.contains("MCPFN_DATABASE"));
    let mut seen = BTreeSet::new();
    for folder in [
        "container",
        "kubernetes",
        "systemd",
        "cloudrun",
        "monitoring",
    ] {
        for (path, text) in texts(&infra().join(folder)) {
            for name in words(&text, "MCPFN_") {
                assert!(known.contains(&name), "{path}: {name} is no setting");
                seen.insert(name);
            }
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn metrics() -> String {
    let mut server = Command::new(env!("CARGO_BIN_EXE_mcpfn"));
    server.env_clear().envs([
        ("MCPFN_PORT", "0"),
        ("MCPFN_METRICS_LISTEN", "127.0.0.1:0"),
        ("MCPFN_TOOLKITS", "hello"),
    ]);
    server.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Running(server.spawn().unwrap());
    let said = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let line = said
        .map_while(Result::ok)
        .find(|line| line.contains("metrics_listen"))
        .unwrap();
    let address = line.split("http://").nth(1).unwrap();
    let mut stream = TcpStream::connect(address.split(' ').next().unwrap()).unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn rules_and_the_dashboard_ask_for_metrics_that_there_are() {
    let served = metrics();
    let known = words(&served, "mcpfn_");
    assert!(known.contains("mcpfn_calls_total"), "{served}");
    for (path, text) in texts(&infra().join("monitoring")) {
        let asked = words(&text, "mcpfn_");
        assert!(!asked.is_empty(), "{path}");
        for name in asked {
            let family = name.trim_end_matches("_bucket");
            assert!(known.contains(family), "{path}: {name} is not served");
        }
    }
}

#[test]
fn the_operator_of_prometheus_has_the_same_rules() {
    let rules = fs::read_to_string(infra().join("monitoring/rules.yaml")).unwrap();
    let of_operator = fs::read_to_string(infra().join("kubernetes/prometheusrule.yaml")).unwrap();
    let (_, groups) = of_operator.split_once("spec:\n").unwrap();
    let groups: String = groups
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect();
    assert!(groups.starts_with("groups:\n"));
    assert!(
        rules.ends_with(&groups),
        "copy the groups of monitoring/rules.yaml"
    );
}

/// The last stage of the image's file.
struct Image {
    variables: Vec<String>,
    user: String,
    entrypoint: Vec<String>,
    health: Vec<String>,
}

impl Image {
    fn read() -> Self {
        let text = fs::read_to_string(infra().join("container/Dockerfile")).unwrap();
        let (_, last) = text.rsplit_once("\nFROM scratch\n").unwrap();
        let value = |word: &str| {
            let line = last.lines().find_map(|line| line.strip_prefix(word));
            line.unwrap_or_else(|| panic!("no {word}"))
                .trim()
                .to_owned()
        };
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
        let health = value("HEALTHCHECK");
        Self {
            variables: last
                .lines()
                .filter_map(|line| line.strip_prefix("ENV "))
                .map(str::to_owned)
                .collect(),
            user: value("USER"),
            entrypoint: list(&value("ENTRYPOINT")),
            health: list(health.split_once("CMD ").unwrap().1),
        }
    }
}

/// The same root file system, environment, user and commands, in namespaces of its own: nothing but
/// `/data` and `/tmp` can be written, and there is no other program.
#[cfg(target_os = "linux")]
#[test]
fn what_the_image_runs_works_without_rights() {
    let isolated = || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--"]);
        command
    };
    if !isolated()
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("SKIPPED: this user may not make namespaces");
        return;
    }
    let image = Image::read();
    let folder = std::env::temp_dir().join(format!("mcpfn-image-{}", std::process::id()));
    let (root, data) = (folder.join("root"), folder.join("data"));
    fs::create_dir_all(&data).unwrap();
    let made = Command::new(infra().join("container/rootfs.sh"))
        .args([Path::new(env!("CARGO_BIN_EXE_mcpfn")), &root])
        .status();
    assert!(made.unwrap().success());
    assert!(!root.join("bin").exists(), "there is no shell");
    let owner = Command::new("chown")
        .args([&*image.user])
        .arg(&data)
        .status();
    assert!(owner.unwrap().success());

    let entry = format!("robot:{}:*", "0".repeat(64));
    let environment = format!(
        "{} MCPFN_AUTH=api-key MCPFN_API_KEYS={entry} MCPFN_ALLOWED_HOSTS=localhost \
         MCPFN_DRAIN_DELAY_SECONDS=0",
        image.variables.join(" ")
    );
    let run = format!(
        "env -i {environment} $chroot --userspec={} \"$ROOT\"",
        image.user
    );
    let script = format!(
        "set -eu
         chroot=$(command -v chroot)
         mount -t proc none /proc
         ip link set lo up
         mount --bind \"$ROOT\" \"$ROOT\"
         mount -o remount,bind,ro \"$ROOT\"
         mount --bind \"$DATA\" \"$ROOT/data\"
         mount -t tmpfs -o size=16m none \"$ROOT/tmp\"
         {run} {entrypoint} >&2 & server=$!
         tries=0
         until {run} {health}; do
           kill -0 $server
           tries=$((tries + 1)); test $tries -lt 200
           sleep 0.1
         done
         grep -E '^(Uid|Gid|CapEff|Groups)' /proc/$server/status
         kill -TERM $server
         wait $server && echo ended=0 || echo ended=$?
         {run} {health} && echo health=0 || echo health=$?",
        entrypoint = image.entrypoint.join(" "),
        health = image.health.join(" "),
    );
    let output = isolated()
        .args(["sh", "-c", &script])
        .env("ROOT", &root)
        .env("DATA", &data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let kept = fs::read_dir(&data).unwrap().count();
    fs::remove_dir_all(&folder).unwrap();
    for expected in [
        r#"{"status":"ready"}"#,
        "Uid:\t65532\t65532\t65532\t65532",
        "Gid:\t65532\t65532\t65532\t65532",
        "CapEff:\t0000000000000000",
        "ended=0",
        "health=1",
    ] {
        assert!(said.contains(expected), "no {expected}: {said}\n{log}");
    }
    assert!(kept > 0, "the demo shop is in /data: {log}");
    let json = log.lines().filter(|line| line.starts_with('{')).count();
    assert!(
        json > 2 && log.contains("\"stopped\""),
        "lines of JSON: {log}"
    );
}
