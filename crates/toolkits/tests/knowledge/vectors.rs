//! What stands in for a model where none is installed: it knows how words are written, and no
//! meaning. What it shows is what becomes of vectors; how well a real model's find answers is shown
//! by `recall`.

/// Numbers of a vector.
const LENGTH: usize = 256;

/// A text's vector: how often it has each three letters in a row.
pub(crate) fn of(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; LENGTH];
    let words = text.to_lowercase();
    for word in words
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.len() > 3)
    {
        for piece in format!("<{word}>").as_bytes().windows(3) {
            vector[hash(piece) % LENGTH] += 1.0;
        }
    }
    vector
}

fn hash(bytes: &[u8]) -> usize {
    bytes.iter().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(16_777_619)
    }) as usize
}
