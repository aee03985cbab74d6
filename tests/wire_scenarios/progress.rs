//! Progress, and how messages come.

use serde_json::json;

use super::{scenario::Scenario, support::kinds::id};

pub async fn is_conflated() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "progress", json!({ "total": 10, "bytes": true })).await;
    s.order(&id(1), "progress", json!({ "completed": 3 })).await;
    s.order(&id(1), "progress", json!({ "completed": 5, "message": "Half of it" })).await;
    s.next_message().await;
    s.ack().await;
    s.order(&id(1), "progress", json!({ "completed": 6 })).await;
    s.message().await;
    s.ack().await;
    s.call("get", json!({ "id": id(1) })).await;
    s
}

pub async fn has_details() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "progress", json!({ "detail": { "file": "a \"b\"\\c", "__proto__": { "a": 1 } } })).await;
    s.next_message().await;
    s.ack().await;
    s.order(&id(1), "progress", json!({ "detail": [1, null] })).await;
    s.message().await;
    s.ack().await;
    s
}

pub async fn comes_before_the_end() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.order(&id(1), "progress", json!({ "completed": 1 })).await;
    s.order(&id(1), "progress", json!({ "completed": 2 })).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.next_message().await;
    s.ack().await;
    s
}

/// Two of four tasks fit into a message. The answer to its acknowledgement has the others.
pub async fn is_split() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    for number in 2..=4 {
        s.start(&id(number), "work", json!({})).await;
        s.begin(&id(number)).await;
    }
    s.next_message().await;
    for number in 1..=4 {
        s.order(&id(number), "progress", json!({ "detail": "x".repeat(3_000) })).await;
    }
    s.next_message().await;
    s.ack().await;
    s.ack().await;
    s
}

pub async fn is_acknowledged_twice() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.ack().await;
    s.ack().await;
    s.order(&id(1), "progress", json!({ "completed": 1 })).await;
    s.message().await;
    // Acknowledges nothing: the message remains the one that is unacknowledged.
    s.ack_number(1).await;
    s.ack_number(7).await;
    s.order(&id(1), "progress", json!({ "completed": 2 })).await;
    s.next_message().await;
    s.ack().await;
    s
}
