//! Which path is what: the endpoint, and the documents beside it.
//!
//! `/` and `/mcp` are the endpoint wherever a platform takes a prefix off before. A router that takes
//! none off needs the endpoint's own path, from the public URL or from
//! [`Service::at`](crate::Service::at); the documents are then also found where clients of that path
//! look for them.

use crate::auth::{ProtectedResource, WELL_KNOWN, origin_and_path};
use crate::card::{CARD_SUFFIX, CATALOG_PATH};
use crate::registry::REGISTRY_PROOF_PATH;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathTarget {
    Endpoint,
    Health,
    /// What OAuth clients read first.
    Metadata,
    /// What the registry of MCP servers reads, of the whole domain.
    RegistryProof,
    /// What directories of servers read of this one.
    ServerCard,
    /// What they read first, of the whole domain.
    Catalog,
}

/// The paths of one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paths {
    /// Beside those that every server has.
    own: Option<OwnPaths>,
}

#[derive(Debug, Clone)]
struct OwnPaths {
    /// With a slash at its start and none at its end.
    endpoint: String,
    /// What the documents stand below.
    prefix: String,
    /// Where RFC 9728 puts the metadata of that endpoint.
    metadata: String,
}

impl Paths {
    /// With the path of the public URL, where that is known.
    pub(crate) fn of(resource: Option<&ProtectedResource>) -> Self {
        resource.map_or_else(Self::default, |resource| {
            Self::at(&origin_and_path(&resource.url).1)
        })
    }

    /// With a path of its own.
    pub(crate) fn at(path: &str) -> Self {
        let path = path.trim_matches('/');
        Self {
            own: (!matches!(path, "" | "mcp")).then(|| OwnPaths::new(format!("/{path}"))),
        }
    }

    /// `None` where there is nothing.
    pub(crate) fn find(&self, path: &str) -> Option<PathTarget> {
        if let Some(place) = everywhere(path) {
            return Some(place);
        }
        let own = self.own.as_ref()?;
        // with a slash at its end, too, as `/mcp` is
        if path.strip_suffix('/').unwrap_or(path) == own.endpoint {
            return Some(PathTarget::Endpoint);
        }
        if path == own.metadata {
            return Some(PathTarget::Metadata);
        }
        if path.strip_suffix(CARD_SUFFIX) == Some(&own.endpoint) {
            return Some(PathTarget::ServerCard);
        }
        let below = path.strip_prefix(&own.prefix)?;
        everywhere(below).filter(|place| matches!(place, PathTarget::Health | PathTarget::Metadata))
    }

    /// The endpoint's path, to tell somebody who looked elsewhere.
    pub(crate) fn endpoint(&self) -> &str {
        self.own.as_ref().map_or("/mcp", |own| &own.endpoint)
    }
}

impl OwnPaths {
    fn new(endpoint: String) -> Self {
        let prefix = endpoint.strip_suffix("/mcp").unwrap_or(&endpoint);
        Self {
            prefix: prefix.to_owned(),
            metadata: format!("{WELL_KNOWN}{endpoint}"),
            endpoint,
        }
    }
}

fn everywhere(path: &str) -> Option<PathTarget> {
    match path {
        "/" | "/mcp" | "/mcp/" => Some(PathTarget::Endpoint),
        "/health" => Some(PathTarget::Health),
        REGISTRY_PROOF_PATH => Some(PathTarget::RegistryProof),
        CATALOG_PATH => Some(PathTarget::Catalog),
        "/server-card" | "/mcp/server-card" => Some(PathTarget::ServerCard),
        _ => match path.strip_prefix(WELL_KNOWN)? {
            "" | "/" | "/mcp" | "/mcp/" => Some(PathTarget::Metadata),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: Option<&str>, public: Option<&str>) -> Paths {
        let resource = public.map(|url| ProtectedResource {
            url: url.to_owned(),
            authorization_servers: Vec::new(),
            scopes: Vec::new(),
        });
        path.map_or_else(|| Paths::of(resource.as_ref()), Paths::at)
    }

    const ALWAYS: [(&str, Option<PathTarget>); 13] = [
        (CATALOG_PATH, Some(PathTarget::Catalog)),
        ("/mcp/server-card", Some(PathTarget::ServerCard)),
        ("/server-card", Some(PathTarget::ServerCard)),
        (REGISTRY_PROOF_PATH, Some(PathTarget::RegistryProof)),
        ("/.well-known/mcp-registry-auth/", None),
        ("/", Some(PathTarget::Endpoint)),
        ("/mcp", Some(PathTarget::Endpoint)),
        ("/health", Some(PathTarget::Health)),
        (WELL_KNOWN, Some(PathTarget::Metadata)),
        (
            "/.well-known/oauth-protected-resource/mcp",
            Some(PathTarget::Metadata),
        ),
        ("/.well-known/oauth-protected-resources", None),
        ("/mcp/", Some(PathTarget::Endpoint)),
        ("/other", None),
    ];

    #[test]
    fn every_server_has_some_paths_and_its_own_ones() {
        for (path, public, own, prefix) in [
            (None, None, None, ""),
            (None, Some("https://a.example"), None, ""),
            (None, Some("https://a.example/mcp"), None, ""),
            (Some("/mcp"), Some("https://a.example/tools/mcp"), None, ""),
            (
                None,
                Some("https://a.example/tools/mcp"),
                Some("/tools/mcp"),
                "/tools",
            ),
            (Some("/tools/mcp"), None, Some("/tools/mcp"), "/tools"),
            (Some("assistant/"), None, Some("/assistant"), "/assistant"),
            (
                Some("/a/b"),
                Some("https://a.example/mcp"),
                Some("/a/b"),
                "/a/b",
            ),
        ] {
            let paths = paths(path, public);
            for (path, place) in ALWAYS {
                assert_eq!(paths.find(path), place, "{path} of {paths:?}");
            }
            assert_eq!(paths.endpoint(), own.unwrap_or("/mcp"));
            let Some(own) = own else { continue };
            for (path, place) in [
                (own.to_owned(), Some(PathTarget::Endpoint)),
                (format!("{prefix}/health"), Some(PathTarget::Health)),
                (format!("{prefix}{WELL_KNOWN}"), Some(PathTarget::Metadata)),
                (format!("{WELL_KNOWN}{own}"), Some(PathTarget::Metadata)),
                (format!("{own}/"), Some(PathTarget::Endpoint)),
                (format!("{own}/server-card"), Some(PathTarget::ServerCard)),
                (format!("{prefix}{CATALOG_PATH}"), None),
                (format!("{own}//"), None),
                (format!("{own}x"), None),
                (format!("{prefix}{REGISTRY_PROOF_PATH}"), None),
                (format!("{REGISTRY_PROOF_PATH}{own}"), None),
                (format!("{prefix}x/health"), None),
                (format!("/x{own}"), None),
                (format!("/x{prefix}/health"), None),
            ] {
                assert_eq!(paths.find(&path), place, "{path} of {paths:?}");
            }
        }
    }
}
