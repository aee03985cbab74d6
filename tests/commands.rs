//! Calls the real commands as a page, behind the real permission files, on the mock runtime.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::app::{App, CHANNEL, Message};

const SELF_ONLY: &str = r#"{ "identifier": "own", "windows": ["main", "second"], "permissions": [
    "tasks:default", { "identifier": "tasks:allow-start", "allow": [{ "task": "*" }], "deny": [{ "task": "secret" }] }
] }"#;
const DEFAULT_ONLY: &str = r#"{ "identifier": "bare", "windows": ["bare"], "permissions": ["tasks:default"] }"#;
const OBSERVER: &str = r#"{ "identifier": "all", "windows": ["observer"], "permissions": [
    "tasks:default", "tasks:observe-all", "tasks:control-all"
] }"#;
const WATCHER: &str = r#"{ "identifier": "watcher", "windows": ["watcher"], "permissions": [
    { "identifier": "tasks:observe-all", "deny": [{ "task": "slow" }] }
] }"#;

fn app() -> App {
    App::new(&[SELF_ONLY, DEFAULT_ONLY, OBSERVER, WATCHER])
}

fn start(id: &str, task: &str, input: Value) -> Value {
    json!({ "session": "s", "id": id, "task": task, "input": input, "options": {} })
}

fn id(number: u8) -> String {
    format!("01890000-0000-7000-8000-0000000000{number:02x}")
}

#[test]
fn a_page_starts_a_task_and_learns_its_outcome() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let snapshot = main.start("start", start(&id(1), "double", json!({ "number": 21 })));
    assert_eq!(
        (&snapshot["id"], &snapshot["task"], &snapshot["owner"]),
        (&json!(id(1)), &json!("double"), &json!("main"))
    );
    assert_eq!(snapshot["input"], Value::Null, "an input is hidden unless its kind shows it");
    let end = main.next_end("s", &id(1));
    assert_eq!(end["outcome"], json!({ "status": "completed", "data": { "output": 42 } }));
    assert_eq!(main.call("outcome", json!({ "id": id(1) })).unwrap(), end["outcome"]);
    assert_eq!(main.call("get", json!({ "id": id(1) })).unwrap()["status"], "completed");
}

#[test]
fn a_snapshot_shows_the_input_if_the_kind_says_so() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let snapshot = main.start("start", start(&id(1), "echo", json!("seen")));
    assert_eq!(snapshot["input"], "seen");
}

#[test]
fn a_handler_can_take_the_app_as_an_argument() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "app-name", Value::Null)).unwrap();
    assert_eq!(main.next_end("s", &id(1))["outcome"]["data"]["output"], "managed state");
}

#[test]
fn a_repeated_start_finds_its_task_and_another_start_with_its_id_is_refused() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let words = start(&id(1), "slow", Value::Null);
    main.call("start", words.clone()).unwrap();
    assert_eq!(main.start("start", words.clone())["id"], id(1));
    main.eventually("a run", || app.runs("slow") == 1);

    for other in [start(&id(1), "slow", json!(5)), start(&id(1), "double", json!({ "number": 1 }))] {
        assert_eq!(main.call("start", other).unwrap_err()["kind"], "invalidId");
    }
    let second = app.window("second");
    second.open("s2");
    let mut foreign = words.clone();
    foreign["session"] = json!("s2");
    let of_foreign = second.call("start", foreign).unwrap_err();
    assert_eq!(of_foreign["kind"], "invalidId");

    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    main.next_end("s", &id(1));
    main.eventually("removed", || main.call("remove", json!({ "id": id(1) })).is_ok());
    let of_removed = main.call("start", words).unwrap_err();
    assert_eq!(of_removed["message"], of_foreign["message"], "the message reveals nothing");
    assert_eq!(app.runs("slow"), 1);
}

#[test]
fn a_bad_argument_is_refused_with_a_typed_error_that_says_what_to_do() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    let refused = |command: &str, arguments: Value| main.call(command, arguments).unwrap_err();

    let error = refused("start", start(&id(1), "nope", Value::Null));
    assert_eq!(error["kind"], "unknownTask");
    assert!(error["message"].as_str().unwrap().contains("Task::new(\"nope\""), "{error}");

    let error = refused("start", start(&id(2), "double", json!({ "number": "x" })));
    assert_eq!((&error["kind"], &error["data"]), (&json!("invalidInput"), &json!({ "path": "number" })));
    assert_eq!(
        error["message"],
        "the input of task \"double\" does not fit its type: number: invalid type: string \"x\", expected u32"
    );
    let error = refused("start", start(&id(3), "double", Value::Null));
    assert_eq!(error["data"], json!({ "path": "" }), "{error}");

    assert_eq!(refused("start", start("7", "double", json!({ "number": 1 })))["kind"], "invalidId");
    assert_eq!(refused("get", json!({ "id": "7" }))["kind"], "notFound");
    assert_eq!(refused("cancel", json!({ "id": id(9), "reason": "user" }))["kind"], "notFound");
    assert_eq!(refused("outcome", json!({ "id": id(9) }))["kind"], "notFound");

    let mut gone = start(&id(4), "double", json!({ "number": 1 }));
    gone["session"] = json!("other");
    assert_eq!(refused("start", gone)["kind"], "sessionGone");
    assert_eq!(refused("ack", json!({ "session": "other", "message": 0 }))["kind"], "sessionGone");

    let error = refused("open", json!({ "session": "s9", "protocol": 99, "channel": CHANNEL }));
    assert_eq!(error["kind"], "protocolMismatch");
    assert!(error["message"].as_str().unwrap().contains("protocol 99 and the app protocol 5"), "{error}");

    main.call("start", start(&id(5), "double", json!({ "number": 1 }))).unwrap();
    main.next_end("s", &id(5));
    let error = refused("cancel", json!({ "id": id(5), "reason": "user" }));
    assert_eq!((&error["kind"], &error["data"]["status"]), (&json!("alreadyEnded"), &json!("completed")));

    main.call("start", start(&id(6), "slow", Value::Null)).unwrap();
    assert_eq!(refused("remove", json!({ "id": id(6) }))["kind"], "notEnded");
    assert_eq!(app.tasks_named("double"), 1, "refused starts leave nothing behind");
}

#[test]
fn an_output_that_cannot_be_serialized_and_a_panic_are_failures() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    for (number, task, kind) in [(1, "odd-output", "unserializable"), (2, "panics", "panic"), (3, "fails", "error")] {
        main.call("start", start(&id(number), task, Value::Null)).unwrap();
        let end = main.next_end("s", &id(number));
        assert_eq!((&end["status"], &end["outcome"]["data"]["kind"]), (&json!("failed"), &json!(kind)), "{end}");
        assert_eq!(end["error"]["kind"], kind);
    }
    let outcome = main.call("outcome", json!({ "id": id(3) })).unwrap();
    assert_eq!(outcome["data"]["error"], json!({ "http": 404 }), "the handler's own error is complete");
    assert_eq!(outcome["data"]["message"], "the server answered with status 404", "the kind uses the error's Display");
}

#[test]
fn a_large_output_is_fetched_and_not_pushed() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "large", Value::Null)).unwrap();
    let end = main.next_end("s", &id(1));
    assert_eq!((&end["status"], &end["outcome"]), (&json!("completed"), &Value::Null));
    let outcome = main.call("outcome", json!({ "id": id(1) })).unwrap();
    assert_eq!(outcome["data"]["output"].as_str().unwrap().len(), 100_000);
}

#[test]
fn a_window_starts_only_what_its_capability_names() {
    let app = app();
    let bare = app.window("bare");
    bare.open("s");
    let error = bare.call("start", start(&id(1), "double", json!({ "number": 1 }))).unwrap_err();
    assert_eq!(error["kind"], "notAllowed");
    assert!(
        error["message"].as_str().unwrap().contains(
            r#"window "bare" may not start task "double": add { "identifier": "tasks:allow-start", "allow": [{ "task": "double" }] }"#
        ),
        "{error}"
    );
    let main = app.window("main");
    main.open("m");
    let mut secret = start(&id(2), "secret", Value::Null);
    secret["session"] = json!("m");
    assert_eq!(main.call("start", secret).unwrap_err()["kind"], "notAllowed", "a denial wins");
    let stranger = app.window("stranger");
    let error = stranger.call("list", json!({ "filter": {} })).unwrap_err();
    assert!(error.as_str().is_some_and(|text| text.contains("not allowed")), "Tauri itself refuses: {error}");
    assert_eq!(app.tasks_named("double") + app.tasks_named("secret"), 0);
}

#[test]
fn a_window_sees_and_cancels_tasks_of_others_only_if_its_capability_says_so() {
    let app = app();
    let (main, second, observer, watcher) =
        (app.window("main"), app.window("second"), app.window("observer"), app.window("watcher"));
    main.open("s");
    main.call("start", start(&id(1), "slow", Value::Null)).unwrap();
    main.call("start", start(&id(2), "hang", Value::Null)).unwrap();

    let not_there = second.call("get", json!({ "id": id(1) })).unwrap_err();
    assert_eq!(not_there["kind"], "notFound");
    let unknown = second.call("get", json!({ "id": id(99) })).unwrap_err();
    assert_eq!(
        not_there["message"].as_str().unwrap().replace(&id(1), ""),
        unknown["message"].as_str().unwrap().replace(&id(99), ""),
        "foreign and unknown get the same answer"
    );
    assert_eq!(second.call("list", json!({ "filter": {} })).unwrap(), json!({ "tasks": [], "next": null }));
    for command in ["cancel", "outcome", "remove", "watch"] {
        second.open("s2");
        let arguments = json!({ "id": id(1), "reason": "user", "session": "s2", "target": { "type": "task", "data": { "id": id(1) } } });
        assert_eq!(second.call(command, arguments).unwrap_err()["kind"], "notFound", "{command}");
    }

    let seen = |page: &support::app::Page| {
        let list = page.call("list", json!({ "filter": {} })).unwrap();
        list["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["task"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&observer), ["slow", "hang"]);
    assert_eq!(seen(&watcher), ["hang"], "this observer may not see one kind");
    let error = watcher.call("cancel", json!({ "id": id(2), "reason": "user" })).unwrap_err();
    assert!(error.as_str().is_some(), "an observer may not cancel: {error}");
    observer.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    assert_eq!(main.next_end("s", &id(1))["cancelReason"], "user");
}

#[test]
fn a_list_comes_in_pages_of_visible_tasks() {
    let app = app();
    let (main, observer) = (app.window("main"), app.window("observer"));
    main.open("s");
    for number in 1..=5 {
        main.call("start", start(&id(number), "hang", Value::Null)).unwrap();
        app.tasks().start("slow", ()).unwrap();
    }
    let page = |page: &support::app::Page, arguments: Value| {
        let answer = page.call("list", arguments).unwrap();
        let orders = answer["tasks"].as_array().unwrap().iter().map(|task| task["order"].as_u64().unwrap());
        (orders.collect::<Vec<_>>(), answer["next"].as_u64())
    };
    assert_eq!(page(&main, json!({ "filter": {} })), (vec![1, 3, 5, 7, 9], None), "1,000 if nothing is said");
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2 })), (vec![1, 3], Some(3)));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2, "after": 3 })), (vec![5, 7], Some(7)));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 2, "after": 7 })), (vec![9], None));
    assert_eq!(page(&main, json!({ "filter": {}, "limit": 5, "after": null })), (vec![1, 3, 5, 7, 9], None));
    assert_eq!(page(&observer, json!({ "filter": { "task": ["slow"] }, "limit": 1, "after": 4 })), (vec![6], Some(6)));
    assert_eq!(page(&observer, json!({ "filter": {}, "limit": null, "after": 900 })), (vec![], None));
    for (name, wrong) in [
        ("limit", json!(0)),
        ("limit", json!(10_001)),
        ("limit", json!(-1)),
        ("limit", json!(1.5)),
        ("limit", json!("7")),
        ("after", json!(-1)),
        ("after", json!("x")),
    ] {
        let error = main.call("list", json!({ "filter": {}, name: wrong })).unwrap_err();
        assert_eq!(error["kind"], "invalidOptions", "{name} {wrong}: {error}");
    }
}

#[test]
fn a_watch_takes_a_pace_of_up_to_an_hour() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "hang", Value::Null)).unwrap();
    let targets = [
        json!({ "type": "task", "data": { "id": id(1) } }),
        json!({ "type": "list", "data": { "watch": 1, "filter": {} } }),
    ];
    for target in targets {
        let watch = |every: Value| main.call("watch", json!({ "session": "s", "target": target, "everyMs": every }));
        for every in [json!(null), json!(0), json!(1), json!(3_600_000)] {
            assert_eq!(watch(every).unwrap().as_array().unwrap().len(), 1);
        }
        for wrong in [json!(-1), json!(3_600_001), json!(1.5), json!("7"), json!(u64::MAX)] {
            let error = watch(wrong.clone()).unwrap_err();
            assert_eq!(error["kind"], "invalidOptions", "{wrong}: {error}");
        }
    }
}

#[test]
fn the_app_owns_a_task_that_rust_started() {
    let app = app();
    let task = app.tasks().start("slow", ()).unwrap();
    let (main, observer) = (app.window("main"), app.window("observer"));
    assert_eq!(main.call("list", json!({ "filter": {} })).unwrap(), json!({ "tasks": [], "next": null }));
    let seen = observer.call("get", json!({ "id": task.id() })).unwrap();
    assert_eq!(seen["owner"], Value::Null);
    let error = app.tasks().start("double", "no number").unwrap_err();
    assert!(error.message.contains("does not fit"), "{error}");
    assert!(app.tasks().start("nope", ()).is_err());
}

#[test]
fn removed_and_evicted_outcomes_are_reported_as_gone() {
    let app = app();
    let (main, second) = (app.window("main"), app.window("second"));
    main.open("s");
    main.call("start", start(&id(1), "double", json!({ "number": 1 }))).unwrap();
    main.next_end("s", &id(1));
    main.call("remove", json!({ "id": id(1) })).unwrap();
    assert_eq!(main.call("outcome", json!({ "id": id(1) })).unwrap_err()["kind"], "outcomeExpired");
    assert_eq!(main.call("get", json!({ "id": id(1) })).unwrap_err()["kind"], "notFound");
    assert_eq!(second.call("outcome", json!({ "id": id(1) })).unwrap_err()["kind"], "notFound", "not the owner");
}

#[test]
fn a_session_has_one_unacknowledged_message_at_a_time() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "count", json!(200_000))).unwrap();
    let first = main.next_message();
    // The handler keeps running, but nothing more comes until the page has acknowledged this message.
    main.eventually("completed", || main.call("get", json!({ "id": id(1) })).unwrap()["status"] == "completed");
    assert!(main.no_message_for(Duration::from_millis(200)), "at most one is unacknowledged");
    assert_eq!(main.ack("s", first.number), None);
    let mut last = first;
    let mut completed = 0;
    loop {
        assert!(last.text.len() < 8_192, "{} bytes", last.text.len());
        for event in last.events() {
            match event["change"]["type"].as_str().unwrap() {
                "progress" => completed = event["change"]["data"]["completed"].as_u64().unwrap(),
                _ if event["change"]["data"]["status"] == "completed" => {
                    assert_eq!(completed, 200_000, "the newest progress comes before the end");
                    return;
                }
                _ => {}
            }
        }
        last = main.next_message();
        main.ack("s", last.number);
    }
}

#[test]
fn what_does_not_fit_in_a_push_comes_with_the_answer_to_its_acknowledgement() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("watch", json!({ "session": "s", "target": { "type": "list", "data": { "watch": 7, "filter": {} } } }))
        .unwrap();
    // The message about the first task stays unacknowledged while the others change.
    main.call("start", start(&id(200), "echo", json!("first"))).unwrap();
    let first = main.next_message();
    for number in 1..=60 {
        main.call("start", start(&id(number), "echo", json!(number))).unwrap();
    }
    main.eventually("all done", || app.tasks_completed() == 61);
    main.ack("s", first.number);
    let mut ended = std::collections::HashSet::new();
    let mut listed = std::collections::HashMap::new();
    let mut take = |message: &Message| {
        for event in message.events() {
            if event["change"]["data"]["status"] == "completed" {
                assert!(ended.insert(event["id"].as_str().unwrap().to_owned()), "reported twice: {event}");
            }
        }
        for change in message.lists() {
            assert_eq!(change["watch"], 7);
            for task in change["changed"].as_array().unwrap() {
                listed.insert(task["id"].as_str().unwrap().to_owned(), task["status"].clone());
            }
        }
        (ended.len(), listed.values().filter(|status| **status == "completed").count())
    };
    take(&first);
    let pushed = main.next_message();
    assert!(pushed.more && pushed.text.len() < 8_192, "{} bytes", pushed.text.len());
    take(&pushed);
    let mut rest = main.ack("s", pushed.number).expect("the rest comes with the answer");
    loop {
        assert_eq!(main.ack("s", pushed.number), None, "a repeated acknowledgement does nothing");
        let counts = take(&rest);
        match main.ack("s", rest.number) {
            Some(next) => rest = next,
            None if counts == (61 - main.quick_ends(), 61) => break,
            None => rest = main.next_message(),
        }
    }
}

#[test]
fn a_list_reports_which_tasks_changed_and_which_left() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "slow", Value::Null)).unwrap();
    let target =
        json!({ "type": "list", "data": { "watch": 1, "filter": { "status": ["queued", "running", "cancelling"] } } });
    let listed = main.call("watch", json!({ "session": "s", "target": target })).unwrap();
    assert_eq!(listed[0]["id"], id(1));
    // The task of another window does not show up in this list.
    let second = app.window("second");
    second.open("s2");
    let mut theirs = start(&id(2), "slow", Value::Null);
    theirs["session"] = json!("s2");
    second.call("start", theirs).unwrap();
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    let mut gone = false;
    while !gone {
        let message = main.next_message();
        main.ack("s", message.number);
        for change in message.lists() {
            assert!(change["changed"].as_array().unwrap().iter().all(|task| task["id"] == id(1)), "{change}");
            gone |= change["removed"] == json!([id(1)]);
        }
    }
    main.call("unwatch", json!({ "session": "s", "target": target })).unwrap();
    main.call("start", start(&id(3), "slow", Value::Null)).unwrap();
    main.call("cancel", json!({ "id": id(3), "reason": "user" })).unwrap();
    let message = main.next_message();
    assert_eq!(message.lists(), Vec::<Value>::new());
}

#[test]
fn a_late_watch_returns_the_snapshot_and_then_reports_the_changes() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "slow", Value::Null)).unwrap();
    main.eventually("running", || main.call("get", json!({ "id": id(1) })).unwrap()["status"] == "running");
    let target = json!({ "type": "task", "data": { "id": id(1) } });
    // The same page, loaded again.
    main.open_on("later", 77);
    let snapshots = main.call("watch", json!({ "session": "later", "target": target })).unwrap();
    assert_eq!((&snapshots[0]["status"], &snapshots[0]["sequence"]), (&json!("running"), &json!(2)));
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    let events = main.events_until_end("later", 77, &id(1));
    let statuses: Vec<_> = events
        .iter()
        .filter(|event| event["change"]["type"] == "status")
        .map(|event| (event["sequence"].as_u64().unwrap(), event["change"]["data"]["status"].as_str().unwrap()))
        .collect();
    assert_eq!(statuses, [(3, "cancelling"), (4, "cancelled")]);
    // An ended task can be watched too, but then nothing more comes.
    let snapshots = main.call("watch", json!({ "session": "later", "target": target })).unwrap();
    assert_eq!(snapshots[0]["status"], "cancelled");
}

#[test]
fn a_cancelled_handler_that_never_yields_is_cancelling_at_once_and_overdue_later() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "busy", Value::Null)).unwrap();
    let now = || main.call("get", json!({ "id": id(1) })).unwrap();
    main.eventually("running", || now()["status"] == "running");
    main.call("cancel", json!({ "id": id(1), "reason": "user" })).unwrap();
    assert_eq!(now()["status"], "cancelling", "though the handler blocks its supervisor");
    main.eventually("overdue", || now()["overdue"] == true);
    assert_eq!(now()["status"], "cancelling");
    app.open_gate();
    main.eventually("ended", || now()["status"] == "completed" || now()["status"] == "cancelled");
    assert_eq!(now()["overdue"], false);
}

#[test]
fn a_remote_document_in_the_same_window_is_another_page() {
    const REMOTE: &str = r#"{ "identifier": "remote", "windows": ["main"], "local": false,
        "remote": { "urls": ["https://example.com/*"] }, "permissions": ["tasks:default"] }"#;
    let app = App::new(&[SELF_ONLY, REMOTE]);
    let main = app.window("main");
    main.open("s");
    main.call("start", start(&id(1), "slow", Value::Null)).unwrap();
    let remote = app.remote_window("main", "https://example.com/page");
    assert_eq!(remote.call("list", json!({ "filter": {} })).unwrap(), json!({ "tasks": [], "next": null }));
    assert_eq!(remote.call("get", json!({ "id": id(1) })).unwrap_err()["kind"], "notFound");
    let error = remote.call("ack", json!({ "session": "s", "message": 0 })).unwrap_err();
    assert_eq!(error["kind"], "sessionGone", "it can't use the session either");
    assert_eq!(main.call("get", json!({ "id": id(1) })).unwrap()["owner"], "main");
}

#[test]
fn a_start_repeated_on_many_threads_runs_once() {
    let app = app();
    let main = app.window("main");
    main.open("s");
    for number in 1..=20 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| main.call("start", start(&id(number), "slow", Value::Null)).unwrap());
            }
        });
    }
    main.eventually("all run", || app.runs("slow") >= 20);
    assert_eq!((app.runs("slow"), app.tasks_named("slow")), (20, 20));
}

#[test]
fn the_app_does_not_start_if_a_name_is_empty_or_taken() {
    assert!(
        support::app::build_with_names(&["one", "one"]).unwrap_err().contains("two tasks are registered as \"one\"")
    );
    assert!(support::app::build_with_names(&["one", ""]).unwrap_err().contains("empty name"));
}
