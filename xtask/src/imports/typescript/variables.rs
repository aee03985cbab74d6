//! Reads the names that a `const`, `let` or `var` declares.

use super::tokens::Token;

/// Returns the names of all declarators at the start of the tokens, including those in patterns.
pub fn names(tokens: &[Token]) -> Vec<String> {
    let mut names = vec![];
    let mut depth = 0_usize;
    let mut is_start = true;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        match token {
            Token::Sign('{' | '[') if is_start && depth == 0 => names.extend(bound(&tokens[at..])),
            Token::Word(word) if is_start && may_end_a_name(next) => names.push(word.clone()),
            Token::Word(word) if depth == 0 && begins_a_statement(word, next) => return names,
            Token::Sign(';' | '}' | ')' | ']') if depth == 0 => return names,
            _ => {}
        }
        match token {
            Token::Sign('{' | '[' | '(') => depth += 1,
            Token::Sign('}' | ']' | ')') => depth -= 1,
            _ => {}
        }
        is_start = depth == 0 && *token == Token::Sign(',');
    }
    names
}

/// Returns whether a name before this token can be a declared name, rather than an argument of a generic type.
fn may_end_a_name(next: Option<&Token>) -> bool {
    matches!(next, None | Some(Token::Sign('=' | ':' | ',' | ';' | '!')))
}

/// Returns whether a word begins the next statement: a semicolon need not stand before it.
fn begins_a_statement(word: &str, next: Option<&Token>) -> bool {
    match word {
        "import" => next != Some(&Token::Sign('(')) && next != Some(&Token::Sign('.')),
        word => matches!(word, "export" | "const" | "let" | "var"),
    }
}

/// Returns the names that the pattern at the start of the tokens binds: `{ a, b: c, d: { e }, f = 1, ...g }` binds a, c, e, f and g.
fn bound(tokens: &[Token]) -> Vec<String> {
    let mut names = vec![];
    let mut open = vec![];
    let mut is_default = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign(sign @ ('{' | '[' | '(')) => open.push((*sign, is_default)),
            Token::Sign('}' | ']' | ')') => {
                is_default = open.pop().is_some_and(|(_, outer)| outer);
                if open.is_empty() {
                    break;
                }
            }
            Token::Sign(',') => is_default = open.last().is_some_and(|(_, outer)| *outer),
            Token::Sign('=') => is_default = true,
            Token::Word(word) if !is_default && tokens.get(at + 1) != Some(&Token::Sign(':')) => {
                names.push(word.clone());
            }
            _ => {}
        }
    }
    names
}
