//! Goes through the parts of a data type.

use specta::datatype::{DataType, Fields, NamedReferenceType, Reference};
use specta_typescript::Branded;

/// Calls `visit` with `data_type`, then with each part of what it has become. It does not follow the names of types.
pub fn each_part_mut(data_type: &mut DataType, visit: &mut impl FnMut(&mut DataType)) {
    visit(data_type);
    let mut go_on = |part: &mut DataType| each_part_mut(part, visit);
    match data_type {
        DataType::Primitive(_) | DataType::Generic(_) => {}
        DataType::List(list) => go_on(&mut list.ty),
        DataType::Nullable(inner) => go_on(inner),
        DataType::Map(map) => {
            go_on(map.key_ty_mut());
            go_on(map.value_ty_mut());
        }
        DataType::Tuple(tuple) => tuple.elements.iter_mut().for_each(go_on),
        DataType::Intersection(parts) => parts.iter_mut().for_each(go_on),
        DataType::Struct(r#struct) => each_field_mut(&mut r#struct.fields, go_on),
        DataType::Enum(r#enum) => {
            for (_, variant) in &mut r#enum.variants {
                each_field_mut(&mut variant.fields, &mut go_on);
            }
        }
        DataType::Reference(Reference::Named(reference)) => match &mut reference.inner {
            NamedReferenceType::Inline { dt, .. } => go_on(dt),
            NamedReferenceType::Reference { generics, .. } => generics.iter_mut().for_each(|(_, part)| go_on(part)),
            NamedReferenceType::Recursive(_) => {}
        },
        DataType::Reference(Reference::Opaque(opaque)) => {
            if let Some(branded) = opaque.downcast_ref::<Branded>() {
                let mut inner = branded.ty().clone();
                go_on(&mut inner);
                *data_type = Reference::opaque(Branded::new(branded.brand().clone(), inner)).into();
            }
        }
    }
}

/// Calls `visit` with `data_type` and each part of it.
pub fn each_part(data_type: &DataType, visit: &mut impl FnMut(&DataType)) {
    // A copy, so that there is one walk. Types are small, and this is a test.
    each_part_mut(&mut data_type.clone(), &mut |part| visit(part));
}

fn each_field_mut(fields: &mut Fields, mut visit: impl FnMut(&mut DataType)) {
    match fields {
        Fields::Unit => {}
        Fields::Unnamed(fields) => fields.fields.iter_mut().filter_map(|field| field.ty.as_mut()).for_each(visit),
        Fields::Named(fields) => {
            fields.fields.iter_mut().filter_map(|(_, field)| field.ty.as_mut()).for_each(&mut visit);
        }
    }
}
