//! The local host with a certificate of its own: who is served over TLS, and what happens when the
//! files are replaced.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use crate::support::process::{PATIENCE, Process, command, run};
use crate::support::socket::{decode, encode};
use crate::support::{Request, Response};

struct Files {
    folder: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mcpfn-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        Self {
            folder,
            certificate,
            key,
        }
    }

    /// Replaces both files, as a tool does that renews certificates, and gives what to trust.
    fn renew(&self) -> CertificateDer<'static> {
        self.renew_for(-1..365)
    }

    /// With a certificate that is good for these days from now on.
    fn renew_for(&self, days: std::ops::Range<i64>) -> CertificateDer<'static> {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let day = |days: i64| {
            let seconds = i64::try_from(since).unwrap() + days * 24 * 60 * 60;
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            epoch + std::time::Duration::from_secs(u64::try_from(seconds).unwrap())
        };
        let mut made = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        (made.not_before, made.not_after) = (day(days.start), day(days.end));
        let key = rcgen::KeyPair::generate().unwrap();
        let made = made.self_signed(&key).unwrap();
        fs::write(&self.key, pem("PRIVATE KEY", &key.serialize_der())).unwrap();
        fs::write(&self.certificate, pem("CERTIFICATE", made.der())).unwrap();
        made.der().clone()
    }

    fn variables(&self) -> [(&str, &str); 2] {
        let text = |path: &'_ Path| -> &'static str { path.to_str().unwrap().to_owned().leak() };
        [
            ("MCPFN_TLS_CERTIFICATE", text(&self.certificate)),
            ("MCPFN_TLS_KEY", text(&self.key)),
        ]
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Asks over TLS, trusting this certificate alone.
fn ask(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    request: &Request,
) -> Result<Response, String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(client, stream);
    let sent = stream.write_all(&encode(address, request));
    sent.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // a server that ends without a word could have been cut off: that is an error here
    stream
        .read_to_end(&mut answer)
        .map_err(|error| error.to_string())?;
    Ok(decode(&answer))
}

fn list() -> Request {
    Request::modern("tools/list", json!({}))
}

#[test]
fn a_certificate_is_replaced_while_the_server_runs_and_a_broken_one_is_not_served() {
    let files = Files::new("renewed");
    let first = files.renew();
    let (process, address) = Process::http_with(&files.variables());
    assert_eq!(ask(address, &first, &list()).unwrap().status, 200);
    let health = process.stdout.find("health at ");
    assert_eq!(health, format!("health at https://{address}/health"));

    let second = files.renew();
    process.signal("HUP");
    process.stderr.find_with("certificate_replaced");
    assert_eq!(ask(address, &second, &list()).unwrap().status, 200);
    let refused = ask(address, &first, &list()).unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");

    let key = fs::read(&files.key).unwrap();
    for broken in ["", "hunter2", &pem("CERTIFICATE", b"hunter2")] {
        fs::write(&files.certificate, broken).unwrap();
        process.signal("HUP");
        let line = process.stderr.find_with("certificate_kept");
        assert!(!line.contains("hunter2"), "{line}");
        assert_eq!(
            ask(address, &second, &list()).unwrap().status,
            200,
            "{broken}"
        );
    }
    // a certificate whose key has not come yet
    let third = files.renew();
    let new_key = fs::read(&files.key).unwrap();
    fs::write(&files.key, key).unwrap();
    process.signal("HUP");
    process.stderr.find_with("certificate_kept");
    fs::write(&files.key, new_key).unwrap();
    process.signal("HUP");
    process.stderr.find_with("certificate_replaced");
    assert_eq!(ask(address, &third, &list()).unwrap().status, 200);
}

#[test]
fn a_server_with_a_certificate_speaks_nothing_else() {
    let files = Files::new("only");
    let trusted = files.renew();
    let (_process, address) = Process::http_with(&files.variables());
    let mut plain = TcpStream::connect(address).unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    plain.write_all(&encode(address, &list())).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(
        !answer.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    // one that says nothing keeps nobody waiting
    let _silent = TcpStream::connect(address).unwrap();
    assert_eq!(ask(address, &trusted, &list()).unwrap().status, 200);
    let asked = run(command(&["health"])
        .envs(files.variables())
        .env("MCPFN_PORT", address.port().to_string()));
    assert_eq!(asked.0, Some(0), "{asked:?}");
    // a stream of events, too
    let call = Request::modern(
        "tools/call",
        json!({"name": "count", "arguments": {"to": 3}}),
    );
    let streamed = ask(address, &trusted, &call).unwrap();
    assert_eq!(streamed.status, 200, "{}", streamed.text());
}

#[test]
fn files_that_cannot_be_used_are_sentences_at_the_start() {
    let files = Files::new("wrong");
    files.renew();
    let [certificate, key] = files.variables();
    let other = Files::new("other");
    other.renew();
    let [_, other_key] = other.variables();
    fs::write(files.folder.join("empty"), "").unwrap();
    let empty = files.folder.join("empty").display().to_string();
    for (variables, said) in [
        (vec![certificate], "set both, or neither"),
        (vec![key], "set both, or neither"),
        (vec![certificate, other_key], "do not fit"),
        (
            vec![key, ("MCPFN_TLS_CERTIFICATE", &*empty)],
            "no certificate",
        ),
        (
            vec![certificate, ("MCPFN_TLS_KEY", &*empty)],
            "no private key",
        ),
        (
            vec![certificate, ("MCPFN_TLS_KEY", "/no/such/key")],
            "can't be read",
        ),
    ] {
        let (code, _, stderr) = run(command(&[]).env("MCPFN_PORT", "0").envs(variables));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains("MCPFN_TLS_KEY") && stderr.contains(said),
            "{stderr}"
        );
    }
}

#[test]
fn certificates_that_time_has_spoiled_are_told() {
    let files = Files::new("age");
    for (days, told) in [
        (-30..-1, Some("certificate_expired")),
        (2..30, Some("certificate_not_yet_valid")),
        (-30..3, Some("certificate_expires_soon")),
        (-1..60, None),
    ] {
        files.renew_for(days.clone());
        let (process, _) = Process::http_with(&files.variables());
        let first = told.map(|event| (event, process.stderr.find_with("certificate_")));
        if let Some((event, line)) = first {
            assert!(line.contains(event), "{days:?}: {line}");
        }
        // one that is good is not spoken of
        files.renew();
        process.signal("HUP");
        let line = process.stderr.find_with("certificate_");
        assert!(line.contains("certificate_replaced"), "{days:?}: {line}");
    }
}
