//! Deserializes lists that have a limit. What is over it isn't read.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// Reads a list of at most `ENTRIES` entries, if there is one.
pub(crate) fn list<'de, D, T, const ENTRIES: usize>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<List<T, ENTRIES>>::deserialize(deserializer)?;
    Ok(list.map(|List(entries)| entries))
}

/// Reads a list of at most `ENTRIES` texts of at most `BYTES` bytes each, if there is one.
pub(crate) fn texts<'de, D, const ENTRIES: usize, const BYTES: usize>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let list = self::list::<D, Text<BYTES>, ENTRIES>(deserializer)?;
    Ok(list.map(|entries| entries.into_iter().map(|Text(text)| text).collect()))
}

struct List<T, const ENTRIES: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const ENTRIES: usize> Deserialize<'de> for List<T, ENTRIES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T, const ENTRIES: usize>(PhantomData<fn() -> T>);
        impl<'de, T: Deserialize<'de>, const ENTRIES: usize> Visitor<'de> for ListVisitor<T, ENTRIES> {
            type Value = List<T, ENTRIES>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {ENTRIES} entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    if entries.len() == ENTRIES {
                        let problem = format!(
                            "it has more than {ENTRIES} entries, which is the limit: pass fewer, or make several calls"
                        );
                        return Err(A::Error::custom(problem));
                    }
                    entries.push(entry);
                }
                Ok(List(entries))
            }
        }
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct Text<const BYTES: usize>(String);

impl<'de, const BYTES: usize> Deserialize<'de> for Text<BYTES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > BYTES {
            let problem = format!("it has {} bytes and the limit is {BYTES}: no task has a longer one", text.len());
            return Err(D::Error::custom(problem));
        }
        Ok(Self(text))
    }
}
