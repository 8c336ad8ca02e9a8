//! Services of AWS that give credentials, on one port of loopback: STS, IAM Identity Center, a
//! container's endpoint, the metadata of an instance (sessions only). What they were asked is kept.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How long a session lives: asked for with it, and told with it.
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const END: &str = "2099-01-01T00:00:00Z";

pub(crate) struct Services {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A member of a form, decoded as far as the tests need it.
    fn form(&self, name: &str) -> String {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(known, _)| *known == name);
        let value = found.next().map(|(_, value)| value).unwrap_or_default();
        value.replace("%3A", ":").replace("%2F", "/")
    }
}

impl Services {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || serve(stream, &log));
            }
        });
        Self { url, asked }
    }

    /// What was asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let (status, body) = answer(&asked, log);
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: text/plain\r\n{TTL}: 60\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if reader
            .get_mut()
            .write_all((head + &body).as_bytes())
            .is_err()
        {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut first = line.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

fn answer(asked: &Asked, log: &Mutex<Vec<String>>) -> (u16, String) {
    let note = |what: String| log.lock().unwrap().push(what);
    match (asked.method.as_str(), asked.path.split('?').next().unwrap()) {
        ("POST", "/") => sts(asked, note),
        ("GET", "/container") => {
            let token = asked.header("authorization").unwrap_or("no token");
            note(format!("container with {token}"));
            match token {
                "no token" | "container-token" | "pod-token" => (200, container("CONTAINER")),
                _ => (
                    403,
                    r#"{"code": "Refused", "message": "no hunter2 here"}"#.to_owned(),
                ),
            }
        }
        ("GET", "/federation/credentials") => sso(asked, note),
        ("PUT", "/latest/api/token") => {
            let lives = asked.header(TTL);
            match lives {
                Some(_) => (200, "session".to_owned()),
                None => (400, String::new()),
            }
        }
        // without a session it says nothing
        ("GET", path) if path.starts_with("/latest/meta-data/") => {
            if asked.header("x-aws-ec2-metadata-token") != Some("session") {
                return (401, String::new());
            }
            instance(path, note)
        }
        _ => (404, String::new()),
    }
}

fn container(id: &str) -> String {
    format!(
        r#"{{"AccessKeyId": "{id}", "SecretAccessKey": "x", "Token": "t", "Expiration": "{END}"}}"#
    )
}

fn instance(path: &str, note: impl Fn(String)) -> (u16, String) {
    match path.trim_start_matches("/latest/meta-data/") {
        "placement/region" => {
            note("instance region".to_owned());
            (200, "eu-south-1".to_owned())
        }
        "iam/security-credentials/" | "iam/security-credentials-extended/" => {
            note("instance role".to_owned());
            (200, "server".to_owned())
        }
        "iam/security-credentials/server" | "iam/security-credentials-extended/server" => {
            note("instance keys".to_owned());
            let keys = container("INSTANCE");
            (
                200,
                keys.replacen('{', r#"{"Code": "Success", "Type": "AWS-HMAC","#, 1),
            )
        }
        _ => (404, String::new()),
    }
}

fn sso(asked: &Asked, note: impl Fn(String)) -> (u16, String) {
    let query = asked
        .path
        .split_once('?')
        .map(|(_, query)| query)
        .unwrap_or_default();
    let of = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let token = asked.header("x-amz-sso_bearer_token").unwrap_or_default();
    note(format!(
        "sso {} {} by {token}",
        of("account_id"),
        of("role_name")
    ));
    let keys = r#"{"roleCredentials": {"accessKeyId": "SSO", "secretAccessKey": "x", "sessionToken": "t", "expiration": 4070908800000}}"#;
    (200, keys.to_owned())
}

fn sts(asked: &Asked, note: impl Fn(String)) -> (u16, String) {
    let (action, role) = (asked.form("Action"), asked.form("RoleArn"));
    let id = match action.as_str() {
        "AssumeRole" => {
            // Credential=ID/DATE/REGION/sts/aws4_request
            let authorization = asked.header("authorization").unwrap_or_default();
            let scope = authorization
                .split("Credential=")
                .nth(1)
                .unwrap_or_default();
            let mut parts = scope.split('/');
            let by = parts.next().unwrap_or_default();
            let region = parts.nth(1).unwrap_or_default();
            note(format!("AssumeRole {role} by {by} in {region}"));
            "ASSUMED"
        }
        _ => {
            note(format!(
                "{action} {role} by {}",
                asked.form("WebIdentityToken")
            ));
            "WEB"
        }
    };
    if role.ends_with("/forbidden") {
        return (
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
             <Message>not for you</Message></Error></ErrorResponse>"
                .to_owned(),
        );
    }
    let answer = format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{END}</Expiration></Credentials><AssumedRoleUser>\
         <AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/a/b</Arn>\
         </AssumedRoleUser></{action}Result></{action}Response>"
    );
    (200, answer)
}
