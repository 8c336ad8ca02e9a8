//! The endpoint as a tower `Service`, and the layer by which what is in front of it names the
//! caller. It runs in whatever polls it and spawns nothing; sockets are the server's business.

mod caller_layer;
mod endpoint;

pub use caller_layer::{Authenticated, CallerLayer};
pub use endpoint::{Endpoint, NobodyAdmitted};
