//! No code: the dependencies of this package are what it is for. See its `Cargo.toml`.
