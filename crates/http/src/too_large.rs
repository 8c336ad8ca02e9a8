//! What a client gets in place of an answer that its way back can't carry. How much that is, and
//! what of an answer counts, is the host's business.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, Response, header};
use mcpfn_core::host::RpcResponse;
use mcpfn_core::jsonrpc::{self, Error};

use crate::body::Body;

/// The response with a JSON-RPC error in place of each answer of `body`, under the ids of these.
/// `size` is how many bytes the response takes, `most` how many it may.
///
/// A host calls this where its platform would refuse the response as a whole, and give the client
/// none.
#[must_use]
pub fn too_large(mut parts: Parts, body: &[u8], size: usize, most: usize) -> Response<Body> {
    let error = Error::internal(format!(
        "the answer takes {size} bytes on its way back, and {most} are the most there. Ask for \
         less: fewer items, fewer columns, a narrower search."
    ));
    let text = std::str::from_utf8(body).unwrap_or_default();
    let written = |id| RpcResponse::error(id, &error).message;
    let body = match answer_in(text) {
        batch if batch.starts_with('[') => {
            let errors: Vec<Bytes> = jsonrpc::answered(batch)
                .into_iter()
                .map(|id| written(Some(id.as_json())))
                .collect();
            [b"[", errors.join(&b","[..]).as_slice(), b"]"]
                .concat()
                .into()
        }
        single => written(jsonrpc::answered(single).first().map(|id| id.as_json())),
    };
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    Response::from_parts(parts, Body::full(body))
}

/// The answer itself: of an event stream, the last event.
fn answer_in(text: &str) -> &str {
    text.lines()
        .rev()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn said(body: &str) -> String {
        let mut response = Response::new(());
        response
            .headers_mut()
            .insert("x-other", HeaderValue::from_static("stays"));
        let (parts, ()) = response.into_parts();
        let response = too_large(parts, body.as_bytes(), 20, 10);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["x-other"], "stays");
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.body().as_full().unwrap();
        let said = String::from_utf8(body.to_vec()).unwrap();
        assert!(!said.contains('X'), "{said}");
        said
    }

    #[test]
    fn each_answer_becomes_an_error_under_its_id() {
        let error = r#""error":{"code":-32603,"message":"the answer takes 20 bytes"#;
        for (body, id) in [
            (
                r#"{"jsonrpc":"2.0","id":"a\n","result":"X"}"#,
                r#""id":"a\n","#,
            ),
            (
                "data: {\"method\":\"X\"}\n\ndata: {\"id\":7,\"result\":\"X\"}\n\n",
                r#""id":7,"#,
            ),
            ("X", ""),
        ] {
            let expected = format!(r#"{{"jsonrpc":"2.0",{id}{error}"#);
            assert!(said(body).starts_with(&expected), "{body}");
        }
        let batch = said(r#"[{"id":1,"result":"X"},{"id":"b","error":"X"}]"#);
        let answers: Vec<serde_json::Value> = serde_json::from_str(&batch).unwrap();
        assert_eq!(answers.len(), 2);
        assert_eq!(
            (&answers[0]["id"], &answers[1]["id"]),
            (&1.into(), &"b".into())
        );
        assert_eq!(answers[1]["error"]["code"], -32603);
    }
}
