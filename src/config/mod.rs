pub(crate) mod nearest;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use self::nearest::nearest;
use crate::quotas::{Quota, Quotas};

/// What `tauri.conf.json` says under `plugins > tasks`. Whatever is set there takes the place of what the
/// [`Builder`](crate::Builder) says, key by key.
///
/// ```json
/// {
///   "plugins": {
///     "tasks": {
///       "quotas": {
///         "liveTasks": 20000,
///         "startsPerSecond": 2000,
///         "startsAtOnce": 10000,
///         "bytesOnHand": 268435456,
///         "bytesPerCall": 67108864
///       }
///     }
///   }
/// }
/// ```
///
/// These are the defaults, and all keys that there are. Each takes a whole number from 1, or `"unlimited"`: see [`Quotas`]
/// for what they mean. With any other key or value the app does not start, and the error says where it is and what to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    quotas: Vec<(Quota, Option<u64>)>,
}

impl Config {
    /// Replaces those of the Builder's quotas that are set here.
    pub(crate) fn apply_to(&self, quotas: &mut Quotas) {
        for (quota, limit) in &self.quotas {
            quotas.set(*quota, *limit);
        }
    }

    fn read(config: &Value) -> Result<Self, String> {
        let mut quotas = Vec::new();
        for (key, value) in object(config, PLACE)? {
            if key != QUOTAS {
                return Err(unknown(key, PLACE, &settings()));
            }
            let place = format!("{PLACE} > {QUOTAS}");
            for (key, value) in object(value, &place)? {
                let quota = Quota::named(key).ok_or_else(|| unknown(key, &place, &Quota::ALL.map(named)))?;
                quotas.push((quota, limit(value, &format!("{place} > {key}"))?));
            }
        }
        Ok(Self { quotas })
    }
}

const PLACE: &str = "plugins > tasks";
const QUOTAS: &str = "quotas";

/// A key, and where it stands under the place that is read.
type Setting = (&'static str, String);

/// Returns all keys that there are under `plugins > tasks`.
fn settings() -> Vec<Setting> {
    let quotas = Quota::ALL.map(|quota| (quota.name(), format!("{QUOTAS} > {}", quota.name())));
    [(QUOTAS, QUOTAS.to_owned())].into_iter().chain(quotas).collect()
}

fn named(quota: Quota) -> Setting {
    (quota.name(), quota.name().to_owned())
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{place}: expected an object and found {}", shown(value)))
}

fn limit(value: &Value, place: &str) -> Result<Option<u64>, String> {
    match (value.as_u64(), value.as_str()) {
        (Some(limit @ 1..), _) => Ok(Some(limit)),
        (_, Some("unlimited")) => Ok(None),
        _ => Err(format!(
            "{place}: expected a whole number from 1, or \"unlimited\" for no limit, and found {}",
            shown(value)
        )),
    }
}

fn unknown(key: &str, place: &str, settings: &[Setting]) -> String {
    let known: Vec<_> = settings.iter().map(|(_, place)| format!("\"{place}\"")).collect();
    let hint = nearest(key, settings.iter().map(|(key, _)| *key))
        .and_then(|near| settings.iter().find(|(key, _)| *key == near))
        .map_or(String::new(), |(_, place)| format!(" Did you mean \"{place}\"?"));
    format!("{place} > {}: there is no such setting.{hint} There are {}.", clipped(key), known.join(", "))
}

/// Returns a value as JSON, as far as it has to be seen to be found.
fn shown(value: &Value) -> String {
    clipped(&value.to_string())
}

fn clipped(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.is_empty() {
        return "\"\"".to_owned();
    }
    let shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{shown}…") } else { shown }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
