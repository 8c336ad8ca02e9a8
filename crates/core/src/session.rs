//! The session token of revisions with a handshake: what `initialize` said, carried by the client
//! from call to call, so that no instance has to remember it.
//!
//! `1.REVISION.CAPABILITIES.RANDOM`, in the header `Mcp-Session-Id`: the revision agreed on, the
//! client's capabilities as bits in hexadecimal, and 22 characters that make it unique. In plain
//! text on purpose: it says only what a client claims of itself, as later revisions do in each
//! request's `_meta`, and it is never authentication. One that can't be read counts as none, and no
//! session ever ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::capabilities::ClientCapabilities;
use crate::port::Platform;
use crate::version::Revision;

/// The token's own version, so that a later one may have other members.
const VERSION: &str = "1";
/// Bytes of randomness.
const RANDOM: usize = 16;
/// Characters of them in Base64.
const RANDOM_LENGTH: usize = 22;

/// What a client with a handshake said of itself.
///
/// ```
/// use mcpfn_core::host::Session;
///
/// let session = Session::read("1.2025-11-25.5.AAAAAAAAAAAAAAAAAAAAAA").unwrap();
/// assert_eq!(session.revision.as_str(), "2025-11-25");
/// assert!(session.client.elicitation_form && session.client.sampling && !session.client.roots);
/// assert!(Session::read("0123456789abcdef").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The revision that was agreed on.
    pub revision: Revision,
    /// What the client declared; never its extensions.
    pub client: ClientCapabilities,
}

impl Session {
    /// What `initialize` agreed on.
    pub(crate) fn new(revision: Revision, client: ClientCapabilities) -> Self {
        Self { revision, client }
    }

    /// A new token that says this.
    #[must_use]
    pub fn token(&self, platform: &Platform) -> String {
        let mut unique = [0; RANDOM];
        platform.random.fill(&mut unique);
        self.written(unique)
    }

    fn written(&self, unique: [u8; RANDOM]) -> String {
        format!(
            "{VERSION}.{}.{:x}.{}",
            self.revision,
            bits(&self.client),
            URL_SAFE_NO_PAD.encode(unique)
        )
    }

    /// What a token says; `None` for a text that is none of ours.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.splitn(4, '.');
        let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let [VERSION, revision, capabilities, unique] = parts else {
            return None;
        };
        let is_ours = token.len() <= 64 && unique.len() == RANDOM_LENGTH;
        let revision = Revision::parse(revision).filter(|revision| !revision.is_modern());
        let client = u8::from_str_radix(capabilities, 16).ok().and_then(client)?;
        Some(Self::new(revision.filter(|_| is_ours)?, client))
    }
}

/// The capabilities in the order of their bits.
fn flags(client: &mut ClientCapabilities) -> [&mut bool; 5] {
    [
        &mut client.elicitation_form,
        &mut client.elicitation_url,
        &mut client.sampling,
        &mut client.sampling_tools,
        &mut client.roots,
    ]
}

pub(crate) fn bits(client: &ClientCapabilities) -> u8 {
    let mut client = client.clone();
    let flags = flags(&mut client).into_iter().enumerate();
    flags.fold(0, |bits, (place, flag)| bits | u8::from(*flag) << place)
}

pub(crate) fn client(bits: u8) -> Option<ClientCapabilities> {
    let mut client = ClientCapabilities::default();
    for (place, flag) in flags(&mut client).into_iter().enumerate() {
        *flag = bits & 1 << place != 0;
    }
    // a bit that no capability has was not written by this version
    (self::bits(&client) == bits).then_some(client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_session_comes_back() {
        for revision in Revision::ALL {
            for bits in 0..32 {
                let session = Session::new(revision, client(bits).unwrap());
                let token = session.written([0xff; RANDOM]);
                let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
                assert!(visible && token.len() <= 64, "{token}");
                let expected = (!revision.is_modern()).then_some(session);
                assert_eq!(Session::read(&token), expected);
            }
        }
    }

    #[test]
    fn what_others_wrote_is_none() {
        let unique = "A".repeat(RANDOM_LENGTH);
        for token in [
            String::new(),
            "1.2025-11-25.1".to_owned(),
            format!("2.2025-11-25.1.{unique}"),
            format!("1.2026-07-28.1.{unique}"),
            format!("1.2025-11-25.20.{unique}"),
            format!("1.2025-11-25.-1.{unique}"),
            format!("1.2025-11-25..{unique}"),
            format!("1.2025-11-25.1.{unique}A"),
            format!("1.2025-11-25.{}1.{unique}", "0".repeat(40)),
        ] {
            assert_eq!(Session::read(&token), None, "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(token in ".{0,80}", bits in "[0-9a-fA-F+.-]{0,4}") {
            let _ = Session::read(&token);
            let _ = Session::read(&format!("1.2025-11-25.{bits}.{}", "A".repeat(RANDOM_LENGTH)));
        }
    }
}
