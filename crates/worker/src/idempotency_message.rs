//! What an isolate and an object say to each other, as bytes. Both are the same program, except
//! while a new version is deployed.

/// Bytes of the name of who holds a key.
pub(crate) const HOLDER: usize = 16;

/// What is asked of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldAction<'a> {
    Begin { now_ms: u64, held_until_ms: u64 },
    Complete { expires_ms: u64, result: &'a [u8] },
    Release,
}

/// One request: a letter, the holder, the length of the key in a byte, the key, and what belongs to
/// the letter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HoldRequest<'a> {
    pub(crate) action: HoldAction<'a>,
    pub(crate) key: &'a str,
    pub(crate) holder: &'a [u8; HOLDER],
}

impl<'a> HoldRequest<'a> {
    /// Keys are 43 characters; of a longer one than 255, the rest is no part of it.
    pub(crate) fn write(&self) -> Vec<u8> {
        let (letter, first, second): (_, &[u8], &[u8]) = match &self.action {
            HoldAction::Begin {
                now_ms,
                held_until_ms,
            } => (b'b', &now_ms.to_be_bytes(), &held_until_ms.to_be_bytes()),
            HoldAction::Complete { expires_ms, result } => {
                (b'f', &expires_ms.to_be_bytes(), result)
            }
            HoldAction::Release => (b'a', &[], &[]),
        };
        let key = &self.key.as_bytes()[..self.key.len().min(usize::from(u8::MAX))];
        [
            &[letter],
            self.holder.as_slice(),
            &[key.len() as u8],
            key,
            first,
            second,
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
                HoldAction::Begin {
                    now_ms,
                    held_until_ms: number(rest)?.0,
                }
            }
            b'f' => {
                let (expires_ms, result) = number(rest)?;
                HoldAction::Complete { expires_ms, result }
            }
            b'a' => HoldAction::Release,
            _ => return None,
        };
        Some(Self {
            action,
            key: std::str::from_utf8(key).ok()?,
            holder,
        })
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
            Self::Done(result) => [b"d", result.as_slice()].concat(),
            Self::Kept => b"k".to_vec(),
            Self::Lost => b"l".to_vec(),
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        Some(match bytes.split_first()? {
            (b'1', _) => Self::First,
            (b'r', _) => Self::Running,
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

    #[test]
    fn what_is_written_is_read() {
        for action in [
            HoldAction::Begin {
                now_ms: 1,
                held_until_ms: u64::MAX,
            },
            HoldAction::Complete {
                expires_ms: 1 << 60,
                result: b"\0{}\xff",
            },
            HoldAction::Complete {
                expires_ms: 0,
                result: b"",
            },
            HoldAction::Release,
        ] {
            let request = HoldRequest {
                action,
                key: "a-digest",
                holder: &[7; HOLDER],
            };
            assert_eq!(HoldRequest::read(&request.write()), Some(request));
        }
        for answer in [
            HoldAnswer::First,
            HoldAnswer::Running,
            HoldAnswer::Done(b"\0x".to_vec()),
            HoldAnswer::Kept,
            HoldAnswer::Lost,
        ] {
            assert_eq!(HoldAnswer::read(&answer.write()), Some(answer));
        }
    }

    #[test]
    fn what_is_cut_off_is_no_request() {
        let whole = HoldRequest {
            action: HoldAction::Begin {
                now_ms: 1,
                held_until_ms: 2,
            },
            key: "key",
            holder: &[7; HOLDER],
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
