//! What an isolate and the object of a task say to each other, as bytes. Both are the same program,
//! except while a new version is deployed.

use mcpfn_core::port::TaskPart;

use super::octets::{UnreadBytes, put_bytes, put_number};

/// Names one change among those of a task, so that it is known when it is sent again.
pub(crate) type Nonce = [u8; 8];

/// What is asked of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskAction<'a> {
    /// `key` is the task's own: an object does not know under which name it was reached.
    Create {
        key: &'a str,
        expires_ms: u64,
        head: &'a [u8],
        call: &'a [u8],
    },
    Read {
        parts: Vec<TaskPart>,
    },
    Swap {
        version: u64,
        expires_ms: u64,
        head: &'a [u8],
        also: Vec<(TaskPart, &'a [u8])>,
    },
    Remove,
    Start {
        at_ms: u64,
    },
}

/// One request: a letter, the time, the nonce, and what belongs to the letter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TaskRequest<'a> {
    pub(crate) now_ms: u64,
    pub(crate) nonce: Nonce,
    pub(crate) action: TaskAction<'a>,
}

impl<'a> TaskRequest<'a> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        let letter = match &self.action {
            TaskAction::Create {
                key,
                expires_ms,
                head,
                call,
            } => {
                put_number(&mut rest, *expires_ms);
                for bytes in [key.as_bytes(), head, call] {
                    put_bytes(&mut rest, bytes);
                }
                b'c'
            }
            TaskAction::Read { parts } => {
                rest.extend(parts.iter().map(|part| code(*part)));
                b'r'
            }
            TaskAction::Swap {
                version,
                expires_ms,
                head,
                also,
            } => {
                put_number(&mut rest, *version);
                put_number(&mut rest, *expires_ms);
                put_bytes(&mut rest, head);
                for (part, bytes) in also {
                    rest.push(code(*part));
                    put_bytes(&mut rest, bytes);
                }
                b's'
            }
            TaskAction::Remove => b'd',
            TaskAction::Start { at_ms } => {
                put_number(&mut rest, *at_ms);
                b'o'
            }
        };
        let now_ms = self.now_ms.to_be_bytes();
        [&[letter], &now_ms[..], &self.nonce, &rest].concat()
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = UnreadBytes(bytes);
        let letter = rest.byte()?;
        let now_ms = rest.number()?;
        let nonce = rest.array()?;
        let action = match letter {
            b'c' => TaskAction::Create {
                expires_ms: rest.number()?,
                key: std::str::from_utf8(rest.bytes()?).ok()?,
                head: rest.bytes()?,
                call: rest.bytes()?,
            },
            b'r' => TaskAction::Read {
                parts: rest
                    .0
                    .iter()
                    .map(|code| part(*code))
                    .collect::<Option<_>>()?,
            },
            b's' => TaskAction::Swap {
                version: rest.number()?,
                expires_ms: rest.number()?,
                head: rest.bytes()?,
                also: parts(&mut rest)?,
            },
            b'd' => TaskAction::Remove,
            b'o' => TaskAction::Start {
                at_ms: rest.number()?,
            },
            _ => return None,
        };
        Some(Self {
            now_ms,
            nonce,
            action,
        })
    }
}

/// What an object answers: a letter, and after `p` the version and the parts that were wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TaskAnswer {
    /// What was asked for is done.
    Done,
    /// There is such a task already.
    Exists,
    /// The head is another one by now.
    Changed,
    /// There is no such task, or not any more.
    Gone,
    Parts {
        version: u64,
        parts: Vec<Option<Vec<u8>>>,
    },
}

impl TaskAnswer {
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::Done => b"d".to_vec(),
            Self::Exists => b"e".to_vec(),
            Self::Changed => b"x".to_vec(),
            Self::Gone => b"g".to_vec(),
            Self::Parts { version, parts } => {
                let mut answer = b"p".to_vec();
                put_number(&mut answer, *version);
                for part in parts {
                    match part {
                        Some(bytes) => {
                            answer.push(1);
                            put_bytes(&mut answer, bytes);
                        }
                        None => answer.push(0),
                    }
                }
                answer
            }
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = UnreadBytes(bytes);
        Some(match rest.byte()? {
            b'd' => Self::Done,
            b'e' => Self::Exists,
            b'x' => Self::Changed,
            b'g' => Self::Gone,
            b'p' => {
                let version = rest.number()?;
                let mut parts = Vec::new();
                while let Some(there) = rest.byte() {
                    parts.push(match there {
                        0 => None,
                        _ => Some(rest.bytes()?.to_vec()),
                    });
                }
                Self::Parts { version, parts }
            }
            _ => return None,
        })
    }
}

fn parts<'a>(rest: &mut UnreadBytes<'a>) -> Option<Vec<(TaskPart, &'a [u8])>> {
    let mut parts = Vec::new();
    while let Some(code) = rest.byte() {
        parts.push((part(code)?, rest.bytes()?));
    }
    Some(parts)
}

fn code(part: TaskPart) -> u8 {
    let place = TaskPart::ALL.iter().position(|one| *one == part);
    place.map_or(u8::MAX, |place| place as u8)
}

fn part(code: u8) -> Option<TaskPart> {
    TaskPart::ALL.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: TaskAction<'_>) -> TaskRequest<'_> {
        TaskRequest {
            now_ms: 1 << 60,
            nonce: *b"a change",
            action,
        }
    }

    fn requests() -> Vec<TaskRequest<'static>> {
        let also = |parts| TaskAction::Swap {
            version: 7,
            expires_ms: u64::MAX,
            head: b"{}",
            also: parts,
        };
        let actions = [
            TaskAction::Create {
                key: "a-digest",
                expires_ms: 9,
                head: b"{}",
                call: b"\0\xff",
            },
            TaskAction::Read { parts: vec![] },
            TaskAction::Read {
                parts: vec![TaskPart::Outcome, TaskPart::Head],
            },
            also(vec![]),
            also(vec![
                (TaskPart::Checkpoint, b""),
                (TaskPart::Outcome, b"\0"),
            ]),
            TaskAction::Remove,
            TaskAction::Start { at_ms: 8 },
        ];
        actions.map(request).into()
    }

    #[test]
    fn what_is_written_is_read() {
        for request in requests() {
            assert_eq!(TaskRequest::read(&request.write()), Some(request));
        }
        let parts = |parts| TaskAnswer::Parts { version: 3, parts };
        for answer in [
            TaskAnswer::Done,
            TaskAnswer::Exists,
            TaskAnswer::Changed,
            TaskAnswer::Gone,
            parts(vec![]),
            parts(vec![Some(b"head".to_vec()), None, Some(vec![])]),
        ] {
            assert_eq!(TaskAnswer::read(&answer.write()), Some(answer));
        }
    }

    #[test]
    fn what_is_cut_off_is_no_other_request() {
        for request in requests() {
            let whole = request.write();
            for length in 0..whole.len() {
                // of a list, what is cut off between two members is a shorter list
                if let Some(shorter) = TaskRequest::read(&whole[..length]) {
                    assert_eq!(shorter.write(), &whole[..length]);
                }
            }
        }
        assert_eq!(TaskRequest::read(&[b'?'; 100]), None);
        assert_eq!(
            TaskRequest::read(b"r1234567812345678\xff"),
            None,
            "no such part"
        );
        assert_eq!(TaskAnswer::read(b""), None);
        assert_eq!(TaskAnswer::read(b"?"), None);
        assert_eq!(TaskAnswer::read(b"p12345678\x01\0\0\0\x05head"), None);
    }
}
