//! Lists what a WebAssembly module imports, by reading its import section. It reads nothing else
//! and checks nothing beyond what it needs to find that section.

use std::fmt;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    NotAModule,
    Ends,
    Number,
    Kind(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAModule => f.write_str("it does not begin like a WebAssembly module"),
            Self::Ends => f.write_str("it ends in the middle of a section"),
            Self::Number => f.write_str("it has a number that is too long"),
            Self::Kind(kind) => write!(f, "it imports something of an unknown kind ({kind})"),
        }
    }
}

type Result<T> = std::result::Result<T, Malformed>;

const IMPORT_SECTION: u8 = 2;

/// Every import as `module.name (kind)`.
pub(crate) fn read(module: &[u8]) -> Result<Vec<String>> {
    let sections = module
        .strip_prefix(b"\0asm\x01\0\0\0")
        .ok_or(Malformed::NotAModule)?;
    let mut reader = Reader(sections);
    while !reader.0.is_empty() {
        let id = reader.byte()?;
        let length = reader.length()?;
        let section = reader.take(length)?;
        if id == IMPORT_SECTION {
            return Reader(section).imports();
        }
    }
    Ok(Vec::new())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn imports(&mut self) -> Result<Vec<String>> {
        let count = self.length()?;
        let mut imports = Vec::new();
        for _ in 0..count {
            let (module, name) = (self.name()?, self.name()?);
            let kind = self.kind()?;
            imports.push(format!("{module}.{name} ({kind})"));
        }
        Ok(imports)
    }

    /// Reads past the description of one import and says what it was.
    fn kind(&mut self) -> Result<&'static str> {
        match self.byte()? {
            0 => {
                self.number()?;
                Ok("function")
            }
            1 => {
                self.value_type()?;
                self.limits()?;
                Ok("table")
            }
            2 => {
                self.limits()?;
                Ok("memory")
            }
            3 => {
                self.value_type()?;
                self.byte()?;
                Ok("global")
            }
            4 => {
                self.byte()?;
                self.number()?;
                Ok("tag")
            }
            kind => Err(Malformed::Kind(kind)),
        }
    }

    fn value_type(&mut self) -> Result<()> {
        // 0x63 and 0x64 are references to a type, which follows; everything else is one byte.
        if matches!(self.byte()?, 0x63 | 0x64) {
            self.number()?;
        }
        Ok(())
    }

    fn limits(&mut self) -> Result<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 != 0 {
            self.number()?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String> {
        let length = self.length()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn length(&mut self) -> Result<usize> {
        usize::try_from(self.number()?).map_err(|_| Malformed::Number)
    }

    /// LEB128, unsigned. Signed numbers are only skipped over here, and both end at the same byte.
    fn number(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Number)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Ends)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[u8]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0", sections].concat()
    }

    fn check(sections: &[u8], expected: Result<&[&str]>) {
        let expected = expected.map(|imports| imports.iter().map(ToString::to_string).collect());
        assert_eq!(read(&module(sections)), expected, "{sections:?}");
    }

    #[test]
    fn a_module_without_an_import_section_imports_nothing() {
        check(&[], Ok(&[]));
        check(&[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0], Ok(&[]));
        check(&[2, 1, 0], Ok(&[]));
    }

    #[test]
    fn imports_of_every_kind_are_named() {
        let entries = [
            &[1, b'e', 1, b'f', 0, 0x80, 0x01][..],
            &[1, b'e', 1, b't', 1, 0x70, 1, 0, 5],
            &[1, b'e', 1, b'r', 1, 0x63, 0x00, 0, 5],
            &[1, b'e', 1, b'm', 2, 0, 16],
            &[1, b'e', 1, b'g', 3, 0x7f, 1],
            &[1, b'e', 1, b'x', 4, 0, 3],
        ]
        .concat();
        let length = u8::try_from(entries.len() + 1).unwrap();
        let sections = [&[1, 4, 1, 0x60, 0, 0, 2, length, 6][..], &entries].concat();
        let expected = [
            "e.f (function)",
            "e.t (table)",
            "e.r (table)",
            "e.m (memory)",
            "e.g (global)",
            "e.x (tag)",
        ];
        check(&sections, Ok(&expected));
    }

    #[test]
    fn what_is_not_a_module_is_refused() {
        assert_eq!(read(b"MZ"), Err(Malformed::NotAModule));
        assert_eq!(read(b""), Err(Malformed::NotAModule));
    }

    #[test]
    fn a_section_that_ends_early_is_refused() {
        check(&[2, 9, 1], Err(Malformed::Ends));
        check(&[2, 4, 1, 1, b'e', 1], Err(Malformed::Ends));
        check(&[2], Err(Malformed::Ends));
    }

    #[test]
    fn an_endless_number_is_refused() {
        check(
            &[2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            Err(Malformed::Number),
        );
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        check(&[2, 6, 1, 1, b'e', 1, b'f', 9], Err(Malformed::Kind(9)));
    }
}
