//! The proof that a domain belongs to whoever publishes below its name in the registry of MCP
//! servers: one public text at a fixed path. The private half of the key never comes here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// Where the registry looks for it, at the root of a domain: below no other path.
pub const REGISTRY_PROOF_PATH: &str = "/.well-known/mcp-registry-auth";

/// The text at `/.well-known/mcp-registry-auth`.
///
/// ```
/// use mcpfn_http::RegistryProof;
///
/// let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// let proof = RegistryProof::parse(&format!("v=MCPv1; k=ed25519; p={key}"))?;
/// assert_eq!(proof.text(), format!("v=MCPv1; k=ed25519; p={key}"));
/// assert!(RegistryProof::parse(&format!("v=MCPv1; k=rsa; p={key}")).is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryProof(String);

impl RegistryProof {
    /// Reads `v=MCPv1; k=ed25519; p=..` or `v=MCPv1; k=ecdsap384; p=..`, where `p` is the public key
    /// in Base64: 32 bytes, or the 49 of a compressed point. White space around the parts does not
    /// matter.
    ///
    /// # Errors
    /// What is wrong with it, without the text: it may be the private key by mistake.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(';').map(str::trim);
        let mut part = |name: &str| parts.next().and_then(|part| part.strip_prefix(name));
        let (version, kind, key) = (part("v="), part("k="), part("p="));
        if version != Some("MCPv1") || parts.next().is_some() {
            return Err(
                "must be `v=MCPv1; k=ed25519; p=KEY` or `v=MCPv1; k=ecdsap384; p=KEY`, as \
                 `mcp-publisher login http` asks for it"
                    .to_owned(),
            );
        }
        let key = key.unwrap_or_default();
        let bytes = STANDARD
            .decode(key)
            .map_err(|_| "has a key (p) that is not Base64 with its `=` at the end".to_owned())?;
        let (kind, fits, wanted) = match kind {
            Some("ed25519") => ("ed25519", bytes.len() == 32, "the 32 bytes of a public key"),
            Some("ecdsap384") => (
                "ecdsap384",
                bytes.len() == 49 && matches!(bytes[0], 2 | 3),
                "the 49 bytes of a compressed point",
            ),
            _ => return Err("has a kind of key (k) other than ed25519 and ecdsap384".to_owned()),
        };
        if fits {
            Ok(Self(format!("v=MCPv1; k={kind}; p={key}")))
        } else {
            let long = bytes.len();
            Err(format!(
                "has a key (p) of {long} bytes: with {kind} it is {wanted}"
            ))
        }
    }

    /// The text as it is served.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_proofs_are_taken() {
        let ed = STANDARD.encode([7; 32]);
        let mut point = [9; 49];
        point[0] = 3;
        let p384 = STANDARD.encode(point);
        let bare = ed.trim_end_matches('=');
        for (text, served) in [
            (
                format!(" v=MCPv1;k=ed25519 ;  p={ed}\n"),
                format!("v=MCPv1; k=ed25519; p={ed}"),
            ),
            (
                format!("v=MCPv1; k=ecdsap384; p={p384}"),
                format!("v=MCPv1; k=ecdsap384; p={p384}"),
            ),
        ] {
            assert_eq!(RegistryProof::parse(&text).unwrap().text(), served);
        }
        point[0] = 4;
        let uncompressed = STANDARD.encode(point);
        let long = STANDARD.encode([7; 64]);
        for (text, named) in [
            (String::new(), "must be"),
            ("hunter2".to_owned(), "must be"),
            (format!("v=MCPv2; k=ed25519; p={ed}"), "must be"),
            (format!("k=ed25519; v=MCPv1; p={ed}"), "must be"),
            (format!("v=MCPv1; k=ed25519; p={ed}; x=1"), "must be"),
            (format!("v=MCPv1; k=rsa; p={ed}"), "kind of key"),
            (format!("v=MCPv1; k=ed25519; p={bare}"), "not Base64"),
            ("v=MCPv1; k=ed25519; p=".to_owned(), "of 0 bytes"),
            ("v=MCPv1; k=ecdsap384; p=".to_owned(), "of 0 bytes"),
            (format!("v=MCPv1; k=ed25519; p={long}"), "of 64 bytes"),
            (format!("v=MCPv1; k=ed25519; p={p384}"), "of 49 bytes"),
            (
                format!("v=MCPv1; k=ecdsap384; p={uncompressed}"),
                "compressed",
            ),
            (format!("v=MCPv1; k=ed25519; p={ed}\r\nx: y"), "not Base64"),
        ] {
            let error = RegistryProof::parse(&text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
            assert!(
                !error.contains("hunter2") && !error.contains(bare),
                "{error}"
            );
        }
    }
}
