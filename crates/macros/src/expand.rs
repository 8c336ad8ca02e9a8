//! What the function becomes: a unit struct of its name that registers and can be called. Emits calls to the public
//! builder only; everything here could be written by hand.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Error, ItemFn};

use crate::attr::{Kind, Settings};
use crate::check::{self, Signature};
use crate::doc;
use crate::errors::Errors;

/// Expands `#[tool]`, `#[prompt]` and `#[resource]`.
pub(crate) fn function(kind: Kind, attribute: TokenStream, original: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let settings = Settings::read(kind, attribute, &mut errors);
    let item: ItemFn = match syn::parse2(original.clone()) {
        Ok(item) => item,
        Err(error) => {
            errors.add(Error::new(error.span(), format!("#[{}] belongs on a function: {error}", kind.word())));
            let errors = errors.into_tokens();
            return quote!(#errors #original);
        }
    };
    let written = settings.description.as_ref().map(ToTokens::to_token_stream);
    let description = written.or_else(|| doc::description(&item.attrs));
    let signature = check::signature(kind, &item, &mut errors);
    let arguments = signature.as_ref().and_then(|signature| signature.arguments.as_ref());
    let fits = check::together(kind, &settings, &item, description.is_some(), arguments, &mut errors);
    let errors = errors.into_tokens();
    if item.sig.receiver().is_some() {
        // Inside an `impl` there is no place for a struct.
        return quote!(#errors #original);
    }
    let registered = builder(kind, &settings, &item, description.as_ref());
    let code = match &signature {
        Some(signature) if fits => {
            let handler = handler(kind, &item, signature);
            let callee = callee(&item, signature);
            let callee_name = local("__callee", &item.sig.ident);
            let value = quote!(let #callee_name = *self; #registered.handler(#handler));
            let registrar = registrar(kind, &item, &value);
            quote!(#registrar #callee)
        }
        // Still registers, so that `.tool(..)` elsewhere does not complain as well.
        _ => registrar(kind, &item, &registered),
    };
    let emitted = emit(&item, description.as_ref(), &code);
    quote!(#errors #emitted)
}

/// The struct, and a scope that keeps the function itself under its own name.
fn emit(item: &ItemFn, description: Option<&TokenStream>, code: &TokenStream) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.sig.ident);
    let of = |words: &'static [&'static str]| {
        item.attrs.iter().filter(move |attribute| named(attribute, words))
    };
    let conditions = of(&["cfg"]);
    let on_struct = of(&["cfg", "doc", "deprecated", "allow", "warn", "deny", "forbid"]);
    let documented = of(&["doc"]).next().is_some();
    let docs = description.filter(|_| !documented).map(|text| quote!(#[doc = #text]));
    let inner = ItemFn {
        attrs: item.attrs.iter().filter(|attribute| !named(attribute, &["cfg", "doc", "deprecated"])).cloned().collect(),
        vis: syn::Visibility::Inherited,
        ..item.clone()
    };
    quote! {
        #(#on_struct)*
        #docs
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #ident;

        #(#conditions)*
        #[allow(deprecated, dead_code)]
        const _: () = {
            #inner
            #code
        };
    }
}

/// `::mcpfn::Tool::new("name").describe("..")` and the rest of the attribute, without the handler.
fn builder(kind: Kind, settings: &Settings, item: &ItemFn, description: Option<&TokenStream>) -> TokenStream {
    let ident = &item.sig.ident;
    let product = product(kind);
    let name = match &settings.name {
        Some(name) => name.to_token_stream(),
        None => ident.unraw().to_string().to_token_stream(),
    };
    let uri = (kind == Kind::Resource).then(|| match &settings.uri {
        Some(uri) => quote!(#uri,),
        None => quote!("",),
    });
    let texts = [("title", &settings.title), ("mime", &settings.mime)];
    let texts = texts.into_iter().filter_map(|(method, text)| {
        let method = format_ident!("{method}");
        text.as_ref().map(|text| quote!(.#method(#text)))
    });
    let flags = [("read_only", settings.read_only), ("idempotent", settings.idempotent)];
    let flags = flags.into_iter().filter(|(_, flag)| *flag == Some(true)).map(|(method, _)| {
        let method = format_ident!("{method}");
        quote!(.#method())
    });
    let hints = [("destructive", settings.destructive), ("open_world", settings.open_world)];
    let hints = hints.into_iter().filter_map(|(method, hint)| {
        let method = format_ident!("{method}");
        hint.map(|hint| quote!(.#method(#hint)))
    });
    let description = description.map(|text| quote!(.describe(#text)));
    let timeout = settings.timeout.map(|milliseconds| quote!(.timeout(::core::time::Duration::from_millis(#milliseconds))));
    quote!(::mcpfn::#product::new(#uri #name) #description #(#texts)* #(#flags)* #(#hints)* #timeout)
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

/// The closure that owns what the function borrows.
fn handler(kind: Kind, item: &ItemFn, signature: &Signature) -> TokenStream {
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
    quote_spanned!(place(&item.sig.ident)=> move |#given #owned| async move { #callee(#passed #lent).await })
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
    // A private type in here is the name's fault: the struct is more visible than the type.
    let target = quote_spanned! {place(ident)=>
        type Target = #quantified fn(#types #borrowed) -> ::mcpfn::BoxFuture<#lifetime, #output>;
    };
    quote! {
        impl ::core::ops::Deref for #ident {
            #target

            fn deref(&self) -> &Self::Target {
                const CALLEE: <#ident as ::core::ops::Deref>::Target = |#names #context| ::std::boxed::Box::pin(#future);
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
