//! What an attribute may stand on: every refusal and its sentence. Reads shapes only (a reference
//! is the context, any other parameter is the argument object): what a type is, is the compiler's
//! business.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{FnArg, ItemFn, PatType, ReturnType, Safety, Type};

use crate::attr::{MacroKind, MacroSettings};
use crate::doc;
use crate::errors::Errors;

const UNSAFE: &str = "anyone may call it: it can't be `unsafe`";
const EXTERN: &str = "it is called from Rust only: remove `extern`";
const GENERIC: &str = "it is one concrete function: remove the generic parameters";
const METHOD: &str =
    "it is a free function: move it out of the `impl`, and read state from the context";
const RESULT_IMPL: &str = "its result has a name: replace `impl Trait` by a type";
const RESULT_BORROWED: &str =
    "its result is given away: return an owned value, or a `&'static` one";
const CONTEXT_MUT: &str = "the context is shared: write `&Cx`";
const CONTEXTS: &str = "a reference is the context, and there is one: take arguments by value";
const CONTEXT_FIRST: &str = "the context comes last: put this parameter before it";
const ARGUMENT_IMPL: &str = "its argument has a named type: replace `impl Trait` by a type";
const ARGUMENTS: &str = "a tool takes one JSON object: put the fields in a struct marked #[input]";
const UNDESCRIBED: &str = "add a doc comment: clients show it to the model";
const NAME: &str =
    "a tool's name has 1 to 128 of A-Z, a-z, 0-9, `_`, `-` and `.`: choose one with name = \"..\"";
const READS_AND_DESTROYS: &str = "`read_only` and `destructive` exclude each other: choose one";
const NO_URI: &str = "a resource begins with its uri: #[resource(\"catalog://schema\")]";
const NO_SCHEME: &str = "a uri begins with a scheme: \"catalog://schema\"";
const VARIABLES: &str =
    "`{` makes the uri a template: take its variables as a struct marked #[input]";
const NO_VARIABLES: &str =
    "a fixed uri has no variables: remove this parameter, or put a `{variable}` into the uri";

/// The four shapes a function may have, sync or async.
pub(crate) struct Signature {
    /// The type of the one argument object.
    pub(crate) arguments: Option<Type>,
    /// The type of the context: a reference.
    pub(crate) context: Option<Type>,
    /// The return type, `()` if left out.
    pub(crate) output: TokenStream,
}

/// The function's shape, or `None` if it has none of the four.
pub(crate) fn signature(item: &ItemFn, errors: &mut Errors) -> Option<Signature> {
    let mut found = Errors::default();
    let mut signature = Signature {
        arguments: None,
        context: None,
        output: quote!(()),
    };
    if let Safety::Unsafe(token) = &item.sig.safety {
        found.at(token, UNSAFE);
    }
    if let Some(abi) = &item.sig.abi {
        found.at(abi, EXTERN);
    }
    if !item.sig.generics.params.is_empty() {
        found.at(&item.sig.generics, GENERIC);
    }
    for input in &item.sig.inputs {
        match input {
            FnArg::Receiver(receiver) => found.at(receiver, METHOD),
            FnArg::Typed(parameter) => signature.add(parameter, &mut found),
        }
    }
    if let ReturnType::Type(_, output) = &item.sig.output {
        signature.output = output.to_token_stream();
        if names_impl(output.to_token_stream()) {
            found.at(output, RESULT_IMPL);
        }
        if let Type::Reference(reference) = bare(output)
            && reference.lifetime.is_none()
        {
            found.at(output, RESULT_BORROWED);
        }
    }
    let refused = found.any();
    errors.append(found);
    (!refused).then_some(signature)
}

impl Signature {
    fn add(&mut self, parameter: &PatType, errors: &mut Errors) {
        let ty = &*parameter.ty;
        if let Type::Reference(reference) = bare(ty) {
            if let Some(exclusive) = &reference.mutability {
                errors.at(exclusive, CONTEXT_MUT);
            }
            if self.context.replace(ty.clone()).is_some() {
                errors.at(parameter, CONTEXTS);
            }
            return;
        }
        if names_impl(ty.to_token_stream()) {
            errors.at(ty, ARGUMENT_IMPL);
        }
        if self.context.is_some() {
            errors.at(parameter, CONTEXT_FIRST);
        }
        if self.arguments.replace(ty.clone()).is_some() {
            errors.at(parameter, ARGUMENTS);
        }
    }
}

/// Rules that join the attribute and the function. `false` if the two contradict each other.
pub(crate) fn together(
    kind: MacroKind,
    settings: &MacroSettings,
    item: &ItemFn,
    arguments: Option<&Type>,
    errors: &mut Errors,
) -> bool {
    if settings.text("description").is_none() && doc::description(&item.attrs).is_none() {
        errors.at(&item.sig.ident, UNDESCRIBED);
    }
    match kind {
        MacroKind::Tool => tool(settings, item, errors),
        MacroKind::Prompt => true,
        MacroKind::Resource => resource(settings, item, arguments, errors),
    }
}

fn tool(settings: &MacroSettings, item: &ItemFn, errors: &mut Errors) -> bool {
    let ident = &item.sig.ident;
    match settings.text("name") {
        Some(name) if !is_legal(&name.value()) => errors.at(name, NAME),
        None if !is_legal(&ident.unraw().to_string()) => errors.at(ident, NAME),
        _ => {}
    }
    if settings.is_on("read_only") && settings.is_on("destructive") {
        errors.at(ident, READS_AND_DESTROYS);
    }
    true
}

fn is_legal(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(legal)
}

fn resource(
    settings: &MacroSettings,
    item: &ItemFn,
    arguments: Option<&Type>,
    errors: &mut Errors,
) -> bool {
    let Some(uri) = &settings.uri else {
        errors.add(syn::Error::new(Span::call_site(), NO_URI));
        return false;
    };
    if !uri.value().contains(':') {
        errors.at(uri, NO_SCHEME);
    }
    match (uri.value().contains('{'), arguments) {
        (true, None) => errors.at(&item.sig.ident, VARIABLES),
        (false, Some(arguments)) => errors.at(arguments, NO_VARIABLES),
        _ => return true,
    }
    false
}

/// The type without the invisible group that a `macro_rules!` fragment puts around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// `impl` is a keyword, so finding it is no guess.
fn names_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => names_impl(group.stream()),
        _ => false,
    })
}
