//! Doc comments as descriptions: what a reader of the source sees is what a client shows. Not a
//! Markdown parser: lines stay as they are.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The doc comment as an expression of type `&'static str`, if there is one that says something.
pub(crate) fn description(attributes: &[Attribute]) -> Option<TokenStream> {
    let values: Vec<&Expr> = attributes.iter().filter_map(value).collect();
    let literals: Option<Vec<String>> = values.iter().map(|value| literal(value)).collect();
    match literals {
        Some(lines) => {
            let text = join(&lines);
            (!text.is_empty()).then(|| quote!(#text))
        }
        // `#[doc = include_str!("..")]` is known to the compiler only, which joins it with the
        // other lines.
        None => Some(quote!(::core::concat!(#(#values, "\n"),*).trim_ascii())),
    }
}

fn value(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(&pair.value),
        _ => None,
    }
}

fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// Takes away the space after `///` and blanks at the ends; paragraphs and lists inside stay.
fn join(comments: &[String]) -> String {
    let lines = comments.iter().flat_map(|comment| comment.split('\n'));
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::description;
    use syn::{ItemFn, parse_quote};

    fn check(item: &ItemFn, expected: Option<&str>) {
        assert_eq!(
            description(&item.attrs)
                .map(|tokens| tokens.to_string())
                .as_deref(),
            expected
        );
    }

    #[test]
    fn lines_and_paragraphs_stay() {
        let item = parse_quote! {
            ///
            /// Search the catalog.
            /// Two lines.
            ///
            ///  - an indented item
            #[inline]
            /// The end.
            fn f() {}
        };
        check(
            &item,
            Some(r#""Search the catalog.\nTwo lines.\n\n - an indented item\nThe end.""#),
        );
    }

    #[test]
    fn a_blank_comment_is_none() {
        check(
            &parse_quote!(
                /** */
                #[doc(hidden)]
                fn f() {}
            ),
            None,
        );
        check(
            &parse_quote!(
                fn f() {}
            ),
            None,
        );
    }

    #[test]
    fn included_text_is_left_to_the_compiler() {
        check(
            &parse_quote!(
                #[doc = include_str!("f.md")]
                fn f() {}
            ),
            Some(r#":: core :: concat ! (include_str ! ("f.md") , "\n") . trim_ascii ()"#),
        );
    }
}
