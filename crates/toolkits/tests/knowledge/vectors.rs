//! What stands in for a model: `pieces` knows how words are written, `meanings` knows which words mean the same, from a small thesaurus.
//! Neither is a language model; what they show is what becomes of vectors.

use std::fs;
use std::sync::LazyLock;

use serde_json::Value;

/// Numbers for words as they are written, after those for meanings.
const WRITTEN: usize = 256;

/// One line a meaning: its words, in any of their forms.
static MEANINGS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let text = fs::read_to_string(crate::recall::FIXTURES.join("meanings.txt")).unwrap();
    text.lines().map(|line| line.split_whitespace().map(stem).collect()).collect()
});

/// A text's vector by the model of this name.
pub(crate) fn of(model: &Value, text: &str) -> Vec<f32> {
    let words = text.to_lowercase();
    let words = words.split(|character: char| !character.is_alphanumeric()).filter(|word| word.len() > 2);
    if model == "meanings" { meanings(words) } else { pieces(words) }
}

fn pieces<'a>(words: impl Iterator<Item = &'a str>) -> Vec<f32> {
    let mut vector = vec![0.0; WRITTEN];
    for word in words.filter(|word| word.len() > 3) {
        for piece in format!("<{word}>").as_bytes().windows(3) {
            vector[hash(piece) % WRITTEN] += 1.0;
        }
    }
    vector
}

fn meanings<'a>(words: impl Iterator<Item = &'a str>) -> Vec<f32> {
    let mut vector = vec![0.0; MEANINGS.len() + WRITTEN];
    for word in words.map(stem) {
        for (line, number) in MEANINGS.iter().zip(&mut vector) {
            *number += if line.contains(&word) { 1.0 / (line.len() as f32).sqrt() } else { 0.0 };
        }
        if word.len() > 3 {
            vector[MEANINGS.len() + hash(word.as_bytes()) % WRITTEN] += 0.2;
        }
    }
    vector
}

/// A word without its usual endings.
fn stem(word: &str) -> String {
    let ends = ["ing", "ies", "ed", "es", "s", "y", "e"];
    let end = ends.iter().find(|end| word.len() > end.len() + 2 && word.ends_with(**end));
    end.map_or(word, |end| &word[..word.len() - end.len()]).to_owned()
}

fn hash(bytes: &[u8]) -> usize {
    bytes.iter().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619)) as usize
}
