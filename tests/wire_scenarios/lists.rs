//! Watched lists, and the pace of what is watched.

use serde_json::{Value, json};

use super::{scenario::Scenario, support::kinds::id};

fn list(watch: u32, filter: Value) -> Value {
    json!({ "session": "s", "target": { "type": "list", "data": { "watch": watch, "filter": filter } } })
}

pub async fn tell_changes() -> Scenario {
    let mut s = Scenario::new().await;
    s.call("watch", list(1, json!({ "task": ["work"] }))).await;
    s.start(&id(1), "work", json!({ "label": "One" })).await;
    s.message().await;
    s.begin(&id(1)).await;
    s.next_message().await;
    s.order(&id(1), "progress", json!({ "completed": 1, "total": 2 })).await;
    s.next_message().await;
    s.order(&id(1), "progress", json!({ "completed": 2 })).await;
    s.order(&id(1), "complete", json!("done")).await;
    s.next_message().await;
    s.call("remove", json!({ "id": id(1) })).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn lose_tasks() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.start(&id(2), "work", json!({ "held": true })).await;
    s.call("watch", list(1, json!({ "status": ["queued", "running"] }))).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.next_message().await;
    s.call("list", json!({ "filter": { "status": ["completed"] }, "limit": 10, "after": null })).await;
    s.call("unwatch", list(1, json!({}))).await;
    s.call("cancel", json!({ "id": id(2), "reason": "user" })).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn are_two() -> Scenario {
    let mut s = Scenario::new().await;
    s.call("watch", list(1, json!({ "tag": ["a"] }))).await;
    s.call("watch", list(2, json!({ "key": ["k"] }))).await;
    s.start(&id(1), "work", json!({ "tags": ["a"], "key": "k" })).await;
    s.message().await;
    s.start(&id(2), "work", json!({ "tags": ["b", "a"] })).await;
    s.begin(&id(1)).await;
    s.begin(&id(2)).await;
    s.next_message().await;
    s.order(&id(1), "progress", json!({ "message": "one" })).await;
    s.order(&id(2), "progress", json!({ "message": "two" })).await;
    s.next_message().await;
    s.ack().await;
    s
}

/// What has a slow pace hears of ends alone.
pub async fn are_paced() -> Scenario {
    let mut s = Scenario::new().await;
    let mut slow = list(1, json!({}));
    slow["everyMs"] = 3_600_000.into();
    s.start_and_run(&id(1), "work", json!({})).await;
    s.start(&id(2), "work", json!({})).await;
    s.begin(&id(2)).await;
    s.next_message().await;
    s.call("watch", slow).await;
    let target = json!({ "type": "task", "data": { "id": id(1) } });
    s.call("watch", json!({ "session": "s", "target": target, "everyMs": 3_600_000 })).await;
    s.order(&id(1), "progress", json!({ "completed": 1 })).await;
    s.order(&id(2), "progress", json!({ "completed": 1 })).await;
    s.next_message().await;
    s.order(&id(1), "progress", json!({ "completed": 2 })).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.next_message().await;
    s.ack().await;
    s
}
