//! How clients reach a process, as spans name it.

/// How clients reach this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP.
    Tcp,
    /// stdio.
    Pipe,
}
