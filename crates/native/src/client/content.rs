//! The body of an answer: read up to a limit, decompressed up to the same limit. What is larger is
//! cut, and says so.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt;

/// What [`decode`] understands, as a request says it.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";

/// How long the end of a stream is waited for that was heard enough of.
const LINGER: Duration = Duration::from_millis(10);

/// Most bytes to read of a body that may have `limit` bytes: compression makes some bodies a little
/// longer.
pub(crate) fn on_the_wire(limit: usize) -> usize {
    limit.saturating_add(limit / 64).saturating_add(1024)
}

/// Reads `body` to its end, to `limit` bytes, or until `hear` has heard enough. Without a limit it
/// is for `hear` alone, and nothing is kept. The second value says whether something is missing.
pub(crate) async fn read<B>(
    mut body: B,
    limit: Option<usize>,
    hear: impl Fn(&[u8]) -> bool,
) -> Result<(Bytes, bool), B::Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if let Some(limit) = limit {
            let left = limit - read.len();
            if data.len() > left {
                read.extend_from_slice(&data[..left]);
                return Ok((read.freeze(), true));
            }
            read.extend_from_slice(&data);
        }
        if !hear(&data) {
            // the rest is not wanted; a stream that ends here leaves a connection that can be used
            // again
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            let _ = tokio::time::timeout(LINGER, rest).await;
            return Ok((read.freeze(), true));
        }
    }
    Ok((read.freeze(), false))
}

/// The bytes as they came, up to the limit. The second value says whether something is missing.
pub(crate) fn bounded(mut body: Bytes, cut: bool, limit: usize) -> (Bytes, bool) {
    let longer = body.len() > limit;
    body.truncate(limit);
    (body, cut || longer)
}

/// Takes the compression off that the headers name, and the headers that speak of it. `cut` says
/// that the end of `body` is missing. The second value says whether something is missing from the
/// result.
pub(crate) fn decode(
    headers: &mut HeaderMap,
    body: Bytes,
    cut: bool,
    limit: usize,
) -> Result<(Bytes, bool), String> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let (coding, more) = (codings.next(), codings.next().is_some());
    let coding = coding
        .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase())
        .unwrap_or_default();
    if body.is_empty() || (!more && matches!(coding.as_str(), "" | "identity")) {
        return Ok(bounded(body, cut, limit));
    }
    let decoded = match coding.as_str() {
        "gzip" | "x-gzip" if !more => take(flate2::read::MultiGzDecoder::new(&body[..]), limit),
        // some servers leave the zlib frame out, which the standard forbids and every browser
        // forgives
        "deflate" if !more && has_zlib_frame(&body) => {
            take(flate2::read::ZlibDecoder::new(&body[..]), limit)
        }
        "deflate" if !more => take(flate2::read::DeflateDecoder::new(&body[..]), limit),
        "br" if !more && asks_for_a_large_window(&body) => {
            return Err("the body's brotli window is larger than the standard allows".to_owned());
        }
        "br" if !more => take(
            brotli_decompressor::Decompressor::new(&body[..], 4096),
            limit,
        ),
        _ => {
            return Err(format!(
                "the body is compressed in a way that was not asked for; only {ACCEPTED} are"
            ));
        }
    };
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    match decoded {
        (read, Ok(more)) => Ok((read, cut || more)),
        // a cut body can't end well; what came out of it is right as far as it goes
        (read, Err(_)) if cut => Ok((read, true)),
        (_, Err(_)) => Err(format!("the body is not valid {coding}")),
    }
}

/// Reads at most `limit` bytes, however many there would be: also when they are a thousand times
/// what came in.
fn take(decoder: impl Read, limit: usize) -> (Bytes, Result<bool, std::io::Error>) {
    let mut read = Vec::new();
    let end = decoder
        .take((limit as u64).saturating_add(1))
        .read_to_end(&mut read);
    let more = read.len() > limit;
    read.truncate(limit);
    (read.into(), end.map(|_| more))
}

/// RFC 1950: the method is 8, and the first two bytes are a multiple of 31.
fn has_zlib_frame(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// RFC 7932 has windows up to 16 MiB; an extension that no HTTP server may use goes to 1 GiB, and
/// begins with these seven bits.
fn asks_for_a_large_window(body: &[u8]) -> bool {
    body.first().is_some_and(|first| first & 0x7f == 0x11)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros, and a count of them.
    struct Zeros(usize);

    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += buffer.len();
            if self.0 > 1_000_000 {
                return Err(std::io::Error::other("nobody should want that many"));
            }
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    #[test]
    fn no_more_is_decompressed_than_is_kept() {
        let mut zeros = Zeros(0);
        let (read, more) = take(&mut zeros, 1000);
        assert_eq!((read.len(), more.unwrap(), zeros.0), (1000, true, 1001));
    }
}
