//! What an isolate and an object say to each other, as bytes. Both are the same program, except
//! while a new version is deployed.

use mcpfn_core::port::{Hold, Holder, Kept, Replace, TopicRecord};

/// What is asked of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldAction<'a> {
    Begin(Hold),
    Look {
        now_ms: u64,
    },
    Complete {
        expires_ms: u64,
        result: &'a [u8],
    },
    Release,
    /// A record of subscriptions: its version is the holder, and it is done.
    Write {
        replace: Replace,
        kept: Kept,
        value: &'a [u8],
    },
}

/// One request: a letter, the holder, the length of the key in a byte, the key, and what belongs to
/// the letter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HoldRequest<'a> {
    pub(crate) action: HoldAction<'a>,
    pub(crate) key: &'a str,
    pub(crate) holder: &'a Holder,
}

impl<'a> HoldRequest<'a> {
    /// Keys are 43 characters; of a longer one than 255, the rest is no part of it.
    pub(crate) fn write(&self) -> Vec<u8> {
        let number = |number: u64| number.to_be_bytes().to_vec();
        let (letter, rest) = match self.action {
            HoldAction::Begin(hold) => (
                b'b',
                [hold.now_ms, hold.until_ms, hold.expires_ms]
                    .map(number)
                    .concat(),
            ),
            HoldAction::Look { now_ms } => (b'l', number(now_ms)),
            HoldAction::Complete { expires_ms, result } => {
                (b'f', [number(expires_ms).as_slice(), result].concat())
            }
            HoldAction::Release => (b'a', Vec::new()),
            HoldAction::Write {
                replace,
                kept,
                value,
            } => {
                let times = [kept.now_ms, kept.expires_ms].map(number).concat();
                let (how, there) = match replace {
                    Replace::Anything => (b'*', Holder::default()),
                    Replace::Nothing => (b'0', Holder::default()),
                    Replace::Version(version) => (b'v', version),
                };
                (b'w', [&[how], &there[..], &times, value].concat())
            }
        };
        let key = &self.key.as_bytes()[..self.key.len().min(usize::from(u8::MAX))];
        [
            &[letter],
            self.holder.as_slice(),
            &[key.len() as u8],
            key,
            &rest,
        ]
        .concat()
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (letter, rest) = bytes.split_first()?;
        let (holder, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first()?;
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        let action = match letter {
            b'b' => {
                let (now_ms, rest) = number(rest)?;
                let (until_ms, rest) = number(rest)?;
                HoldAction::Begin(Hold {
                    now_ms,
                    until_ms,
                    expires_ms: number(rest)?.0,
                })
            }
            b'l' => HoldAction::Look {
                now_ms: number(rest)?.0,
            },
            b'f' => {
                let (expires_ms, result) = number(rest)?;
                HoldAction::Complete { expires_ms, result }
            }
            b'a' => HoldAction::Release,
            b'w' => write_of(rest)?,
            _ => return None,
        };
        Some(Self {
            action,
            key: std::str::from_utf8(key).ok()?,
            holder,
        })
    }
}

fn write_of(rest: &[u8]) -> Option<HoldAction<'_>> {
    let (how, rest) = rest.split_first()?;
    let (there, rest) = rest.split_first_chunk()?;
    let (now_ms, rest) = number(rest)?;
    let (expires_ms, value) = number(rest)?;
    let replace = match how {
        b'*' => Replace::Anything,
        b'0' => Replace::Nothing,
        b'v' => Replace::Version(*there),
        _ => return None,
    };
    Some(HoldAction::Write {
        replace,
        kept: Kept { now_ms, expires_ms },
        value,
    })
}

/// Asks an object for several records at once: a letter, the time, and the keys, which are digests,
/// with spaces between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RecordRequest<'a> {
    pub(crate) now_ms: u64,
    pub(crate) keys: Vec<&'a str>,
}

impl<'a> RecordRequest<'a> {
    pub(crate) fn write(&self) -> Vec<u8> {
        let now_ms = self.now_ms.to_be_bytes();
        [b"m", &now_ms[..], self.keys.join(" ").as_bytes()].concat()
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (now_ms, keys) = number(bytes.strip_prefix(b"m")?)?;
        let keys = std::str::from_utf8(keys).ok()?.split(' ');
        // nothing is one empty part
        let keys = keys.filter(|key| !key.is_empty()).collect();
        Some(Self { now_ms, keys })
    }
}

/// Its answer: for each key, in their order, `0`, or `1` with the version, the length of the value
/// and the value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RecordAnswer(pub(crate) Vec<Option<TopicRecord>>);

impl RecordAnswer {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for record in &self.0 {
            let Some(TopicRecord { version, value }) = record else {
                out.push(b'0');
                continue;
            };
            out.push(b'1');
            out.extend_from_slice(version);
            out.extend_from_slice(&(value.len() as u64).to_be_bytes());
            out.extend_from_slice(value);
        }
        out
    }

    pub(crate) fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut records = Vec::new();
        while let Some((found, rest)) = bytes.split_first() {
            bytes = rest;
            records.push(match found {
                b'0' => None,
                b'1' => {
                    let (version, rest) = bytes.split_first_chunk()?;
                    let (length, rest) = number(rest)?;
                    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                    bytes = rest;
                    Some(TopicRecord {
                        version: *version,
                        value: value.to_vec().into(),
                    })
                }
                _ => return None,
            });
        }
        Some(Self(records))
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// What an object answers: a letter, and after `d` the result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HoldAnswer {
    First,
    Running,
    /// A hold ended without a word.
    Unknown,
    /// Nothing is known of the key.
    Free,
    Done(Vec<u8>),
    /// Finished, or let go of.
    Kept,
    /// Another call holds the key, or finished it.
    Lost,
}

impl HoldAnswer {
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::First => b"1".to_vec(),
            Self::Running => b"r".to_vec(),
            Self::Unknown => b"u".to_vec(),
            Self::Free => b"n".to_vec(),
            Self::Done(result) => [b"d", result.as_slice()].concat(),
            Self::Kept => b"k".to_vec(),
            Self::Lost => b"l".to_vec(),
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        Some(match bytes.split_first()? {
            (b'1', _) => Self::First,
            (b'r', _) => Self::Running,
            (b'u', _) => Self::Unknown,
            (b'n', _) => Self::Free,
            (b'd', result) => Self::Done(result.to_vec()),
            (b'k', _) => Self::Kept,
            (b'l', _) => Self::Lost,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Hold = Hold {
        now_ms: 1,
        until_ms: 2,
        expires_ms: u64::MAX,
    };

    const KEPT: Kept = Kept {
        now_ms: 1,
        expires_ms: u64::MAX,
    };

    #[test]
    fn what_is_written_is_read() {
        for action in [
            HoldAction::Begin(HOLD),
            HoldAction::Look { now_ms: 1 << 60 },
            HoldAction::Complete {
                expires_ms: 1 << 60,
                result: b"\0{}\xff",
            },
            HoldAction::Complete {
                expires_ms: 0,
                result: b"",
            },
            HoldAction::Release,
            HoldAction::Write {
                replace: Replace::Anything,
                kept: KEPT,
                value: b"",
            },
            HoldAction::Write {
                replace: Replace::Version([8; 16]),
                kept: KEPT,
                value: b"\0{}\xff",
            },
            HoldAction::Write {
                replace: Replace::Nothing,
                kept: KEPT,
                value: b"x",
            },
        ] {
            let request = HoldRequest {
                action,
                key: "a-digest",
                holder: &[7; 16],
            };
            assert_eq!(HoldRequest::read(&request.write()), Some(request));
        }
        for answer in [
            HoldAnswer::First,
            HoldAnswer::Running,
            HoldAnswer::Unknown,
            HoldAnswer::Free,
            HoldAnswer::Done(b"\0x".to_vec()),
            HoldAnswer::Kept,
            HoldAnswer::Lost,
        ] {
            assert_eq!(HoldAnswer::read(&answer.write()), Some(answer));
        }
    }

    #[test]
    fn records_are_asked_for_together() {
        let request = RecordRequest {
            now_ms: 1 << 60,
            keys: vec!["a", "b-c_"],
        };
        assert_eq!(RecordRequest::read(&request.write()), Some(request));
        let record = |value: &'static [u8]| {
            Some(TopicRecord {
                version: [7; 16],
                value: value.into(),
            })
        };
        let answer = RecordAnswer(vec![None, record(b""), record(b"0\xff1"), None]);
        let written = answer.write();
        for length in 0..written.len() {
            assert_ne!(
                RecordAnswer::read(&written[..length]).as_ref(),
                Some(&answer)
            );
        }
        assert_eq!(RecordAnswer::read(&written), Some(answer));
        assert_eq!(RecordAnswer::read(b"2"), None);
    }

    #[test]
    fn what_is_cut_off_is_no_request() {
        let whole = HoldRequest {
            action: HoldAction::Begin(HOLD),
            key: "key",
            holder: &[7; 16],
        }
        .write();
        for length in 0..whole.len() {
            assert_eq!(HoldRequest::read(&whole[..length]), None, "{length}");
        }
        assert_eq!(HoldRequest::read(&[b'x'; 100]), None);
        assert_eq!(HoldAnswer::read(b""), None);
        assert_eq!(HoldAnswer::read(b"?"), None);
    }
}
