//! From what an author declared to what a server holds: every check of a registration, thing by
//! thing.

mod check;
mod extension;
mod prompt;
mod resource;
mod tool;

pub(super) use check::{check_description, check_name, check_scopes, report, unique};
pub(super) use extension::extension_mistake;
pub(super) use prompt::prompt;
pub(super) use resource::resource;
pub(super) use tool::tool;
