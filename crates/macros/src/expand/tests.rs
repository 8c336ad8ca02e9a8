//! Expansions as text: the shape that the documentation promises. That they compile is shown by the
//! tests in `tests/`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::File;

use super::function;
use crate::attr::MacroKind;

fn check(kind: MacroKind, attribute: TokenStream, item: &TokenStream, expected: TokenStream) {
    let file = |tokens| {
        syn::parse2::<File>(tokens)
            .unwrap()
            .into_token_stream()
            .to_string()
    };
    assert_eq!(file(function(kind, attribute, item)), file(expected));
}

#[test]
fn a_tool_with_everything() {
    check(
        MacroKind::Tool,
        quote!(
            read_only,
            timeout = "5s",
            title = "Search",
            destructive = false,
            idempotent = false
        ),
        &quote! {
            /// Search the catalog.
            #[cfg(unix)]
            #[inline]
            #[allow(dead_code)]
            pub async fn search(Search { text }: Search, cx: &Cx) -> Result<Vec<Product>, ToolError> {
                find(text, cx).await
            }
        },
        quote! {
            /// Search the catalog.
            #[cfg(unix)]
            #[allow(dead_code)]
            pub fn search<'cx>(
                __arguments: Search,
                __cx: &'cx ::mcpfn::Cx
            ) -> ::mcpfn::handler::HandlerFuture<'cx, __search, Result<Vec<Product>, ToolError> > {
                #[allow(dead_code, clippy::needless_pass_by_value)]
                #[inline]
                #[allow(dead_code)]
                async fn search(Search { text }: Search, cx: &Cx) -> Result<Vec<Product>, ToolError> {
                    find(text, cx).await
                }
                ::mcpfn::handler::HandlerFuture::new(search(__arguments, __cx))
            }

            #[cfg(unix)]
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default
            )]
            pub struct __search {}

            #[cfg(unix)]
            #[allow(deprecated)]
            impl ::mcpfn::handler::IntoTool for __search {
                fn into_tool(self) -> ::mcpfn::Tool {
                    ::mcpfn::Tool::new("search")
                        .description(::mcpfn::__private::paragraphs("Search the catalog."))
                        .read_only()
                        .timeout(::core::time::Duration::from_millis(5000u64))
                        .title("Search")
                        .destructive(false)
                        .handler(|__arguments: Search, __cx: ::mcpfn::Cx| async move {
                            search(__arguments, &__cx).await
                        })
                }
            }
        },
    );
}

#[test]
fn a_resource_that_does_not_wait() {
    check(
        MacroKind::Resource,
        quote!(
            "catalog://schema",
            name = "schema",
            mime = "text/plain",
            description = "The schema."
        ),
        &quote!(
            fn catalog_schema(_: &Cx) -> &'static str {
                SCHEMA
            }
        ),
        quote! {
            #[doc = "The schema."]
            fn catalog_schema<'cx>(
                __cx: &'cx ::mcpfn::Cx
            ) -> ::mcpfn::handler::HandlerFuture<'cx, __catalog_schema, &'static str> {
                #[allow(dead_code, clippy::needless_pass_by_value)]
                fn catalog_schema(_: &Cx) -> &'static str {
                    SCHEMA
                }
                ::mcpfn::handler::HandlerFuture::new(async move { catalog_schema(__cx) })
            }

            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default
            )]
            struct __catalog_schema {}

            #[allow(deprecated)]
            impl ::mcpfn::handler::IntoResource for __catalog_schema {
                fn into_resource(self) -> ::mcpfn::Resource {
                    ::mcpfn::Resource::new("catalog://schema", "schema")
                        .mime("text/plain")
                        .description("The schema.")
                        .handler(|__cx: ::mcpfn::Cx| async move { catalog_schema(&__cx).await })
                }
            }
        },
    );
}

#[test]
fn a_function_that_is_refused_still_registers() {
    check(
        MacroKind::Prompt,
        TokenStream::new(),
        &quote! {
            /// Generic.
            fn generic<T>() {}
        },
        quote! {
            ::core::compile_error! { "it is one concrete function: remove the generic parameters" }
            /// Generic.
            fn generic() -> ::mcpfn::handler::HandlerFuture<'static, __generic, ()> {
                #[allow(dead_code, clippy::needless_pass_by_value)]
                fn generic<T>() {}
                ::mcpfn::handler::HandlerFuture::new(async {})
            }

            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default
            )]
            struct __generic {}

            #[allow(deprecated)]
            impl ::mcpfn::handler::IntoPrompt for __generic {
                fn into_prompt(self) -> ::mcpfn::Prompt {
                    ::mcpfn::Prompt::new("generic").description(::mcpfn::__private::paragraphs("Generic."))
                }
            }
        },
    );
}
