//! Replaces what differs from run to run: times, rates, whether nothing is done, and the ids that the page has not chosen.

use serde_json::{Map, Value};

/// Stands for every time.
const TIME: u64 = 1_700_000_000_000;
/// What all ids begin with that a scenario chooses.
const CHOSEN: &str = "01890000";

/// The ids so far that were made up, in the order in which they have appeared.
#[derive(Default)]
pub struct MadeIds(Vec<String>);

impl MadeIds {
    /// Returns what stands for the made-up id number `place`, from 0.
    fn stand_in(place: usize) -> String {
        format!("00000000-0000-7000-8000-{:012}", place + 1)
    }

    pub fn plain(&mut self, value: Value) -> Value {
        match value {
            Value::Array(values) => values.into_iter().map(|value| self.plain(value)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let value = self.plain_field(&name, value);
                    (name, value)
                });
                fields.collect::<Map<_, _>>().into()
            }
            Value::String(text) if is_id(&text) && !text.starts_with(CHOSEN) => {
                let place = self.0.iter().position(|known| *known == text).unwrap_or_else(|| {
                    self.0.push(text);
                    self.0.len() - 1
                });
                Self::stand_in(place).into()
            }
            other => other,
        }
    }

    fn plain_field(&mut self, name: &str, value: Value) -> Value {
        match name {
            "rate" | "etaMs" => Value::Null,
            // That of a batch, which may or may not have summed up its members at first.
            "fraction" if value.as_f64() == Some(0.0) => Value::Null,
            name if (name == "at" || name.ends_with("At")) && value.is_u64() => TIME.into(),
            _ => self.plain(value),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
