//! `page!("ui://..", "file.html", connect("https://.."))`: reads a page while the server is compiled,
//! puts the files beside it into it, and judges it by the rules of `mcpfn-embed`.

use std::fs;
use std::path::{Path, PathBuf};

use mcpfn_embed::page::{Allowed, check, origin_mistake};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Token, parenthesized};

/// What an author writes for a file beside the page: before its name, behind it, and what stands
/// around its text.
const BESIDE: [[&str; 4]; 2] = [
    ["<script src=\"", "\"></script>", "<script>", "</script>"],
    [
        "<link rel=\"stylesheet\" href=\"",
        "\">",
        "<style>",
        "</style>",
    ],
];

struct PageArguments {
    uri: LitStr,
    file: LitStr,
    origins: Vec<(Ident, Vec<LitStr>)>,
}

impl Parse for PageArguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let uri = input.parse()?;
        input.parse::<Token![,]>()?;
        let (file, mut origins) = (input.parse()?, Vec::new());
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let list: Ident = input.parse()?;
            let inside;
            parenthesized!(inside in input);
            let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&inside)?;
            origins.push((list, texts.into_iter().collect()));
        }
        Ok(Self { uri, file, origins })
    }
}

/// Expands `page!`.
pub(crate) fn embed(tokens: TokenStream) -> TokenStream {
    let arguments: PageArguments = match syn::parse2(tokens) {
        Ok(arguments) => arguments,
        Err(error) => {
            let advice = "give a URI and a file, and then the origins that the page uses, such as \
                          `page!(\"ui://shop/orders\", \"pages/orders.html\", \
                          connect(\"https://api.shop.example\"))`";
            return syn::Error::new(error.span(), advice).to_compile_error();
        }
    };
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    match expand(&arguments, &package) {
        Ok(page) => page,
        Err(mistakes) => refused(&arguments, &mistakes, arguments.file.span()),
    }
}

fn refused(arguments: &PageArguments, mistakes: &[String], span: Span) -> TokenStream {
    let mut message = format!("the page `{}` can't be embedded:", arguments.file.value());
    for mistake in mistakes {
        message.push_str("\n  - ");
        message.push_str(mistake);
    }
    let error = syn::Error::new(span, message).to_compile_error();
    let uri = &arguments.uri;
    quote!({ #error ::mcpfn::page::Page::new(#uri, "<!doctype html></html>") })
}

fn expand(arguments: &PageArguments, package: &Path) -> Result<TokenStream, Vec<String>> {
    let (mut allowed, mut mistakes) = (Allowed::default(), Vec::new());
    for (list, origins) in &arguments.origins {
        let place = match list.to_string().as_str() {
            "connect" => &mut allowed.connect,
            "resources" => &mut allowed.resources,
            "frames" => &mut allowed.frames,
            "base" => &mut allowed.base,
            other => {
                mistakes.push(format!(
                    "there is no list `{other}`: they are connect, resources, frames and base"
                ));
                continue;
            }
        };
        for origin in origins.iter().map(LitStr::value) {
            if let Some(mistake) = origin_mistake(&origin, list == "resources") {
                mistakes.push(format!("`{origin}`: {mistake}"));
            }
            place.push(origin);
        }
    }
    let place = package.join(arguments.file.value());
    let mut read = vec![place.clone()];
    let html = match fs::read_to_string(&place) {
        Ok(html) => with_files(html, &place, &mut read, &mut mistakes),
        Err(error) => return Err(vec![format!("it can't be read: {error}")]),
    };
    mistakes.extend(check(&html, &allowed));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let uri = &arguments.uri;
    let origins = arguments.origins.iter();
    let origins = origins.flat_map(|(list, origins)| origins.iter().map(move |one| (list, one)));
    let calls = origins.map(|(list, origin)| quote!(.#list(#origin)));
    // the compiler reads them again, and so knows that the crate depends on them
    let read = read
        .iter()
        .map(|place| place.to_string_lossy().into_owned());
    Ok(quote!({
        #(const _: &str = ::core::include_str!(#read);)*
        ::mcpfn::page::Page::new(#uri, #html) #(#calls)*
    }))
}

/// The page with the files beside it that it names.
fn with_files(
    mut html: String,
    page: &Path,
    read: &mut Vec<PathBuf>,
    mistakes: &mut Vec<String>,
) -> String {
    let folder = page.parent().unwrap_or(Path::new(""));
    for [before, behind, open, close] in BESIDE {
        let mut from = 0;
        while let Some(start) = html[from..].find(before).map(|found| from + found) {
            let name_start = start + before.len();
            let Some(length) = html[name_start..].find(behind) else {
                break;
            };
            let name = html[name_start..name_start + length].to_owned();
            let end = name_start + length + behind.len();
            from = end;
            // of elsewhere: the check has its say
            if name.is_empty() || name.contains([':', '\\', '"']) || name.starts_with('/') {
                continue;
            }
            let place = folder.join(&name);
            match fs::read_to_string(&place) {
                Ok(text)
                    if text
                        .to_ascii_lowercase()
                        .contains(&close[..close.len() - 1]) =>
                {
                    mistakes.push(format!(
                        "`{name}` has `{close}` in it, which would end it early"
                    ));
                }
                Ok(text) => {
                    let inside = format!("{open}\n{text}{close}");
                    html.replace_range(start..end, &inside);
                    from = start + inside.len();
                    read.push(place);
                }
                Err(error) => mistakes.push(format!("`{name}` can't be read: {error}")),
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(test: &str, files: &[(&str, &str)]) -> PathBuf {
        let name = format!("mcpfn-macros-page-{test}-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        for (name, text) in files {
            fs::write(place.join(name), text).unwrap();
        }
        place
    }

    fn expanded(tokens: TokenStream, place: &Path) -> Result<String, Vec<String>> {
        let arguments = syn::parse2(tokens).unwrap();
        expand(&arguments, place).map(|tokens| tokens.to_string())
    }

    #[test]
    fn files_beside_it_are_put_into_it() {
        let html = "<!doctype html><html><head><title>a</title>\
            <link rel=\"stylesheet\" href=\"a.css\"></head>\
            <body><script src=\"a.js\"></script></body></html>";
        let place = place(
            "beside",
            &[
                ("a.html", html),
                ("a.css", "b{}"),
                ("a.js", "let a = '<b>';"),
            ],
        );
        let code = expanded(
            quote!("ui://a/b", "a.html", connect("https://a.example")),
            &place,
        );
        let code = code.unwrap();
        assert!(
            code.contains("<style>\\nb{}</style>") && code.contains("let a = '<b>';</script>"),
            "{code}"
        );
        assert!(code.contains(". connect (\"https://a.example\")"), "{code}");
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn every_mistake_is_said_at_once() {
        let html = "<html><script src=\"a.js\"></script><script src=\"no.js\"></script>\
            <img src=https://a.example/x>";
        let place = place("mistakes", &[("a.html", html), ("a.js", "'</SCRIPT >'")]);
        let tokens = quote!(
            "ui://a/b",
            "a.html",
            conect("https://a.example"),
            frames("*")
        );
        let mistakes = expanded(tokens, &place).unwrap_err();
        for part in [
            "no list `conect`",
            "`*`: an origin",
            "end it early",
            "`no.js` can't be read",
            "complete document",
            "resources(\"https://a.example\")",
        ] {
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(part)),
                "{part}: {mistakes:?}"
            );
        }
        fs::remove_dir_all(place).unwrap();
        assert!(
            embed(quote!("ui://a/b"))
                .to_string()
                .contains("give a URI and a file")
        );
        let code = embed(quote!("ui://a/b", "no/such.html")).to_string();
        assert!(
            code.contains("can't be read") && code.contains("Page :: new"),
            "{code}"
        );
    }
}
