//! Numbers and texts in what isolates and their Durable Objects say to each other. Numbers are
//! big-endian; bytes come after their number.

/// What was not read yet.
pub(crate) struct UnreadBytes<'a>(pub(crate) &'a [u8]);

impl<'a> UnreadBytes<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.array()?);
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

pub(crate) fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Parts are smaller than 4 GB by far; of a larger one nothing would be kept.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let (length, bytes) = match u32::try_from(bytes.len()) {
        Ok(length) => (length, bytes),
        Err(_) => (0, &[][..]),
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}
