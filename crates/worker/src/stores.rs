//! The stores of Workers behind ports: D1 as a SQL database.

mod d1;

pub use d1::D1;
