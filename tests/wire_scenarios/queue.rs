//! Tasks that wait for their turn.

use serde_json::json;

use super::{scenario::Scenario, support::kinds::id};

pub async fn places_change() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "line", json!({})).await;
    s.start(&id(2), "line", json!({})).await;
    s.start(&id(3), "line", json!({})).await;
    s.observe(&id(2)).await;
    s.call("set_priority", json!({ "id": id(3), "priority": 7 })).await;
    s.moves_to(&id(2), 2).await;
    s.next_message().await;
    s.call("set_priority", json!({ "id": id(1), "priority": 7 })).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.begin(&id(3)).await;
    s.moves_to(&id(2), 1).await;
    s.next_message().await;
    s.ack().await;
    s.call("counts", json!({})).await;
    s
}

pub async fn pause_and_resume() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "line", json!({})).await;
    s.start(&id(2), "line", json!({})).await;
    s.start(&id(3), "line", json!({})).await;
    s.observe(&id(3)).await;
    s.call("pause", json!({ "id": id(2) })).await;
    s.moves_to(&id(3), 1).await;
    s.next_message().await;
    s.call("pause", json!({ "id": id(2) })).await;
    s.call("pause", json!({ "id": id(1) })).await;
    s.call("resume", json!({ "id": id(2) })).await;
    s.moves_to(&id(3), 2).await;
    s.next_message().await;
    s.call("cancel", json!({ "id": id(3), "reason": "user" })).await;
    s.next_message().await;
    s.ack().await;
    s.call("resume", json!({ "id": id(3) })).await;
    s
}
