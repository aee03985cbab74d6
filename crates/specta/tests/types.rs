//! How types of the engine, JSON and numbers come out.
#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::{collections::BTreeMap, future::pending};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use specta::Type;
use tauri::test::MockRuntime;
use tauri_plugin_tasks::{
    BatchOptions, Builder, Bytes, CancelReason, Error, ErrorKind, ErrorSummary, Failure, FailureKind, Json, LastRun,
    LossyPath, Never, OnConflict, Outcome, Progress, QueuePlace, ScheduleSnapshot, StartOptions, StatusChange, Task,
    TaskChange, TaskContext, TaskCounts, TaskEvent, TaskFailure, TaskFilter, TaskId, TaskSnapshot, TaskStatus,
    TimeLimit, Unit,
};
use tauri_plugin_tasks_specta::{Number, TypeScript};

async fn takes<T: DeserializeOwned + Send>(_: TaskContext, _: T) -> Result<(), Never> {
    Ok(())
}

async fn gives<T: Serialize>(_: TaskContext, (): ()) -> Result<T, Never> {
    pending().await
}

async fn all_parts<D, I, O, E>(_: TaskContext<D, I>, (): ()) -> Result<O, E> {
    pending().await
}

macro_rules! types {
    ($($name:literal: $handler:expr,)*) => {
        TypeScript::<MockRuntime>::new(&Builder::new()$(.task(Task::new($name, $handler)))*)$(.task($name, $handler))*
    };
}

/// Has JSON in all places.
#[derive(Serialize, Deserialize, Type)]
struct Nested {
    any: serde_json::Value,
    some: Option<serde_json::Value>,
    many: Vec<serde_json::Value>,
    by_name: BTreeMap<String, serde_json::Value>,
    object: serde_json::Map<String, serde_json::Value>,
    ours: Json,
    list: Vec<Json>,
}

#[derive(Serialize, Deserialize, Type)]
#[serde(tag = "type", content = "data")]
enum Choice {
    Any(serde_json::Value),
    None,
}

/// Returns the types of each task, in the order of the client: input, detail, item, output, error.
fn rows(module: &str) -> BTreeMap<&str, Vec<&str>> {
    let map = module.split_once("export type Tasks = {\n").unwrap().1.split_once("\n};\n").unwrap().0;
    let mut rows = BTreeMap::new();
    for (name, columns) in map.split("\t};").filter_map(|row| row.trim().split_once(": {\n")) {
        let types =
            columns.lines().filter_map(|line| line.split_once(": ")).map(|(_, name)| name.trim_end_matches(';'));
        rows.insert(name.trim_matches('"'), types.collect());
    }
    rows
}

#[test]
fn any_json_is_unknown() {
    let module = types! {
        "ours": all_parts::<Json, Json, Json, Json>,
        "serde": all_parts::<serde_json::Value, serde_json::Value, serde_json::Value, serde_json::Value>,
        "takes-ours": takes::<Json>,
        "takes-serde": takes::<serde_json::Value>,
        "many": all_parts::<Vec<serde_json::Value>, Option<Json>, (serde_json::Value, u8), BTreeMap<String, Json>>,
        "takes-nested": takes::<Nested>,
        "gives-nested": gives::<Nested>,
        "choice": gives::<Choice>,
    }
    .render()
    .unwrap();
    let rows = rows(&module);
    let all_unknown = ["null", "unknown", "unknown", "unknown", "unknown"];
    assert_eq!([&*rows["ours"], &*rows["serde"]], [all_unknown, all_unknown]);
    assert_eq!([rows["takes-ours"][0], rows["takes-serde"][0]], ["unknown"; 2]);
    let record = "{ [key in string]: unknown }";
    assert_eq!(rows["many"], ["null", "[unknown, number]", record, "unknown[]", "unknown | null"]);
    assert_eq!(rows["choice"][1], "Choice");
    assert!(module.contains("export type Choice = { type: \"Any\"; data: unknown } | { type: \"None\" };"), "{module}");
    for line in ["any: unknown", "ours: unknown", "list: unknown[]", "some: unknown | null", "many: unknown[]"] {
        assert!(module.contains(&format!("\t{line},\n")), "{line} of {module}");
    }
    assert_eq!(module.matches(record).count(), 5, "{module}");
    assert!(!module.contains("Value"), "{module}");
}

#[test]
fn a_path_is_a_string() {
    let module = types! {
        "lossy": all_parts::<LossyPath, Vec<LossyPath>, Option<LossyPath>, BTreeMap<String, LossyPath>>,
        "takes": takes::<LossyPath>,
    }
    .render()
    .unwrap();
    let rows = rows(&module);
    assert_eq!(rows["lossy"], ["null", "string | null", "{ [key in string]: string }", "string", "string[]"]);
    assert_eq!(rows["takes"][0], "string");
    assert!(!module.contains("LossyPath"), "{module}");
}

#[test]
fn the_engines_types_keep_their_names() {
    let module = types! {
        "parts": all_parts::<Progress, Bytes, Outcome, Failure>,
        "no-parts": all_parts::<(), Never, (), Never>,
        "takes": takes::<(TaskFilter, StartOptions, BatchOptions, OnConflict)>,
        "takes-outcome": takes::<Outcome>,
        "takes-ids": takes::<Vec<TaskId>>,
        "error": all_parts::<Unit, TaskId, TaskSnapshot, Error>,
        "kinds": gives::<(ErrorKind, FailureKind, TaskStatus, TimeLimit)>,
        "ends": gives::<(CancelReason, ErrorSummary)>,
        "counts": gives::<(TaskCounts, QueuePlace)>,
        "schedules": gives::<(ScheduleSnapshot, LastRun)>,
        "events": all_parts::<TaskChange, TaskEvent, StatusChange, TaskFailure>,
    }
    .render()
    .unwrap();
    let rows = rows(&module);
    assert_eq!(rows["parts"], ["null", "Outcome_Serialize", "Failure", "Progress", "Uint8Array"]);
    assert_eq!(rows["no-parts"], ["null", "null", "never", "null", "never"]);
    assert_eq!(rows["takes"][0], "[TaskFilter, StartOptions, BatchOptions, OnConflict]");
    assert_eq!(rows["takes-outcome"][0], "Outcome_Deserialize");
    assert_eq!(rows["takes-ids"][0], "TaskId[]");
    assert_eq!(rows["error"], ["null", "TaskSnapshot", "WireError", "Unit", "TaskId"]);
    assert_eq!(rows["kinds"][1], "[ErrorKind, FailureKind, TaskStatus, TimeLimit]");
    assert_eq!(rows["ends"][1], "[CancelReason, ErrorSummary]");
    assert_eq!(rows["counts"][1], "[TaskCounts, QueuePlace]");
    assert_eq!(rows["schedules"][1], "[ScheduleSnapshot, LastRun]");
    assert_eq!(rows["events"], ["null", "StatusChange", "TaskFailure_Serialize", "TaskChange", "TaskEvent"]);
    for name in rows.values().flatten().flat_map(|name| name.split(|sign: char| !sign.is_alphanumeric() && sign != '_'))
    {
        let is_builtin = ["", "null", "never", "Uint8Array"].contains(&name);
        assert!(is_builtin || module.contains(&format!("\nexport type {name} = ")), "{name} of {module}");
    }
}

#[derive(Serialize, Type)]
struct Exact {
    #[specta(type = Number)]
    bytes: u64,
}

#[derive(Serialize, Type)]
struct Inexact {
    bytes: u64,
}

#[test]
fn a_number_of_64_bits_needs_a_word_about_its_type() {
    assert!(types! { "size": gives::<Exact>, }.render().unwrap().contains("bytes: number"));
    for types in [types! { "size": gives::<Inexact>, }, types! { "size": gives::<Vec<Inexact>>, }] {
        let problem = types.render().unwrap_err().to_string();
        assert!(problem.contains("Inexact.bytes"), "{problem}");
        assert!(problem.contains("#[specta(type = tauri_plugin_tasks_specta::Number)]"), "{problem}");
    }
    let whole = types! { "size": gives::<u64>, }.render().unwrap_err().to_string();
    assert!(whole.contains("the output of task \"size\""), "{whole}");
}

#[derive(Serialize, Type)]
struct Custom {
    #[serde(serialize_with = "as_word")]
    number: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn as_word<S: serde::Serializer>(_: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("word")
}

#[test]
fn an_error_names_the_type_as_rust_calls_it() {
    let problem = types! { "custom": gives::<Custom>, }.render().unwrap_err().to_string();
    assert!(problem.contains("types::Custom") && !problem.contains("SpectaType"), "{problem}");
    assert!(!problem.contains("Number"), "{problem}");
}
