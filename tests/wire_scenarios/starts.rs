//! Starts, and what becomes of ended tasks.

use serde_json::json;

use super::{
    scenario::{Scenario, start},
    support::kinds::id,
};

pub async fn are_repeated() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.start(&id(1), "work", json!({})).await;
    s.call("start", start("s", &id(1), "work", json!("another input"), json!({}))).await;
    s.start(&id(1), "shown", json!({})).await;
    s.order(&id(1), "complete", json!("done")).await;
    s.start(&id(1), "work", json!({})).await;
    s.next_message().await;
    s.ack().await;
    s.call("start", start("s", &id(2), "shown", json!({ "url": "https://example.com" }), json!({}))).await;
    s
}

pub async fn are_refused() -> Scenario {
    let mut s = Scenario::new().await;
    s.start(&id(1), "nothing", json!({})).await;
    s.call("start", start("s", &id(2), "picky", json!({ "url": 7 }), json!({}))).await;
    s.start(&id(3), "work", json!({ "priority": 1.5 })).await;
    s.start("7", "work", json!({})).await;
    s.other_calls("start", start("o", &id(4), "picky", json!({ "url": "https://example.com" }), json!({}))).await;
    s.call("get", json!({ "id": id(9) })).await;
    s.call("cancel", json!({ "id": id(9), "reason": "user" })).await;
    s
}

pub async fn run_again() -> Scenario {
    let mut s = Scenario::new().await;
    let rerun = |from: u8, to: u8| json!({ "session": "s", "id": id(from), "newId": id(to) });
    s.call("start", start("s", &id(1), "shown", json!([1]), json!({ "label": "A label" }))).await;
    s.begin(&id(1)).await;
    s.message().await;
    s.call("rerun", rerun(1, 2)).await;
    s.order(&id(1), "fail", "Not yet.".into()).await;
    s.call("rerun", rerun(1, 2)).await;
    s.call("rerun", rerun(1, 2)).await;
    s.begin(&id(2)).await;
    s.order(&id(2), "complete", json!(null)).await;
    s.next_message().await;
    s.ack().await;
    s.call("rerun", rerun(2, 3)).await;
    s
}

pub async fn are_removed() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({})).await;
    s.call("remove", json!({ "id": id(1) })).await;
    s.order(&id(1), "complete", json!("done")).await;
    s.next_message().await;
    s.ack().await;
    s.call("remove", json!({ "id": id(1) })).await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s.call("get", json!({ "id": id(1) })).await;
    s.call("remove", json!({ "id": id(1) })).await;
    s.start(&id(1), "work", json!({})).await;
    s
}

/// A batch whose members end in all ways.
pub async fn of_a_batch() -> Scenario {
    let mut s = Scenario::new().await;
    let options = json!({ "label": "Three", "tags": ["a"] });
    let batch = json!({ "session": "s", "id": id(1), "task": "work", "inputs": [1, 2, 3], "options": options });
    s.start_and_run(&id(2), "work", json!({})).await;
    s.call("batch", batch.clone()).await;
    let filter = json!({ "parent": [id(1)] });
    let members = s.call("list", json!({ "filter": filter, "limit": 10, "after": null })).await;
    let members: Vec<_> = (0..3).map(|place| members["tasks"][place]["id"].as_str().unwrap().to_owned()).collect();
    for member in &members {
        s.begin(member).await;
    }
    s.order(&members[0], "complete", json!("one")).await;
    s.order(&members[1], "fail", "The disk is full.".into()).await;
    s.call("cancel", json!({ "id": members[2], "reason": "user" })).await;
    s.stop(&members[2]).await;
    s.stop(&id(1)).await;
    s.next_message().await;
    s.ack().await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s.call("batch", batch).await;
    s.call("get", json!({ "id": members[1] })).await;
    s
}
