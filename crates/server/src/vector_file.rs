//! A store of vectors that only writes down what is put there: lines of JSON for `wrangler vectorize
//! upsert`. It finds nothing.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mcpfn::handler::BoxFuture;
use mcpfn::port::{NearestVectors, VectorEntry, VectorError, VectorNames, VectorStore};

/// The longest vector of an index, in numbers.
const MAX_LENGTH: usize = 1536;

/// A file of vectors.
#[derive(Debug)]
pub(crate) struct VectorFile(Mutex<BufWriter<File>>);

impl VectorFile {
    /// An empty file in the place of what is there.
    pub(crate) fn create(file: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(BufWriter::new(File::create(file)?))))
    }

    /// Writes what is still in memory.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }

    fn write(&self, model: &str, entries: &[VectorEntry]) -> Result<(), VectorError> {
        let names = VectorNames::of(model);
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            if entry.vector.len() > MAX_LENGTH {
                return Err(VectorError(format!(
                    "Vectorize takes vectors of at most {MAX_LENGTH} numbers, and the model gave {}: \
                     take another model, or leave `--vectors` away",
                    entry.vector.len()
                )));
            }
            writeln!(out, "{}", line(&names, entry))
                .map_err(|error| VectorError(format!("the file can't be written: {error}")))?;
        }
        Ok(())
    }
}

/// A vector as `wrangler` sends it, without the digits that a float does not have.
fn line(names: &VectorNames, entry: &VectorEntry) -> String {
    let id = names.entry(&entry.id);
    let numbers: Vec<String> = entry.vector.iter().map(f32::to_string).collect();
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let metadata = match VectorNames::is_short(&id) {
        true => format!(r#"{{"id":{}}}"#, text(&entry.id)),
        false => "{}".to_owned(),
    };
    format!(
        r#"{{"id":{},"namespace":{},"metadata":{metadata},"values":[{}]}}"#,
        text(&id),
        text(names.collection()),
        numbers.join(",")
    )
}

impl VectorStore for VectorFile {
    fn put<'a>(
        &'a self,
        model: &'a str,
        entries: &'a [VectorEntry],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        let written = self.write(model, entries);
        Box::pin(async { written })
    }

    /// What an earlier version had elsewhere stays: a search leaves it out, because it is no passage.
    fn remove<'a>(&'a self, _: &'a str, _: &'a [String]) -> BoxFuture<'a, Result<(), VectorError>> {
        Box::pin(async { Ok(()) })
    }

    fn nearest<'a>(
        &'a self,
        _: &'a str,
        _: &'a [f32],
        _: usize,
    ) -> BoxFuture<'a, Result<NearestVectors, VectorError>> {
        Box::pin(async { Err(VectorError("a file of vectors finds nothing".to_owned())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_vectors_of_an_index() {
        let names = VectorNames::of("m");
        let read = |entry: &VectorEntry| -> serde_json::Value {
            serde_json::from_str(&line(&names, entry)).unwrap()
        };
        let found = read(&VectorEntry::new("a\"b:0", vec![0.1, -1e-20]));
        assert_eq!(names.id(found["id"].as_str().unwrap()), Some("a\"b:0"));
        assert_eq!(found["namespace"], "m");
        assert_eq!(found["metadata"], serde_json::json!({}));
        assert_eq!(found["values"], serde_json::json!([0.1, -1e-20]));
        let long = format!("{}:0", "ä".repeat(90));
        let found = read(&VectorEntry::new(&*long, vec![1.0]));
        assert!(found["id"].as_str().unwrap().len() <= 64);
        assert_eq!(found["metadata"]["id"], *long);
    }
}
