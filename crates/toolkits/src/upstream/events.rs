//! An event stream (`text/event-stream`), piece by piece: the data of each event. Knows no JSON.

/// Reads events out of pieces of any size.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    /// What no line end was seen of yet.
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last piece ended with a carriage return, which may be half of a line's end.
    after_return: bool,
}

impl EventReader {
    /// Takes the next piece, and hands each event's data to `event` as it ends.
    pub(super) fn push(&mut self, piece: &[u8], mut event: impl FnMut(&[u8])) {
        for byte in piece {
            match byte {
                b'\n' if self.after_return => {}
                b'\n' | b'\r' => self.end_line(&mut event),
                _ => self.line.push(*byte),
            }
            self.after_return = *byte == b'\r';
        }
    }

    /// The end of the stream. An event without its empty line counts: an answer should not get lost
    /// for that.
    pub(super) fn end(mut self, mut event: impl FnMut(&[u8])) {
        if !self.line.is_empty() {
            self.end_line(&mut event);
        }
        self.end_line(&mut event);
    }

    fn end_line(&mut self, event: &mut impl FnMut(&[u8])) {
        if self.line.is_empty() {
            if self.has_data {
                event(&self.data);
            }
            self.data.clear();
            self.has_data = false;
        } else if let Some(data) = self.line.strip_prefix(b"data:") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data
                .extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            self.has_data = true;
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str, piece: usize) -> Vec<String> {
        let (mut events, mut found) = (EventReader::default(), Vec::new());
        let mut take = |data: &[u8]| found.push(String::from_utf8(data.to_vec()).unwrap());
        stream
            .as_bytes()
            .chunks(piece)
            .for_each(|piece| events.push(piece, &mut take));
        events.end(&mut take);
        found
    }

    #[test]
    fn events_of_every_spelling_and_every_cut() {
        let stream = "\u{feff}: hello\r\n\r\nid: 7\nevent: message\ndata: \
            {\"a\":\ndata:1}\n\nretry: 5\n\ndata\n\ndata: x\r\rdata: last";
        for piece in 1..stream.len() {
            assert_eq!(read(stream, piece), ["{\"a\":\n1}", "x", "last"], "{piece}");
        }
    }
}
