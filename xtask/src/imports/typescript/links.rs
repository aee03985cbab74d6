//! Reads what a TypeScript module imports, re-exports and exports.

use std::collections::BTreeSet;

use super::tokens::Token;
use super::variables;
use crate::imports::sources::is_script;

#[derive(Default)]
pub struct Module {
    pub links: Vec<Link>,
    /// The names that it defines and exports.
    pub exports: BTreeSet<String>,
    /// Whether the module consists of re-exports alone.
    pub is_facade: bool,
}

pub struct Link {
    pub from: String,
    /// The imported names; empty if the other module is imported only for its side effects.
    pub names: Vec<Name>,
    pub is_re_export: bool,
}

pub struct Name {
    /// The name in the other module; `*` for the whole module.
    pub there: String,
    /// The name in this module; `*` for `export *` and `import(…)`.
    pub here: String,
}

pub fn module(tokens: &[Token]) -> Module {
    let mut reader = Reader { tokens, at: 0, module: Module { is_facade: true, ..Module::default() } };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.module.is_facade &= !reader.module.links.is_empty();
    reader.module
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    module: Module,
}

impl Reader<'_> {
    fn step(&mut self) {
        // `import` and `export` are also allowed as names of properties.
        let is_name = self.at > 0 && self.tokens[self.at - 1] == Token::Sign('.') || self.sign(self.at + 1, ':');
        let done = match self.word(self.at) {
            Some("import") if !is_name => self.import(),
            Some("export") if !is_name => self.export(),
            Some("require") if !is_name => self.require(),
            Some("URL") if !is_name => self.url(),
            _ => false,
        };
        if !done {
            self.module.is_facade &= self.sign(self.at, ';');
            self.at += 1;
        }
    }

    /// Reads an import, and returns whether it was one.
    fn import(&mut self) -> bool {
        self.module.is_facade = false;
        if self.sign(self.at + 1, '(') {
            let Some(from) = self.text(self.at + 2) else { return false };
            self.link(from.to_owned(), vec![name("*", "*")], false, self.at + 3);
            return true;
        }
        if let Some(from) = self.text(self.at + 1) {
            self.link(from.to_owned(), vec![], false, self.at + 2);
            return true;
        }
        self.clause_and_source(false)
    }

    /// Reads `require("…")`, also that of `import b = require("…")`.
    fn require(&mut self) -> bool {
        let from = self.text(self.at + 2).filter(|_| self.sign(self.at + 1, '(')).map(str::to_owned);
        let Some(from) = from else { return false };
        self.module.is_facade = false;
        self.link(from, vec![name("*", "*")], false, self.at + 3);
        true
    }

    /// Reads `URL("…", import.meta.url)`, which names the file of a worker. Files other than scripts are assets.
    fn url(&mut self) -> bool {
        let is_here =
            self.sign(self.at + 1, '(') && self.sign(self.at + 3, ',') && self.word(self.at + 4) == Some("import");
        let Some(from) = self.text(self.at + 2).filter(|from| is_here && is_script(from)) else { return false };
        // A relative URL need not begin with a dot.
        let from = if from.starts_with('.') || from.starts_with('/') { from.to_owned() } else { format!("./{from}") };
        self.module.is_facade = false;
        self.link(from, vec![name("*", "*")], false, self.at + 3);
        true
    }

    fn export(&mut self) -> bool {
        if self.clause_and_source(true) {
            return true;
        }
        self.module.is_facade = false;
        let (names, end) = self.clause(self.at + 1);
        if self.braces_after(self.at + 1) {
            self.module.exports.extend(names.into_iter().map(|name| name.here));
            self.at = end;
            return true;
        }
        let exported = self.declared(self.at + 1);
        self.module.exports.extend(exported);
        false
    }

    /// Reads `type`, names and `from "…"`, and returns whether they were there.
    fn clause_and_source(&mut self, is_re_export: bool) -> bool {
        let (names, end) = self.clause(self.at + 1);
        match (self.word(end), self.text(end + 1)) {
            (Some("from"), Some(from)) if !names.is_empty() || self.braces_after(self.at + 1) => {
                self.link(from.to_owned(), names, is_re_export, end + 2);
                true
            }
            _ => false,
        }
    }

    fn link(&mut self, from: String, names: Vec<Name>, is_re_export: bool, end: usize) {
        self.module.links.push(Link { from, names, is_re_export });
        self.at = end;
    }

    /// Returns the names before `from`, and the index after them.
    fn clause(&self, start: usize) -> (Vec<Name>, usize) {
        let mut names = vec![];
        let mut at = self.after_type(start);
        loop {
            if self.sign(at, '{') {
                let end = self.closing_brace(at);
                let entries = self.tokens[at + 1..end].split(|token| *token == Token::Sign(','));
                names.extend(entries.filter_map(entry));
                at = end + 1;
            } else if self.sign(at, '*') {
                let is_named = self.word(at + 1) == Some("as");
                names.push(name("*", if is_named { self.word(at + 2).unwrap_or("*") } else { "*" }));
                at += if is_named { 3 } else { 1 };
            } else if let Some(default) = self.word(at).filter(|word| *word != "from") {
                names.push(name("default", default));
                at += 1;
            }
            if !self.sign(at, ',') {
                return (names, at);
            }
            at += 1;
        }
    }

    fn after_type(&self, at: usize) -> usize {
        let has_more =
            self.sign(at + 1, '{') || self.sign(at + 1, '*') || self.word(at + 1).is_some_and(|word| word != "from");
        if self.word(at) == Some("type") && has_more { at + 1 } else { at }
    }

    fn braces_after(&self, at: usize) -> bool {
        self.sign(self.after_type(at), '{')
    }

    fn closing_brace(&self, open: usize) -> usize {
        let closing = self.tokens[open..].iter().position(|token| *token == Token::Sign('}'));
        closing.map_or(self.tokens.len(), |length| open + length)
    }

    /// Returns the names of an exported declaration.
    fn declared(&self, start: usize) -> Vec<String> {
        const MODIFIERS: &[&str] =
            &["declare", "abstract", "async", "function", "class", "interface", "type", "enum", "namespace", "module"];
        const VARIABLES: &[&str] = &["const", "let", "var"];
        let mut at = start;
        while self.sign(at, '*') || self.word(at).is_some_and(|word| MODIFIERS.contains(&word)) {
            at += 1;
        }
        let is_enum = self.word(at + 1) == Some("enum");
        match self.word(at) {
            Some("const") if is_enum => self.word(at + 2).map(str::to_owned).into_iter().collect(),
            Some(word) if VARIABLES.contains(&word) => variables::names(&self.tokens[at + 1..]),
            word => word.map(str::to_owned).into_iter().collect(),
        }
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn text(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some(Token::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at) == Some(&Token::Sign(sign))
    }
}

/// Reads one of the names in braces, such as `type a as b`.
fn entry(tokens: &[Token]) -> Option<Name> {
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_str()),
        _ => None,
    });
    let mut words: Vec<_> = words.collect();
    if words.len() > 1 && words[0] == "type" && words[1] != "as" {
        words.remove(0);
    }
    Some(name(words.first()?, words.last()?))
}

fn name(there: &str, here: &str) -> Name {
    Name { there: there.to_owned(), here: here.to_owned() }
}
