//! Calls each command with each of its arguments at its limit, over it and far over it, behind the real permission files. Another
//! window is answered all the while.
//!
//! A new argument needs a row in `limits/table.rs`.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;
#[path = "limits/table.rs"]
mod table;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use support::{
    calls::{ID, NEW, Needs, calls},
    kinds,
};
use table::{Beyond, INPUTS, LONGEST_NAME, LONGEST_SCHEDULE, LONGEST_SESSION, Row, table};
use tauri_plugin_tasks::{
    Failure, Quotas, Schedule, Task, TaskContext, TaskId, TaskStatus,
    test::{PageError, TestApp, TestPage, until},
};

const ALL: &str = r#"{ "identifier": "all", "windows": ["*"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] },
    { "identifier": "tasks:allow-trigger", "allow": [{ "task": "*" }] },
    { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "*", "owner": "any" }] },
    { "identifier": "tasks:allow-pause-schedule", "allow": [{ "task": "*", "owner": "any" }] },
    { "identifier": "tasks:allow-resume-schedule", "allow": [{ "task": "*", "owner": "any" }] },
    "tasks:allow-counts", "tasks:allow-schedules"
] }"#;

async fn echo(_: TaskContext, input: Value) -> Result<Value, Failure> {
    Ok(input)
}

/// An app with another window, which has a task.
struct Scenery {
    app: TestApp,
    other: TestPage,
    watched: TaskId,
}

impl Scenery {
    async fn new() -> Self {
        let (longest, daily) = ("x".repeat(LONGEST_NAME), Schedule::every(Duration::from_secs(86_400)));
        let tasks = kinds::tasks()
            .quotas(Quotas::new().bytes_per_call(INPUTS as u64))
            .task(Task::new(&*longest, echo).group(&*longest))
            .schedule("nightly", "hang", (), daily.clone())
            .schedule("x".repeat(LONGEST_SCHEDULE), "hang", (), daily);
        let app = TestApp::builder(tasks).build();
        app.capability(ALL);
        let other = app.page("other").open();
        let watched = other.start("hang", (), json!({})).await.unwrap();
        Self { app, other, watched }
    }

    /// Makes a good call of a page, after `change`.
    async fn call(&self, number: usize, call: &(&str, Needs, Value), change: impl FnOnce(&mut Value)) -> Made {
        let (command, needs, arguments) = call;
        let page = self.app.page(&format!("page-{number}")).open();
        // No two pages may have sessions of the same name.
        let (short, other, long) =
            (format!("s{number}"), format!("other{number}"), format!("{number:x>LONGEST_SESSION$}"));
        for session in [&short, &long] {
            page.session(session).await.unwrap();
        }
        let (id, new) = (TaskId::new(), TaskId::new());
        self.prepare(&page, &short, id, *needs).await;
        let mut arguments = arguments.clone();
        change(&mut arguments);
        rename(&mut arguments, &[("s", &short), ("other", &other), (&"x".repeat(LONGEST_SESSION), &long)]);
        rename(&mut arguments, &[(ID, &id.to_string()), (NEW, &new.to_string())]);
        // The first is polled first, so its call is under way.
        let (answer, seen) = tokio::join!(page.call(command, arguments), self.other.status(self.watched));
        assert!(!seen.unwrap().is_final(), "{command} has ended the task of another window");
        assert!(!self.other.status(self.watched).await.unwrap().is_final());
        let reason = page.snapshot(id).await.map_or(Value::Null, |snapshot| snapshot["cancelReason"].clone());
        page.close();
        Made { answer, reason }
    }

    /// Starts the task that a call is about.
    async fn prepare(&self, page: &TestPage, session: &str, id: TaskId, needs: Needs) {
        let (task, input) = match needs {
            Needs::Items => ("numbers", json!({ "to": 3, "hangs": true })),
            _ => ("hang", Value::Null),
        };
        let options = json!({ "held": needs == Needs::Held });
        let start = json!({ "session": session, "id": id, "task": task, "input": input, "options": options });
        page.call("start", start).await.unwrap();
        match needs {
            Needs::Held => {}
            Needs::Running => until_running(page, id).await,
            Needs::Cancelled => {
                page.cancel(id).await.unwrap();
                page.outcome(id).await.unwrap();
            }
            Needs::Items => {
                until("three items", async || page.snapshot(id).await.unwrap()["progress"]["completed"] == 3).await;
            }
        }
    }
}

async fn until_running(page: &TestPage, id: TaskId) {
    page.until_status(id, TaskStatus::Running).await.unwrap();
}

/// What a call has led to.
struct Made {
    answer: Result<Value, PageError>,
    /// Why the task that it is about was cancelled, if it was.
    reason: Value,
}

/// Replaces texts by others, wherever they are.
fn rename(value: &mut Value, names: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            // Also the id in a longer text.
            let known = |(name, _): &&(&str, &str)| {
                text == name || (text.len() < 40 && text.starts_with(name) && name.len() > 30)
            };
            if let Some((name, new)) = names.iter().find(known) {
                *text = text.replacen(name, new, 1);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| rename(entry, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        _ => {}
    }
}

/// Puts `value` into the part of the arguments that `path` leads to.
fn put(arguments: &mut Value, path: &str, value: Value) {
    let (fields, is_entry) = path.strip_suffix("[]").map_or((path, false), |list| (list, true));
    let part = fields.split('.').fold(arguments, |part, field| &mut part[field]);
    *part = if is_entry { json!([value]) } else { value };
}

/// Returns the paths of all parts of these arguments.
fn paths(arguments: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for (field, part) in arguments.as_object().unwrap() {
        paths.push(field.clone());
        match part {
            Value::Object(_) => paths.extend(self::paths(part).into_iter().map(|path| format!("{field}.{path}"))),
            Value::Array(_) => paths.push(format!("{field}[]")),
            _ => {}
        }
    }
    paths
}

/// Returns the call of this command that has such a part.
fn call_with(command: &str, path: &str) -> (&'static str, Needs, Value) {
    let has_it = |(name, _, arguments): &(&str, Needs, Value)| {
        *name == command && paths(arguments).iter().any(|known| known == path)
    };
    calls().into_iter().find(has_it).unwrap_or_else(|| panic!("{command} has no {path}"))
}

#[test]
fn each_part_of_each_argument_has_a_row() {
    let known: BTreeSet<_> = calls()
        .iter()
        .flat_map(|(command, _, arguments)| paths(arguments).into_iter().map(move |path| format!("{command} {path}")))
        .collect();
    let rows = table();
    let told: Vec<_> = rows.iter().map(|row| format!("{} {}", row.command, row.path)).collect();
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len(), "there is one row for each");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), known);
    for Row { command, path, accepted, over, far, .. } in rows {
        assert!(!accepted.is_empty() && !over.is_empty() && !far.is_empty(), "{command} {path}");
    }
}

/// The bindings are made of the commands themselves, so they know all arguments.
#[test]
fn each_call_has_all_arguments_of_its_command() {
    let bindings = include_str!("../guest-js/core/ipc/bindings.ts");
    let mut of_commands: Vec<String> = Vec::new();
    for line in bindings.lines().filter(|line| line.contains("__TAURI_INVOKE<")) {
        let (_, call) = line.split_once("plugin:tasks|").unwrap();
        let (command, rest) = call.split_once('"').unwrap();
        let names = rest.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(names, _)| names);
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        of_commands.extend(names.map(|name| format!("{command} {name}")));
    }
    let types = [
        ("StartOptions", "start", "options"),
        ("BatchOptions", "batch", "options"),
        ("Visibility", "open", "visibility"),
        ("Visibility", "ack", "visibility"),
        ("TaskFilter", "list", "filter"),
        ("TaskFilter", "cancel_all", "filter"),
        ("TaskFilter", "watch", "target.data.filter"),
        ("TaskFilter", "unwatch", "target.data.filter"),
    ];
    for (name, command, path) in types {
        let (_, fields) = bindings.split_once(&format!("export type {name} = {{")).unwrap();
        let (fields, _) = fields.split_once("\n};").unwrap();
        let names = fields.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
        let names = names.filter(|name| name.trim_end_matches('?').chars().all(char::is_alphanumeric));
        of_commands.extend(names.map(|name| format!("{command} {path}.{}", name.trim_end_matches('?'))));
    }
    assert!(of_commands.len() > 80, "{of_commands:?}");
    let known: BTreeSet<_> = calls()
        .iter()
        .flat_map(|(command, _, arguments)| paths(arguments).into_iter().map(move |path| format!("{command} {path}")))
        .collect();
    let missing: Vec<_> = of_commands.iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn each_argument_is_accepted_at_its_limit_and_has_no_effect_over_it() {
    let scenery = Scenery::new().await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for Row { command, path, accepted, over, far, with } in table() {
        let call = call_with(command, path);
        let accepted = accepted.into_iter().map(|value| ("at", value, None));
        let over = over.into_iter().map(|(value, then)| ("over", value, Some(then)));
        let far = far.into_iter().map(|(value, then)| ("far over", value, Some(then)));
        for (place, value, then) in accepted.chain(over).chain(far) {
            number += 1;
            let case = format!("{command}, {path} {place} its limit: {}", short(&value));
            let made = scenery.call(number, &call, |arguments| {
                for (path, value) in &with {
                    put(arguments, path, value.clone());
                }
                put(arguments, path, value);
            });
            if let Err(problem) = check(made.await, then.as_ref()) {
                wrong.push(format!("{case}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {number}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Checks what a value has led to. `then` is what a value over the limit must lead to.
fn check(made: Made, then: Option<&Beyond>) -> Result<(), String> {
    let Made { answer, reason } = made;
    match (then, answer) {
        (None | Some(Beyond::Taken), Ok(_)) => Ok(()),
        (Some(Beyond::Cut(limit)), Ok(answer)) => {
            let label = &answer["snapshot"]["label"];
            let kept = if label.is_null() { &reason } else { label }.as_str().unwrap_or_default().to_owned();
            let is_cut = kept.ends_with('…') && kept.len() <= *limit && kept.len() > limit - 4;
            if is_cut { Ok(()) } else { Err(format!("{} bytes are kept: {}", kept.len(), short(&json!(kept)))) }
        }
        (Some(Beyond::Refused(kind, says)), Err(error)) => {
            let message = error.message();
            let fits = error.kind() == Some(*kind) && says.iter().all(|says| message.contains(says));
            if message.len() >= 4_096 {
                return Err(format!("the message has {} bytes", message.len()));
            }
            if fits { Ok(()) } else { Err(format!("{error}, and not {kind}: {says:?}")) }
        }
        (then, Ok(_)) => Err(format!("it is accepted, and not {then:?}")),
        (_, Err(error)) => Err(format!("it is refused: {}", short(&json!(error.to_string())))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(200).collect();
    if shown.len() < text.len() { format!("{shown}… of {} bytes", text.len()) } else { shown }
}

/// Returns values of all types that are far over whatever limit there may be.
fn far_over() -> Vec<Value> {
    let long = "x".repeat(100_000);
    vec![
        json!(long),
        json!("\u{202e}\n".repeat(10_000)),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(vec![0; 100_000]),
        json!({ &long: [[[0]]] }),
        json!({ "type": "task", "data": { "id": long } }),
        json!({ "tags": vec!["t"; 100_000], "key": long, "delayMs": 1e300 }),
    ]
}

#[tokio::test]
async fn whatever_a_part_of_an_argument_is_an_error_is_short_and_another_window_is_answered() {
    let scenery = Scenery::new().await;
    let mut number = 0;
    let mut done = BTreeSet::new();
    for call in calls() {
        for path in paths(&call.2) {
            if !done.insert((call.0, path.clone())) {
                continue;
            }
            for far in far_over() {
                number += 1;
                if let Err(error) = scenery.call(number, &call, |arguments| put(arguments, &path, far)).await.answer {
                    let (command, size) = (call.0, error.to_string().len());
                    assert!(error.kind().is_some(), "{command}, {path}: {}", short(&json!(error.to_string())));
                    assert!(size < 4_096, "{command}, {path}: an error of {size} bytes");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_argument_over_8_mib_is_refused_whatever_it_is() {
    let scenery = Scenery::new().await;
    let huge = json!("x".repeat(8 * 1_024 * 1_024 - 1));
    let mut number = 0;
    for call in calls() {
        for argument in call.2.as_object().unwrap().keys() {
            // A channel is text of a few bytes, and inputs have a quota.
            if ["channel", "input", "inputs"].contains(&argument.as_str()) {
                continue;
            }
            number += 1;
            let huge = huge.clone();
            let error =
                scenery.call(number, &call, |arguments| put(arguments, argument, huge)).await.answer.unwrap_err();
            assert_eq!(error.kind(), Some("invalidOptions"), "{} {argument}: {error}", call.0);
            let expected = format!("{argument}: it takes 8388609 bytes as JSON and the limit is 8388608");
            assert!(error.message().contains(&expected), "{} {argument}: {error}", call.0);
        }
    }
}
