//! Tasks that a page has not started alone: it attaches to them, or joins them by their key.

use serde_json::{Value, json};

use super::{
    scenario::{Scenario, start},
    support::kinds::id,
};

fn follow(id: &str) -> Value {
    json!({ "session": "s", "target": { "type": "task", "data": { "id": id } } })
}

pub async fn attach_while_it_runs() -> Scenario {
    let mut s = Scenario::new().await;
    s.other_calls("start", start("o", &id(1), "work", Value::Null, json!({}))).await;
    s.begin(&id(1)).await;
    s.call("watch", follow(&id(1))).await;
    s.order(&id(1), "progress", json!({ "completed": 1 })).await;
    s.message().await;
    s.order(&id(1), "complete", json!("done")).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn attach_to_an_ended_task() -> Scenario {
    let mut s = Scenario::new().await;
    s.other_calls("start", start("o", &id(1), "work", Value::Null, json!({}))).await;
    s.begin(&id(1)).await;
    s.order(&id(1), "complete", json!("done")).await;
    s.call("watch", follow(&id(1))).await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s.call("watch", follow(&id(9))).await;
    s
}

/// The page may not see the tasks of other windows. It is told of one as long as it has a share in it.
pub async fn attach_by_a_share() -> Scenario {
    let mut s = Scenario::of_a_modest_page().await;
    let options = json!({ "key": "k", "onConflict": "join" });
    s.other_calls("start", start("o", &id(1), "work", Value::Null, options.clone())).await;
    s.begin(&id(1)).await;
    s.call("watch", follow(&id(1))).await;
    s.call("get", json!({ "id": id(1) })).await;
    s.start(&id(2), "work", options).await;
    s.call("get", json!({ "id": id(1) })).await;
    s.call("cancel", json!({ "id": id(1), "reason": "user" })).await;
    s.order(&id(1), "progress", json!({ "completed": 1 })).await;
    s.message().await;
    s.call("leave", json!({ "id": id(2) })).await;
    s.next_message().await;
    s.ack().await;
    s.call("get", json!({ "id": id(1) })).await;
    s.call("outcome", json!({ "id": id(1) })).await;
    s
}

pub async fn join_and_leave() -> Scenario {
    let mut s = Scenario::new().await;
    let options = json!({ "key": "k", "onConflict": "join" });
    s.start(&id(1), "work", options.clone()).await;
    s.begin(&id(1)).await;
    s.message().await;
    s.start(&id(2), "work", options.clone()).await;
    s.start(&id(2), "work", options).await;
    s.call("leave", json!({ "id": id(1) })).await;
    s.call("leave", json!({ "id": id(1) })).await;
    s.call("get", json!({ "id": id(1) })).await;
    s.call("leave", json!({ "id": id(2) })).await;
    s.stop(&id(1)).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn the_key_is_taken() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({ "key": "k" })).await;
    s.start(&id(2), "work", json!({ "key": "k" })).await;
    s.start(&id(2), "work", json!({ "key": "another" })).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.start(&id(3), "work", json!({ "key": "k" })).await;
    s
}

pub async fn the_key_is_replaced() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({ "key": "k" })).await;
    s.start(&id(2), "work", json!({ "key": "k", "onConflict": "replace" })).await;
    s.stop(&id(1)).await;
    s.begin(&id(2)).await;
    s.next_message().await;
    s.ack().await;
    s
}

pub async fn the_key_is_waited_for() -> Scenario {
    let mut s = Scenario::new().await;
    s.start_and_run(&id(1), "work", json!({ "key": "k" })).await;
    s.start(&id(2), "work", json!({ "key": "k", "onConflict": "append" })).await;
    s.order(&id(1), "complete", json!(null)).await;
    s.begin(&id(2)).await;
    s.next_message().await;
    s.ack().await;
    s
}
