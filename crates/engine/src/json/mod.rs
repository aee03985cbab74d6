mod any_value;
pub(crate) mod bounded;
mod same;
mod shape;
#[cfg(test)]
mod tests;
mod write;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock},
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
};
use serde_json::{Map, Value, value::RawValue};

use any_value::{AnyValue, AnyVisitor, members};

use crate::clip::{Limit, clip};

/// JSON of any type: an input, a progress detail, an output or an error whose type depends on the kind of task.
///
/// Use it too for an input, an output or an item of your own handlers that may be any JSON: `serde_json::Value` has no
/// type in TypeScript, and this one is `unknown` there. It converts from and to a `Value`:
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use serde_json::{Value, json};
/// use tauri_plugin_tasks::{Failure, Json, TaskContext};
///
/// async fn run(_ctx: TaskContext, script: Json) -> Result<Json, Failure> {
///     let script: Value = script.try_into()?;
///     Ok(json!({ "steps": script["steps"].as_array().map_or(0, Vec::len) }).into())
/// }
/// ```
///
/// It keeps the text as it was written, so a number may have any number of digits; but a `Value` has no integers that need
/// more than 64 bits and makes them floats, and so does JavaScript beyond 2<sup>53</sup>. Two are equal if they hold the same
/// values: the order of an object's members and the white space make no difference, and neither do the zeros of `1.50`. All
/// digits of a number count, and `1` and `1.0` are different. Cloning is cheap.
///
/// `serde_json` copies the text into what it writes. Where serde has to take values apart, for `#[serde(flatten)]` or an enum
/// whose tag is inside, it is an object, as it would be for a `Value`, and what is inside is copied:
///
/// ```
/// # extern crate tauri_plugin_tasks_engine as tauri_plugin_tasks;
/// use serde::Serialize;
/// use serde_json::json;
/// use tauri_plugin_tasks::Json;
///
/// #[derive(Serialize)]
/// struct Report {
///     files: u32,
///     #[serde(flatten)]
///     other: Json,
/// }
///
/// let report = Report { files: 2, other: json!({ "bytes": 1_000 }).into() };
/// assert_eq!(serde_json::to_string(&report)?, r#"{"files":2,"bytes":1000}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Json(Arc<RawValue>);

/// The longest path and the longest problem of a [`Misfit`], which may repeat the JSON.
const MISFIT_LIMIT: Limit = Limit::Bytes(1024);
/// The name that `serde_json` gives a raw value, and the key under which it hands over its text.
const RAW: &str = "$serde_json::private::RawValue";

impl Json {
    /// Serializes `value` as JSON. Fails when its `Serialize` does, or when a map has keys that are not strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let raw = serde_json::value::to_raw_value(value)?;
        // Many tasks take or return `null`, so they all share one allocation.
        Ok(if raw.get() == RawValue::NULL.get() { Self::null() } else { Self(raw.into()) })
    }

    /// Like [`new`](Self::new), but fails when the `Serialize` of `value` panics.
    pub(crate) fn new_guarded<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        // The panic hook has reported the panic.
        let panicked = |_| Err(serde::ser::Error::custom("it panicked"));
        catch_unwind(AssertUnwindSafe(|| Self::new(value))).unwrap_or_else(panicked)
    }

    /// Returns `null`.
    pub(crate) fn null() -> Self {
        static NULL: LazyLock<Json> = LazyLock::new(|| Json(RawValue::NULL.to_owned().into()));
        NULL.clone()
    }

    /// Deserializes the JSON as a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// Like [`read`](Self::read), but the error says which part of the JSON doesn't fit.
    pub(crate) fn read_exactly<T: DeserializeOwned>(&self) -> Result<T, Misfit> {
        let mut reader = serde_json::Deserializer::from_str(self.text());
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let problem = error.inner().to_string();
            // The line and column refer to a text that the caller never saw.
            let end = problem.rfind(" at line ").unwrap_or(problem.len());
            // Both may repeat what the JSON holds, however long that is.
            let path = clip(error.path().to_string(), MISFIT_LIMIT).into_owned();
            Misfit { path, problem: short_problem(&problem[..end]) }
        })
    }

    /// Returns the JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Returns the same JSON, which shares its memory with nothing else.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn unshared(&self) -> Self {
        Self(RawValue::to_owned(&self.0).into())
    }

    /// Returns what no other JSON has as long as this one exists, except for its clones.
    #[cfg(any(test, feature = "test"))]
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<u8>().addr()
    }

    /// Returns the length of the text in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text().len()
    }
}

/// Shortens what is wrong with JSON. Its end says what was expected instead.
fn short_problem(problem: &str) -> String {
    if problem.len() <= MISFIT_LIMIT.room() {
        return problem.to_owned();
    }
    let half = MISFIT_LIMIT.room() / 2;
    let end = (problem.len() - half..problem.len()).find(|&place| problem.is_char_boundary(place));
    clip(problem, Limit::Bytes(half)).into_owned() + end.map_or("", |place| &problem[place..])
}

/// Why JSON doesn't fit a type.
pub struct Misfit {
    /// The path of the part that doesn't fit; `.` for the whole JSON.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        same::same(&self.0, &other.0)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match serde_json::value::to_raw_value(&value) {
            Ok(raw) => Self(raw.into()),
            Err(problem) => unreachable!("a value has only string keys and numbers that JSON can hold: {problem}"),
        }
    }
}

fn value_of(raw: &RawValue) -> Result<Value, serde_json::Error> {
    serde_json::from_str(raw.get()).map(|AnyValue(value)| value)
}

/// Fails when a number is too large for a `Value`, or when the JSON is nested more than 127 levels deep. An integer that
/// needs more than 64 bits becomes the nearest float.
impl TryFrom<&Json> for Value {
    type Error = serde_json::Error;

    fn try_from(json: &Json) -> Result<Self, serde_json::Error> {
        value_of(&json.0)
    }
}

/// Fails when a number is too large for a `Value`, or when the JSON is nested more than 127 levels deep. An integer that
/// needs more than 64 bits becomes the nearest float.
impl TryFrom<Json> for Value {
    type Error = serde_json::Error;

    fn try_from(json: Json) -> Result<Self, serde_json::Error> {
        (&json).try_into()
    }
}

// A raw value can only be read by `serde_json` itself, and not from what serde has buffered, as it does for the content
// of an enum whose tag comes late. Then the values are read one by one.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, JsonVisitor)
    }
}

/// Takes the text from `serde_json`, or else any value.
struct JsonVisitor;

/// For deserializers that don't know newtypes, and hand over the value itself.
macro_rules! forward {
    ($($visit:ident($($value:ident: $type:ty)?))*) => {
        $(fn $visit<E: serde::de::Error>(self $(, $value: $type)?) -> Result<Json, E> {
            AnyVisitor.$visit($($value)?).map(Json::from)
        })*
    };
}

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    /// Called by deserializers other than those of `serde_json`.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        AnyValue::deserialize(deserializer).map(|AnyValue(value)| value.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        match map.next_key::<Key>()? {
            Some(Key::Raw) => {
                let raw = Box::<RawValue>::deserialize(MapAccessDeserializer::new(Raw { key: true, map }))?;
                Ok(Json(raw.into()))
            }
            Some(Key::Other(key)) => members(Some(key), map).map(Json::from),
            None => Ok(Value::Object(Map::new()).into()),
        }
    }

    forward! { visit_bool(value: bool) visit_i64(value: i64) visit_u64(value: u64) visit_f64(value: f64) }
    forward! { visit_str(value: &str) visit_unit() visit_none() }

    // The text holds more digits than a `Value` does.
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Json, E> {
        Json::new(&value).map_err(E::custom)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Json, E> {
        Json::new(&value).map_err(E::custom)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Json, A::Error> {
        AnyVisitor.visit_seq(seq).map(Json::from)
    }
}

/// The first key of an object.
enum Key {
    Raw,
    Other(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(if key == RAW { Key::Raw } else { Key::Other(key.to_owned()) })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A raw value whose key has been read. It shows the key again, so that `RawValue` can read it without a second check
/// of the text.
struct Raw<A> {
    key: bool,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Raw<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if !std::mem::take(&mut self.key) {
            return self.map.next_key_seed(seed);
        }
        let key: StrDeserializer<'_, A::Error> = RAW.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

// Written by hand, so that the recursive JSON type of specta never reaches the bindings.
#[cfg(feature = "__specta")]
impl specta::Type for Json {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        <specta_typescript::Unknown as specta::Type>::definition(types)
    }
}
