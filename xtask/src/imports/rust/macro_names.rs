//! Finds the names that macro calls define in a module. The macros are not expanded.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, ItemMacro};

use super::modules::{Definition, ModuleId, Spaces, Tree, What};
use super::resolve::Found;
use super::uses::name_of;

/// Adds to each module the names that its macro calls define, or may define.
pub fn define(tree: &mut Tree) {
    for id in 0..tree.modules.len() {
        let (mut defined, mut possible) = (vec![], HashSet::new());
        for call in tree.modules[id].items.iter().filter_map(as_macro).filter(|item| item.ident.is_none()) {
            for tokens in [vec![call.mac.tokens.clone()], bodies(tree, id, call)].concat() {
                defined.extend(declared(tokens.clone()));
                names(tokens, &mut possible);
            }
        }
        let module = &mut tree.modules[id];
        for name in defined {
            let definition = Definition { spaces: Spaces::ALL, seen_in: 0, what: What::Item(id) };
            module.names.entry(name).or_insert_with(|| vec![definition]);
        }
        module.may_define = possible;
    }
}

fn as_macro(item: &Item) -> Option<&ItemMacro> {
    match item {
        Item::Macro(item) => Some(item),
        _ => None,
    }
}

/// Returns what the macro that is called can expand to, if this crate defines it.
fn bodies(tree: &Tree, module: ModuleId, call: &ItemMacro) -> Vec<TokenStream> {
    let path: Vec<_> = call.mac.path.segments.iter().map(|segment| name_of(&segment.ident)).collect();
    let mut bodies = vec![];
    for found in tree.resolve(module, &path, Spaces::MACROS) {
        let Found::Item { module: home, name, .. } = found else { continue };
        let macros = tree.modules[home].items.iter().filter_map(as_macro);
        for definition in macros.filter(|item| item.ident.as_ref().is_some_and(|ident| name_of(ident) == name)) {
            bodies.extend(expansions(definition.mac.tokens.clone()));
        }
    }
    bodies
}

/// Returns the right-hand sides of a macro's rules.
fn expansions(rules: TokenStream) -> Vec<TokenStream> {
    let groups = rules.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    groups.skip(1).step_by(2).collect()
}

/// Returns the names of the items among the tokens, without those inside brackets.
fn declared(tokens: TokenStream) -> Vec<String> {
    const KEYWORDS: &[&str] = &["struct", "enum", "union", "trait", "type", "fn", "const", "static"];
    let is_mut = |token: &TokenTree| matches!(token, TokenTree::Ident(name) if name == "mut");
    let mut tokens: Vec<_> = tokens.into_iter().filter(|token| !is_mut(token)).collect();
    // A lifetime `'static` and a pointer `*const` are no items.
    for index in (1..tokens.len()).rev() {
        if matches!(&tokens[index - 1], TokenTree::Punct(quote) if ['\'', '*'].contains(&quote.as_char())) {
            tokens.remove(index);
        }
    }
    let names = tokens.windows(2).filter_map(|pair| match pair {
        [TokenTree::Ident(keyword), TokenTree::Ident(name)] if KEYWORDS.iter().any(|word| keyword == word) => {
            Some(name_of(name))
        }
        _ => None,
    });
    names.filter(|name| !KEYWORDS.contains(&name.as_str())).collect()
}

fn names(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(found.insert(name_of(&name))),
            TokenTree::Group(group) => names(group.stream(), found),
            _ => {}
        }
    }
}
