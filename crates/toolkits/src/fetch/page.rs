//! Loading a page: redirects followed here, each hop checked as the first, the time of the call
//! and two megabytes for all. Which addresses are public is checked by the port, on the address that it
//! then connects to.

use std::fmt::Write as _;
use std::time::Duration;

use fluent_uri::{Uri, UriRef};
use mcpfn_core::{
    Cx, ServiceFault, ToolError,
    port::{HttpError, HttpRequest, HttpResponse},
    text,
};

use super::decode::{self, MediaKind};
use super::own::OwnHosts;
use crate::api::USER_AGENT;
use crate::outage::whole_seconds;

/// Time left for the answer to reach the client before the call's own limit ends it.
const MARGIN: Duration = Duration::from_millis(250);

/// Bytes of a page that are read. Most of a page is not text.
const MAX: usize = 2 * 1024 * 1024;

const REDIRECTS: usize = 5;

/// The longest address of a page, in bytes.
const MAX_LENGTH: usize = 2048;

/// A page as text.
pub(crate) struct Page {
    /// Where it was found, after redirects.
    pub(crate) url: String,
    pub(crate) kind: MediaKind,
    pub(crate) text: String,
    /// It was longer than what was read.
    pub(crate) cut: bool,
}

impl Page {
    /// The lines that stand before what is shown of its text; `cut` says that this is a part.
    pub(crate) fn about(&self, title: Option<&str>, shown: &str, cut: bool) -> String {
        let mut about = format!("Page: {}", self.url);
        if let Some(title) = title {
            about = format!("{about}\nTitle: {title}");
        }
        if cut || self.cut {
            about.push_str(&format!(
                "\nCut: this is the beginning of a longer page, {} bytes of text.",
                shown.len()
            ));
        }
        about
    }
}

/// Loads the page at an untrusted address.
pub(crate) async fn load(cx: &Cx, url: &str) -> Result<Page, ToolError> {
    let in_all = cx.remaining().saturating_sub(MARGIN);
    let until = cx.now_ms().saturating_add(milliseconds(in_all));
    let mut url =
        absolute(url).map_err(|why| ToolError::new(format!("`url` can't be fetched: {why}.")))?;
    for hop in 0..=REDIRECTS {
        let left = Duration::from_millis(until.saturating_sub(cx.now_ms()));
        let mut request = HttpRequest::get(url.as_str())
            .header("user-agent", USER_AGENT)
            .header("accept", "text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,application/xml;q=0.9,*/*;q=0.1")
            .timeout(left)
            .max_body(MAX);
        if !cx
            .state::<OwnHosts>()
            .is_ok_and(|hosts| hosts.have(url.borrow()))
        {
            request = request.public_only();
        }
        let response = cx
            .fetch(request)
            .await?
            .map_err(|error| failed(&error, hop, &url, in_all))?;
        match response.header("location") {
            Some(location) if matches!(response.status, 301 | 302 | 303 | 307 | 308) => {
                url = next(&url, location).map_err(|why| {
                    ToolError::new(format!(
                        "The page redirects to an address that can't be fetched: {why}."
                    ))
                })?;
            }
            _ => return read(url.as_str().to_owned(), &response),
        }
    }
    Err(ToolError::new(format!(
        "The page redirects more than {REDIRECTS} times, maybe in a circle. Try another address."
    )))
}

/// Said of a page whose bytes are no text to anyone who did not ask for them so.
const UNDECODABLE: &str = "The page's server sent it compressed in a way that can't be read here. \
                           Try another address, or again later.";

/// What clients of hosts take off. The header may still be there, so these say nothing.
const ENCODINGS: [&str; 6] = ["", "identity", "gzip", "x-gzip", "deflate", "br"];

fn read(url: String, response: &HttpResponse) -> Result<Page, ToolError> {
    if !response.is_success() {
        return Err(refused(response.status));
    }
    let encoding = response.header("content-encoding").unwrap_or_default();
    if !ENCODINGS.contains(&encoding.trim().to_ascii_lowercase().as_str()) {
        return Err(ToolError::new(UNDECODABLE).with_fault(ServiceFault::Malformed));
    }
    let kind = decode::kind(response.header("content-type"), &response.body).map_err(|found| {
        ToolError::new(format!(
            "The address is not a page of text but {}. Only HTML, plain text, JSON and XML can be \
             read.",
            text::quoted(&found)
        ))
    })?;
    let text = decode::text(&response.body, response.header("content-type"), kind);
    Ok(Page {
        url,
        kind,
        text,
        cut: response.truncated,
    })
}

/// What the page's server said instead of a page.
fn refused(status: u16) -> ToolError {
    let sentence = match status {
        401 | 403 => "The page is not public: its server refuses it".to_owned(),
        404 | 410 => "There is no page at this address".to_owned(),
        429 => "The page's server takes no more requests for now".to_owned(),
        500.. => "The page is temporarily unavailable: its server failed".to_owned(),
        _ => "The page's server did not give a page".to_owned(),
    };
    let advice = match status {
        404 | 410 => "Check the address, or search for the page",
        429 | 500.. => "Try again later, or another address",
        _ => "Try another address",
    };
    let error = ToolError::new(format!("{sentence} (status {status}). {advice}."));
    match status {
        // what a page refuses to strangers is no fault of a service that this server uses
        429 | 500.. => error.with_fault(ServiceFault::of_status(status)),
        _ => error,
    }
}

/// Why there was no answer at all. Addresses behind names are for the log alone.
fn failed(error: &HttpError, hop: usize, url: &Uri<String>, in_all: Duration) -> ToolError {
    let host = url
        .authority()
        .map(|authority| authority.host())
        .unwrap_or_default();
    let which = if hop == 0 {
        "The address"
    } else {
        "The page redirects to an address that"
    };
    let sentence = match error {
        HttpError::BadUrl(why) => format!("{which} can't be fetched: {why}."),
        HttpError::NotPublic(_) => format!(
            "{which} is not on the public internet. Only public \
            pages can be fetched."
        ),
        HttpError::TimedOut => {
            format!(
                "The page did not answer within {} seconds. Try again later, or another \
                address.",
                whole_seconds(in_all)
            )
        }
        HttpError::Undecodable(_) => UNDECODABLE.to_owned(),
        HttpError::Interrupted(_) => {
            "The page's server ended the connection before the page was complete. Try again later, \
            or another address."
                .to_owned()
        }
        _ => {
            "The page is temporarily unavailable: its server can't be reached. Check the address, \
            or try again later."
                .to_owned()
        }
    };
    if matches!(error, HttpError::BadUrl(_)) {
        return ToolError::new(sentence);
    }
    // without path and query, in which people put secrets
    let cause = format!("GET {} hop {hop}: {error}", text::quoted(host));
    let failed = ToolError::new(sentence).with_cause(cause);
    match error {
        HttpError::NotPublic(_) => failed,
        error => failed.with_fault(ServiceFault::of_error(error)),
    }
}

/// The address that a redirect leads to.
fn next(from: &Uri<String>, location: &str) -> Result<Uri<String>, &'static str> {
    let location = tidy(location);
    let reference = UriRef::parse(location.as_str()).map_err(|_| "it is not an address")?;
    let from = from.strip_fragment();
    check(
        reference
            .resolve_against(&from)
            .map_err(|_| "it is not an address")?,
    )
}

/// An address as it was given.
fn absolute(url: &str) -> Result<Uri<String>, &'static str> {
    let url = Uri::parse(tidy(url))
        .map_err(|_| "it is not a full address such as https://example.com/page")?;
    check(url)
}

fn check(url: Uri<String>) -> Result<Uri<String>, &'static str> {
    if !["http", "https"].contains(&url.scheme().as_str().to_ascii_lowercase().as_str()) {
        return Err("only http and https addresses can be fetched");
    }
    let Some(authority) = url
        .authority()
        .filter(|authority| !authority.host().is_empty())
    else {
        return Err("it names no host");
    };
    if authority.userinfo().is_some() {
        return Err("it has a user name or password in it; leave them out");
    }
    if url.as_str().len() > MAX_LENGTH {
        return Err("it is longer than 2048 characters");
    }
    Ok(url)
}

/// Browsers take spaces, letters of other alphabets and some signs in addresses; here they are
/// written by their bytes.
fn tidy(url: &str) -> String {
    let url = url.trim();
    let mut tidied = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            tidied.push(char::from(byte));
        } else {
            // writing to a String can't fail
            let _ = write!(tidied, "%{byte:02X}");
        }
    }
    tidied
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_asked_for() {
        for (given, expected) in [
            (" https://example.com ", "https://example.com"),
            (
                "HTTP://example.com/a b?q=ü",
                "HTTP://example.com/a%20b?q=%C3%BC",
            ),
            (
                "https://example.com/{x}|y",
                "https://example.com/%7Bx%7D%7Cy",
            ),
            (
                "https://de.example/wiki/Köln#x",
                "https://de.example/wiki/K%C3%B6ln#x",
            ),
        ] {
            assert_eq!(
                absolute(given).map(|url| url.as_str().to_owned()),
                Ok(expected.to_owned())
            );
        }
        for given in [
            "",
            "example.com",
            "/x",
            "//example.com/x",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "http:///x",
        ] {
            assert!(absolute(given).is_err(), "{given}");
        }
        assert!(
            absolute("https://ada:pw@example.com/")
                .unwrap_err()
                .contains("password")
        );
        assert!(absolute(&format!("https://example.com/{}", "x".repeat(2048))).is_err());
    }

    #[test]
    fn where_redirects_lead() {
        let from = absolute("https://example.com/a/b?c=1#d").unwrap();
        for (location, expected) in [
            ("/x", "https://example.com/x"),
            ("x", "https://example.com/a/x"),
            ("../x?y", "https://example.com/x?y"),
            ("?z", "https://example.com/a/b?z"),
            ("//other.example/x", "https://other.example/x"),
            (
                "http://169.254.169.254/latest",
                "http://169.254.169.254/latest",
            ),
            ("/ü x", "https://example.com/%C3%BC%20x"),
        ] {
            assert_eq!(
                next(&from, location).map(|url| url.as_str().to_owned()),
                Ok(expected.to_owned())
            );
        }
        for location in [
            "file:///etc/passwd",
            "ftp://example.com/",
            "https://a:b@example.com/",
            "http://[::1",
            "data:text/html,x",
        ] {
            assert!(next(&from, location).is_err(), "{location}");
        }
    }
}
