//! Bodies that take much more memory once they are read than they have bytes: shapes of JSON, in
//! every place of a message that takes any. Sends nothing.

use crate::bodies::Place::{
    Arguments, Batch, Beside, Capabilities, ClientInfo, Id, InputResponses, Meta, Params, State,
};

/// A body, and what it is made of.
#[derive(Debug, Clone)]
pub struct HostileBody {
    /// Shape, place and size.
    pub name: String,
    /// JSON, not always a valid message.
    pub body: String,
    /// Whether it says itself that it is of 2026-07-28, so that headers must repeat parts of it.
    pub modern: bool,
}

/// Where in a message a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The arguments of a tool.
    Arguments,
    /// A member of `_meta`.
    Meta,
    /// What a client of 2026-07-28 says about itself.
    ClientInfo,
    /// What a client of 2026-07-28 says that it can.
    Capabilities,
    /// The answers to a tool's questions.
    InputResponses,
    /// The state of a retry.
    State,
    /// A member of `params` that no method has.
    Params,
    /// A member of the message that JSON-RPC does not have.
    Beside,
    /// The id.
    Id,
    /// The arguments of each call of a batch.
    Batch,
}

const PLACES: [Place; 10] = [
    Arguments,
    Meta,
    ClientInfo,
    Capabilities,
    InputResponses,
    State,
    Params,
    Beside,
    Id,
    Batch,
];

/// A text that is repeated between two others, and what separates the repeats.
struct Shape {
    name: &'static str,
    start: &'static str,
    repeat: String,
    between: &'static str,
    end: &'static str,
    /// Repeats the start and the end around each other instead.
    nested: bool,
}

fn list(name: &'static str, repeat: impl Into<String>) -> Shape {
    Shape {
        name,
        start: "[",
        repeat: repeat.into(),
        between: ",",
        end: "]",
        nested: false,
    }
}

fn text(name: &'static str, repeat: &str) -> Shape {
    Shape {
        start: "\"",
        between: "",
        end: "\"",
        ..list(name, repeat)
    }
}

fn nested(name: &'static str, start: &'static str, end: &'static str) -> Shape {
    Shape {
        start,
        end,
        nested: true,
        ..list(name, "1")
    }
}

/// So deep that the values around it may be as deep as is read at all.
const DEPTH: usize = 60;

/// A deep value, many times.
fn towers(start: &str, end: &str) -> String {
    format!("{}1{}", start.repeat(DEPTH), end.repeat(DEPTH))
}

fn shapes() -> Vec<Shape> {
    vec![
        list("numbers", "1"),
        list("nulls", "null"),
        list("long numbers", "-1.2345678901234567e-300"),
        list("empty texts", "\"\""),
        list("short texts", "\"a\""),
        list("escapes", r#""\u0061""#),
        list("empty arrays", "[]"),
        list("empty objects", "{}"),
        list("arrays of one", "[1]"),
        list("arrays of five", "[1,1,1,1,1]"),
        list("objects of one", r#"{"":1}"#),
        list("objects of one with a name", r#"{"a":"b"}"#),
        list("objects of one with an escape", r#"{"\n":"\n"}"#),
        list(
            "objects of seven",
            r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}"#,
        ),
        list("towers of arrays", towers("[", "]")),
        list("towers of objects", towers(r#"{"":"#, "}")),
        list("towers of both", towers(r#"[{"":"#, "}]")),
        nested("one tower of arrays", "[", "]"),
        nested("one tower of objects", r#"{"":"#, "}"),
        text("one text", "x"),
        text("one text of escapes", r"\n"),
        text("one text of long escapes", r"\u00e9"),
        text("one text of pairs", r"\ud83d\ude00"),
    ]
}

impl Shape {
    /// The longest such value that has at most so many bytes and repeats.
    fn value(&self, bytes: usize, repeats: usize) -> String {
        let room = bytes.saturating_sub(self.start.len() + self.end.len());
        if self.nested {
            let most = repeats.min(room / (self.start.len() + self.end.len()));
            let (start, end) = (self.start.repeat(most), self.end.repeat(most));
            return format!("{start}{}{end}", self.repeat);
        }
        let most = repeats.min(room / (self.repeat.len() + self.between.len()));
        let inside = vec![self.repeat.as_str(); most].join(self.between);
        format!("{}{inside}{}", self.start, self.end)
    }
}

/// One object with very many members. Their names differ, or the last would replace the others.
fn members(bytes: usize, repeats: usize) -> String {
    let most = repeats.min(bytes / 12);
    let members: Vec<String> = (0..most)
        .map(|number| format!("\"{number:06}\":1"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The `_meta` of a client of 2026-07-28.
fn meta(info: &str, in_info: &str, capabilities: &str) -> String {
    let experimental = match capabilities {
        "" => String::new(),
        value => format!(r#""experimental":{{"a":{value}}}"#),
    };
    format!(
        r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{{{info}{in_info}}},"io.modelcontextprotocol/clientCapabilities":{{{experimental}}}}}"#
    )
}

fn message(place: Place, tool: &str, value: &str) -> String {
    let call = |id: &str, params: &str, beside: &str| {
        let method = "tools/call";
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}{beside}}}"#)
    };
    let with = |members: &str| format!(r#"{{"name":"{tool}",{members}}}"#);
    let arguments = with(&format!(r#""arguments":{{"name":{value}}}"#));
    match place {
        Arguments => call("1", &arguments, ""),
        Meta => call("1", &with(&format!(r#""_meta":{{"a":{value}}}"#)), ""),
        ClientInfo => call(
            "1",
            &with(&meta(r#""name":"a","version":"1","other":"#, value, "")),
            "",
        ),
        Capabilities => call(
            "1",
            &with(&meta(r#""name":"a","version":"1""#, "", value)),
            "",
        ),
        InputResponses => call(
            "1",
            &with(&format!(r#""inputResponses":{{"a":{value}}}"#)),
            "",
        ),
        State => call("1", &with(&format!(r#""requestState":{value}"#)), ""),
        Params => call("1", &with(&format!(r#""other":{value}"#)), ""),
        Beside => call(
            "1",
            &with(r#""arguments":{}"#),
            &format!(r#","other":{value}"#),
        ),
        Id => call(value, &with(r#""arguments":{}"#), ""),
        Batch => format!("[{}]", call("1", &arguments, "")),
    }
}

/// Bodies of at most so many bytes in which a tool of this name is called; each value is as large
/// as that, or has so many parts.
pub fn hostile_bodies(tool: &str, bytes: usize, parts: usize) -> impl Iterator<Item = HostileBody> {
    let room = bytes.saturating_sub(512);
    let values = shapes()
        .into_iter()
        .map(move |shape| (shape.name, shape.value(room, parts)))
        .chain(std::iter::once_with(move || {
            ("many members", members(room, parts))
        }));
    values.flat_map(move |(shape, value)| {
        PLACES.into_iter().map(move |place| {
            let body = message(place, tool, &value);
            let name = format!("{shape}, {place:?}, {} bytes", body.len());
            let modern = matches!(place, ClientInfo | Capabilities);
            HostileBody { name, body, modern }
        })
    })
}
