use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What `tauri.conf.json` says under `plugins.tasks`: nothing yet, since all settings are those of the
/// [`Builder`](crate::Builder). The app does not start if something is there, so that later settings can have any name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {}

// A derived implementation would take a list for the fields of a struct, too.
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {}
        struct SettingsVisitor;
        impl<'de> Visitor<'de> for SettingsVisitor {
            type Value = Config;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without settings: they are set on the Builder of the plugin")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Config, A::Error> {
                Settings::deserialize(MapAccessDeserializer::new(map)).map(|Settings {}| Config {})
            }
        }
        deserializer.deserialize_map(SettingsVisitor)
    }
}
