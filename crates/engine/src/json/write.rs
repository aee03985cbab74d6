//! Writes JSON to any serializer.
//!
//! `serde_json` copies the text of a raw value as it is. Any other serializer would write it as a struct with the key
//! [`RAW`]: another format does, and so do the serializers that serde puts in between for `flatten` and for a tag inside an
//! enum. They get the value itself, and only what they hand on to `serde_json` is copied.

use std::any::type_name;

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::{Value, value::RawValue};

use super::{
    Json, RAW,
    any_value::NUMBER,
    shape::{MOST_LEVELS, Shape},
};

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Part { text: &self.0, levels: MOST_LEVELS }.serialize(serializer)
    }
}

/// A part of a JSON text, which may be nested this many levels deep if it isn't copied.
struct Part<'a> {
    text: &'a RawValue,
    levels: usize,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if copies::<S>() { copy(self.text, serializer) } else { self.write(serializer) }
    }
}

/// Returns whether `S` is a serializer of `serde_json`, for a text or a `Value`. There is no other way to know. If the name
/// of a type ever came out differently, values would be written one by one.
fn copies<S>() -> bool {
    let name = type_name::<S>();
    let name = name.strip_prefix("&mut ").unwrap_or(name);
    name.starts_with("serde_json::ser::Serializer<") || name == "serde_json::value::ser::Serializer"
}

/// When `serde_json` makes a `Value` of a text, it takes an object with the key [`RAW`] for a raw value, and perhaps one with
/// the key [`NUMBER`] for a number.
fn copy<S: Serializer>(raw: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
    // The escape is how a text may hide the key.
    let may_have_key = [RAW, NUMBER].iter().any(|key| raw.get().contains(key)) || raw.get().contains("\\u00");
    match may_have_key.then(|| super::value_of(raw)) {
        Some(Ok(value)) if has_such_key(&value) => value.serialize(serializer),
        _ => raw.serialize(serializer),
    }
}

fn has_such_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_such_key),
        Value::Object(members) => {
            members.iter().any(|(key, member)| key == RAW || key == NUMBER || has_such_key(member))
        }
        _ => false,
    }
}

impl Part<'_> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Shape::of(self.text.get()).map_err(S::Error::custom)? {
            Shape::Null => serializer.serialize_unit(),
            Shape::Bool(value) => serializer.serialize_bool(value),
            Shape::Number(number) => write_number(number, serializer),
            Shape::String(string) => serializer.serialize_str(&string),
            Shape::Array(items) => {
                let levels = self.levels_inside()?;
                serializer.collect_seq(items.into_iter().map(|text| Part { text, levels }))
            }
            Shape::Object(members) => {
                let levels = self.levels_inside()?;
                let mut map = serializer.serialize_map(Some(members.iter().len()))?;
                for (key, text) in members.iter() {
                    map.serialize_entry(key, &Part { text, levels })?;
                }
                map.end()
            }
        }
    }

    fn levels_inside<E: Error>(&self) -> Result<usize, E> {
        self.levels.checked_sub(1).ok_or_else(|| E::custom("the JSON is nested more than 127 levels deep"))
    }
}

/// Writes the smallest type that holds the number.
fn write_number<S: Serializer>(number: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if number == "-0" {
        return serializer.serialize_f64(-0.0);
    }
    if let Ok(number) = number.parse() {
        return serializer.serialize_u64(number);
    }
    if let Ok(number) = number.parse() {
        return serializer.serialize_i64(number);
    }
    match number.parse::<f64>() {
        Ok(float) if float.is_finite() => serializer.serialize_f64(float),
        _ => Err(S::Error::custom("a number is too large")),
    }
}
