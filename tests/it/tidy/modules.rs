//! Which module of a crate uses which: a graph of files, read from the paths in their code. Has no
//! rule.
//!
//! A path through a re-export leads to the module that defines the name. A `mod` and a re-export of
//! a child are no use of it, and neither is what the crate's root re-exports.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::code::{Token, bare, tokens};

/// `["policy", "cache"]` for `src/policy/cache.rs`; nothing for the root.
type ModulePath = Vec<String>;

/// Uses among the modules of one crate, by their names.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

#[derive(Default)]
struct Module {
    children: HashSet<String>,
    defined: HashSet<String>,
    imports: HashMap<String, ModulePath>,
    globs: Vec<ModulePath>,
    /// Paths as the code writes them.
    used: Vec<ModulePath>,
}

/// Files of one crate as (path below `src`, text).
pub(super) fn graph<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Graph {
    let modules: HashMap<ModulePath, Module> = files
        .map(|(path, text)| {
            let path = module_path(path);
            let module = read(text, path.is_empty());
            (path, module)
        })
        .collect();
    let mut graph = Graph::new();
    for (path, module) in &modules {
        let targets = module
            .used
            .iter()
            .filter_map(|used| absolute(&modules, path, used))
            .map(|used| definer(&modules, used, 0))
            .filter(|target| target != path)
            .map(|target| shown(&target))
            .collect();
        graph.insert(shown(path), targets);
    }
    graph
}

fn shown(path: &ModulePath) -> String {
    if path.is_empty() {
        "the root".to_owned()
    } else {
        path.join("::")
    }
}

fn module_path(file: &str) -> ModulePath {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn read(text: &str, is_root: bool) -> Module {
    let code = bare(text);
    let tokens = tokens(&code);
    let mut module = Module::default();
    for pair in tokens.windows(2) {
        let declares = [
            "fn", "struct", "enum", "trait", "type", "const", "static", "union", "mod",
        ];
        if declares.contains(&pair[0].text) && pair[1].is_name() {
            module.defined.insert(pair[1].text.to_owned());
        }
    }
    for three in tokens.windows(3) {
        if three[0].text == "mod" && three[2].text == ";" {
            module.children.insert(three[1].text.to_owned());
        }
    }
    let mut at = 0;
    while at < tokens.len() {
        let follows = |text: &str| tokens.get(at + 1).is_some_and(|next| next.text == text);
        let before = at.checked_sub(1).map(|before| tokens[before].text);
        if tokens[at].text == "use" && !follows("<") {
            let is_public = matches!(before, Some("pub" | ")"));
            let mut leaves = Vec::new();
            at = use_tree(&tokens, at + 1, &[], &mut leaves);
            for leaf in leaves {
                let is_child = leaf
                    .path
                    .first()
                    .is_some_and(|first| first == "self" || module.children.contains(first));
                if !(is_public && (is_root || is_child)) {
                    module.used.push(leaf.path.clone());
                }
                match leaf.name {
                    Some(name) => _ = module.imports.insert(name, leaf.path),
                    None => module.globs.push(leaf.path),
                }
            }
        } else if tokens[at].is_name() && follows("::") && !matches!(before, Some("::" | "in")) {
            let end = end_of_path(&tokens, at);
            let path: ModulePath = tokens[at..end]
                .iter()
                .filter(|token| token.text != "::")
                .map(|token| token.text.to_owned())
                .collect();
            let first = path[0].as_str();
            if matches!(first, "crate" | "self" | "super") || module.children.contains(first) {
                module.used.push(path);
            }
            at = end;
        } else {
            at += 1;
        }
    }
    module
}

fn end_of_path(tokens: &[Token<'_>], from: usize) -> usize {
    let mut end = from + 1;
    while tokens.get(end).is_some_and(|token| token.text == "::")
        && tokens.get(end + 1).is_some_and(Token::is_name)
    {
        end += 2;
    }
    end
}

/// One name that a `use` brings; none for `*`.
struct Leaf {
    path: ModulePath,
    name: Option<String>,
}

/// Reads a tree of a `use`, up to what ends it; gives the position after it.
fn use_tree(
    tokens: &[Token<'_>],
    mut at: usize,
    prefix: &[String],
    leaves: &mut Vec<Leaf>,
) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = use_tree(tokens, at, &path, leaves);
                    if tokens.get(at).is_some_and(|token| token.text == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "*" => {
                leaves.push(Leaf { path, name: None });
                return at + 1;
            }
            "as" => {
                let name = tokens.get(at + 1).map(|token| token.text.to_owned());
                leaves.push(Leaf { path, name });
                return at + 2;
            }
            // `a::{self, b}`
            "self" if !path.is_empty() => at += 1,
            name if token.is_name() => {
                path.push(name.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    let name = path.last().cloned();
    leaves.push(Leaf { path, name });
    at
}

/// A path from the crate's root; none for one that leads into another crate.
fn absolute(
    modules: &HashMap<ModulePath, Module>,
    from: &ModulePath,
    path: &ModulePath,
) -> Option<ModulePath> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" => from.clone(),
        "super" => from.split_last()?.1.to_vec(),
        child if modules[from].children.contains(child) => {
            return Some([from.as_slice(), path.as_slice()].concat());
        }
        _ => return None,
    };
    let ups = rest.iter().take_while(|step| *step == "super").count();
    base.truncate(base.len().saturating_sub(ups));
    base.extend_from_slice(&rest[ups..]);
    Some(base)
}

/// The module that defines what a path leads to.
fn definer(modules: &HashMap<ModulePath, Module>, path: ModulePath, turns: usize) -> ModulePath {
    let known = (0..=path.len())
        .rev()
        .find(|length| modules.contains_key(&path[..*length]))
        .unwrap_or_default();
    let module = path[..known].to_vec();
    let (Some(name), Some(found)) = (path.get(known), modules.get(&module)) else {
        return module;
    };
    // re-exports may lead to re-exports
    if turns > 8 {
        return module;
    }
    if let Some(import) = found.imports.get(name)
        && let Some(mut target) = absolute(modules, &module, import)
    {
        target.extend_from_slice(&path[known + 1..]);
        return definer(modules, target, turns + 1);
    }
    if found.defined.contains(name) {
        return module;
    }
    let through = |glob: &ModulePath| {
        let target = definer(modules, absolute(modules, &module, glob)?, turns + 1);
        let defines = modules.get(&target)?.defined.contains(name);
        defines.then_some(target)
    };
    found.globs.iter().find_map(through).unwrap_or(module)
}

/// Modules that use each other, also by way of others: each list is one circle, or several that
/// share a module.
pub(super) fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph
        .keys()
        .map(|from| (from, reachable(graph, from)))
        .collect();
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    for module in graph.keys() {
        let circle: Vec<String> = reached[module]
            .iter()
            .filter(|other| {
                reached
                    .get(**other)
                    .is_some_and(|back| back.contains(module))
            })
            .map(|other| (*other).clone())
            .collect();
        if !circle.is_empty() && !seen.contains(module) {
            seen.extend(circle.iter().cloned());
            circles.push(circle);
        }
    }
    circles
}

/// Everything that a module uses, also by way of others; itself only if it is in a circle.
fn reachable<'g>(graph: &'g Graph, from: &String) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<&String> = graph[from].iter().collect();
    while let Some(module) = left.pop() {
        if reached.insert(module) {
            left.extend(graph.get(module).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn paths_lead_to_the_module_that_defines_the_name() {
    let files = [
        (
            "lib.rs",
            "mod a; mod b; mod c; mod d; pub use a::Thing; pub use c::*; pub fn helper() {}",
        ),
        (
            "a.rs",
            "mod inner; pub(crate) use inner::Deep; pub struct Thing; fn f() { crate::helper() }",
        ),
        ("a/inner.rs", "pub struct Deep; use super::Thing;"),
        (
            "b.rs",
            "use crate::{Thing as Other, a::{self, Deep}}; use other::x; /* crate::d::No */",
        ),
        ("c.rs", "pub struct Globbed;"),
        (
            "d.rs",
            "fn g() -> impl Sized + use<> { super::Globbed } #[cfg(test)] mod tests { use crate::b; }",
        ),
    ];
    let graph = graph(files.into_iter());
    let uses = |module: &str| graph[module].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(uses("the root"), [""; 0]);
    assert_eq!(uses("a"), ["the root"]);
    assert_eq!(uses("a::inner"), ["a"]);
    assert_eq!(uses("b"), ["a", "a::inner"]);
    assert_eq!(uses("d"), ["c"]);
    assert!(circles(&graph).is_empty());
}

#[test]
fn circles_are_found_with_their_members() {
    let files = [
        (
            "main.rs",
            "mod a; mod b; mod c; mod d; fn main() { a::go() }",
        ),
        ("a.rs", "use crate::b::B; pub fn go() {}"),
        ("b.rs", "pub struct B; fn f() { crate::c::work() }"),
        (
            "c.rs",
            "use crate::a; pub fn work() { a::go(); crate::d::end() }",
        ),
        ("d.rs", "mod child; fn f() { child::work() } pub struct D;"),
        ("d/child.rs", "use super::D; pub fn work() {}"),
    ];
    let found = circles(&graph(files.into_iter()));
    assert_eq!(found, [vec!["a", "b", "c"], vec!["d", "d::child"]]);
}
