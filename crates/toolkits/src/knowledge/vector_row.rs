//! Vectors as questions have them and as rows bring them. Compares none.

use mcpfn_ports::SqlValue;

/// A question's vector as it is stored, and the model that made it.
pub(super) struct QuestionVector {
    pub(super) model: String,
    pub(super) vector: Vec<u8>,
}

/// A row of number and vector.
pub(super) fn numbered(row: &[SqlValue]) -> Option<(i64, &[u8])> {
    match row {
        [SqlValue::Integer(number), SqlValue::Blob(vector)] => Some((*number, vector)),
        _ => None,
    }
}
