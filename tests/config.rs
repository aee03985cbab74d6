//! Tests what the plugin takes from `plugins.tasks` of `tauri.conf.json`: nothing, and nothing else.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use serde_json::{Value, json};
use tauri::test::MockRuntime;
use tauri_plugin_tasks::{Builder, Config, test::TestApp};

/// Starts an app whose `tauri.conf.json` has this under `plugins.tasks`, or no such key.
fn app(config: Option<Value>) -> tauri::Result<TestApp> {
    let app = TestApp::builder(Builder::new());
    if let Some(config) = config { app.config(config) } else { app }.try_build()
}

#[test]
fn an_app_starts_without_a_config_and_with_an_empty_one() {
    for config in [None, Some(json!(null)), Some(json!({}))] {
        let app = app(config.clone()).unwrap_or_else(|error| panic!("{config:?}: {error}"));
        assert!(app.tasks().task_names().is_empty());
    }
}

#[test]
fn an_app_does_not_start_with_an_unknown_key_and_is_told_which() {
    for (config, key) in [(json!({ "concurency": 4 }), "concurency"), (json!({ "": null }), "``")] {
        let error = app(Some(config)).map(drop).unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("tasks"), "{error}");
    }
}

#[test]
fn an_app_does_not_start_with_a_config_that_is_no_object() {
    for config in [
        json!(true),
        json!(false),
        json!(0),
        json!(1.5),
        json!(""),
        json!("off"),
        json!([]),
        json!([[]]),
        json!([{}]),
        json!([null]),
        json!(["concurrency"]),
    ] {
        let error = app(Some(config.clone())).map(drop).unwrap_err().to_string();
        assert!(error.contains("expected an object without settings"), "{config}: {error}");
    }
}

#[test]
fn a_config_can_be_held_by_the_app() {
    let plugin: tauri::plugin::TauriPlugin<MockRuntime, Option<Config>> = Builder::new().build();
    assert_eq!(tauri::plugin::Plugin::name(&plugin), "tasks");
    assert_eq!(serde_json::from_value::<Config>(json!({})).unwrap(), Config::default());
}
