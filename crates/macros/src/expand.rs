//! What the function becomes: a unit struct of its name that registers and can be called. Emits calls to the public
//! builder only; everything here could be written by hand.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ItemFn, LitStr, Visibility};

use crate::attr::{Kind, Settings, Value};
use crate::check::{self, Signature};
use crate::doc;
use crate::errors::Errors;

/// Expands `#[tool]`, `#[prompt]` and `#[resource]`.
pub(crate) fn function(kind: Kind, attribute: TokenStream, original: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let settings = Settings::read(kind, attribute, &mut errors);
    let item: ItemFn = match syn::parse2(original.clone()) {
        Ok(item) => item,
        Err(error) => {
            errors.misplaced(kind.word(), "a function", &error);
            let errors = errors.into_tokens();
            return quote!(#errors #original);
        }
    };
    let signature = check::signature(&item, &mut errors);
    let arguments = signature.as_ref().and_then(|signature| signature.arguments.as_ref());
    let fits = check::together(kind, &settings, &item, arguments, &mut errors);
    let errors = errors.into_tokens();
    if item.sig.receiver().is_some() {
        // Inside an `impl` there is no place for a struct.
        return quote!(#errors #original);
    }
    let builder = builder(kind, &settings, &item);
    let code = match &signature {
        Some(signature) if fits => {
            let registrar = registrar(kind, &item, &handled(kind, &item, signature, &builder));
            let callee = callee(&item, signature);
            quote!(#registrar #callee)
        }
        // Still registers, so that `.tool(..)` elsewhere does not complain as well.
        _ => registrar(kind, &item, &builder),
    };
    let emitted = emit(&item, settings.text("description"), &code);
    quote!(#errors #emitted)
}

/// The struct, and a scope that keeps the function itself under its own name.
fn emit(item: &ItemFn, description: Option<&LitStr>, code: &TokenStream) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.sig.ident);
    let with = |words: &'static [&'static str]| item.attrs.iter().filter(move |attribute| named(attribute, words));
    let conditions = with(&["cfg"]);
    let on_struct = with(&["cfg", "doc", "deprecated", "allow", "warn", "deny", "forbid"]);
    let documented = with(&["doc"]).next().is_some();
    let docs = description.filter(|_| !documented).map(|text| quote!(#[doc = #text]));
    let mut inner = item.clone();
    inner.vis = Visibility::Inherited;
    inner.attrs.retain(|attribute| !named(attribute, &["cfg", "doc", "deprecated"]));
    quote! {
        #(#on_struct)*
        #docs
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #ident;

        #(#conditions)*
        #[allow(deprecated, dead_code, clippy::needless_pass_by_value)]
        const _: () = {
            #inner
            #code
        };
    }
}

/// `::mcpfn::Tool::new("name").describe("..")` and the rest of the attribute, without the handler.
fn builder(kind: Kind, settings: &Settings, item: &ItemFn) -> TokenStream {
    let product = product(kind);
    let name = match settings.text("name") {
        Some(name) => name.to_token_stream(),
        None => item.sig.ident.unraw().to_string().to_token_stream(),
    };
    let uri = (kind == Kind::Resource).then(|| match &settings.uri {
        Some(uri) => quote!(#uri,),
        None => quote!("",),
    });
    let comment = match settings.text("description") {
        Some(_) => None,
        None => doc::description(&item.attrs).map(|text| quote!(.describe(#text))),
    };
    let calls = settings.values.iter().map(|(key, value)| match value {
        Value::Text(_) if key == "name" => None,
        Value::Text(text) if key == "description" => Some(quote!(.describe(#text))),
        Value::Text(text) => Some(quote!(.#key(#text))),
        Value::Mark(on) => on.then(|| quote!(.#key())),
        Value::Hint(on) => Some(quote!(.#key(#on))),
        Value::Milliseconds(number) => Some(quote!(.#key(::core::time::Duration::from_millis(#number)))),
    });
    quote!(::mcpfn::#product::new(#uri #name) #comment #(#calls)*)
}

fn registrar(kind: Kind, item: &ItemFn, value: &TokenStream) -> TokenStream {
    let (ident, product) = (&item.sig.ident, product(kind));
    let (conversion, method) = (format_ident!("Into{product}"), format_ident!("into_{}", kind.word()));
    quote! {
        impl ::mcpfn::#conversion for #ident {
            fn #method(self) -> ::mcpfn::#product {
                #value
            }
        }
    }
}

/// The builder with its handler: a closure that owns what the function borrows.
fn handled(kind: Kind, item: &ItemFn, signature: &Signature, builder: &TokenStream) -> TokenStream {
    let [callee, arguments, context] = ["__callee", "__arguments", "__cx"].map(|name| local(name, &item.sig.ident));
    let given = match &signature.arguments {
        Some(ty) => Some(quote!(#arguments: #ty,)),
        // A tool and a prompt always have arguments, even if there are none to give.
        None if signature.context.is_some() && kind != Kind::Resource => Some(quote!(_: ::mcpfn::NoArguments,)),
        None => None,
    };
    let passed = signature.arguments.as_ref().map(|_| quote!(#arguments,));
    let owned = signature.context.as_ref().map(|_| quote!(#context: ::mcpfn::Cx));
    let lent = signature.context.as_ref().map(|_| quote!(&#context));
    // What the compiler says of the types is said under the function's name.
    let closure = quote_spanned! {place(&item.sig.ident)=>
        move |#given #owned| async move { #callee(#passed #lent).await }
    };
    quote! {
        let #callee = *self;
        #builder.handler(#closure)
    }
}

/// Makes the struct callable like the function, for tests and for other functions. On stable Rust a struct is callable
/// through `Deref` only.
fn callee(item: &ItemFn, signature: &Signature) -> TokenStream {
    let (ident, output) = (&item.sig.ident, &signature.output);
    let arguments = local("__arguments", ident);
    let types = signature.arguments.as_ref().map(|ty| quote!(#ty,));
    let names = signature.arguments.as_ref().map(|_| quote!(#arguments,));
    // A reference to anything but the context is a mismatch, and its own type is where to say so.
    let context = signature.context.as_ref().map(|ty| local("__cx", ty));
    let (quantified, borrowed, lifetime) = match context {
        Some(_) => (quote!(for<'cx>), quote!(&'cx ::mcpfn::Cx), quote!('cx)),
        None => (quote!(), quote!(), quote!('static)),
    };
    let future = match item.sig.asyncness {
        Some(_) => quote!(#ident(#names #context)),
        None => quote!(async move { #ident(#names #context) }),
    };
    // The complaint about a future that is not `Send` comes out of this line.
    let boxed = quote_spanned!(place(ident)=> ::std::boxed::Box::pin(#future));
    // A private type in here is the name's fault: the struct is more visible than the type.
    let target = quote_spanned! {place(ident)=>
        type Target = #quantified fn(#types #borrowed) -> ::mcpfn::BoxFuture<#lifetime, #output>;
    };
    quote! {
        impl ::core::ops::Deref for #ident {
            #target

            fn deref(&self) -> &Self::Target {
                const CALLEE: <#ident as ::core::ops::Deref>::Target = |#names #context| #boxed;
                &CALLEE
            }
        }
    }
}

fn product(kind: Kind) -> Ident {
    Ident::new(
        match kind {
            Kind::Tool => "Tool",
            Kind::Prompt => "Prompt",
            Kind::Resource => "Resource",
        },
        Span::call_site(),
    )
}

/// A name out of the author's way, shown where the given tokens are: hidden from the function, and unlike any tool's,
/// because a unit struct in scope turns a variable of its name into a pattern.
fn local(name: &str, at: &impl ToTokens) -> Ident {
    Ident::new(name, place(at))
}

/// Where the tokens are, but the macro's own: lints leave it alone.
fn place(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

fn named(attribute: &Attribute, words: &[&str]) -> bool {
    words.iter().any(|word| attribute.path().is_ident(word))
}

#[cfg(test)]
mod tests;
