//! Finds the paths in the tokens of macros and attributes.

use proc_macro2::Delimiter;
use syn::buffer::{Cursor, TokenBuffer};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Block, Expr, Meta, Stmt, Token};

use super::uses::{Path, name_of};

pub enum Piece {
    Expressions(Vec<Expr>),
    Statements(Vec<Stmt>),
    Path(Path, Follows),
    /// A variable that the macro binds.
    Variable(String),
}

/// The token after a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    Arguments,
    Bang,
    /// The next segment is a macro's variable, or `*`: it can be any name of the module.
    AnyName,
    Other,
}

/// Returns what a macro call contains: expressions or statements if its tokens parse as such, otherwise the paths among them.
pub fn of_call(call: &syn::Macro) -> Vec<Piece> {
    let buffer = TokenBuffer::new2(call.tokens.clone());
    let mut pieces = vec![];
    code(buffer.begin(), &mut pieces);
    pieces
}

/// Returns the paths of a macro's definition, in its patterns and in what it expands to.
pub fn of_definition(definition: &syn::Macro) -> Vec<Piece> {
    let buffer = TokenBuffer::new2(definition.tokens.clone());
    let mut pieces = vec![];
    plain(buffer.begin(), &mut pieces);
    pieces
}

/// Returns the paths in an attribute, including those that serde takes as strings.
pub fn of_attribute(attribute: &Attribute) -> Vec<Path> {
    let Meta::List(list) = &attribute.meta else { return vec![] };
    let buffer = TokenBuffer::new2(list.tokens.clone());
    let mut pieces = vec![];
    plain(buffer.begin(), &mut pieces);
    let mut paths: Vec<_> = pieces.into_iter().filter_map(longer_path).collect();
    if list.path.is_ident("serde") {
        paths.extend(of_serde(attribute));
    }
    paths
}

/// Returns a path of at least two names. A single word in an attribute is an option, not a path.
fn longer_path(piece: Piece) -> Option<Path> {
    match piece {
        Piece::Path(path, _) if path.len() > 1 => Some(path),
        _ => None,
    }
}

fn of_serde(attribute: &Attribute) -> Vec<Path> {
    let mut paths = vec![];
    // Attributes that don't parse name no path.
    let _ = attribute.parse_nested_meta(|meta| {
        if meta.input.peek(Token![=]) {
            if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = meta.value()?.parse()?
                && let Ok(path) = text.parse::<syn::Path>()
            {
                let path = path.segments.iter().map(|segment| name_of(&segment.ident)).collect();
                paths.extend(of_option(&meta.path, path));
            }
        } else if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
            // As in `rename(serialize = "…")`.
            meta.parse_nested_meta(|inner| inner.value()?.parse::<Expr>().map(drop))?;
        }
        Ok(())
    });
    paths
}

/// Returns what serde uses because of an option whose value is `path`.
fn of_option(option: &syn::Path, path: Path) -> Vec<Path> {
    const TAKE_PATHS: &[&str] =
        &["serialize_with", "deserialize_with", "default", "skip_serializing_if", "remote", "from", "try_from", "into"];
    if option.is_ident("with") {
        return ["serialize", "deserialize"].map(|name| [path.as_slice(), &[name.to_owned()]].concat()).into();
    }
    if TAKE_PATHS.iter().any(|name| option.is_ident(name)) { vec![path] } else { vec![] }
}

fn code(cursor: Cursor<'_>, pieces: &mut Vec<Piece>) {
    if let Ok(parsed) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(cursor.token_stream()) {
        pieces.push(Piece::Expressions(parsed.into_iter().collect()));
    } else if let Ok(parsed) = Block::parse_within.parse2(cursor.token_stream()) {
        pieces.push(Piece::Statements(parsed));
    } else {
        tokens(cursor, code, pieces);
    }
}

fn plain(cursor: Cursor<'_>, pieces: &mut Vec<Piece>) {
    tokens(cursor, plain, pieces);
}

/// Collects the paths among the tokens. `inside` reads the content of brackets.
fn tokens(mut cursor: Cursor<'_>, inside: fn(Cursor<'_>, &mut Vec<Piece>), pieces: &mut Vec<Piece>) {
    let mut before = [' ', ' '];
    while !cursor.eof() {
        if let Some((content, _, _, after)) = cursor.any_group() {
            inside(content, pieces);
            cursor = after;
            before = [' ', ')'];
        } else if let Some((path, after)) = path(cursor) {
            // After a dot comes a field or a method, but `..` is a range.
            let is_member = before[1] == '.' && before[0] != '.';
            let is_hidden = before[1] == '\'' || (before[1] == '$' && path[0] != "crate");
            cursor = after;
            if !is_member && !is_hidden {
                if let Some((group, after)) = use_group(after) {
                    within(&path, group, pieces);
                    cursor = after;
                } else {
                    pieces.extend(piece(path, after));
                }
            }
            before = [' ', 'a'];
        } else if let Some((punct, after)) = cursor.punct() {
            cursor = after;
            before = [before[1], punct.as_char()];
        } else if let Some((_, after)) = cursor.token_tree() {
            cursor = after;
            before = [' ', '0'];
        }
    }
}

fn path(cursor: Cursor<'_>) -> Option<(Path, Cursor<'_>)> {
    let (first, mut cursor) = cursor.ident()?;
    let mut path = vec![name_of(&first)];
    while let Some((next, after)) = signs(cursor, "::").and_then(Cursor::ident) {
        path.push(name_of(&next));
        cursor = after;
    }
    Some((path, cursor))
}

/// Returns the braces that follow a path, as in `use a::{b, c}`.
fn use_group(cursor: Cursor<'_>) -> Option<(Cursor<'_>, Cursor<'_>)> {
    let (content, _, after) = signs(cursor, "::")?.group(Delimiter::Brace)?;
    Some((content, after))
}

/// Collects the paths among the tokens, each with the path `start` in front. The new name after `as` is not a path.
fn within(start: &Path, group: Cursor<'_>, pieces: &mut Vec<Piece>) {
    let mut inner = vec![];
    plain(group, &mut inner);
    let mut is_new_name = false;
    for piece in inner {
        let Piece::Path(path, follows) = piece else { continue };
        let is_as = path == ["as"];
        if !is_as && !is_new_name {
            pieces.push(Piece::Path([start.as_slice(), &path].concat(), follows));
        }
        is_new_name = is_as;
    }
}

fn piece(path: Path, after: Cursor<'_>) -> Option<Piece> {
    let is_name = path.len() == 1;
    // A name before a single colon is a field or a typed variable.
    if is_name && signs(after, ":").is_some() && signs(after, "::").is_none() {
        return None;
    }
    if is_name && signs(after, "=").is_some() && signs(after, "==").is_none() {
        return path.into_iter().next().map(Piece::Variable);
    }
    let is_call = after.any_group().is_some() && after.token_stream().to_string().starts_with('(');
    let is_macro = signs(after, "!").is_some() && signs(after, "!=").is_none();
    let takes_any_name =
        signs(after, "::").is_some_and(|after| ["$", "*"].iter().any(|sign| signs(after, sign).is_some()));
    let follows = match (is_call, is_macro) {
        (true, _) => Follows::Arguments,
        (_, true) => Follows::Bang,
        _ if takes_any_name => Follows::AnyName,
        _ => Follows::Other,
    };
    Some(Piece::Path(path, follows))
}

/// Returns the cursor after the signs `wanted`, if they come next.
fn signs<'a>(cursor: Cursor<'a>, wanted: &str) -> Option<Cursor<'a>> {
    wanted.chars().try_fold(cursor, |cursor, wanted| {
        let (punct, after) = cursor.punct()?;
        (punct.as_char() == wanted).then_some(after)
    })
}
