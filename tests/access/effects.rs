//! What a command has done for a page that it answers.

use std::pin::Pin;

use serde_json::{Value, json};
use tauri_plugin_tasks::{TaskId, TaskSnapshot, TaskStatus, test::until};

use super::{Owner, SameOrigin, Scene, Share};

/// Says whether a command has done what it is for. It gets the answer of the call.
pub type Effect = for<'a> fn(&'a Scene<'a>, &'a Value) -> Done<'a>;
pub type Done<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

fn snapshot(scene: &Scene<'_>, id: TaskId) -> Option<TaskSnapshot> {
    scene.app.tasks().get(id).ok()
}

/// Returns part of the snapshot of the scene's task as JSON.
fn part(scene: &Scene<'_>, name: &str) -> Value {
    let snapshot = snapshot(scene, scene.ids.task);
    snapshot.map_or(Value::Null, |snapshot| serde_json::to_value(snapshot).unwrap()[name].take())
}

/// The session that the call has opened belongs to the page.
pub fn opened<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let ack = scene.page.call("ack", json!({ "session": scene.ids.key, "message": 0 })).await;
        answer["protocol"] == 5 && ack == Ok(Value::Null)
    })
}

/// A repeat of the call that has opened the session finds it.
pub fn opened_before<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer["protocol"] == 5 })
}

/// There was nothing to acknowledge.
pub fn acknowledged<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer.is_null() })
}

/// The new task is there, and the page's.
pub fn started<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let Some(new) = snapshot(scene, scene.ids.new) else { return false };
        let is_own = serde_json::to_value(&new).unwrap()["owner"] == scene.page.label();
        let controls = scene.page.cancel(scene.ids.new).await.is_ok();
        answer["snapshot"]["id"] == json!(scene.ids.new) && new.task == "work" && is_own && controls
    })
}

/// The call leads to the task that is there, and starts none.
pub fn joined<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        answer["snapshot"]["id"] == json!(scene.ids.task)
            && snapshot(scene, scene.ids.new).is_none()
            && scene.page.snapshot(scene.ids.task).await.is_ok()
    })
}

/// The call is the one that has started the task.
pub fn repeated<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer["snapshot"]["id"] == json!(scene.ids.task) && part(scene, "cancelReason").is_null() })
}

pub fn replaced<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { part(scene, "cancelReason") == "replaced" && started(scene, answer).await })
}

pub fn started_batch<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let members = scene.page.list(json!({ "parent": [scene.ids.new] })).await.unwrap();
        answer["snapshot"]["members"] == 1 && members.len() == 1 && members[0]["owner"] == scene.page.label()
    })
}

/// A share is given back by the page that has it, and by no other.
pub fn left<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let (reason, is_told) = (part(scene, "cancelReason"), scene.page.snapshot(scene.ids.task).await.is_ok());
        match scene.who {
            Owner | SameOrigin => reason == "signal",
            Share => reason.is_null() && !is_told,
            _ => reason.is_null(),
        }
    })
}

pub fn told<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer["id"] == json!(scene.ids.task) && answer["status"] == "running" })
}

/// The task is in the list.
pub fn listed<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let tasks = answer.get("tasks").unwrap_or(answer).as_array().unwrap();
        tasks.iter().any(|task| task["id"] == json!(scene.ids.task))
    })
}

/// The page is told of the end of the task.
pub fn watched<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        scene.app.tasks().cancel(scene.ids.task).unwrap();
        while scene.page.next_event(scene.ids.task).await.unwrap()["change"]["data"]["status"] != "cancelled" {}
        answer[0]["id"] == json!(scene.ids.task)
    })
}

/// The page is told of what comes later, and not of the end of the task.
pub fn unwatched<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let (app, page) = (scene.app, &scene.page);
        app.tasks().cancel(scene.ids.task).unwrap();
        app.tasks().handle(scene.ids.task).unwrap().outcome().await;
        let later = page.start("work", (), json!({ "held": true })).await.unwrap();
        page.cancel(later).await.unwrap();
        while page.next_event(later).await.unwrap()["change"]["data"]["status"] != "cancelled" {}
        page.events(scene.ids.task).iter().all(|event| event["change"]["data"]["status"] != "cancelled")
    })
}

pub fn told_outcome<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer["status"] == "cancelled" && answer["data"]["reason"] == "user" })
}

/// The task is among those of its kind.
pub fn counted<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let kinds = answer.as_array().unwrap();
        kinds.iter().any(|kind| kind["task"] == "work" && kind["running"].as_u64() > Some(0))
    })
}

pub fn cancelled<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move { part(scene, "cancelReason") == "user" })
}

pub fn paused<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move { part(scene, "queue")["held"] == true })
}

pub fn resumed<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let runs = async || snapshot(scene, scene.ids.task).is_some_and(|task| task.status == TaskStatus::Running);
        until("the resumed task runs", runs).await;
        true
    })
}

pub fn has_priority<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move { part(scene, "queue")["priority"] == 3 })
}

pub fn removed<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move { snapshot(scene, scene.ids.task).is_none() })
}

/// The kind has the limit. It is removed for those who come later.
pub fn limited<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let counts = scene.app.tasks().counts();
        let limit = counts.iter().find(|kind| kind.task.as_deref() == Some("work")).and_then(|kind| kind.limit);
        scene.app.tasks().set_limit(tauri_plugin_tasks::LimitOf::Task("work".to_owned()), None).unwrap();
        limit == Some(5_000)
    })
}

pub fn read<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer["items"] == json!([7]) && answer["done"] == false })
}

/// The reader has stopped, though it has not begun, and another one gets the item.
pub fn reading_cancelled<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let read = async |reader: &str| {
            let (session, task) = (&scene.ids.session, scene.ids.task);
            let arguments =
                json!({ "session": session, "id": task, "reader": reader, "chunk": 1, "from": null, "waitMs": 0 });
            scene.page.call("read", arguments).await
        };
        let stopped = read("r").await.is_err_and(|error| error.kind() == Some("readerGone"));
        stopped && read("other").await.unwrap()["items"] == json!([7])
    })
}

pub fn schedules_listed<'a>(_: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move { answer[0]["name"] == "nightly" && answer[0]["task"] == "work" })
}

/// The app owns the run, and the page is told of it. It ends, so that the next one is another run.
pub fn triggered<'a>(scene: &'a Scene<'a>, answer: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let new = scene.ids.new;
        let is_there = snapshot(scene, new).is_some_and(|run| run.task == "work");
        let is_told = scene.page.snapshot(new).await.is_ok();
        scene.app.tasks().cancel(new).unwrap();
        scene.app.tasks().handle(new).unwrap().outcome().await;
        answer["id"] == json!(new) && answer["owner"].is_null() && is_there && is_told
    })
}

fn is_paused(scene: &Scene<'_>) -> bool {
    scene.app.tasks().schedules()[0].paused
}

pub fn schedule_paused<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move {
        let paused = is_paused(scene);
        scene.app.tasks().resume_schedule("nightly").unwrap();
        paused
    })
}

pub fn schedule_resumed<'a>(scene: &'a Scene<'a>, _: &'a Value) -> Done<'a> {
    Box::pin(async move { !is_paused(scene) })
}
