//! Finished results as bytes: a result's own members with what the protocol wants around them. Not
//! the JSON-RPC message around that.

use crate::jsonrpc::to_json;
use crate::model::JsonObject;
use crate::model::implementation::Implementation;
use crate::model::meta::SERVER_INFO;
use crate::version::Revision;

/// How a finished result begins, one that asks the client something, and one that is a task.
const COMPLETE: &str = r#""resultType":"complete""#;
const INPUT_REQUIRED: &str = r#""resultType":"input_required""#;
const TASK: &str = r#""resultType":"task""#;

/// Writes results of one server. Bodies come as JSON and are copied, not parsed: what a handler
/// made is written once on its way out.
pub(crate) struct ResultWriter {
    /// `"io.modelcontextprotocol/serverInfo":{...}`, which every result repeats.
    server_info: Vec<u8>,
}

impl ResultWriter {
    pub(crate) fn new(info: &Implementation) -> Self {
        let mut server_info = to_json(SERVER_INFO);
        server_info.push(b':');
        server_info.extend_from_slice(&to_json(info));
        Self { server_info }
    }

    /// A finished result from its own members: adds `resultType`, what `extra` says, and `_meta`
    /// with the server's identity. Older revisions have none of these.
    pub(crate) fn complete(
        &self,
        revision: Revision,
        body: &[u8],
        meta: &JsonObject,
        extra: &str,
    ) -> Vec<u8> {
        if revision.is_modern() {
            return self.splice(COMPLETE, body, meta, extra);
        }
        if meta.is_empty() {
            return body.to_vec();
        }
        let mut out = open(body, body.len() + 64, "");
        out.extend_from_slice(b",\"_meta\":");
        out.extend_from_slice(&to_json(meta));
        out.push(b'}');
        out
    }

    /// A result that asks the client something.
    pub(crate) fn input_required(&self, body: &[u8]) -> Vec<u8> {
        self.splice(INPUT_REQUIRED, body, &JsonObject::new(), "")
    }

    /// A result that is the beginning of a task.
    pub(crate) fn task(&self, body: &[u8]) -> Vec<u8> {
        self.splice(TASK, body, &JsonObject::new(), "")
    }

    fn splice(&self, result_type: &str, body: &[u8], meta: &JsonObject, extra: &str) -> Vec<u8> {
        let info = &self.server_info;
        let mut out = open(
            body,
            body.len() + info.len() + extra.len() + 64,
            result_type,
        );
        out.extend_from_slice(extra.as_bytes());
        out.extend_from_slice(b",\"_meta\":{");
        out.extend_from_slice(info);
        if !meta.is_empty() {
            let meta = to_json(meta);
            out.push(b',');
            // without its own braces
            out.extend_from_slice(&meta[1..meta.len() - 1]);
        }
        out.extend_from_slice(b"}}");
        out
    }
}

/// `{` + first + the members of `body`, without the closing brace.
fn open(body: &[u8], capacity: usize, first: &str) -> Vec<u8> {
    // spliced, not parsed: a result was written as JSON once, and may have megabytes
    let members = body
        .strip_prefix(b"{")
        .and_then(|body| body.strip_suffix(b"}"))
        .unwrap_or_default();
    let mut out = Vec::with_capacity(capacity);
    out.push(b'{');
    out.extend_from_slice(first.as_bytes());
    if !first.is_empty() && !members.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(members);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_one_object_whatever_is_empty() {
        let writer = ResultWriter::new(&Implementation::new("a".to_owned(), "1".to_owned()));
        let mut meta = JsonObject::new();
        let parsed = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        let info = serde_json::json!({"name": "a", "version": "1"});
        for (body, extra) in [("{}", ""), ("{\"x\":1}", ",\"ttlMs\":1"), ("{\"x\":1}", "")] {
            for revision in Revision::ALL {
                let result = parsed(writer.complete(revision, body.as_bytes(), &meta, extra));
                assert_eq!(
                    result.get("resultType").is_some(),
                    revision.is_modern(),
                    "{result}"
                );
                assert_eq!(result.get("x").is_some(), body != "{}", "{result}");
            }
            let modern = writer.complete(Revision::LATEST, body.as_bytes(), &meta, extra);
            assert_eq!(parsed(modern)["_meta"][SERVER_INFO], info);
        }
        meta.insert("mine".to_owned(), 7.into());
        let modern = parsed(writer.complete(Revision::LATEST, b"{\"x\":1}", &meta, ""));
        assert_eq!(
            (&modern["_meta"][SERVER_INFO], &modern["_meta"]["mine"]),
            (&info, &7.into())
        );
        let legacy = parsed(writer.complete(Revision::LATEST_LEGACY, b"{\"x\":1}", &meta, ""));
        assert_eq!(legacy["_meta"], serde_json::json!({"mine": 7}));
        let question = parsed(writer.input_required(b"{\"requestState\":\"s\"}"));
        assert_eq!(question["resultType"], "input_required");
    }
}
