//! An event stream (`text/event-stream`), piece by piece: the data of each event, up to a limit.
//! Knows no JSON.

/// The data of one event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) data: &'a [u8],
    /// It was longer than the limit, and its end is missing.
    pub(super) cut: bool,
}

/// Reads events out of pieces of any size.
#[derive(Debug)]
pub(super) struct EventReader {
    /// Most bytes of one event that are kept.
    most: usize,
    /// What no line end was seen of yet.
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// Of the line, and of the data, a part was longer than the limit.
    line_cut: bool,
    cut: bool,
    /// The last piece ended with a carriage return, which may be half of a line's end.
    after_return: bool,
}

impl EventReader {
    /// With at most so many bytes of one event.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            line_cut: false,
            cut: false,
            after_return: false,
        }
    }

    /// Takes the next piece, and hands each event to `event` as it ends.
    pub(super) fn push(&mut self, piece: &[u8], mut event: impl FnMut(Event<'_>)) {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.keep(&rest[..end]);
            // a line feed right after a return is one line end with it
            let half = rest[end] == b'\n' && self.after_return && end == 0;
            if !half {
                self.end_line(&mut event);
            }
            self.after_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
        }
        self.after_return &= rest.is_empty();
        self.keep(rest);
    }

    fn keep(&mut self, part: &[u8]) {
        // some more than is kept of its data, for `data: `
        let room = (self.most + 16).saturating_sub(self.line.len());
        self.line_cut |= part.len() > room;
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// The end of the stream. An event without its empty line counts: an answer should not get lost
    /// for that.
    pub(super) fn end(mut self, mut event: impl FnMut(Event<'_>)) {
        if !self.line.is_empty() {
            self.end_line(&mut event);
        }
        self.end_line(&mut event);
    }

    fn end_line(&mut self, event: &mut impl FnMut(Event<'_>)) {
        if self.line.is_empty() {
            if self.has_data {
                event(Event {
                    data: &self.data,
                    cut: self.cut,
                });
            }
            self.data.clear();
            (self.has_data, self.cut) = (false, false);
        } else if let Some(data) = self.line.strip_prefix(b"data:") {
            if self.has_data {
                self.data.push(b'\n');
            }
            let data = data.strip_prefix(b" ").unwrap_or(data);
            let room = self.most.saturating_sub(self.data.len());
            self.cut |= self.line_cut || data.len() > room;
            self.data.extend_from_slice(&data[..data.len().min(room)]);
            self.has_data = true;
        }
        self.line.clear();
        self.line_cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str, piece: usize, most: usize) -> Vec<(String, bool)> {
        let (mut events, mut found) = (EventReader::new(most), Vec::new());
        let mut take = |event: Event<'_>| {
            found.push((String::from_utf8(event.data.to_vec()).unwrap(), event.cut));
        };
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
            {\"a\":\ndata:1}\n\nretry: 5\n\ndata\n\ndata: x\r\rdata: y\r\n\r\ndata: last";
        for piece in 1..stream.len() {
            let found = read(stream, piece, 1000);
            let data: Vec<&str> = found.iter().map(|(data, _)| data.as_str()).collect();
            assert_eq!(data, ["{\"a\":\n1}", "x", "y", "last"], "{piece}");
            assert!(found.iter().all(|(_, cut)| !cut));
        }
    }

    #[test]
    fn a_long_event_is_cut_and_the_next_one_is_whole() {
        let long = "y".repeat(100);
        let lines = format!("data: {long}\n\ndata: 1\ndata: {long}\n\n:{long}\ndata: x\n\n");
        for piece in 1..lines.len() {
            let found = read(&lines, piece, 10);
            let cut: Vec<bool> = found.iter().map(|(_, cut)| *cut).collect();
            assert_eq!(cut, [true, true, false], "{piece}");
            assert_eq!(found[2].0, "x");
            assert!(found.iter().all(|(data, _)| data.len() <= 11));
        }
    }
}
