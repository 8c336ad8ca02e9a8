//! Where a value is in its document, as a JSON pointer that is safe to show. Not a parser of
//! pointers.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::text::clean;

/// Characters of a pointer that are shown from each end.
const POINTER_END: usize = 80;

/// A segment of a JSON pointer.
pub(crate) fn escaped(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        segment.replace('~', "~0").replace('/', "~1").into()
    } else {
        segment.into()
    }
}

/// Where a value is in the document.
#[derive(Clone, Copy)]
pub(crate) struct ValuePath<'a> {
    pub(crate) above: Option<&'a Self>,
    pub(crate) last: PathSegment<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum PathSegment<'a> {
    Root,
    Property(&'a str),
    Item(usize),
    /// Not the value of a property but its name.
    Name(&'a str),
}

impl<'a> ValuePath<'a> {
    pub(crate) const ROOT: Self = Self {
        above: None,
        last: PathSegment::Root,
    };

    pub(crate) fn step(&'a self, last: PathSegment<'a>) -> Self {
        Self {
            above: Some(self),
            last,
        }
    }

    pub(crate) fn is_name(&self) -> bool {
        matches!(self.last, PathSegment::Name(_))
    }

    /// Writes the JSON pointer, cut in the middle.
    pub(crate) fn write_pointer(&self, out: &mut String) {
        let start = out.len();
        self.write_segments(out);
        if out.len() == start {
            out.push('/');
        }
        let pointer = &out[start..];
        let length = if pointer.len() <= 2 * POINTER_END {
            0
        } else {
            pointer.chars().count()
        };
        if length > 2 * POINTER_END {
            let end: String = pointer.chars().skip(length - POINTER_END).collect();
            let kept = pointer
                .char_indices()
                .nth(POINTER_END)
                .map_or(0, |(position, _)| position);
            out.truncate(start + kept);
            out.push('…');
            out.push_str(&end);
        }
    }

    fn write_segments(&self, out: &mut String) {
        if let Some(above) = self.above {
            above.write_segments(out);
        }
        // writing to a String can't fail
        let _ = match self.last {
            PathSegment::Root => Ok(()),
            PathSegment::Property(name) | PathSegment::Name(name) if name.contains(['~', '/']) => {
                write!(out, "/{}", escaped(&clean(name).to_string()))
            }
            PathSegment::Property(name) | PathSegment::Name(name) => {
                write!(out, "/{}", clean(name))
            }
            PathSegment::Item(position) => write!(out, "/{position}"),
        };
    }
}
