//! Names for types while specta-serde splits them. It tells types apart by name alone, and derives names from names, so each type gets
//! one that no other type has.

use std::{borrow::Cow, collections::BTreeMap};

use specta::{
    Types,
    datatype::{Attributes, DataType, NamedDataType},
};

use crate::{names::is_identifier, walk::each_part_mut};

const PREFIX: &str = "SpectaType";
const DIGITS: usize = 6;
/// What specta-serde appends to the two halves of a type that serde writes and reads in different forms.
const WRITTEN: &str = "_Serialize";
const READ: &str = "_Deserialize";
/// Where specta keeps what `#[serde(rename = "…")]` says of a type.
const RENAMED_WRITTEN: &str = "serde:container:rename_serialize";
const RENAMED_READ: &str = "serde:container:rename_deserialize";

/// What the types were called before.
#[derive(Debug)]
pub struct Placeholders(Vec<Original>);

#[derive(Debug)]
struct Original {
    rust_name: String,
    /// The path of the type, and the place where it is defined.
    path: String,
    place: String,
    /// Its names in serde, which differ from each other only if `rename` says so.
    written: String,
    read: String,
}

/// One half of a type, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    Both,
    Written,
    Read,
}

/// The type behind a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub number: usize,
    pub half: Half,
}

impl Placeholders {
    /// Gives each of `types` a placeholder for a name.
    pub fn put_in(types: &mut Types) -> Self {
        let numbers: BTreeMap<_, _> =
            types.into_sorted_iter().enumerate().map(|(number, named)| (key(named), number)).collect();
        let mut originals = BTreeMap::new();
        types.iter_mut(|named| {
            if let Some(number) = numbers.get(&key(named)) {
                originals.insert(*number, Original::rename(named, &placeholder(*number)));
            }
        });
        Self(originals.into_values().collect())
    }

    /// Puts the names that serde writes back where a struct has its own name as its tag.
    pub fn restore_tags(&self, data_type: &mut DataType) {
        each_part_mut(data_type, &mut |part| {
            if let DataType::Enum(r#enum) = part {
                for (name, _) in &mut r#enum.variants {
                    if let Some(place) = place_of(name) {
                        *name = self.serde_name(place).to_owned().into();
                    }
                }
            }
        });
    }

    /// Returns the name that this half of the type should have in TypeScript. `is_split` says whether the other half needs one, too.
    pub fn wanted_name(&self, place: Place, is_split: bool) -> String {
        let Original { rust_name, written, read, .. } = &self.0[place.number];
        let serde_name = self.serde_name(place);
        let name = if is_identifier(serde_name) { serde_name } else { rust_name };
        match place.half {
            Half::Written if is_split && written == read => format!("{name}{WRITTEN}"),
            Half::Read if is_split && written == read => format!("{name}{READ}"),
            _ => name.to_owned(),
        }
    }

    /// Returns the path of the type with this number, and the place where it is defined.
    pub fn describe(&self, number: usize) -> String {
        let Original { path, place, .. } = &self.0[number];
        format!("`{path}` ({place})")
    }

    /// Returns the text with the types' paths in place of their placeholders.
    pub fn restore_text(&self, text: &str) -> String {
        let numbered = self.0.iter().enumerate();
        numbered.fold(text.to_owned(), |text, (number, original)| text.replace(&placeholder(number), &original.path))
    }

    fn serde_name(&self, place: Place) -> &str {
        let Original { written, read, .. } = &self.0[place.number];
        if place.half == Half::Read { read } else { written }
    }
}

/// Returns the type that a placeholder stands for.
pub fn place_of(name: &str) -> Option<Place> {
    let (number, half) = name.strip_prefix(PREFIX)?.split_at_checked(DIGITS)?;
    let half = match half {
        "" => Half::Both,
        WRITTEN => Half::Written,
        READ => Half::Read,
        _ => return None,
    };
    Some(Place { number: number.parse().ok()?, half })
}

fn placeholder(number: usize) -> String {
    format!("{PREFIX}{number:0DIGITS$}")
}

fn key(named: &NamedDataType) -> (Cow<'static, str>, Cow<'static, str>, String) {
    (named.name.clone(), named.module_path.clone(), named.location.to_string())
}

impl Original {
    /// Renames the type, and returns what it was called.
    fn rename(named: &mut NamedDataType, placeholder: &str) -> Self {
        let rust_name = named.name.to_string();
        let path = format!("{}::{rust_name}", named.module_path);
        let place = format!("{}:{}", named.location.file(), named.location.line());
        named.name = placeholder.to_owned().into();
        let mut original = Self { written: rust_name.clone(), read: rust_name.clone(), rust_name, path, place };
        if let Some(attributes) = named.ty.as_mut().and_then(attributes) {
            original.take_names(attributes, placeholder);
        }
        original
    }

    /// Takes what `rename` says. Names for one direction only must stay, so that specta-serde splits the type.
    fn take_names(&mut self, attributes: &mut Attributes, placeholder: &str) {
        for (key, name) in [(RENAMED_WRITTEN, &mut self.written), (RENAMED_READ, &mut self.read)] {
            if let Some(renamed) = attributes.get_named_as::<String>(key) {
                name.clone_from(renamed);
            }
            attributes.remove(key);
        }
        if self.written != self.read {
            attributes.insert(RENAMED_WRITTEN, format!("{placeholder}{WRITTEN}"));
            attributes.insert(RENAMED_READ, format!("{placeholder}{READ}"));
        }
    }
}

fn attributes(data_type: &mut DataType) -> Option<&mut Attributes> {
    match data_type {
        DataType::Struct(r#struct) => Some(&mut r#struct.attributes),
        DataType::Enum(r#enum) => Some(&mut r#enum.attributes),
        _ => None,
    }
}
