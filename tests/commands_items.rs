//! Calls `read` and `cancel_read` as a page, behind the real permission files, on the mock runtime. Compares responses
//! byte for byte.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::kinds::{self, id, open_gate};
use tauri::ipc::InvokeResponseBody;
use tauri_plugin_tasks::test::{TestApp, TestMessage, TestPage, until};

const OWN: &str = r#"{ "identifier": "own", "windows": ["main", "second"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
] }"#;
const READER: &str = r#"{ "identifier": "reader", "windows": ["reader"], "permissions": [
    "tasks:default",
    { "identifier": "tasks:allow-read", "allow": [{ "task": "*numbers", "owner": "any" }], "deny": [{ "task": "secret-*" }] }
] }"#;
const CONTROLLER: &str = r#"{ "identifier": "controller", "windows": ["controller"], "permissions": [
    "tasks:default", "tasks:control-all"
] }"#;
const OBSERVER: &str = r#"{ "identifier": "observer", "windows": ["observer"], "permissions": ["tasks:observe-all"] }"#;
const DENIED: &str = r#"{ "identifier": "denied", "windows": ["denied"], "permissions": [
    "tasks:default", "tasks:deny-read", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }] }
] }"#;

fn app() -> TestApp {
    kinds::app(&[OWN, READER, CONTROLLER, OBSERVER])
}

async fn start(page: &TestPage, session: &str, number: u8, task: &str, input: Value) -> Value {
    let arguments = json!({ "session": session, "id": id(number), "task": task, "input": input, "options": {} });
    page.call("start", arguments).await.unwrap()
}

/// Starts a task that emits the numbers below `to` and then hangs. Waits until it has emitted them.
async fn start_and_emit(page: &TestPage, session: &str, number: u8, task: &str, to: u32) {
    start(page, session, number, task, numbers(to, true)).await;
    until("all emitted", async || {
        page.call("get", json!({ "id": id(number) })).await.unwrap()["progress"]["completed"] == to
    })
    .await;
}

fn numbers(to: u32, hangs: bool) -> Value {
    json!({ "to": to, "hangs": hangs })
}

/// Returns the arguments of a `read` of task 1 by reader `r` in session `s`.
fn asked(chunk: u64) -> Value {
    json!({ "session": "s", "id": id(1), "reader": "r", "chunk": chunk, "from": null, "waitMs": 10_000 })
}

fn with(mut arguments: Value, changes: Value) -> Value {
    arguments.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    arguments
}

async fn read_text(page: &TestPage, arguments: Value) -> String {
    match page.call_raw("read", arguments).await.unwrap() {
        InvokeResponseBody::Json(text) => text,
        InvokeResponseBody::Raw(bytes) => panic!("raw: {bytes:?}"),
    }
}

async fn read_raw(page: &TestPage, arguments: Value) -> Vec<u8> {
    match page.call_raw("read", arguments).await.unwrap() {
        InvokeResponseBody::Raw(bytes) => bytes,
        InvokeResponseBody::Json(text) => panic!("JSON: {text}"),
    }
}

async fn refused(page: &TestPage, command: &str, arguments: Value) -> String {
    let error = page.call(command, arguments).await.unwrap_err();
    error["kind"].as_str().unwrap_or_else(|| panic!("the error is not the plugin's: {error}")).to_owned()
}

async fn stop(page: &TestPage, session: &str, reader: &str, position: u64) {
    let arguments = json!({ "session": session, "id": id(1), "reader": reader, "position": position });
    assert_eq!(page.call("cancel_read", arguments).await.unwrap(), Value::Null);
}

/// Waits until task 1 has this status.
async fn wait_for(page: &TestPage, status: &str) {
    until(status, async || page.call("get", json!({ "id": id(1) })).await.unwrap()["status"] == status).await;
}

// Chunks.

#[tokio::test]
async fn items_are_read_as_json_with_the_number_of_the_first() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start(&main, "s", 1, "emits", json!([1, "zwei, \"drei\"", null, { "four": [5.5] }, "ü€😀\u{2028}"])).await;
    wait_for(&main, "completed").await;
    let expected =
        r#"{"sequence":0,"missed":0,"done":true,"attempt":1,"items":[1,"zwei, \"drei\"",null,{"four":[5.5]},"ü€😀 "]}"#
            .replace("😀 ", "😀\u{2028}");
    assert_eq!(read_text(&main, asked(1)).await, expected);
    assert_eq!(read_text(&main, asked(1)).await, expected, "a repeated read returns the same");
    let end = r#"{"sequence":5,"missed":0,"done":true,"attempt":1,"items":[]}"#;
    assert_eq!(read_text(&main, asked(2)).await, end);
    stop(&main, "s", "r", 2).await;
    let rest = read_text(&main, with(asked(1), json!({ "reader": "next", "from": 2 }))).await;
    assert_eq!(
        rest,
        r#"{"sequence":2,"missed":0,"done":true,"attempt":1,"items":[null,{"four":[5.5]},"ü€😀 "]}"#
            .replace("😀 ", "😀\u{2028}")
    );
}

#[tokio::test]
async fn bytes_are_read_as_they_are_after_a_header_of_24_bytes() {
    let header = |done: u8, sequence: u64, missed: u64| {
        let mut header = vec![24, done, 0, 0, 1, 0, 0, 0];
        header.extend(sequence.to_le_bytes());
        header.extend(missed.to_le_bytes());
        header
    };
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start_and_emit(&main, "s", 1, "bytes", 300).await;
    let mut expected = header(0, 0, 0);
    expected.extend((0..300_u32).map(|byte| byte.to_le_bytes()[0]));
    assert_eq!(read_raw(&main, asked(1)).await, expected);
    // The next reader asks for all bytes from number 198 on, but those before number 298 were read and dropped.
    stop(&main, "s", "r", 298).await;
    let expected = [header(0, 298, 100), vec![42, 43]].concat();
    assert_eq!(read_raw(&main, with(asked(1), json!({ "reader": "next", "from": 198 }))).await, expected);
    stop(&main, "s", "next", 298).await;
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    wait_for(&main, "cancelled").await;
    let last = read_raw(&main, with(asked(1), json!({ "reader": "last" }))).await;
    assert_eq!(last, [header(1, 298, 0), vec![42, 43]].concat());
}

#[tokio::test]
async fn the_last_chunk_of_a_task_that_emitted_nothing_is_json_for_every_kind() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    for (number, task, input) in
        [(1, "bytes", numbers(0, false)), (2, "numbers", numbers(0, false)), (3, "double", json!({ "number": 1 }))]
    {
        start(&main, "s", number, task, input).await;
        let text = read_text(&main, with(asked(1), json!({ "id": id(number), "reader": task }))).await;
        assert_eq!(text, r#"{"sequence":0,"missed":0,"done":true,"attempt":0,"items":[]}"#, "{task}");
    }
}

#[tokio::test]
async fn a_read_that_finds_nothing_returns_null_after_its_wait() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start_and_emit(&main, "s", 1, "numbers", 1).await;
    assert_eq!(read_text(&main, asked(1)).await, r#"{"sequence":0,"missed":0,"done":false,"attempt":1,"items":[0]}"#);
    let before = Instant::now();
    assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 200 }))).await, "null");
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 0 }))).await, "null");
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).await.unwrap();
    assert_eq!(read_text(&main, asked(2)).await, r#"{"sequence":1,"missed":0,"done":true,"attempt":1,"items":[]}"#);
}

#[tokio::test]
async fn two_reads_may_be_in_flight_in_either_order() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start(&main, "s", 1, "few-numbers", numbers(100, false)).await;
    let mut items = Vec::new();
    for chunk in (1..200).step_by(2) {
        let (later, earlier) = tokio::join!(main.call("read", asked(chunk + 1)), main.call("read", asked(chunk)));
        let [first, second] = [earlier, later].map(Result::unwrap);
        let is_done = second["done"] == true;
        for chunk in [first, second] {
            assert_eq!((chunk["sequence"].as_u64().unwrap(), &chunk["missed"]), (items.len() as u64, &json!(0)));
            items.extend(chunk["items"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()));
        }
        if is_done {
            break;
        }
    }
    assert_eq!(items, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_that_reads_one_chunk_at_a_time_gets_all_items_however_small_the_buffer() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start(&main, "s", 1, "few-numbers", numbers(100, false)).await;
    let (mut items, mut done) = (Vec::new(), false);
    let mut chunk = 0;
    while !done {
        chunk += 1;
        let read = main.call("read", asked(chunk)).await.unwrap();
        assert!(!read.is_null(), "handler and reader wait for each other");
        items.extend(read["items"].as_array().unwrap().clone());
        done = read["done"] == true;
    }
    assert_eq!(items, (0..100).map(Value::from).collect::<Vec<_>>());
}

// Repeated and late calls.

#[tokio::test]
async fn a_read_can_be_repeated_until_its_chunk_is_released() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start(&main, "s", 1, "few-numbers", numbers(100, false)).await;
    let first = read_text(&main, asked(1)).await;
    assert_eq!(read_text(&main, asked(1)).await, first);
    let second = read_text(&main, asked(2)).await;
    for chunk in [3, 4] {
        read_text(&main, asked(chunk)).await;
    }
    assert_eq!(read_text(&main, asked(1)).await, first, "the last four are kept");
    assert_eq!(read_text(&main, asked(2)).await, second);
    read_text(&main, asked(5)).await;
    assert_eq!(refused(&main, "read", asked(1)).await, "readerGone");
    assert_eq!(read_text(&main, asked(2)).await, second, "a refused call changes nothing");
    assert_eq!(refused(&main, "read", asked(10)).await, "readerGone", "too early");
}

#[tokio::test]
async fn a_stopped_reader_may_stop_again_but_not_read() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start_and_emit(&main, "s", 1, "numbers", 10).await;
    read_text(&main, asked(1)).await;
    for _ in 0..3 {
        stop(&main, "s", "r", 4).await;
    }
    for chunk in [1, 2, 3] {
        assert_eq!(refused(&main, "read", asked(chunk)).await, "readerGone");
    }
    let error = main.call("read", asked(1)).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("with a new reader"), "{error}");
    // A reader may stop before its first read arrives.
    stop(&main, "s", "late", 0).await;
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "reader": "late" }))).await, "readerGone");
    let next = read_text(&main, with(asked(1), json!({ "reader": "next" }))).await;
    assert_eq!(next, r#"{"sequence":4,"missed":0,"done":false,"attempt":1,"items":[4,5,6,7,8,9]}"#);
    stop(&main, "s", "next", 4).await;
    assert_eq!(refused(&main, "read", with(asked(5), json!({ "reader": "unknown" }))).await, "readerGone");
}

#[tokio::test]
async fn a_second_reader_is_refused_until_the_first_has_stopped() {
    let app = app();
    let (main, second) = (app.page("main").open(), app.page("reader").open());
    main.session("s").await.unwrap();
    second.session("t").await.unwrap();
    main.session("u").await.unwrap();
    start_and_emit(&main, "s", 1, "numbers", 3).await;
    read_text(&main, asked(1)).await;
    let theirs = || with(asked(1), json!({ "session": "t" }));
    let error = second.call("read", theirs()).await.unwrap_err();
    assert_eq!(error["kind"], "locked");
    assert!(error["message"].as_str().unwrap().contains("one reader at a time"), "{error}");
    assert_eq!(
        refused(&main, "read", with(asked(1), json!({ "session": "u" }))).await,
        "locked",
        "even for the same page"
    );
    assert_eq!(
        refused(&main, "read", with(asked(1), json!({ "reader": "other" }))).await,
        "locked",
        "even in the same session"
    );
    // A page can't stop another page's reader by using the same name.
    stop(&second, "t", "r", 3).await;
    read_text(&main, asked(1)).await;
    stop(&main, "s", "r", 1).await;
    assert_eq!(refused(&second, "read", theirs()).await, "readerGone", "it has only stopped its own reader");
    let taken = read_text(&second, with(theirs(), json!({ "reader": "mine" }))).await;
    assert_eq!(taken, r#"{"sequence":1,"missed":0,"done":false,"attempt":1,"items":[1,2]}"#);
}

#[tokio::test]
async fn a_read_that_does_not_wait_ends_the_waiting_reads_of_its_session() {
    let app = app();
    let (main, second) = (app.page("main").open(), app.page("second").open());
    main.session("s").await.unwrap();
    second.session("t").await.unwrap();
    start_and_emit(&main, "s", 1, "numbers", 1).await;
    start_and_emit(&second, "t", 2, "numbers", 1).await;
    let theirs = |chunk| with(asked(chunk), json!({ "session": "t", "id": id(2) }));
    read_text(&main, asked(1)).await;
    read_text(&second, theirs(1)).await;
    let (before, is_over) = (Instant::now(), Cell::new(false));
    let waits = async {
        let waits = (0..3).map(|_| read_text(&main, with(asked(2), json!({ "waitMs": 20_000 }))));
        assert_eq!(join_all(waits).await, ["null"; 3]);
        is_over.set(true);
    };
    // Repeated, since nothing reports when all reads have begun to wait.
    let ends_them = async {
        while !is_over.get() {
            assert!(before.elapsed() < Duration::from_secs(10), "they still wait");
            assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 0 }))).await, "null");
        }
    };
    let elsewhere = async { (read_text(&second, with(theirs(2), json!({ "waitMs": 1_500 }))).await, before.elapsed()) };
    let ((), (), (text, waited)) = tokio::join!(waits, ends_them, elsewhere);
    assert_eq!(text, "null");
    assert!(waited >= Duration::from_millis(1_500), "the read of another session keeps waiting: {waited:?}");
}

// Permissions.

#[tokio::test]
async fn a_page_reads_only_the_tasks_that_its_permissions_allow() {
    let app = app();
    let windows = ["main", "second", "reader", "controller", "observer"].map(|label| app.page(label).open());
    let [main, second, reader, controller, observer] = &windows;
    for (number, window) in windows.iter().enumerate() {
        window.session(&format!("s{number}")).await.unwrap();
    }
    start_and_emit(main, "s0", 1, "numbers", 3).await;
    start_and_emit(main, "s0", 2, "secret-numbers", 3).await;
    start(main, "s0", 3, "emits", json!([1])).await;
    let read = |session: &str, task: u8| with(asked(1), json!({ "session": session, "id": id(task) }));
    let release = async |page: &TestPage, session: &str, task: u8| {
        let arguments = json!({ "session": session, "id": id(task), "reader": "r", "position": 0 });
        page.call("cancel_read", arguments).await.unwrap();
    };

    let foreign = second.call("read", read("s1", 1)).await.unwrap_err();
    let unknown = second.call("read", read("s1", 99)).await.unwrap_err();
    assert_eq!((&foreign["kind"], &unknown["kind"]), (&json!("notFound"), &json!("notFound")));
    let words = |error: &Value, task: u8| error["message"].as_str().unwrap().replace(&id(task), "");
    assert_eq!(words(&foreign, 1), words(&unknown, 99), "foreign and unknown get the same answer");
    let stops = json!({ "session": "s1", "id": id(1), "reader": "r", "position": 0 });
    assert_eq!(refused(second, "cancel_read", stops).await, "notFound");

    let from_elsewhere = reader.call("read", read("s2", 1)).await.unwrap();
    assert_eq!(from_elsewhere["items"], json!([0, 1, 2]), "\"owner\": \"any\"");
    release(reader, "s2", 1).await;
    assert_eq!(refused(reader, "read", read("s2", 2)).await, "notFound", "a denial wins");
    assert_eq!(refused(reader, "read", read("s2", 3)).await, "notFound", "another kind");
    assert_eq!(refused(reader, "get", json!({ "id": id(1) })).await, "notFound", "a reader may not observe");

    assert_eq!(controller.call("read", read("s3", 1)).await.unwrap()["items"], json!([0, 1, 2]));
    release(controller, "s3", 1).await;
    let error = observer.call("read", read("s4", 1)).await.unwrap_err();
    assert!(error.as_str().is_some_and(|text| text.contains("not allowed")), "an observer may not read: {error}");
    assert_eq!(
        main.call("read", read("s0", 1)).await.unwrap()["items"],
        json!([0, 1, 2]),
        "nothing was lost meanwhile"
    );
    assert_eq!(refused(second, "read", read("s0", 1)).await, "notFound");
    let borrowed = with(read("s0", 1), json!({ "reader": "r2" }));
    assert_eq!(refused(reader, "read", borrowed).await, "sessionGone", "another page's session");
}

#[tokio::test]
async fn a_denial_keeps_a_page_from_reading_even_its_own_tasks() {
    let app = kinds::app(&[DENIED]);
    let denied = app.page("denied").open();
    denied.session("s").await.unwrap();
    start_and_emit(&denied, "s", 1, "numbers", 3).await;
    for command in ["read", "cancel_read"] {
        let error = denied.call(command, with(asked(1), json!({ "position": 0 }))).await.unwrap_err();
        assert!(error.as_str().is_some_and(|text| text.contains("denied")), "{error}");
    }
}

#[tokio::test]
async fn only_the_owner_learns_that_the_items_of_a_task_have_expired() {
    let app = app();
    let (main, second) = (app.page("main").open(), app.page("second").open());
    main.session("s").await.unwrap();
    second.session("t").await.unwrap();
    start(&main, "s", 1, "numbers", numbers(3, false)).await;
    wait_for(&main, "completed").await;
    main.call("remove", json!({ "id": id(1) })).await.unwrap();
    assert_eq!(refused(&main, "read", asked(1)).await, "outcomeExpired");
    assert_eq!(refused(&second, "read", with(asked(1), json!({ "session": "t" }))).await, "notFound");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "id": id(9) }))).await, "notFound");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "id": "no id" }))).await, "notFound");
}

// Malformed calls.

#[tokio::test]
async fn the_refusal_of_a_malformed_call_says_what_is_wrong_with_it() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start_and_emit(&main, "s", 1, "numbers", 3).await;
    for changes in [
        json!({ "chunk": "1" }),
        json!({ "chunk": -1 }),
        json!({ "chunk": 1.5 }),
        json!({ "chunk": null }),
        json!({ "from": -1 }),
        json!({ "from": "0" }),
        json!({ "waitMs": -1 }),
        json!({ "waitMs": "soon" }),
        json!({ "waitMs": 5_000_000_000_u64 }),
        json!({ "reader": "x".repeat(65) }),
        json!({ "from": 4 }),
    ] {
        let error = main.call("read", with(asked(1), changes.clone())).await.unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{changes}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("look at the types of tauri-plugin-tasks-api"), "{changes}: {message}");
    }
    let error = main.call("read", with(asked(1), json!({ "from": 4 }))).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("3 is the largest number allowed"), "{error}");
    for position in [json!(-1), json!("1"), Value::Null] {
        let arguments = json!({ "session": "s", "id": id(1), "reader": "r", "position": position });
        assert_eq!(refused(&main, "cancel_read", arguments).await, "invalidOptions");
    }
    assert_eq!(refused(&main, "read", with(asked(0), json!({}))).await, "readerGone");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "session": "other" }))).await, "sessionGone");
    let longest = with(asked(1), json!({ "reader": "x".repeat(64), "from": 3, "waitMs": 1 }));
    assert_eq!(read_text(&main, longest).await, "null", "no refused call has become the reader");
}

// Starts that return the outcome.

#[tokio::test]
async fn a_start_returns_the_outcome_of_a_task_that_ends_without_waiting() {
    let app = app();
    let main = app.page("main").open();
    let session = main.session("s").await.unwrap();
    let (mut with_outcome, mut without) = (Vec::new(), Vec::new());
    for number in 1..=50 {
        let started = start(&main, "s", number, "numbers", numbers(3, false)).await;
        if started["outcome"].is_null() {
            without.push(started["snapshot"]["status"].as_str().unwrap().to_owned());
            continue;
        }
        with_outcome.push(id(number));
        assert_eq!(started["outcome"], json!({ "status": "completed", "data": { "output": null } }));
        assert_eq!(started["snapshot"]["status"], "completed");
        let again = start(&main, "s", number, "numbers", numbers(3, false)).await;
        assert_eq!(again, started, "and so does its repeat");
    }
    // On a loaded machine, some tasks may end too late.
    assert!(with_outcome.len() >= 10, "{} of 50, and the others were {without:?}", with_outcome.len());
    // What follows such an answer would come before the end of a later task.
    start(&main, "s", 51, "hang", Value::Null).await;
    main.call("cancel", json!({ "id": id(51), "reason": "user" })).await.unwrap();
    session.events_until_end(&id(51)).await;
    let messages = session.messages();
    let told = messages.iter().flat_map(TestMessage::events).map(|event| event["id"].as_str().unwrap());
    assert_eq!(
        told.filter(|told| with_outcome.iter().any(|id| id == told)).count(),
        0,
        "nothing follows such an answer"
    );
}

#[tokio::test]
async fn a_start_does_not_wait_for_a_task_that_goes_on() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    for (number, task, input, status) in [
        (1, "numbers", numbers(3, true), "running"),
        (2, "hang", Value::Null, "running"),
        (3, "busy", Value::Null, "running"),
        (4, "one", Value::Null, "running"),
        (5, "one", Value::Null, "queued"),
        (6, "few-numbers", numbers(100, false), "running"),
    ] {
        let before = Instant::now();
        let started = start(&main, "s", number, task, input).await;
        assert!(before.elapsed() < Duration::from_secs(1), "{task} took {:?}", before.elapsed());
        assert_eq!(started["outcome"], Value::Null);
        let now = started["snapshot"]["status"].as_str().unwrap();
        assert!(now == status || now == "queued", "{task} is {now}");
    }
    open_gate(&app);
}

#[tokio::test]
async fn a_start_does_not_return_a_large_outcome() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    let started = start(&main, "s", 1, "large", Value::Null).await;
    assert_eq!(started["outcome"], Value::Null);
    wait_for(&main, "completed").await;
    assert_eq!(start(&main, "s", 1, "large", Value::Null).await["outcome"], Value::Null);
    let outcome = main.call("outcome", json!({ "id": id(1) })).await.unwrap();
    assert_eq!(outcome["data"]["output"].as_str().unwrap().len(), 100_000);
}

// Removed tasks.

#[tokio::test]
async fn the_reader_of_a_removed_task_can_stop() {
    let app = app();
    let main = app.page("main").open();
    main.session("s").await.unwrap();
    start(&main, "s", 1, "numbers", numbers(3, false)).await;
    read_text(&main, asked(1)).await;
    wait_for(&main, "completed").await;
    main.call("remove", json!({ "id": id(1) })).await.unwrap();
    // Otherwise the session would keep the task and all its items until the page leaves.
    stop(&main, "s", "r", 3).await;
}
