//! Tests what the plugin takes from `plugins > tasks` of `tauri.conf.json`, and what it says of anything else.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tauri::test::MockRuntime;
use tauri_plugin_tasks::{Builder, Config, Quotas, test::TestApp};

const KEYS: [&str; 5] = ["liveTasks", "startsPerSecond", "startsAtOnce", "bytesOnHand", "bytesPerCall"];

/// Starts an app whose `tauri.conf.json` has this under `plugins > tasks`, or no such key.
fn app(config: Option<Value>) -> Result<TestApp, String> {
    app_with(config, Builder::new())
}

fn app_with(config: Option<Value>, builder: Builder<MockRuntime>) -> Result<TestApp, String> {
    let app = TestApp::builder(builder);
    let app = if let Some(config) = config { app.config(config) } else { app };
    app.try_build().map_err(|error| error.to_string())
}

fn refused(config: &Value) -> String {
    app(Some(config.clone())).map(drop).unwrap_err()
}

fn under_quotas(key: &str, value: impl Into<Value>) -> Value {
    json!({ "quotas": Map::from_iter([(key.to_owned(), value.into())]) })
}

#[test]
fn an_app_starts_without_a_config_with_an_empty_one_and_with_any_of_its_keys() {
    let all: Map<_, _> = KEYS.iter().map(|key| ((*key).to_owned(), json!(u64::MAX))).collect();
    let mut configs = vec![None, Some(json!(null)), Some(json!({})), Some(json!({ "quotas": {} }))];
    configs.push(Some(json!({ "quotas": all })));
    for key in KEYS {
        configs.extend([json!(1), json!(20_000), json!("unlimited")].map(|value| Some(under_quotas(key, value))));
    }
    for config in configs {
        let app = app(config.clone()).unwrap_or_else(|error| panic!("{config:?}: {error}"));
        assert!(app.tasks().task_names().is_empty());
    }
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_one() {
    for (config, place, near) in [
        (json!({ "quota": {} }), "plugins > tasks > quota:", Some("quotas")),
        (json!({ "Quotas": {} }), "plugins > tasks > Quotas:", Some("quotas")),
        (json!({ "liveTasks": 4 }), "plugins > tasks > liveTasks:", Some("quotas > liveTasks")),
        (json!({ "concurrency": 4 }), "plugins > tasks > concurrency:", None),
        (json!({ "": null }), "plugins > tasks > \"\":", None),
        (under_quotas("livetasks", 4), "plugins > tasks > quotas > livetasks:", Some("liveTasks")),
        (under_quotas("live_tasks", 4), "plugins > tasks > quotas > live_tasks:", Some("liveTasks")),
        (under_quotas("startPerSecond", 4), "plugins > tasks > quotas > startPerSecond:", Some("startsPerSecond")),
        (under_quotas("bytes", 4), "plugins > tasks > quotas > bytes:", None),
        (under_quotas("a\nb", 4), "plugins > tasks > quotas > a\\nb:", None),
    ] {
        let error = refused(&config);
        assert!(error.contains(place) && error.contains("liveTasks"), "{config}: {error}");
        let hint = near.map(|near| format!("Did you mean \"{near}\"?"));
        assert_eq!(error.contains("Did you mean"), hint.is_some(), "{config}: {error}");
        assert!(hint.is_none_or(|hint| error.contains(&hint)), "{config}: {error}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_its_place_and_what_to_write() {
    let wrong = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.0),
        json!(1.5),
        json!(1e30),
        json!(""),
        json!("20000"),
        json!("Unlimited"),
        json!("64 MiB"),
        json!([]),
        json!([1]),
        json!({}),
        json!("x".repeat(10_000)),
    ];
    for key in KEYS {
        for value in &wrong {
            let error = refused(&under_quotas(key, value.clone()));
            let place = format!("plugins > tasks > quotas > {key}: expected a whole number from 1, or \"unlimited\"");
            assert!(error.contains(&place) && error.len() < 400, "{value}: {error}");
        }
    }
    for value in wrong.into_iter().filter(|value| !value.is_object()) {
        let error = refused(&json!({ "quotas": value }));
        assert!(error.contains("plugins > tasks > quotas: expected an object"), "{value}: {error}");
        if !value.is_null() {
            let error = refused(&value);
            assert!(error.contains("plugins > tasks: expected an object"), "{value}: {error}");
        }
    }
}

#[test]
fn an_app_does_not_start_with_a_quota_of_zero_on_the_builder() {
    let zero = Quotas::new;
    for (quotas, method) in [
        (zero().live_tasks(0), "live_tasks"),
        (zero().starts_per_second(0), "starts_per_second"),
        (zero().starts_at_once(0), "starts_at_once"),
        (zero().bytes_on_hand(0), "bytes_on_hand"),
        (zero().bytes_per_call(0), "bytes_per_call"),
    ] {
        let error = app_with(None, Builder::new().quotas(quotas)).map(drop).unwrap_err();
        assert!(error.contains(&format!("Quotas::{method} is 0")) && error.contains("None for no limit"), "{error}");
    }
}

#[test]
fn a_config_can_be_held_by_the_app() {
    let plugin: tauri::plugin::TauriPlugin<MockRuntime, Option<Config>> = Builder::new().build();
    assert_eq!(tauri::plugin::Plugin::name(&plugin), "tasks");
    assert_eq!(serde_json::from_value::<Config>(json!({})).unwrap(), Config::default());
}

fn json_of_any_shape() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("unlimited")),
    ];
    let key =
        || prop_oneof![Just("quotas".to_owned()), prop::sample::select(KEYS.to_vec()).prop_map(String::from), ".{0,8}"];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What is taken, said in another way than the plugin does.
fn is_taken(config: &Value) -> bool {
    let Some(config) = config.as_object() else { return false };
    config.iter().all(|(key, quotas)| {
        key == "quotas"
            && quotas.as_object().is_some_and(|quotas| {
                quotas.iter().all(|(key, limit)| {
                    KEYS.contains(&&**key) && (limit == "unlimited" || limit.as_u64().is_some_and(|limit| limit > 0))
                })
            })
    })
}

proptest! {
    #[test]
    fn whatever_is_there_is_either_taken_as_a_whole_or_refused_with_its_place(config in json_of_any_shape()) {
        match serde_json::from_value::<Config>(config.clone()) {
            Ok(_) => prop_assert!(is_taken(&config), "{config}"),
            Err(error) => {
                prop_assert!(!is_taken(&config), "{config}: {error}");
                prop_assert!(error.to_string().starts_with("plugins > tasks"), "{error}");
            }
        }
    }
}
