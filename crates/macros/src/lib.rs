//! `#[tool]`, `#[prompt]`, `#[resource]`, `#[input]`, `#[output]`: sugar over mcpfn's public builder. Not a second way
//! to build a server: whatever a macro writes, an author can write by hand.

mod attr;
mod check;
mod doc;
mod duration;
mod errors;
mod expand;
mod item;

use proc_macro::TokenStream;

use crate::attr::Kind;
use crate::item::Side;

#[proc_macro_attribute]
/// x
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(Kind::Tool, attribute.into(), item.into()).into()
}

#[proc_macro_attribute]
/// x
pub fn prompt(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(Kind::Prompt, attribute.into(), item.into()).into()
}

#[proc_macro_attribute]
/// x
pub fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(Kind::Resource, attribute.into(), item.into()).into()
}

#[proc_macro_attribute]
/// x
pub fn input(attribute: TokenStream, item: TokenStream) -> TokenStream {
    item::item(Side::Input, attribute.into(), item.into()).into()
}

#[proc_macro_attribute]
/// x
pub fn output(attribute: TokenStream, item: TokenStream) -> TokenStream {
    item::item(Side::Output, attribute.into(), item.into()).into()
}
