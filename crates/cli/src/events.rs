//! Server-sent events out of a body, as its pieces come.

use std::collections::VecDeque;
use std::time::Duration;

/// Most bytes of an event.
const MAX_EVENT: usize = crate::http::MAX_ANSWER;

/// What one event says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SseEvent {
    pub(crate) data: String,
    /// Where a stream that was cut goes on, if the server says so.
    pub(crate) id: Option<String>,
}

/// Reads events. Lines may end in `\n`, `\r\n` or `\r`, anywhere between two pieces.
#[derive(Debug, Default)]
pub(crate) struct SseReader {
    line: Vec<u8>,
    /// The last byte was `\r`, so that a `\n` after it ends no line.
    after_cr: bool,
    event: SseEvent,
    has_data: bool,
    ready: VecDeque<SseEvent>,
    last_id: Option<String>,
    retry: Option<Duration>,
}

impl SseReader {
    /// Takes a piece of the body.
    ///
    /// # Errors
    /// When an event is larger than this program takes.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), String> {
        for byte in piece {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = *byte == b'\r';
                    self.end_line();
                }
                byte => {
                    self.after_cr = false;
                    self.line.push(*byte);
                }
            }
            if self.line.len() + self.event.data.len() > MAX_EVENT {
                return Err(format!("an event is larger than {MAX_EVENT} bytes"));
            }
        }
        Ok(())
    }

    /// The name of the last event that is complete, with data or without.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long to wait before the stream is asked for again, as the server said last.
    pub(crate) const fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// The next event that is complete.
    pub(crate) fn next(&mut self) -> Option<SseEvent> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            // an empty name takes the one of before away
            if let Some(id) = &event.id {
                self.last_id = Some(id.clone()).filter(|id| !id.is_empty());
            }
            if std::mem::take(&mut self.has_data) {
                self.ready.push_back(event);
            }
            return;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.has_data = true;
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" => {
                if let Ok(milliseconds) = value.parse() {
                    self.retry = Some(Duration::from_millis(milliseconds));
                }
            }
            // a comment, or a field that says nothing here
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<SseEvent> {
        let mut reader = SseReader::default();
        for piece in pieces {
            reader.take(piece).unwrap();
        }
        std::iter::from_fn(|| reader.next()).collect()
    }

    #[test]
    fn the_last_name_and_the_time_to_wait_are_remembered() {
        let mut reader = SseReader::default();
        reader.take(b"id: 1\nretry: 250\ndata: {}\n\n").unwrap();
        // without data, and an event that is not complete
        reader
            .take(b"id: 2\n\nretry: soon\nid: 3\ndata: x")
            .unwrap();
        assert_eq!(reader.last_id(), Some("2"));
        assert_eq!(reader.retry(), Some(Duration::from_millis(250)));
        reader.take(b"\n\nid: a\0b\n\n").unwrap();
        assert_eq!(reader.last_id(), Some("3"));
        reader.take(b"id:\n\n").unwrap();
        assert_eq!(reader.last_id(), None);
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let text = ": hi\r\nid: 7\ndata: {\"a\":\r\ndata:1}\n\nevent: x\n\ndata: ü\r\rdata: late";
        let whole = read(&[text.as_bytes()]);
        let data: Vec<&str> = whole.iter().map(|event| event.data.as_str()).collect();
        assert_eq!(data, ["{\"a\":\n1}", "ü"]);
        assert_eq!(whole[0].id.as_deref(), Some("7"));
        for cut in 0..text.len() {
            let (one, two) = text.as_bytes().split_at(cut);
            assert_eq!(read(&[one, two]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single), whole);
    }
}
