//! Rules of the repository that no compiler checks, each with advice in its failure. Reads files;
//! changes none. A rule that is not yet kept everywhere has a list `NOT_YET`, which only shrinks.

mod circles;
mod code;
mod documents;
mod events;
mod files;
mod functions;
mod layers;
mod modules;
mod names;
mod pure;
mod retired;
mod security;
mod source;
mod status;
mod workers;
mod workspace;
