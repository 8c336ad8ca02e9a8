//! What an attribute may stand on: every refusal and its sentence. Reads shapes only (a reference is the context, any
//! other parameter is the argument object): what a type is, is the compiler's business.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{FnArg, ItemFn, LitStr, PatType, ReturnType, Safety, Type};

use crate::attr::{Kind, Settings};
use crate::errors::Errors;

/// The four shapes a function may have, sync or async.
pub(crate) struct Signature {
    /// The type of the one argument object.
    pub(crate) arguments: Option<Type>,
    /// The type of the context: a reference.
    pub(crate) context: Option<Type>,
    /// The return type, `()` if left out.
    pub(crate) output: TokenStream,
}

/// The function's shape, or `None` if it can't be registered.
pub(crate) fn signature(kind: Kind, item: &ItemFn, errors: &mut Errors) -> Option<Signature> {
    let word = kind.word();
    let mut found = Errors::default();
    let sig = &item.sig;
    if let Safety::Unsafe(token) = &sig.safety {
        found.at(token, format!("a {word} is called by strangers: it can't be `unsafe`"));
    }
    if let Some(abi) = &sig.abi {
        found.at(abi, format!("a {word} is called from Rust only: remove `extern`"));
    }
    if !sig.generics.params.is_empty() {
        let sentence = "is one concrete function: remove the generic parameters";
        found.at(&sig.generics, format!("a {word} {sentence}"));
    }
    let mut signature = Signature { arguments: None, context: None, output: quote!(()) };
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => {
                let sentence = "is a free function: move it out of the `impl` and read what it needs from `cx.state()`";
                found.at(receiver, format!("a {word} {sentence}"));
            }
            FnArg::Typed(parameter) => signature.add(kind, parameter, &mut found),
        }
    }
    if let ReturnType::Type(_, output) = &sig.output {
        if names_impl(output.to_token_stream()) {
            found.at(output, format!("a {word} names its result: replace `impl Trait` by a type"));
        } else if matches!(bare(output), Type::Reference(reference) if reference.lifetime.is_none())
        {
            found.at(output, format!("a {word} gives its result away: return an owned value or a `&'static` one"));
        }
        signature.output = output.to_token_stream();
    }
    let refused = found.any();
    errors.append(found);
    (!refused).then_some(signature)
}

impl Signature {
    fn add(&mut self, kind: Kind, parameter: &PatType, errors: &mut Errors) {
        let (word, ty) = (kind.word(), &*parameter.ty);
        if let Type::Reference(reference) = bare(ty) {
            if let Some(exclusive) = &reference.mutability {
                errors.at(exclusive, "the context is shared: write `&Cx`");
            }
            if self.context.replace(ty.clone()).is_some() {
                errors.at(parameter, format!("a reference is the context, and a {word} has one context: take arguments by value"));
            }
            return;
        }
        if names_impl(ty.to_token_stream()) {
            errors.at(ty, format!("a {word} names its arguments: replace `impl Trait` by a type"));
        }
        if self.context.is_some() {
            errors.at(parameter, "the context comes last: put this parameter before it");
        }
        if self.arguments.replace(ty.clone()).is_some() {
            errors.at(parameter, format!("a {word} takes one JSON object: put the fields in a struct marked #[input]"));
        }
    }
}

/// Rules that join the attribute and the function. `false` if the two don't fit together at all.
pub(crate) fn together(kind: Kind, settings: &Settings, item: &ItemFn, described: bool, arguments: Option<&Type>, errors: &mut Errors) -> bool {
    if kind == Kind::Tool {
        if !described {
            errors.at(&item.sig.ident, "add a doc comment: clients show it to the model");
        }
        tool_name(settings, item, errors);
        if settings.read_only == Some(true) && settings.destructive == Some(true) {
            errors.at(&item.sig.ident, "`read_only` and `destructive` exclude each other: choose one");
        }
    }
    if kind == Kind::Resource { uri(settings.uri.as_ref(), item, arguments, errors) } else { true }
}

fn tool_name(settings: &Settings, item: &ItemFn, errors: &mut Errors) {
    let rule = "a tool's name has 1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-` and `.`";
    let legal = |name: &str| name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    match &settings.name {
        Some(name) if !legal(&name.value()) => errors.at(name, rule),
        None if !legal(&item.sig.ident.unraw().to_string()) => errors.at(&item.sig.ident, format!("{rule}: choose one with name = \"..\"")),
        _ => {}
    }
}

fn uri(uri: Option<&LitStr>, item: &ItemFn, arguments: Option<&Type>, errors: &mut Errors) -> bool {
    let Some(uri) = uri else {
        errors.add(syn::Error::new(Span::call_site(), "a resource begins with its uri: #[resource(\"catalog://schema\")]"));
        return false;
    };
    let text = uri.value();
    if !text.contains(':') {
        errors.at(uri, "a uri begins with a scheme: \"catalog://schema\"");
    }
    match arguments {
        None if text.contains('{') => {
            errors.at(&item.sig.ident, "`{` makes the uri a template: take its variables as a struct marked #[input]");
            false
        }
        Some(arguments) if !text.contains('{') => {
            errors.at(arguments, "a fixed uri has no variables: remove this parameter, or put a `{variable}` into the uri");
            false
        }
        _ => true,
    }
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
