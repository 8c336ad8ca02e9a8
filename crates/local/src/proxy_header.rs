//! The PROXY protocol, versions 1 and 2: who is behind a proxy that forwards bytes and knows no HTTP.
//! Read from trusted proxies only, and there required: the protocol forbids to guess. What it says
//! is parsed by `ppp`; here are its limits.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use ppp::{v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

/// How long a proxy may take to send it; proxies send it first, and at once.
const LIMIT: Duration = Duration::from_secs(5);
/// The longest line of version 1, by its specification.
const V1_MOST: usize = 107;
/// The most bytes after the first sixteen of version 2: its addresses take 216, and extensions of
/// known proxies some hundred more.
const V2_MOST: usize = 4096;
/// The bytes with which version 2 begins, up to the length of the rest.
const V2_FIXED: usize = 16;

/// Reads the header at the start of a connection, and not a byte more. `None` where the proxy itself
/// calls, or does not say for whom.
///
/// # Errors
/// When there is no header, or none that can be read.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let bytes = timeout(LIMIT, bytes(stream)).await;
    let bytes = bytes.map_err(|_| refused("none came in time"))??;
    client(&bytes).ok_or_else(|| refused("what came is none"))
}

fn refused(why: &str) -> io::Error {
    let sentence = format!(
        "a trusted proxy did not begin with a PROXY header: {why}. Switch the protocol on in the proxy, \
         or MCPFN_PROXY_PROTOCOL off"
    );
    io::Error::new(io::ErrorKind::InvalidData, sentence)
}

/// The bytes of the header, as far as its form goes.
async fn bytes(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    // the shortest line of version 1 has fifteen
    let mut bytes = vec![0; v2::PROTOCOL_PREFIX.len()];
    stream.read_exact(&mut bytes).await?;
    if bytes == v2::PROTOCOL_PREFIX {
        bytes.resize(V2_FIXED, 0);
        stream
            .read_exact(&mut bytes[v2::PROTOCOL_PREFIX.len()..])
            .await?;
        let rest = usize::from(bytes[V2_FIXED - 2]) << 8 | usize::from(bytes[V2_FIXED - 1]);
        if rest > V2_MOST {
            return Err(refused("it is too long"));
        }
        bytes.resize(V2_FIXED + rest, 0);
        stream.read_exact(&mut bytes[V2_FIXED..]).await?;
        return Ok(bytes);
    }
    while bytes.starts_with(b"PROXY ") && !bytes.ends_with(b"\r\n") && bytes.len() < V1_MOST {
        // what follows the line is the connection's
        bytes.push(stream.read_u8().await?);
    }
    Ok(bytes)
}

/// Who is behind the proxy, if the bytes are a whole header.
fn client(bytes: &[u8]) -> Option<Option<IpAddr>> {
    if bytes.starts_with(v2::PROTOCOL_PREFIX) {
        let header = v2::Header::try_from(bytes).ok()?;
        let client = match (header.command, header.addresses) {
            (v2::Command::Local, _) => None,
            (_, v2::Addresses::IPv4(pair)) => Some(pair.source_address.into()),
            (_, v2::Addresses::IPv6(pair)) => Some(pair.source_address.into()),
            (_, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => None,
        };
        return Some(client);
    }
    let header = v1::Header::try_from(bytes).ok()?;
    Some(match header.addresses {
        v1::Addresses::Tcp4(pair) => Some(pair.source_address.into()),
        v1::Addresses::Tcp6(pair) => Some(pair.source_address.into()),
        v1::Addresses::Unknown => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap();
        let fixed = [
            v2::PROTOCOL_PREFIX,
            &[command, family][..],
            &length.to_be_bytes(),
        ];
        [&fixed.concat()[..], rest].concat()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(future)
    }

    /// What it says, and how many bytes of the connection are left.
    fn said(bytes: &[u8]) -> (io::Result<Option<IpAddr>>, usize) {
        let mut stream = bytes;
        let said = run(read(&mut stream));
        (said, stream.len())
    }

    #[test]
    fn both_versions_name_the_client_and_leave_the_rest() {
        let v4 = [203, 0, 113, 7, 127, 0, 0, 1, 0x1f, 0x90, 0, 80];
        let v6 = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
        let v6 = [&v6[..], &[0, 1, 0, 2]].concat();
        // an extension of three bytes (`PP2_TYPE_NOOP`) and one that lies about its length
        let extended = [&v4[..], &[4, 0, 3, 1, 2, 3]].concat();
        for (header, expected) in [
            (
                b"PROXY TCP4 203.0.113.7 127.0.0.1 8080 80\r\n".to_vec(),
                Some("203.0.113.7"),
            ),
            (
                b"PROXY TCP6 2001:db8::1 ::1 65535 80\r\n".to_vec(),
                Some("2001:db8::1"),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (
                b"PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n".to_vec(),
                None,
            ),
            (v2(0x21, 0x11, &v4), Some("203.0.113.7")),
            (v2(0x21, 0x21, &v6), Some("2001:db8::1")),
            (v2(0x21, 0x11, &extended), Some("203.0.113.7")),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x20, 0x11, &v4), None),
            (v2(0x21, 0x31, &[0; 216]), None),
            (v2(0x21, 0x31, &[0; 230]), None),
            (v2(0x21, 0x00, &[0; 30]), None),
        ] {
            let with_request = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let (client, left) = said(&with_request);
            let client = client.unwrap_or_else(|error| panic!("{error}: {header:?}"));
            assert_eq!(client.map(|client| client.to_string()).as_deref(), expected);
            assert_eq!(left, b"GET / HTTP/1.1\r\n".len(), "{header:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = format!("PROXY TCP4 {} 1.1.1.1 1 1\r\n", "1".repeat(200));
        for bytes in [
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.7\r\n\r\n".to_vec(),
            b"PROXY TCP4 203.0.113.999 127.0.0.1 1 1\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 ::1 1 1\r\n".to_vec(),
            long.into_bytes(),
            b"PROXY TCP4 203.0.113.7 127.0.0.1 1".to_vec(),
            b"\r\n\r\n\0\r\nQUIT".to_vec(),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x2f, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 12]),
            v2(0x21, 0x11, &[0; V2_MOST + 1]),
            Vec::new(),
        ] {
            assert!(
                said(&bytes).0.is_err(),
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    proptest! {
        /// Whatever comes: an answer, and no more read than a header may have.
        #[test]
        fn any_bytes_have_an_answer(
            start in prop_oneof![
                Just(Vec::new()),
                Just(b"PROXY ".to_vec()),
                Just(b"PROXY TCP4 1.1.1.1 ".to_vec()),
                Just(v2::PROTOCOL_PREFIX.to_vec()),
                Just(v2(0x21, 0x11, &[])),
            ],
            rest in proptest::collection::vec(any::<u8>(), 0..6000),
        ) {
            let bytes = [start, rest].concat();
            let (answer, left) = said(&bytes);
            let read = bytes.len() - left;
            prop_assert!(read <= V2_FIXED + V2_MOST);
            if let Ok(client) = answer {
                // the same again, of the header alone
                prop_assert_eq!(said(&bytes[..read]).0.unwrap(), client);
            }
        }
    }
}
