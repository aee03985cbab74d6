//! Calls `read` and `cancel_read` as a page, behind the real permission files, on the mock runtime. Compares responses
//! byte for byte.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::{
    thread::ScopedJoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::app::{App, Page};
use tauri::ipc::InvokeResponseBody;

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

fn app() -> App {
    App::new(&[OWN, READER, CONTROLLER, OBSERVER])
}

fn id(number: u8) -> String {
    format!("01890000-0000-7000-8000-0000000000{number:02x}")
}

fn start(page: &Page, session: &str, number: u8, task: &str, input: Value) -> Value {
    let arguments = json!({ "session": session, "id": id(number), "task": task, "input": input, "options": {} });
    page.call("start", arguments).unwrap()
}

/// Starts a task that emits the numbers below `to` and then hangs. Waits until it has emitted them.
fn start_and_emit(page: &Page, session: &str, number: u8, task: &str, to: u32) {
    start(page, session, number, task, numbers(to, true));
    page.eventually("all emitted", || {
        page.call("get", json!({ "id": id(number) })).unwrap()["progress"]["completed"] == to
    });
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

fn read_text(page: &Page, arguments: Value) -> String {
    match page.call_raw("read", arguments).unwrap() {
        InvokeResponseBody::Json(text) => text,
        InvokeResponseBody::Raw(bytes) => panic!("raw: {bytes:?}"),
    }
}

fn read_raw(page: &Page, arguments: Value) -> Vec<u8> {
    match page.call_raw("read", arguments).unwrap() {
        InvokeResponseBody::Raw(bytes) => bytes,
        InvokeResponseBody::Json(text) => panic!("JSON: {text}"),
    }
}

fn refused(page: &Page, command: &str, arguments: Value) -> String {
    let error = page.call(command, arguments).unwrap_err();
    error["kind"].as_str().unwrap_or_else(|| panic!("the error is not the plugin's: {error}")).to_owned()
}

fn stop(page: &Page, session: &str, reader: &str, position: u64) {
    let arguments = json!({ "session": session, "id": id(1), "reader": reader, "position": position });
    assert_eq!(page.call("cancel_read", arguments).unwrap(), Value::Null);
}

/// Waits until task 1 has this status.
fn wait_for(page: &Page, status: &str) {
    page.eventually(status, || page.call("get", json!({ "id": id(1) })).unwrap()["status"] == status);
}

// Chunks.

#[test]
fn items_are_read_as_json_with_the_number_of_the_first() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start(&main, "s", 1, "emits", json!([1, "zwei, \"drei\"", null, { "four": [5.5] }, "ü€😀\u{2028}"]));
    wait_for(&main, "completed");
    let expected =
        r#"{"sequence":0,"missed":0,"done":true,"attempt":1,"items":[1,"zwei, \"drei\"",null,{"four":[5.5]},"ü€😀 "]}"#
            .replace("😀 ", "😀\u{2028}");
    assert_eq!(read_text(&main, asked(1)), expected);
    assert_eq!(read_text(&main, asked(1)), expected, "a repeated read returns the same");
    let end = r#"{"sequence":5,"missed":0,"done":true,"attempt":1,"items":[]}"#;
    assert_eq!(read_text(&main, asked(2)), end);
    stop(&main, "s", "r", 2);
    let rest = read_text(&main, with(asked(1), json!({ "reader": "next", "from": 2 })));
    assert_eq!(
        rest,
        r#"{"sequence":2,"missed":0,"done":true,"attempt":1,"items":[null,{"four":[5.5]},"ü€😀 "]}"#
            .replace("😀 ", "😀\u{2028}")
    );
}

#[test]
fn bytes_are_read_as_they_are_after_a_header_of_24_bytes() {
    let header = |done: u8, sequence: u64, missed: u64| {
        let mut header = vec![24, done, 0, 0, 1, 0, 0, 0];
        header.extend(sequence.to_le_bytes());
        header.extend(missed.to_le_bytes());
        header
    };
    let app = app();
    let main = app.window("main");
    main.open("s");
    start_and_emit(&main, "s", 1, "bytes", 300);
    let mut expected = header(0, 0, 0);
    expected.extend((0..300_u32).map(|byte| byte.to_le_bytes()[0]));
    assert_eq!(read_raw(&main, asked(1)), expected);
    // The next reader asks for all bytes from number 198 on, but those before number 298 were read and dropped.
    stop(&main, "s", "r", 298);
    let expected = [header(0, 298, 100), vec![42, 43]].concat();
    assert_eq!(read_raw(&main, with(asked(1), json!({ "reader": "next", "from": 198 }))), expected);
    stop(&main, "s", "next", 298);
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    wait_for(&main, "cancelled");
    let last = read_raw(&main, with(asked(1), json!({ "reader": "last" })));
    assert_eq!(last, [header(1, 298, 0), vec![42, 43]].concat());
}

#[test]
fn the_last_chunk_of_a_task_that_emitted_nothing_is_json_for_every_kind() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    for (number, task, input) in
        [(1, "bytes", numbers(0, false)), (2, "numbers", numbers(0, false)), (3, "double", json!({ "number": 1 }))]
    {
        start(&main, "s", number, task, input);
        let text = read_text(&main, with(asked(1), json!({ "id": id(number), "reader": task })));
        assert_eq!(text, r#"{"sequence":0,"missed":0,"done":true,"attempt":0,"items":[]}"#, "{task}");
    }
}

#[test]
fn a_read_that_finds_nothing_returns_null_after_its_wait() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start_and_emit(&main, "s", 1, "numbers", 1);
    assert_eq!(read_text(&main, asked(1)), r#"{"sequence":0,"missed":0,"done":false,"attempt":1,"items":[0]}"#);
    let before = Instant::now();
    assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 200 }))), "null");
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 0 }))), "null");
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    assert_eq!(read_text(&main, asked(2)), r#"{"sequence":1,"missed":0,"done":true,"attempt":1,"items":[]}"#);
}

#[test]
fn two_reads_may_be_in_flight_in_either_order() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start(&main, "s", 1, "few-numbers", numbers(100, false));
    let mut items = Vec::new();
    for chunk in (1..200).step_by(2) {
        let [first, second] = std::thread::scope(|scope| {
            let later = scope.spawn(|| main.call("read", asked(chunk + 1)).unwrap());
            let earlier = scope.spawn(|| main.call("read", asked(chunk)).unwrap());
            [earlier.join().unwrap(), later.join().unwrap()]
        });
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

#[test]
fn a_page_that_reads_one_chunk_at_a_time_gets_all_items_however_small_the_buffer() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start(&main, "s", 1, "few-numbers", numbers(100, false));
    let (mut items, mut done) = (Vec::new(), false);
    let mut chunk = 0;
    while !done {
        chunk += 1;
        let read = main.call("read", asked(chunk)).unwrap();
        assert!(!read.is_null(), "handler and reader wait for each other");
        items.extend(read["items"].as_array().unwrap().clone());
        done = read["done"] == true;
    }
    assert_eq!(items, (0..100).map(Value::from).collect::<Vec<_>>());
}

// Repeated and late calls.

#[test]
fn a_read_can_be_repeated_until_its_chunk_is_released() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start(&main, "s", 1, "few-numbers", numbers(100, false));
    let first = read_text(&main, asked(1));
    assert_eq!(read_text(&main, asked(1)), first);
    let second = read_text(&main, asked(2));
    for chunk in [3, 4] {
        read_text(&main, asked(chunk));
    }
    assert_eq!(read_text(&main, asked(1)), first, "the last four are kept");
    assert_eq!(read_text(&main, asked(2)), second);
    read_text(&main, asked(5));
    assert_eq!(refused(&main, "read", asked(1)), "readerGone");
    assert_eq!(read_text(&main, asked(2)), second, "a refused call changes nothing");
    assert_eq!(refused(&main, "read", asked(10)), "readerGone", "too early");
}

#[test]
fn a_stopped_reader_may_stop_again_but_not_read() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start_and_emit(&main, "s", 1, "numbers", 10);
    read_text(&main, asked(1));
    for _ in 0..3 {
        stop(&main, "s", "r", 4);
    }
    for chunk in [1, 2, 3] {
        assert_eq!(refused(&main, "read", asked(chunk)), "readerGone");
    }
    let error = main.call("read", asked(1)).unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("with a new reader"), "{error}");
    // A reader may stop before its first read arrives.
    stop(&main, "s", "late", 0);
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "reader": "late" }))), "readerGone");
    let next = read_text(&main, with(asked(1), json!({ "reader": "next" })));
    assert_eq!(next, r#"{"sequence":4,"missed":0,"done":false,"attempt":1,"items":[4,5,6,7,8,9]}"#);
    stop(&main, "s", "next", 4);
    assert_eq!(refused(&main, "read", with(asked(5), json!({ "reader": "unknown" }))), "readerGone");
}

#[test]
fn a_second_reader_is_refused_until_the_first_has_stopped() {
    let app = app();
    let (main, second) = (app.window("main"), app.window("reader"));
    main.open("s");
    second.open("t");
    main.open_on("u", 77);
    start_and_emit(&main, "s", 1, "numbers", 3);
    read_text(&main, asked(1));
    let theirs = || with(asked(1), json!({ "session": "t" }));
    let error = second.call("read", theirs()).unwrap_err();
    assert_eq!(error["kind"], "locked");
    assert!(error["message"].as_str().unwrap().contains("one reader at a time"), "{error}");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "session": "u" }))), "locked", "even for the same page");
    assert_eq!(
        refused(&main, "read", with(asked(1), json!({ "reader": "other" }))),
        "locked",
        "even in the same session"
    );
    // A page can't stop another page's reader by using the same name.
    stop(&second, "t", "r", 3);
    read_text(&main, asked(1));
    stop(&main, "s", "r", 1);
    assert_eq!(refused(&second, "read", theirs()), "readerGone", "it has only stopped its own reader");
    let taken = read_text(&second, with(theirs(), json!({ "reader": "mine" })));
    assert_eq!(taken, r#"{"sequence":1,"missed":0,"done":false,"attempt":1,"items":[1,2]}"#);
}

#[test]
fn a_read_that_does_not_wait_ends_the_waiting_reads_of_its_session() {
    let app = app();
    let (main, second) = (app.window("main"), app.window("second"));
    main.open("s");
    second.open("t");
    start_and_emit(&main, "s", 1, "numbers", 1);
    start_and_emit(&second, "t", 2, "numbers", 1);
    let theirs = |chunk| with(asked(chunk), json!({ "session": "t", "id": id(2) }));
    read_text(&main, asked(1));
    read_text(&second, theirs(1));
    std::thread::scope(|scope| {
        let before = Instant::now();
        let waits: Vec<_> =
            (0..3).map(|_| scope.spawn(|| read_text(&main, with(asked(2), json!({ "waitMs": 20_000 }))))).collect();
        let elsewhere =
            scope.spawn(move || (read_text(&second, with(theirs(2), json!({ "waitMs": 1_500 }))), before.elapsed()));
        // Repeated, since nothing reports when all reads have begun to wait.
        while !waits.iter().all(ScopedJoinHandle::is_finished) {
            assert!(before.elapsed() < Duration::from_secs(10), "they still wait");
            assert_eq!(read_text(&main, with(asked(2), json!({ "waitMs": 0 }))), "null");
            std::thread::sleep(Duration::from_millis(5));
        }
        for wait in waits {
            assert_eq!(wait.join().unwrap(), "null");
        }
        let (text, waited) = elsewhere.join().unwrap();
        assert_eq!(text, "null");
        assert!(waited >= Duration::from_millis(1_500), "the read of another session keeps waiting: {waited:?}");
    });
}

// Permissions.

#[test]
fn a_page_reads_only_the_tasks_that_its_permissions_allow() {
    let app = app();
    let windows = ["main", "second", "reader", "controller", "observer"].map(|label| app.window(label));
    let [main, second, reader, controller, observer] = &windows;
    for (number, window) in windows.iter().enumerate() {
        window.open(&format!("s{number}"));
    }
    start_and_emit(main, "s0", 1, "numbers", 3);
    start_and_emit(main, "s0", 2, "secret-numbers", 3);
    start(main, "s0", 3, "emits", json!([1]));
    let read = |session: &str, task: u8| with(asked(1), json!({ "session": session, "id": id(task) }));
    let release = |page: &Page, session: &str, task: u8| {
        let arguments = json!({ "session": session, "id": id(task), "reader": "r", "position": 0 });
        page.call("cancel_read", arguments).unwrap();
    };

    let foreign = second.call("read", read("s1", 1)).unwrap_err();
    let unknown = second.call("read", read("s1", 99)).unwrap_err();
    assert_eq!((&foreign["kind"], &unknown["kind"]), (&json!("notFound"), &json!("notFound")));
    let words = |error: &Value, task: u8| error["message"].as_str().unwrap().replace(&id(task), "");
    assert_eq!(words(&foreign, 1), words(&unknown, 99), "foreign and unknown get the same answer");
    let stops = json!({ "session": "s1", "id": id(1), "reader": "r", "position": 0 });
    assert_eq!(refused(second, "cancel_read", stops), "notFound");

    let from_elsewhere = reader.call("read", read("s2", 1)).unwrap();
    assert_eq!(from_elsewhere["items"], json!([0, 1, 2]), "\"owner\": \"any\"");
    release(reader, "s2", 1);
    assert_eq!(refused(reader, "read", read("s2", 2)), "notFound", "a denial wins");
    assert_eq!(refused(reader, "read", read("s2", 3)), "notFound", "another kind");
    assert_eq!(refused(reader, "get", json!({ "id": id(1) })), "notFound", "a reader may not observe");

    assert_eq!(controller.call("read", read("s3", 1)).unwrap()["items"], json!([0, 1, 2]));
    release(controller, "s3", 1);
    let error = observer.call("read", read("s4", 1)).unwrap_err();
    assert!(error.as_str().is_some_and(|text| text.contains("not allowed")), "an observer may not read: {error}");
    assert_eq!(main.call("read", read("s0", 1)).unwrap()["items"], json!([0, 1, 2]), "nothing was lost meanwhile");
    assert_eq!(refused(second, "read", read("s0", 1)), "notFound");
    let borrowed = with(read("s0", 1), json!({ "reader": "r2" }));
    assert_eq!(refused(reader, "read", borrowed), "sessionGone", "another page's session");
}

#[test]
fn a_denial_keeps_a_page_from_reading_even_its_own_tasks() {
    let app = App::new(&[DENIED]);
    let denied = app.window("denied");
    denied.open("s");
    start_and_emit(&denied, "s", 1, "numbers", 3);
    for command in ["read", "cancel_read"] {
        let error = denied.call(command, with(asked(1), json!({ "position": 0 }))).unwrap_err();
        assert!(error.as_str().is_some_and(|text| text.contains("denied")), "{error}");
    }
}

#[test]
fn only_the_owner_learns_that_the_items_of_a_task_have_expired() {
    let app = app();
    let (main, second) = (app.window("main"), app.window("second"));
    main.open("s");
    second.open("t");
    start(&main, "s", 1, "numbers", numbers(3, false));
    wait_for(&main, "completed");
    main.call("remove", json!({ "id": id(1) })).unwrap();
    assert_eq!(refused(&main, "read", asked(1)), "outcomeExpired");
    assert_eq!(refused(&second, "read", with(asked(1), json!({ "session": "t" }))), "notFound");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "id": id(9) }))), "notFound");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "id": "no id" }))), "notFound");
}

// Malformed calls.

#[test]
fn the_refusal_of_a_malformed_call_says_what_is_wrong_with_it() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start_and_emit(&main, "s", 1, "numbers", 3);
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
        let error = main.call("read", with(asked(1), changes.clone())).unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{changes}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("look at the types of tauri-plugin-tasks-api"), "{changes}: {message}");
    }
    let error = main.call("read", with(asked(1), json!({ "from": 4 }))).unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("3 is the largest number allowed"), "{error}");
    for position in [json!(-1), json!("1"), Value::Null] {
        let arguments = json!({ "session": "s", "id": id(1), "reader": "r", "position": position });
        assert_eq!(refused(&main, "cancel_read", arguments), "invalidOptions");
    }
    assert_eq!(refused(&main, "read", with(asked(0), json!({}))), "readerGone");
    assert_eq!(refused(&main, "read", with(asked(1), json!({ "session": "other" }))), "sessionGone");
    let longest = with(asked(1), json!({ "reader": "x".repeat(64), "from": 3, "waitMs": 1 }));
    assert_eq!(read_text(&main, longest), "null", "no refused call has become the reader");
}

// Starts that return the outcome.

#[test]
fn a_start_returns_the_outcome_of_a_task_that_ends_without_waiting() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let (mut with_outcome, mut without) = (0, Vec::new());
    for number in 1..=50 {
        let started = start(&main, "s", number, "numbers", numbers(3, false));
        if started["outcome"].is_null() {
            without.push(started["snapshot"]["status"].as_str().unwrap().to_owned());
            continue;
        }
        with_outcome += 1;
        assert_eq!(started["outcome"], json!({ "status": "completed", "data": { "output": null } }));
        assert_eq!(started["snapshot"]["status"], "completed");
        let again = start(&main, "s", number, "numbers", numbers(3, false));
        assert_eq!(again, started, "and so does its repeat");
    }
    // On a loaded machine, some tasks may end too late.
    assert!(with_outcome >= 10, "{with_outcome} of 50, and the others were {without:?}");
    assert!(main.no_message_for(Duration::from_millis(100)) || with_outcome < 50, "nothing follows such an answer");
}

#[test]
fn a_start_does_not_wait_for_a_task_that_goes_on() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    for (number, task, input, status) in [
        (1, "numbers", numbers(3, true), "running"),
        (2, "hang", Value::Null, "running"),
        (3, "busy", Value::Null, "running"),
        (4, "one", Value::Null, "running"),
        (5, "one", Value::Null, "queued"),
        (6, "few-numbers", numbers(100, false), "running"),
    ] {
        let before = Instant::now();
        let started = start(&main, "s", number, task, input);
        assert!(before.elapsed() < Duration::from_secs(1), "{task} took {:?}", before.elapsed());
        assert_eq!(started["outcome"], Value::Null);
        let now = started["snapshot"]["status"].as_str().unwrap();
        assert!(now == status || now == "queued", "{task} is {now}");
    }
    app.open_gate();
}

#[test]
fn a_start_does_not_return_a_large_outcome() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let started = start(&main, "s", 1, "large", Value::Null);
    assert_eq!(started["outcome"], Value::Null);
    wait_for(&main, "completed");
    assert_eq!(start(&main, "s", 1, "large", Value::Null)["outcome"], Value::Null);
    let outcome = main.call("outcome", json!({ "id": id(1) })).unwrap();
    assert_eq!(outcome["data"]["output"].as_str().unwrap().len(), 100_000);
}

// Removed tasks.

#[test]
fn the_reader_of_a_removed_task_can_stop() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    start(&main, "s", 1, "numbers", numbers(3, false));
    read_text(&main, asked(1));
    wait_for(&main, "completed");
    main.call("remove", json!({ "id": id(1) })).unwrap();
    // Otherwise the session would keep the task and all its items until the page leaves.
    stop(&main, "s", "r", 3);
}
