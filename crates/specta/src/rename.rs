//! Gives the types that the file needs their names.

use std::collections::{BTreeMap, BTreeSet};

use specta::{
    Types,
    datatype::{DataType, Reference},
};

use crate::{
    error::TypeScriptError,
    names::{self, Clash, Wanted},
    placeholders::{Half, Place, Placeholders, place_of},
    walk::each_part,
};

/// Returns the named types that `roots` refer to, directly or through others.
pub fn used(roots: Vec<DataType>, types: &Types) -> BTreeSet<Place> {
    let mut used = BTreeSet::new();
    let mut next = roots;
    while let Some(data_type) = next.pop() {
        each_part(&data_type, &mut |part| {
            if let DataType::Reference(Reference::Named(reference)) = part
                && let Some(named) = types.get(reference)
                && let Some(inner) = &named.ty
                && let Some(place) = place_of(&named.name)
                && used.insert(place)
            {
                next.push(inner.clone());
                next.extend(named.generics.iter().filter_map(|generic| generic.default.clone()));
            }
        });
    }
    used
}

/// Gives the types that are used their names in TypeScript, and hides all others.
pub fn rename(types: &mut Types, used: &BTreeSet<Place>, placeholders: &Placeholders) -> Result<(), TypeScriptError> {
    let is_split =
        |place: Place| [Half::Written, Half::Read].into_iter().all(|half| used.contains(&Place { half, ..place }));
    let mut parameters = BTreeSet::new();
    let mut wanted = BTreeMap::<usize, Wanted>::new();
    types.iter_mut(|named| match place_of(&named.name).filter(|place| used.contains(place)) {
        Some(place) => {
            parameters.extend(named.generics.iter().map(|generic| generic.name.to_string()));
            named.ty.iter_mut().for_each(|data_type| placeholders.restore_tags(data_type));
            let module_path = module_path(&named.module_path).to_owned();
            let name = placeholders.wanted_name(Place { half: Half::Both, ..place }, false);
            let wanted = wanted.entry(place.number).or_insert(Wanted { name, in_file: Vec::new(), module_path });
            wanted.in_file.push(placeholders.wanted_name(place, is_split(place)));
        }
        None => named.ty = None,
    });
    let (numbers, wanted): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let prefixes = names::prefixes(&wanted, |name| parameters.contains(name)).map_err(|Clash { name, places }| {
        let types = places.into_iter().map(|place| placeholders.describe(numbers[place])).collect();
        TypeScriptError::Name { name, types }
    })?;
    let prefixes: BTreeMap<_, _> = numbers.into_iter().zip(prefixes).collect();
    types.iter_mut(|named| {
        if let Some(place) = place_of(&named.name).filter(|place| used.contains(place)) {
            let name = placeholders.wanted_name(place, is_split(place));
            named.name = format!("{}{name}", prefixes[&place.number]).into();
        }
    });
    Ok(())
}

/// Returns the module that a type comes from for its users: those of the engine are private.
fn module_path(path: &str) -> &str {
    if path.split("::").next() == Some("tauri_plugin_tasks_engine") { "tasks" } else { path }
}
