//! Documents that come and go, and schedules, whose runs belong to the app.

use std::time::Duration;

use serde_json::{Value, json};
use tauri_plugin_tasks::Schedule;

use super::{
    scenario::{Scenario, start},
    support::kinds::id,
};

pub async fn reload() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "emit", json!(["a", "b"])).await;
    let read = |session: &str| json!({ "session": session, "id": id(1), "reader": "r", "chunk": 1, "from": null, "waitMs": 0 });
    s.call("read", read("s")).await;
    s.reload();
    s.ack().await;
    s.open("t").await;
    s.call("list", json!({ "filter": {}, "limit": 10, "after": null })).await;
    s.call("watch", json!({ "session": "t", "target": { "type": "task", "data": { "id": id(1) } } })).await;
    s.call("read", read("t")).await;
    s.order(&id(1), "complete", json!("done")).await;
    s.message().await;
    s.ack().await;
    s
}

/// Neither a call of the old document nor an old client gets a session.
pub async fn end_their_sessions() -> Scenario {
    let mut s = Scenario::new().await;
    s.reload();
    s.call("start", start("s", &id(1), "work", Value::Null, json!({}))).await;
    s.call("open", json!({ "session": "t", "protocol": 1, "channel": "__CHANNEL__:7" })).await;
    s.call("read", json!({ "session": "never", "id": id(1), "reader": "r", "chunk": 1, "from": null, "waitMs": 0 }))
        .await;
    s
}

pub async fn run_schedules() -> Scenario {
    let mut s = Scenario::new().await;
    s.app.tasks().schedule("hourly", "work", (), Schedule::every(Duration::from_secs(3_600))).unwrap();
    s.call("schedules", json!({})).await;
    s.call("trigger", json!({ "name": "hourly", "id": id(1) })).await;
    s.call("trigger", json!({ "name": "hourly", "id": id(2) })).await;
    s.call("watch", json!({ "session": "s", "target": { "type": "task", "data": { "id": id(1) } } })).await;
    s.begin(&id(1)).await;
    s.message().await;
    s.order(&id(1), "complete", json!("done")).await;
    s.next_message().await;
    s.ack().await;
    s.call("schedules", json!({})).await;
    s.call("pause_schedule", json!({ "name": "hourly" })).await;
    s.call("resume_schedule", json!({ "name": "hourly" })).await;
    s.call("trigger", json!({ "name": "never", "id": id(3) })).await;
    s
}
