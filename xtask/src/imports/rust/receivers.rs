//! The type whose methods are called on a variable, read from its type annotation.

use syn::{GenericArgument, PathArguments, Type};

use super::uses::{Path, name_of};

/// Returns the path of a type without its references and smart pointers, through which its methods are called.
pub fn path(of: &Type) -> Option<Path> {
    const POINTERS: &[&str] = &["Arc", "Box", "Rc"];
    match of {
        Type::Reference(reference) => path(&reference.elem),
        Type::Paren(inner) => path(&inner.elem),
        Type::Group(inner) => path(&inner.elem),
        Type::Path(named) if named.qself.is_none() => {
            let end = named.path.segments.last()?;
            match &end.arguments {
                PathArguments::AngleBracketed(list) if POINTERS.iter().any(|pointer| end.ident == pointer) => {
                    list.args.iter().find_map(|argument| match argument {
                        GenericArgument::Type(inner) => path(inner),
                        _ => None,
                    })
                }
                _ => Some(named.path.segments.iter().map(|segment| name_of(&segment.ident)).collect()),
            }
        }
        _ => None,
    }
}
