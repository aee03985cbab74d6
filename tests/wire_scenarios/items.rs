//! Items and bytes, and who reads them.

use serde_json::{Value, json};

use super::{scenario::Scenario, support::kinds::id};

/// The arguments of a read that doesn't wait.
fn read(reader: &str, chunk: u64) -> Value {
    json!({ "session": "s", "id": id(1), "reader": reader, "chunk": chunk, "from": null, "waitMs": 0 })
}

fn stop(reader: &str, position: u64) -> Value {
    json!({ "session": "s", "id": id(1), "reader": reader, "position": position })
}

pub async fn come_in_chunks() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.call("read", read("r", 1)).await;
    s.order(&id(1), "emit", json!(["a", { "b": [1] }])).await;
    s.call("read", read("r", 1)).await;
    s.call("read", read("r", 1)).await;
    s.order(&id(1), "emit", json!([null])).await;
    s.call("read", read("r", 1)).await;
    s.call("read", read("r", 2)).await;
    s.call("read", read("r", 3)).await;
    s.order(&id(1), "emit", json!(["last"])).await;
    s.order(&id(1), "complete", json!(4)).await;
    s.call("read", read("r", 3)).await;
    s.call("read", read("r", 3)).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn are_waited_for() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    let waits = |chunk: u64| json!({ "session": "s", "id": id(1), "reader": "r", "chunk": chunk, "from": null, "waitMs": 20_000 });
    s.call_until("read", waits(1), &id(1), "emit", json!(["a"])).await;
    s.call_until("read", waits(2), &id(1), "emit", json!(["b"])).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.call("read", waits(3)).await;
    s
}

pub async fn are_read_on() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "emit", json!([1, 2, 3])).await;
    s.call("read", read("first", 1)).await;
    s.call("cancel_read", stop("first", 1)).await;
    s.call("read", read("second", 1)).await;
    s.call("read", read("first", 2)).await;
    s.call("cancel_read", stop("second", 3)).await;
    s.call("read", read("third", 1)).await;
    s
}

pub async fn have_one_reader() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "emit", json!([1, 2, 3])).await;
    s.call("read", read("r", 1)).await;
    s.call("read", read("another", 1)).await;
    s.call("cancel_read", stop("r", 3)).await;
    s.call("read", read("another", 1)).await;
    s.call("read", read("another", 9)).await;
    s
}

pub async fn outlive_their_task() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "emit", json!(["a", "b"])).await;
    s.order(&id(1), "fail", "The disk is full.".into()).await;
    s.next_message().await;
    s.ack().await;
    s.call("read", read("r", 1)).await;
    s.call("remove", json!({ "id": id(1) })).await;
    s.call("read", read("r", 2)).await;
    s
}

pub async fn are_bytes() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "bytes", json!({})).await;
    s.order(&id(1), "emitBytes", json!([0, 1, 255])).await;
    s.order(&id(1), "emitBytes", json!([7])).await;
    s.call("read", read("r", 1)).await;
    s.call("read", read("r", 2)).await;
    s.order(&id(1), "complete", json!(4)).await;
    s.call("read", read("r", 2)).await;
    s
}

pub async fn begin_anywhere() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "emit", json!([0, 1, 2, 3])).await;
    let from = |reader: &str, from: u64| json!({ "session": "s", "id": id(1), "reader": reader, "chunk": 1, "from": from, "waitMs": 0 });
    s.call("read", from("beyond", 5)).await;
    s.call("read", from("third", 2)).await;
    s.call("cancel_read", stop("third", 2)).await;
    s.call("read", from("too-late", 1)).await;
    s
}
