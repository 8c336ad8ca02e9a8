//! `#[input]` and `#[output]`: serde's and schemars' derives through mcpfn's own copies, so that an
//! author's crate needs neither. Not a third derive: their attributes on the fields keep their
//! meaning.
//!
//! The two attributes find each other by the schemars attribute that the first one leaves behind,
//! not by name: one may be renamed on import, and the one that ran is gone.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitStr, Meta, parse_quote};

use crate::errors::Errors;

const NO_ARGUMENT: &str =
    "#[input(..)] is for the fields of a struct: only these are arguments by their names";
const FIELD_KEYS: &str = "#[input(..)] of a field knows old_name = \"..\" and deprecated = \"..\"";

/// Which of the two is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Input,
    Output,
}

/// Expands `#[input]` and `#[output]`.
pub(crate) fn item(side: Side, attribute: TokenStream, original: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let word = match side {
        Side::Input => "input",
        Side::Output => "output",
    };
    if !attribute.is_empty() {
        let sentence =
            format!("#[{word}] takes no keys: write #[serde(..)] or #[schemars(..)] below it");
        errors.at(attribute, sentence);
    }
    let mut item: DeriveInput = match syn::parse2(original.clone()) {
        Ok(item) => item,
        Err(error) => {
            errors.misplaced(word, "a struct or an enum", &error);
            let errors = errors.into_tokens();
            return quote!(#errors #original);
        }
    };
    let second = item
        .attrs
        .iter()
        .any(|attribute| attribute.to_token_stream().to_string() == schemars().to_string());
    let strictness = (side == Side::Input && wants_strictness(&item))
        .then(|| quote!(#[serde(deny_unknown_fields)]));
    if second && strictness.is_some() {
        let sentence = "put #[input] above #[output]: the first of them makes the schema, which \
            has to say that unknown fields are refused";
        errors.at(&item.ident, sentence);
    }
    if side == Side::Input {
        outlived(&mut item, &mut errors);
    }
    let direction = match side {
        Side::Input => quote!(Deserialize),
        Side::Output => quote!(Serialize),
    };
    let shared = (!second).then(|| {
        let schemars = schemars();
        quote! {
            #[derive(::mcpfn::__private::schemars::JsonSchema)]
            #[serde(crate = "::mcpfn::__private::serde")]
            #schemars
        }
    });
    let marker = (side == Side::Output).then(|| structured(&item));
    let errors = errors.into_tokens();
    quote! {
        #errors
        #[derive(::mcpfn::__private::serde::#direction)]
        #shared
        #strictness
        #item
        #marker
    }
}

/// What the first of the two attributes leaves behind.
fn schemars() -> TokenStream {
    quote!(#[schemars(crate = "::mcpfn::__private::schemars")])
}

/// Unknown fields are refused wherever serde can do it, unless the author said it or has a use for
/// them.
fn wants_strictness(item: &DeriveInput) -> bool {
    let Data::Struct(data) = &item.data else {
        return false;
    };
    let Fields::Named(fields) = &data.fields else {
        return false;
    };
    let flattens = fields
        .named
        .iter()
        .any(|field| says(&field.attrs, "flatten"));
    !flattens && !says(&item.attrs, "deny_unknown_fields")
}

/// `#[input(old_name = "..")]` and `#[input(deprecated = "..")]` of the fields, as members of the
/// schema, where the server reads them.
fn outlived(item: &mut DeriveInput, errors: &mut Errors) {
    let fields: Vec<(bool, &mut Field)> = match &mut item.data {
        Data::Struct(data) => {
            let named = matches!(data.fields, Fields::Named(_));
            data.fields.iter_mut().map(|field| (named, field)).collect()
        }
        Data::Enum(data) => {
            let variants = data.variants.iter_mut();
            let fields = variants.flat_map(|variant| variant.fields.iter_mut());
            fields.map(|field| (false, field)).collect()
        }
        Data::Union(_) => Vec::new(),
    };
    for (is_argument, field) in fields {
        let (mut old_names, mut members) = (Vec::new(), Vec::new());
        let is_own = |attribute: &Attribute| attribute.path().is_ident("input");
        for attribute in field.attrs.iter().filter(|attribute| is_own(attribute)) {
            if !is_argument {
                errors.at(attribute, NO_ARGUMENT);
                continue;
            }
            let read = attribute.parse_nested_meta(|key| {
                if key.path.is_ident("old_name") {
                    old_names.push(key.value()?.parse::<LitStr>()?);
                } else if key.path.is_ident("deprecated") {
                    let advice: LitStr = key.value()?.parse()?;
                    members.push(quote!("x-deprecated" = #advice));
                } else {
                    return Err(key.error(FIELD_KEYS));
                }
                Ok(())
            });
            if let Err(error) = read {
                errors.add(error);
            }
        }
        field.attrs.retain(|attribute| !is_own(attribute));
        if !old_names.is_empty() {
            members.push(quote!("x-old-names" = [#(#old_names),*]));
        }
        let schema = members
            .iter()
            .map(|member| -> Attribute { parse_quote!(#[schemars(extend(#member))]) });
        field.attrs.extend(schema);
    }
}

/// Whether one of the `#[serde(..)]` has this word at its top level.
fn says(attributes: &[Attribute], word: &str) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .any(|attribute| {
            let Meta::List(list) = &attribute.meta else {
                return false;
            };
            list.tokens
                .clone()
                .into_iter()
                .any(|token| matches!(token, TokenTree::Ident(ident) if ident == word))
        })
}

fn structured(item: &DeriveInput) -> TokenStream {
    let ident = &item.ident;
    let conditions = item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    let (parameters, arguments, _) = item.generics.split_for_impl();
    let bounds = item
        .generics
        .where_clause
        .iter()
        .flat_map(|bounds| &bounds.predicates);
    // The derives choose the bounds of a generic type; asking for their result repeats no rule of
    // theirs.
    let derived = item
        .generics
        .type_params()
        .next()
        .map(|_| quote!(Self: ::mcpfn::__private::serde::Serialize + ::mcpfn::__private::schemars::JsonSchema));
    quote! {
        #(#conditions)*
        impl #parameters ::mcpfn::handler::Structured for #ident #arguments where #(#bounds,)* #derived {}
    }
}
