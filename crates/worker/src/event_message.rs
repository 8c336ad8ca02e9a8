//! What an isolate and an object of events say to each other, as bytes. Both are the same program,
//! except while a new version is deployed.

use mcpfn_core::port::EventRetention;

use crate::octets::{UnreadBytes, put_bytes, put_number};

/// Names one change, so that it is known when it is sent again.
pub(crate) type Nonce = [u8; 8];

/// What is asked of an object: that of a topic, and the last two of that of a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventAction<'a> {
    Append {
        keep: EventRetention,
        body: &'a [u8],
    },
    Read {
        keep: EventRetention,
        after: u64,
        limit: u64,
    },
    End {
        keep: EventRetention,
    },
    Find {
        id: &'a str,
    },
    Write {
        id: &'a str,
        replaces: Option<u64>,
        expires_ms: u64,
        most: u64,
        body: &'a [u8],
    },
    Remove {
        id: &'a str,
    },
    /// Behind this id; behind none where it is empty.
    Page {
        after: &'a str,
        limit: u64,
    },
    /// Counts a subscription, if there is room for one more.
    Hold {
        id: &'a str,
        expires_ms: u64,
        most: u64,
    },
    Release {
        id: &'a str,
    },
}

/// One request: a letter, the time, the nonce, whether it is sent again, and what belongs to the
/// letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventRequest<'a> {
    pub(crate) now_ms: u64,
    pub(crate) nonce: Nonce,
    pub(crate) again: bool,
    pub(crate) action: EventAction<'a>,
}

impl<'a> EventRequest<'a> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        write_action(&self.action, &mut rest);
        let now_ms = self.now_ms.to_be_bytes();
        let again = [u8::from(self.again)];
        [
            &[letter(&self.action)],
            &now_ms[..],
            &self.nonce,
            &again,
            &rest,
        ]
        .concat()
    }

    /// Nothing for what this version does not know.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = UnreadBytes(bytes);
        let letter = rest.byte()?;
        let request = Self {
            now_ms: rest.number()?,
            nonce: rest.array()?,
            again: rest.byte()? != 0,
            action: read_action(letter, &mut rest)?,
        };
        rest.0.is_empty().then_some(request)
    }
}

fn letter(action: &EventAction<'_>) -> u8 {
    match action {
        EventAction::Append { .. } => b'a',
        EventAction::Read { .. } => b'r',
        EventAction::End { .. } => b'e',
        EventAction::Find { .. } => b'f',
        EventAction::Write { .. } => b'w',
        EventAction::Remove { .. } => b'd',
        EventAction::Page { .. } => b'p',
        EventAction::Hold { .. } => b'h',
        EventAction::Release { .. } => b'u',
    }
}

fn write_action(action: &EventAction<'_>, out: &mut Vec<u8>) {
    match *action {
        EventAction::Append { keep, body } => {
            put_keep(out, keep);
            put_bytes(out, body);
        }
        EventAction::Read { keep, after, limit } => {
            put_keep(out, keep);
            put_number(out, after);
            put_number(out, limit);
        }
        EventAction::End { keep } => {
            put_keep(out, keep);
        }
        EventAction::Find { id } | EventAction::Remove { id } | EventAction::Release { id } => {
            put_text(out, id);
        }
        EventAction::Write {
            id,
            replaces,
            expires_ms,
            most,
            body,
        } => {
            put_text(out, id);
            // no version is the greatest number
            for number in [replaces.unwrap_or(u64::MAX), expires_ms, most] {
                put_number(out, number);
            }
            put_bytes(out, body);
        }
        EventAction::Page { after, limit } => {
            put_text(out, after);
            put_number(out, limit);
        }
        EventAction::Hold {
            id,
            expires_ms,
            most,
        } => {
            put_text(out, id);
            put_number(out, expires_ms);
            put_number(out, most);
        }
    }
}

fn read_action<'a>(letter: u8, rest: &mut UnreadBytes<'a>) -> Option<EventAction<'a>> {
    Some(match letter {
        b'a' => EventAction::Append {
            keep: keep(rest)?,
            body: rest.bytes()?,
        },
        b'r' => EventAction::Read {
            keep: keep(rest)?,
            after: rest.number()?,
            limit: rest.number()?,
        },
        b'e' => EventAction::End { keep: keep(rest)? },
        b'f' => EventAction::Find { id: text(rest)? },
        b'w' => EventAction::Write {
            id: text(rest)?,
            replaces: Some(rest.number()?).filter(|version| *version != u64::MAX),
            expires_ms: rest.number()?,
            most: rest.number()?,
            body: rest.bytes()?,
        },
        b'd' => EventAction::Remove { id: text(rest)? },
        b'p' => EventAction::Page {
            after: text(rest)?,
            limit: rest.number()?,
        },
        b'h' => EventAction::Hold {
            id: text(rest)?,
            expires_ms: rest.number()?,
            most: rest.number()?,
        },
        b'u' => EventAction::Release { id: text(rest)? },
        _ => return None,
    })
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn text<'a>(rest: &mut UnreadBytes<'a>) -> Option<&'a str> {
    std::str::from_utf8(rest.bytes()?).ok()
}

fn put_keep(out: &mut Vec<u8>, keep: EventRetention) {
    put_number(out, keep.max_age_ms);
    put_number(out, keep.max_events as u64);
}

fn keep(rest: &mut UnreadBytes<'_>) -> Option<EventRetention> {
    Some(EventRetention {
        max_age_ms: rest.number()?,
        max_events: usize::try_from(rest.number()?).unwrap_or(usize::MAX),
    })
}

/// A subscription, as an object gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptSubscription {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) expires_ms: u64,
    pub(crate) body: Vec<u8>,
}

/// What an object answers: a letter, and what belongs to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EventAnswer {
    /// What was asked for is done.
    Done,
    /// Another version is there, or none.
    Changed,
    /// There is no room for one more.
    Full,
    Position(u64),
    Events {
        truncated: bool,
        more: bool,
        events: Vec<(u64, Vec<u8>)>,
    },
    Rows(Vec<KeptSubscription>),
}

impl EventAnswer {
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::Done => b"d".to_vec(),
            Self::Changed => b"x".to_vec(),
            Self::Full => b"f".to_vec(),
            Self::Position(position) => {
                let mut answer = b"n".to_vec();
                put_number(&mut answer, *position);
                answer
            }
            Self::Events {
                truncated,
                more,
                events,
            } => {
                let mut answer = vec![b'l', u8::from(*truncated), u8::from(*more)];
                for (position, body) in events {
                    put_number(&mut answer, *position);
                    put_bytes(&mut answer, body);
                }
                answer
            }
            Self::Rows(rows) => {
                let mut answer = b"r".to_vec();
                for row in rows {
                    put_text(&mut answer, &row.id);
                    put_number(&mut answer, row.version);
                    put_number(&mut answer, row.expires_ms);
                    put_bytes(&mut answer, &row.body);
                }
                answer
            }
        }
    }

    /// Nothing for what this version does not know, and for what is cut off.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = UnreadBytes(bytes);
        Some(match rest.byte()? {
            b'd' => Self::Done,
            b'x' => Self::Changed,
            b'f' => Self::Full,
            b'n' => Self::Position(rest.number()?),
            b'l' => {
                let (truncated, more) = (rest.byte()? != 0, rest.byte()? != 0);
                let mut events = Vec::new();
                while !rest.0.is_empty() {
                    events.push((rest.number()?, rest.bytes()?.to_vec()));
                }
                Self::Events {
                    truncated,
                    more,
                    events,
                }
            }
            b'r' => {
                let mut rows = Vec::new();
                while !rest.0.is_empty() {
                    rows.push(KeptSubscription {
                        id: text(&mut rest)?.to_owned(),
                        version: rest.number()?,
                        expires_ms: rest.number()?,
                        body: rest.bytes()?.to_vec(),
                    });
                }
                Self::Rows(rows)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: EventRetention = EventRetention {
        max_age_ms: 7,
        max_events: 3,
    };

    fn requests() -> Vec<EventRequest<'static>> {
        let write = |replaces| EventAction::Write {
            id: "sub_1",
            replaces,
            expires_ms: 1 << 50,
            most: u64::MAX,
            body: b"\0{}",
        };
        let actions = [
            EventAction::Append {
                keep: KEEP,
                body: b"\xff",
            },
            EventAction::Read {
                keep: KEEP,
                after: 1 << 52,
                limit: 500,
            },
            EventAction::End { keep: KEEP },
            EventAction::Find { id: "sub_1" },
            write(None),
            write(Some(0)),
            EventAction::Remove { id: "" },
            EventAction::Page {
                after: "sub_1",
                limit: 100,
            },
            EventAction::Hold {
                id: "sub_1",
                expires_ms: 9,
                most: 100,
            },
            EventAction::Release { id: "sub_1" },
        ];
        let first = EventRequest::read(b"e\0\0\0\0\0\0\0\x09a change\x01AAAAAAAABBBBBBBB").unwrap();
        actions
            .map(|action| EventRequest { action, ..first })
            .into()
    }

    fn answers() -> Vec<EventAnswer> {
        let row = |id: &str| KeptSubscription {
            id: id.to_owned(),
            version: 1,
            expires_ms: 2,
            body: vec![0, 255],
        };
        let events = |events| EventAnswer::Events {
            truncated: true,
            more: false,
            events,
        };
        vec![
            EventAnswer::Done,
            EventAnswer::Changed,
            EventAnswer::Full,
            EventAnswer::Position(1 << 53),
            events(vec![(1, b"a".to_vec()), (2, vec![])]),
            EventAnswer::Rows(vec![row("a"), row("b")]),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for request in requests() {
            assert_eq!(EventRequest::read(&request.write()), Some(request));
        }
        for answer in answers() {
            assert_eq!(EventAnswer::read(&answer.write()), Some(answer));
        }
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_nothing() {
        for request in requests() {
            let whole = request.write();
            for length in 0..whole.len() {
                assert_eq!(EventRequest::read(&whole[..length]), None, "{request:?}");
            }
            let more = [&whole[..], b"x"].concat();
            assert_eq!(EventRequest::read(&more), None, "{request:?}");
        }
        for answer in answers() {
            let whole = answer.write();
            for length in 0..whole.len() {
                // of a list, what is cut off between two members is a shorter list
                if let Some(shorter) = EventAnswer::read(&whole[..length]) {
                    assert_eq!(shorter.write(), &whole[..length]);
                }
            }
        }
        assert_eq!(EventRequest::read(&[b'?'; 100]), None);
        assert_eq!(EventAnswer::read(b"?"), None);
    }
}
