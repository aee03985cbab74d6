//! How a task ends.

use serde_json::{Value, json};
use tauri_plugin_tasks::TaskStatus;

use super::{scenario::Scenario, support::kinds::id};

pub async fn completes() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({ "label": "A label", "tags": ["a"] })).await;
    s.order(&id(1), "complete", json!({ "bytes": 7, "name": "ü" })).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s.call("get", json!({ "id": id(1) })).await;
    s
}

pub async fn has_a_large_output() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "complete", "x".repeat(5_000).into()).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s.start(&id(1), "work", json!({})).await;
    s
}

pub async fn fails() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "fail", "The disk is full.".into()).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s
}

pub async fn panics() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "panic", "as ordered".into()).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s
}

pub async fn is_cancelled_while_queued() -> Scenario {
    let mut s = Scenario::new().await;
    s.start(&id(1), "work", json!({ "held": true })).await;
    s.call("cancel", json!({ "id": id(1), "reason": "user" })).await;
    s.message().await;
    s.ack().await;
    s.call("cancel", json!({ "id": id(1), "reason": "user" })).await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s
}

pub async fn is_cancelled_while_running() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "tidy", json!({})).await;
    s.ack().await;
    s.call("cancel", json!({ "id": id(1), "reason": "user" })).await;
    s.message().await;
    s.call("cancel", json!({ "id": id(1), "reason": "another" })).await;
    s.order(&id(1), "cleanUp", Value::Null).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn is_cancelled_with_words() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.call("cancel", json!({ "id": id(1), "reason": "parent" })).await;
    s.call("cancel", json!({ "id": id(1), "reason": "no longer needed" })).await;
    s.stop(&id(1)).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn is_overdue() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "stuck", json!({})).await;
    s.order(&id(1), "progress", json!({ "message": "It has begun." })).await;
    s.next_message().await;
    s.call("cancel", json!({ "id": id(1), "reason": "user" })).await;
    s.becomes(&id(1), "overdue", |task| task.snapshot().overdue).await;
    s.next_message().await;
    s.order(&id(1), "cleanUp", Value::Null).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn times_out() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({ "timeoutMs": 60_000 })).await;
    s.passes(60_000, &id(1), |task| task.status() == TaskStatus::Cancelling).await;
    s.next_message().await;
    s.stop(&id(1)).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s
}

pub async fn misses_its_deadline() -> Scenario {
    let mut s = Scenario::new().await;
    s.start(&id(1), "work", json!({ "held": true, "deadlineMs": 60_000 })).await;
    s.passes(60_000, &id(1), |task| task.status().is_final()).await;
    s.message().await;
    s.ack().await;
    s
}

pub async fn is_retried() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "retried", json!({})).await;
    s.order(&id(1), "progress", json!({ "total": 10, "completed": 4 })).await;
    s.order(&id(1), "fail", "Not yet.".into()).await;
    s.next_message().await;
    s.passes(1_000, &id(1), |_| true).await;
    s.begin(&id(1)).await;
    s.next_message().await;
    s.order(&id(1), "complete", 2.into()).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn fails_for_good() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "retried", json!({})).await;
    s.order(&id(1), "fail", "Not yet.".into()).await;
    s.passes(1_000, &id(1), |_| true).await;
    s.begin(&id(1)).await;
    s.order(&id(1), "fail", "Never.".into()).await;
    s.next_message().await;
    s.ack().await;
    s
}
