//! Where a PostgreSQL server is and as whom it is asked: read from a `postgres://` URL. Opens
//! nothing, and never prints a password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// The parts of a URL such as
/// `postgres://reader:secret@db.example.com:5432/shop?sslmode=verify-full`.
#[derive(Clone)]
pub(super) struct PostgresAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: String,
    pub(super) tls: Tls,
}

/// Whether the connection is encrypted, and whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    Off,
    /// The certificate is checked against the roots that are compiled in.
    PublicRoots,
    /// The same, and against those of Amazon RDS, which are compiled in, too.
    AwsRoots,
    /// The certificate is checked against those of a file in PEM.
    File(PathBuf),
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "postgres://***@{}:{}/{}",
            self.host, self.port, self.database
        )
    }
}

impl PostgresAddress {
    /// Reads a URL. The error is a sentence that repeats no part of it: it may have a password in a
    /// wrong place.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        let rest = url
            .trim()
            .strip_prefix("postgres://")
            .or_else(|| url.trim().strip_prefix("postgresql://"));
        let rest = rest.ok_or("the URL of a PostgreSQL database begins with postgres://")?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (who, rest) = rest
            .rsplit_once('@')
            .ok_or("the URL has no user: write postgres://USER:PASSWORD@HOST/DATABASE")?;
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match place.strip_prefix('[') {
            Some(ipv6) => ipv6
                .split_once(']')
                .map(|(host, rest)| (host, rest.strip_prefix(':')))
                .ok_or("the URL's address has no `]`")?,
            None => place
                .split_once(':')
                .map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port
            .map_or(Ok(5432), str::parse)
            .map_err(|_| "the URL's port is not a number below 65536")?;
        let (user, database) = (decoded(user)?, decoded(database)?);
        if user.is_empty() || host.is_empty() {
            return Err(
                "the URL needs a user and a host: write postgres://USER:PASSWORD@HOST/DATABASE"
                    .to_owned(),
            );
        }
        Ok(Self {
            tls: tls(host, options)?,
            host: host.to_owned(),
            port,
            password: decoded(password)?,
            database: if database.is_empty() {
                user.clone()
            } else {
                database
            },
            user,
        })
    }
}

fn tls(host: &str, options: &str) -> Result<Tls, String> {
    let (mut mode, mut roots) = (None, None);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value)?)),
            Some(("application_name" | "connect_timeout", _)) => {}
            _ => return Err(
                "the URL has an option that is not known here; known are sslmode and sslrootcert"
                    .to_owned(),
            ),
        }
    }
    let on = match roots {
        Some(roots) if roots.as_os_str() == "rds" => Tls::AwsRoots,
        Some(file) => Tls::File(file),
        None if is_of_rds(host) => Tls::AwsRoots,
        None => Tls::PublicRoots,
    };
    match mode {
        Some("disable") => Ok(Tls::Off),
        Some("require" | "verify-ca" | "verify-full") => Ok(on),
        Some(_) => Err(
            "the URL's sslmode must be verify-full or disable: no other says whether \
            the connection is safe"
                .to_owned(),
        ),
        None if on == Tls::PublicRoots && is_this_machine(host) => Ok(Tls::Off),
        None => Ok(on),
    }
}

/// Whether a server is one of Amazon RDS or Aurora, by a name that AWS alone gives.
fn is_of_rds(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let domains = [".rds.amazonaws.com", ".rds.amazonaws.com.cn"];
    domains.iter().any(|domain| host.ends_with(domain))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || {
        "the URL has a `%` that two hexadecimal digits don't follow; write %25 for a `%`".to_owned()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(wrong)
        };
        let (high, low) = (digit()?, digit()?);
        // two digits make a byte
        bytes.push((high * 16 + low) as u8);
    }
    let legal = String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'));
    legal.ok_or_else(|| "the URL is not text in UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let address =
            PostgresAddress::read("postgres://shop%40eu:p%3Aw%2F@db.example.com:6543/main")
                .unwrap();
        assert_eq!(
            (address.user.as_str(), address.password.as_str()),
            ("shop@eu", "p:w/")
        );
        assert_eq!(
            (
                address.host.as_str(),
                address.port,
                address.database.as_str()
            ),
            ("db.example.com", 6543, "main")
        );
        assert_eq!(
            address.tls,
            Tls::PublicRoots,
            "encrypted unless it is this machine"
        );
        let address = PostgresAddress::read("postgresql://me@[::1]").unwrap();
        assert_eq!(
            (
                address.host.as_str(),
                address.port,
                address.database.as_str()
            ),
            ("::1", 5432, "me")
        );
        assert_eq!(address.tls, Tls::Off);
        let address = PostgresAddress::read(
            "postgres://me@10.0.0.7/x?sslmode=require&sslrootcert=%2Fetc%2Fca.pem",
        )
        .unwrap();
        assert_eq!(address.tls, Tls::File("/etc/ca.pem".into()));
        assert_eq!(
            PostgresAddress::read("postgres://me@10.0.0.7/x?sslmode=disable")
                .unwrap()
                .tls,
            Tls::Off
        );
    }

    #[test]
    fn servers_of_rds_are_known_by_their_name() {
        for (url, tls) in [
            ("me@db.abc.eu-west-1.rds.amazonaws.com/x", Tls::AwsRoots),
            (
                "me@DB.abc.eu-west-1.RDS.amazonaws.com/x?sslmode=verify-full",
                Tls::AwsRoots,
            ),
            (
                "me@db.abc.rds.cn-north-1.rds.amazonaws.com.cn/x",
                Tls::AwsRoots,
            ),
            ("me@db.example.com/x?sslrootcert=rds", Tls::AwsRoots),
            ("me@127.0.0.1/x?sslrootcert=rds", Tls::AwsRoots),
            (
                "me@db.abc.rds.amazonaws.com/x?sslrootcert=/ca.pem",
                Tls::File("/ca.pem".into()),
            ),
            ("me@db.abc.rds.amazonaws.com/x?sslmode=disable", Tls::Off),
            ("me@rds.amazonaws.com.example.com/x", Tls::PublicRoots),
            ("me@xrds.amazonaws.com/x", Tls::PublicRoots),
        ] {
            let address = PostgresAddress::read(&format!("postgres://{url}")).unwrap();
            assert_eq!(address.tls, tls, "{url}");
        }
    }

    #[test]
    fn mistakes_are_named_and_nothing_is_repeated() {
        for (url, expected) in [
            ("mysql://hunter2@h/d", "begins with postgres://"),
            ("postgres://hunter2", "has no user"),
            ("postgres://:hunter2@h/d", "needs a user"),
            ("postgres://u:hunter2@/d", "needs a user and a host"),
            ("postgres://u:hunter2@h:port/d", "port is not a number"),
            ("postgres://u:hunter2@h:99999/d", "port is not a number"),
            ("postgres://u:hunter2%zz@h/d", "hexadecimal"),
            ("postgres://u:hunter2%ff@h/d", "UTF-8"),
            (
                "postgres://u:hunter2@h/d?sslmode=prefer",
                "verify-full or disable",
            ),
            ("postgres://u:hunter2@h/d?options=-c", "not known here"),
            ("postgres://u:hunter2@[::1/d", "no `]`"),
        ] {
            let error = PostgresAddress::read(url).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains("hunter2"),
                "{url}: {error}"
            );
        }
        let shown = format!(
            "{:?}",
            PostgresAddress::read("postgres://user:hunter2@h/d").unwrap()
        );
        assert_eq!(shown, "postgres://***@h:5432/d");
    }
}
