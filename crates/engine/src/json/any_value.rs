use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A `Value` that is read member by member, whatever its keys are.
pub(super) struct AnyValue(pub(super) Value);

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

pub(super) struct AnyVisitor;

/// The key under which `serde_json` hands over the text of a number, if a crate of the app turns on its feature
/// `arbitrary_precision`.
pub(super) const NUMBER: &str = "$serde_json::private::Number";

/// Reads the members of an object. `key` is the first key, if that was read.
pub(super) fn members<'de, A: MapAccess<'de>>(mut key: Option<String>, mut map: A) -> Result<Value, A::Error> {
    let mut members = Map::new();
    while let Some(key) = key.take().map_or_else(|| map.next_key(), |key| Ok(Some(key)))? {
        let AnyValue(value) = map.next_value()?;
        members.insert(key, value);
    }
    let may_be_number = members.len() == 1 && members.get(NUMBER).is_some_and(Value::is_string);
    let object = Value::Object(members);
    // Without the feature, or if the text is no number, it is an object like any other.
    Ok(if may_be_number { Value::deserialize(&object).unwrap_or(object) } else { object })
}

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    // An integer beyond 64 bits becomes a float, as when `serde_json` reads one.
    #[allow(clippy::cast_precision_loss)]
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Number::from_i128(value).map_or_else(|| (value as f64).into(), Value::Number))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Number::from_u128(value).map_or_else(|| (value as f64).into(), Value::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(AnyValue(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        members(None, map)
    }
}
