//! What a URL says: one server, a cluster, or sentinels that know which server is the master. Reads
//! no file and asks nobody.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, parse_redis_url};

/// Where sentinels listen, unless told otherwise.
const SENTINEL_PORT: u16 = 26379;

/// The servers of a URL, and what they are.
#[derive(Clone)]
pub(crate) enum Topology {
    Single(ConnectionInfo),
    /// Nodes that know the others, and which of them has which keys.
    Cluster(Vec<ConnectionInfo>),
    Sentinel(SentinelGroup),
}

/// Servers that know which one is the master of a name.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "cluster"),
    expect(dead_code, reason = "nobody asks them then")
)]
pub(crate) struct SentinelGroup {
    /// Where they are; their user, password and database are those of the master.
    pub(crate) nodes: Vec<ConnectionInfo>,
    pub(crate) master: String,
    /// As whom they are asked themselves.
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl Topology {
    /// Every server that the URL names.
    pub(crate) fn nodes(&self) -> &[ConnectionInfo] {
        match self {
            Self::Single(node) => std::slice::from_ref(node),
            Self::Cluster(nodes) => nodes,
            Self::Sentinel(group) => &group.nodes,
        }
    }

    pub(crate) fn has_tls(&self) -> bool {
        let mut nodes = self.nodes().iter();
        nodes.any(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. }))
    }

    /// Where it is, without credentials.
    pub(crate) fn place(&self) -> String {
        let nodes: Vec<String> = self.nodes().iter().map(place_of).collect();
        let nodes = nodes.join(",");
        match self {
            Self::Sentinel(group) => format!("{} by {nodes}", group.master),
            _ => nodes,
        }
    }
}

fn place_of(node: &ConnectionInfo) -> String {
    match node.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            format!("{host}:{port}")
        }
        ConnectionAddr::Unix(path) => path.display().to_string(),
        _ => "MCPFN_REDIS_URL".to_owned(),
    }
}

/// What stands behind the `?` of a URL.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct UrlOptions {
    /// The file with the certificates that are trusted.
    pub(crate) roots: Option<String>,
    sentinel_username: Option<String>,
    sentinel_password: Option<String>,
}

/// The servers of a URL.
///
/// # Errors
/// A sentence that says what to change, and repeats no part of the URL.
pub(crate) fn parse(url: &str) -> Result<(Topology, UrlOptions), String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
    match scheme.to_ascii_lowercase().split_once('+') {
        Some((_, "cluster" | "sentinel")) if !cfg!(feature = "cluster") => Err(
            "names a cluster or sentinels, and this program was built without the feature \
             redis-cluster: build it with that"
                .to_owned(),
        ),
        Some((scheme, "cluster")) => cluster(scheme, &UrlParts::of(rest)),
        Some((scheme, "sentinel")) => sentinel(scheme, &UrlParts::of(rest)),
        _ if UrlParts::of(rest).hosts.contains(',') => Err(
            "names several hosts: begin it with redis+cluster:// if they are nodes of a cluster, or \
             with redis+sentinel:// if they are sentinels; with TLS it is rediss+cluster:// and \
             rediss+sentinel://"
                .to_owned(),
        ),
        _ => {
            let (node, options) = node(url)?;
            no_sentinel(&options)?;
            Ok((Topology::Single(node), options))
        }
    }
}

fn cluster(scheme: &str, parts: &UrlParts<'_>) -> Result<(Topology, UrlOptions), String> {
    if !["", "/", "/0"].contains(&parts.path) {
        return Err(
            "names a database of a cluster, which has one only: leave out what follows the hosts"
                .to_owned(),
        );
    }
    let (nodes, options) = nodes(scheme, parts, None, "")?;
    no_sentinel(&options)?;
    Ok((Topology::Cluster(nodes), options))
}

fn sentinel(scheme: &str, parts: &UrlParts<'_>) -> Result<(Topology, UrlOptions), String> {
    let path = parts.path.strip_prefix('/').unwrap_or_default();
    let (master, database) = path.split_once('/').unwrap_or((path, ""));
    // those that sentinels allow
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if master.is_empty() || !master.bytes().all(is_letter) {
        return Err("must name the master behind the sentinels, as in \
             redis+sentinel://:PASSWORD@HOST:26379,HOST:26379/mymaster/DATABASE"
            .to_owned());
    }
    let (nodes, options) = nodes(scheme, parts, Some(SENTINEL_PORT), database)?;
    let group = SentinelGroup {
        nodes,
        master: master.to_owned(),
        username: options.sentinel_username.clone(),
        password: options.sentinel_password.clone(),
    };
    Ok((Topology::Sentinel(group), options))
}

/// A URL behind its `://`. Login and passwords have none of the letters that divide it.
struct UrlParts<'a> {
    /// With its `@`.
    login: &'a str,
    /// Divided by commas.
    hosts: &'a str,
    /// With its `/`.
    path: &'a str,
    /// With its `?` or `#`.
    options: &'a str,
}

impl<'a> UrlParts<'a> {
    fn of(rest: &'a str) -> Self {
        let (rest, options) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let login = authority.rfind('@').map_or(0, |at| at + 1);
        let (login, hosts) = authority.split_at(login);
        Self {
            login,
            hosts,
            path,
            options,
        }
    }
}

/// All hosts, each as a URL of its own.
fn nodes(
    scheme: &str,
    parts: &UrlParts<'_>,
    port: Option<u16>,
    database: &str,
) -> Result<(Vec<ConnectionInfo>, UrlOptions), String> {
    let UrlParts { login, options, .. } = parts;
    let one = |host: &str| {
        let after_address = host.rsplit(']').next().unwrap_or_default();
        let port = port.filter(|_| !after_address.contains(':'));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let (info, options) = node(&format!(
            "{scheme}://{login}{host}{port}/{database}{options}"
        ))?;
        match info.addr() {
            ConnectionAddr::Unix(_) => Err(form()),
            _ => Ok((info, options)),
        }
    };
    let nodes: Result<Vec<_>, String> = parts.hosts.split(',').map(one).collect();
    let (nodes, mut options): (Vec<_>, Vec<_>) = nodes?.into_iter().unzip();
    // they are the same for all
    Ok((nodes, options.pop().unwrap_or_default()))
}

/// One server.
fn node(url: &str) -> Result<(ConnectionInfo, UrlOptions), String> {
    let mut url = parse_redis_url(url).ok_or_else(form)?;
    let mut options = UrlOptions::default();
    for (name, value) in url.query_pairs() {
        let option = match &*name {
            "ssl_ca_certs" => &mut options.roots,
            "sentinel_username" => &mut options.sentinel_username,
            "sentinel_password" => &mut options.sentinel_password,
            // of a Unix socket
            "db" | "user" | "pass" if url.host().is_none() => continue,
            _ => {
                return Err(
                    "has an option that is not known; known are ssl_ca_certs and, of sentinels, \
                     sentinel_username and sentinel_password"
                        .to_owned(),
                );
            }
        };
        *option = Some(value.into_owned());
    }
    if url.fragment().is_some() {
        return Err(
            "has a # part: certificates are always checked; trust one of your own with \
             ?ssl_ca_certs=FILE"
                .to_owned(),
        );
    }
    if url.host().is_some() {
        url.set_query(None);
    }
    let info = url.into_connection_info().map_err(|_| form())?;
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Ok((info.set_tcp_settings(tcp), options))
}

fn no_sentinel(options: &UrlOptions) -> Result<(), String> {
    if options.sentinel_username.is_none() && options.sentinel_password.is_none() {
        return Ok(());
    }
    Err(
        "has options of sentinels without sentinels: begin it with redis+sentinel://, or leave them \
         out"
        .to_owned(),
    )
}

fn form() -> String {
    "must be redis://:PASSWORD@HOST:PORT/DATABASE, redis+cluster://:PASSWORD@HOST:PORT,HOST:PORT or \
     redis+sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE, each with rediss in the place \
     of redis for TLS; letters such as @, / and , in a password are written as %40, %2F and %2C"
        .to_owned()
}

#[cfg(all(test, not(feature = "cluster")))]
mod tests_without_clusters {
    #[test]
    fn what_this_program_was_built_without_is_said() {
        for kind in ["cluster", "sentinel"] {
            let Err(mistake) = super::parse(&format!("redis+{kind}://hunter2/m")) else {
                panic!("{kind}");
            };
            assert!(mistake.contains("the feature redis-cluster"), "{mistake}");
            assert!(!mistake.contains("hunter2"), "{mistake}");
        }
    }
}

#[cfg(all(test, feature = "cluster"))]
mod tests {
    use super::*;

    fn said(url: &str) -> (String, Option<String>, i64) {
        let (topology, _) = parse(url).unwrap_or_else(|mistake| panic!("{url}: {mistake}"));
        let first = topology.nodes()[0].redis_settings();
        let password = first.password().map(str::to_owned);
        (topology.place(), password, first.db())
    }

    #[test]
    fn nodes_of_a_cluster_have_one_login() {
        for (url, place) in [
            ("redis+cluster://:hunter2@a", "a:6379"),
            (
                "redis+cluster://me:hunter2@a:1,b,[::1]:3/",
                "a:1,b:6379,::1:3",
            ),
            ("rediss+cluster://:hunter2@a,b/0", "a:6379,b:6379"),
            ("VALKEYS+cluster://:hunter2@a", "a:6379"),
        ] {
            assert_eq!(said(url), (place.to_owned(), Some("hunter2".to_owned()), 0));
            let (topology, _) = parse(url).unwrap();
            assert!(matches!(topology, Topology::Cluster(_)), "{url}");
            let scheme = url.split('+').next().unwrap();
            let has_tls = ["rediss", "VALKEYS"].contains(&scheme);
            assert_eq!(topology.has_tls(), has_tls, "{url}");
            let of = |node: &ConnectionInfo| node.redis_settings().password() == Some("hunter2");
            assert!(topology.nodes().iter().all(of), "{url}");
        }
    }

    #[test]
    fn sentinels_have_a_master_and_a_login_of_their_own() {
        let url = "rediss+sentinel://me:hunter2@a,[::1],b:9/shop-1/3?sentinel_username=s&\
                   sentinel_password=p%2C";
        let place = "shop-1 by a:26379,::1:26379,b:9".to_owned();
        assert_eq!(said(url), (place, Some("hunter2".to_owned()), 3));
        let (Topology::Sentinel(group), _) = parse(url).unwrap() else {
            panic!("sentinels");
        };
        assert_eq!(group.username.as_deref(), Some("s"));
        assert_eq!(group.password.as_deref(), Some("p,"));
        let place = "m by a:26379".to_owned();
        assert_eq!(said("redis+sentinel://a/m"), (place, None, 0));
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for (url, says) in [
            ("redis://hunter2,b", "several hosts"),
            ("redis://:hunter2@a:1,b:2/0", "several hosts"),
            ("redis+cluster://a,hunter2/1", "a database of a cluster"),
            ("redis+cluster://a,,hunter2", "must be redis://"),
            ("redis+cluster://a:hunter2", "must be redis://"),
            ("unix+cluster:///hunter2", "a database of a cluster"),
            ("http+cluster://hunter2", "must be redis://"),
            ("redis+hunter2://a", "must be redis://"),
            ("redis+cluster://a?hunter2=1", "an option that is not known"),
            (
                "redis+cluster://a?sentinel_password=hunter2",
                "without sentinels",
            ),
            ("redis://a?sentinel_username=hunter2", "without sentinels"),
            ("redis+sentinel://hunter2", "must name the master"),
            ("redis+sentinel://a/", "must name the master"),
            ("redis+sentinel://a/hunter%202", "must name the master"),
            ("redis+sentinel://a/m/hunter2", "must be redis://"),
            ("rediss+sentinel://a/m#insecure", "always checked"),
        ] {
            let Err(mistake) = parse(url) else {
                panic!("{url}");
            };
            assert!(mistake.contains(says), "{url}: {mistake}");
            assert!(!mistake.contains("hunter2"), "{url}: {mistake}");
        }
    }
}
