//! Tests of the core alone: no host, no HTTP. What every host must do too is a fixture in the
//! workspace's `tests`.

// expansions of the macros begin with `::mcpfn`
extern crate mcpfn_core as mcpfn;

/// Lists, calls and failures as a value: shared, bounded, cancelled by dropping.
mod principles;

/// Spellings of arguments, and whether types read what their schemas admit.
mod arguments;

/// Mistakes of a registration, all at once; macros and builder give the same bytes.
mod registration;

/// Old names, and what goes away.
mod deprecations;

/// Servers behind one, as authors may write them.
mod upstreams;

/// What happens between calls, and how clients hear of it.
mod events;

/// Those that are read from elsewhere, on their way to addresses.
mod event_missed;
mod event_pump;

/// One message in, the bytes of its answer out.
mod pages;
mod skills;
mod support;
mod tasks;

/// Runs of them that come to no end of their own.
mod interrupted_tasks;
