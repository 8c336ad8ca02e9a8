//! What the hosts have under the same names, of the one that there is.

#[cfg(all(
    not(target_arch = "wasm32"),
    not(any(feature = "local", feature = "lambda"))
))]
compile_error!("mcpfn has no host to serve with: switch on its feature `local`, `lambda` or both");
#[cfg(all(
    not(target_arch = "wasm32"),
    not(feature = "local"),
    feature = "lambda"
))]
pub use mcpfn_lambda::{Hosts, Setting, Setup, Variables};
#[cfg(all(not(target_arch = "wasm32"), feature = "local"))]
pub use mcpfn_local::{Hosts, Setting, Setup, Variables};
#[cfg(target_arch = "wasm32")]
pub use mcpfn_worker::{Hosts, Setting, Setup, Variables};
