//! What the function becomes: the same function, whose return type leads to a hidden type that
//! registers it. Emits calls to the public builder only; everything here could be written by hand.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ItemFn, Visibility};

use crate::attr::{MacroKind, MacroSettings, SettingValue};
use crate::check::{self, Signature};
use crate::doc;
use crate::errors::Errors;

/// Attributes that move from the function to its outer half.
const OUTER: &[&str] = &["cfg", "doc", "deprecated"];
/// Attributes that hold for both halves.
const LINTS: &[&str] = &["allow", "warn", "deny", "forbid"];

/// Expands `#[tool]`, `#[prompt]` and `#[resource]`.
pub(crate) fn function(
    kind: MacroKind,
    attribute: TokenStream,
    original: &TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let settings = MacroSettings::read(kind, attribute, &mut errors);
    let item: ItemFn = match syn::parse2(original.clone()) {
        Ok(item) => item,
        Err(error) => {
            errors.misplaced(kind.word(), "a function", &error);
            let errors = errors.into_tokens();
            return quote!(#errors #original);
        }
    };
    let signature = check::signature(&item, &mut errors);
    let arguments = signature
        .as_ref()
        .and_then(|signature| signature.arguments.as_ref());
    let fits = check::together(kind, &settings, &item, arguments, &mut errors);
    let errors = errors.into_tokens();
    if item.sig.receiver().is_some() {
        // Inside an `impl` there is no place for another item.
        return quote!(#errors #original);
    }
    let builder = builder(kind, &settings, &item);
    let mark = mark(&item);
    let (function, value) = match &signature {
        Some(signature) if fits => {
            let handler = handler(kind, &item, signature);
            (
                marked(&item, &mark, signature),
                quote!(#builder.handler(#handler)),
            )
        }
        // Still registers, so that `.tool(..)` elsewhere does not complain as well.
        _ => (refused(&item, &mark), builder),
    };
    let registrar = registrar(kind, &item, &mark, &value);
    let docs = settings
        .text("description")
        .filter(|_| !item.attrs.iter().any(|a| named(a, &["doc"])))
        .map(|text| quote!(#[doc = #text]));
    quote!(#errors #docs #function #registrar)
}

/// The function as its callers see it, with the author's own inside.
fn marked(item: &ItemFn, mark: &Ident, signature: &Signature) -> TokenStream {
    let (ident, output) = (&item.sig.ident, &signature.output);
    let arguments = signature
        .arguments
        .as_ref()
        .map(|ty| (local("__arguments", ident), ty));
    // A reference to anything but the context is a mismatch, and its own type is where to say so.
    let context = signature.context.as_ref().map(|ty| local("__cx", ty));
    let names = arguments.iter().map(|(name, _)| name).chain(&context);
    let call = quote_spanned!(place(ident)=> #ident(#(#names),*));
    let future = match item.sig.asyncness {
        Some(_) => call,
        None => quote!(async move { #call }),
    };
    let arguments = arguments.map(|(name, ty)| quote!(#name: #ty,));
    let (generics, context, lifetime) = match context {
        Some(context) => (
            quote!(<'cx>),
            quote!(#context: &'cx ::mcpfn::Cx),
            quote!('cx),
        ),
        None => (quote!(), quote!(), quote!('static)),
    };
    // The complaint about a future that is not `Send` comes out of this line.
    let future = quote_spanned!(place(ident)=> ::mcpfn::handler::HandlerFuture::new(#future));
    let parameters = quote!(#generics(#arguments #context));
    let output = quote!(::mcpfn::handler::HandlerFuture<#lifetime, #mark, #output>);
    around(item, &parameters, &output, &future)
}

/// In place of a function that can't be a tool: keeps the author's own inside, to be checked, and
/// returns a mark.
fn refused(item: &ItemFn, mark: &Ident) -> TokenStream {
    let output = quote!(::mcpfn::handler::HandlerFuture<'static, #mark, ()>);
    around(
        item,
        &quote!(()),
        &output,
        &quote!(::mcpfn::handler::HandlerFuture::new(async {})),
    )
}

/// Visibility, documentation and lints belong to the outer function; everything else (say,
/// `#[instrument]`) to the inner.
fn around(
    item: &ItemFn,
    parameters: &TokenStream,
    output: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.sig.ident);
    let outer = item
        .attrs
        .iter()
        .filter(|attribute| named(attribute, OUTER) || named(attribute, LINTS));
    let mut inner = item.clone();
    inner.vis = Visibility::Inherited;
    inner.attrs.retain(|attribute| !named(attribute, OUTER));
    quote! {
        #(#outer)*
        #vis fn #ident #parameters -> #output {
            #[allow(dead_code, clippy::needless_pass_by_value)]
            #inner
            #body
        }
    }
}

/// `::mcpfn::Tool::new("name").description("..")` and the rest of the attribute, without the handler.
fn builder(kind: MacroKind, settings: &MacroSettings, item: &ItemFn) -> TokenStream {
    let product = product(kind);
    let name = match settings.text("name") {
        Some(name) => name.to_token_stream(),
        None => item.sig.ident.unraw().to_string().to_token_stream(),
    };
    let uri = (kind == MacroKind::Resource).then(|| match &settings.uri {
        Some(uri) => quote!(#uri,),
        None => quote!("",),
    });
    let comment = match settings.text("description") {
        Some(_) => None,
        None => doc::description(&item.attrs)
            .map(|text| quote!(.description(::mcpfn::__private::paragraphs(#text)))),
    };
    let calls = settings.values.iter().map(builder_call);
    quote!(::mcpfn::#product::new(#uri #name) #comment #(#calls)*)
}

/// The builder's method for a setting.
fn builder_call((key, value): &(Ident, SettingValue)) -> Option<TokenStream> {
    match value {
        SettingValue::Text(_) if key == "name" => None,
        SettingValue::Text(text) if key == "description" => Some(quote!(.description(#text))),
        SettingValue::Text(text) => Some(quote!(.#key(#text))),
        SettingValue::Mark(on) => on.then(|| quote!(.#key())),
        SettingValue::Hint(on) => Some(quote!(.#key(#on))),
        SettingValue::Milliseconds(number) => {
            Some(quote!(.#key(::core::time::Duration::from_millis(#number))))
        }
        SettingValue::Rate(calls, per) => Some(
            quote!(.#key(::mcpfn::port::Rate { calls: #calls, per: ::core::time::Duration::from_millis(#per) })),
        ),
        SettingValue::Task(options) => {
            let options = options.iter().map(builder_call);
            Some(quote!(.#key(::mcpfn::task::TaskOptions::new() #(#options)*)))
        }
    }
}

/// The hidden type, and what it stands for.
fn registrar(kind: MacroKind, item: &ItemFn, mark: &Ident, value: &TokenStream) -> TokenStream {
    let (vis, product) = (&item.vis, product(kind));
    let conditions: Vec<_> = item
        .attrs
        .iter()
        .filter(|attribute| named(attribute, &["cfg"]))
        .collect();
    let conversion = format_ident!("Into{product}");
    let method = format_ident!("into_{}", kind.word());
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default)]
        #vis struct #mark {}

        #(#conditions)*
        #[allow(deprecated)]
        impl ::mcpfn::handler::#conversion for #mark {
            fn #method(self) -> ::mcpfn::#product {
                #value
            }
        }
    }
}

/// The closure that owns what the function borrows.
fn handler(kind: MacroKind, item: &ItemFn, signature: &Signature) -> TokenStream {
    let ident = &item.sig.ident;
    let (arguments, context) = (local("__arguments", ident), local("__cx", ident));
    let given = match &signature.arguments {
        Some(ty) => Some(quote!(#arguments: #ty,)),
        // A tool and a prompt always have arguments, even if there are none to give.
        None if signature.context.is_some() && kind != MacroKind::Resource => {
            Some(quote!(_: ::mcpfn::NoArguments,))
        }
        None => None,
    };
    let passed = signature.arguments.as_ref().map(|_| quote!(#arguments,));
    let owned = signature
        .context
        .as_ref()
        .map(|_| quote!(#context: ::mcpfn::Cx));
    let lent = signature.context.as_ref().map(|_| quote!(&#context));
    // What the compiler says of the types is said under the function's name.
    quote_spanned!(place(ident)=> |#given #owned| async move { #ident(#passed #lent).await })
}

/// In the namespace of types, so the prefix is only for modules of the function's name.
fn mark(item: &ItemFn) -> Ident {
    format_ident!("__{}", item.sig.ident.unraw())
}

fn product(kind: MacroKind) -> Ident {
    Ident::new(
        match kind {
            MacroKind::Tool => "Tool",
            MacroKind::Prompt => "Prompt",
            MacroKind::Resource => "Resource",
        },
        Span::call_site(),
    )
}

/// A name that no function has, because the author's own stands among them, shown where the given
/// tokens are.
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
