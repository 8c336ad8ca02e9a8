//! Expansions as text: the shape that the documentation promises. That they compile is shown by the tests in `tests/`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::File;

use super::function;
use crate::attr::Kind;

fn check(kind: Kind, attribute: TokenStream, item: &TokenStream, expected: TokenStream) {
    let file = |tokens| syn::parse2::<File>(tokens).unwrap().into_token_stream().to_string();
    assert_eq!(file(function(kind, attribute, item)), file(expected));
}

#[test]
fn a_tool_with_everything() {
    check(
        Kind::Tool,
        quote!(read_only, timeout = "5s", title = "Search", destructive = false, idempotent = false),
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
            #[allow(non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub struct search;

            #[cfg(unix)]
            #[allow(deprecated, dead_code, clippy::needless_pass_by_value)]
            const _: () = {
                #[inline]
                #[allow(dead_code)]
                async fn search(Search { text }: Search, cx: &Cx) -> Result<Vec<Product>, ToolError> {
                    find(text, cx).await
                }
                impl ::mcpfn::IntoTool for search {
                    fn into_tool(self) -> ::mcpfn::Tool {
                        let __callee = *self;
                        ::mcpfn::Tool::new("search")
                            .describe("Search the catalog.")
                            .read_only()
                            .timeout(::core::time::Duration::from_millis(5000u64))
                            .title("Search")
                            .destructive(false)
                            .handler(move |__arguments: Search, __cx: ::mcpfn::Cx| async move {
                                __callee(__arguments, &__cx).await
                            })
                    }
                }
                impl ::core::ops::Deref for search {
                    type Target = for<'cx> fn(Search, &'cx ::mcpfn::Cx)
                        -> ::mcpfn::BoxFuture<'cx, Result<Vec<Product>, ToolError>>;

                    fn deref(&self) -> &Self::Target {
                        const CALLEE: <search as ::core::ops::Deref>::Target =
                            |__arguments, __cx| ::std::boxed::Box::pin(search(__arguments, __cx));
                        &CALLEE
                    }
                }
            };
        },
    );
}

#[test]
fn a_resource_that_does_not_wait() {
    check(
        Kind::Resource,
        quote!("catalog://schema", name = "schema", mime = "text/plain", description = "The schema."),
        &quote!(
            fn catalog_schema(_: &Cx) -> &'static str {
                SCHEMA
            }
        ),
        quote! {
            #[doc = "The schema."]
            #[allow(non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct catalog_schema;

            #[allow(deprecated, dead_code, clippy::needless_pass_by_value)]
            const _: () = {
                fn catalog_schema(_: &Cx) -> &'static str {
                    SCHEMA
                }
                impl ::mcpfn::IntoResource for catalog_schema {
                    fn into_resource(self) -> ::mcpfn::Resource {
                        let __callee = *self;
                        ::mcpfn::Resource::new("catalog://schema", "schema")
                            .mime("text/plain")
                            .describe("The schema.")
                            .handler(move |__cx: ::mcpfn::Cx| async move { __callee(&__cx).await })
                    }
                }
                impl ::core::ops::Deref for catalog_schema {
                    type Target = for<'cx> fn(&'cx ::mcpfn::Cx) -> ::mcpfn::BoxFuture<'cx, &'static str>;

                    fn deref(&self) -> &Self::Target {
                        const CALLEE: <catalog_schema as ::core::ops::Deref>::Target =
                            |__cx| ::std::boxed::Box::pin(async move { catalog_schema(__cx) });
                        &CALLEE
                    }
                }
            };
        },
    );
}

#[test]
fn a_function_that_is_refused_still_registers() {
    check(
        Kind::Prompt,
        TokenStream::new(),
        &quote! {
            /// Generic.
            fn generic<T>() {}
        },
        quote! {
            ::core::compile_error! { "it is one concrete function: remove the generic parameters" }
            /// Generic.
            #[allow(non_camel_case_types)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            struct generic;

            #[allow(deprecated, dead_code, clippy::needless_pass_by_value)]
            const _: () = {
                fn generic<T>() {}
                impl ::mcpfn::IntoPrompt for generic {
                    fn into_prompt(self) -> ::mcpfn::Prompt {
                        ::mcpfn::Prompt::new("generic").describe("Generic.")
                    }
                }
            };
        },
    );
}
