//! Reads what a task emits, as the client in a page does.

use serde_json::{Value, json};
use tauri::ipc::InvokeResponseBody;

use super::{invoke::Caller, page_error::PageError};
use crate::TaskId;

/// How long one call waits for something to read, in milliseconds.
const WAIT_MS: u64 = 1_000;
/// How many calls in a row may find nothing.
const PATIENCE: usize = 60;

/// Reads all items of a task until it has ended.
pub(super) async fn items(caller: &Caller, session: &str, id: TaskId) -> Result<Vec<Value>, PageError> {
    let mut items = Vec::new();
    for chunk in 1.. {
        match read(caller, session, id, chunk).await? {
            InvokeResponseBody::Raw(_) => panic!("task {id} emits bytes: TestPage::bytes reads them"),
            InvokeResponseBody::Json(text) => {
                let mut part: Value = serde_json::from_str(&text).unwrap_or_default();
                items.extend(part["items"].as_array_mut().into_iter().flat_map(std::mem::take));
                if part["done"] == true {
                    break;
                }
            }
        }
    }
    Ok(items)
}

/// Reads all bytes of a task until it has ended.
pub(super) async fn bytes(caller: &Caller, session: &str, id: TaskId) -> Result<Vec<u8>, PageError> {
    let mut bytes = Vec::new();
    for chunk in 1.. {
        match read(caller, session, id, chunk).await? {
            InvokeResponseBody::Raw(body) => {
                // The first byte is the length of the header, and the second says whether this is the last chunk.
                bytes.extend_from_slice(&body[body[0].into()..]);
                if body[1] == 1 {
                    break;
                }
            }
            // Without any bytes, the last chunk is that of a task without items.
            InvokeResponseBody::Json(text) => {
                let part: Value = serde_json::from_str(&text).unwrap_or_default();
                assert!(part["items"] == json!([]), "task {id} emits items: TestPage::items reads them");
                if part["done"] == true {
                    break;
                }
            }
        }
    }
    Ok(bytes)
}

/// Returns a chunk once there is one.
async fn read(caller: &Caller, session: &str, id: TaskId, chunk: u64) -> Result<InvokeResponseBody, PageError> {
    let arguments = json!({ "session": session, "id": id, "reader": format!("kit-{id}"), "chunk": chunk, "from": null, "waitMs": WAIT_MS });
    for _ in 0..PATIENCE {
        match caller.invoke(caller.url(), "read", arguments.clone()).await? {
            InvokeResponseBody::Json(text) if text == "null" => {}
            body => return Ok(body),
        }
    }
    panic!("task {id} has neither emitted anything nor ended for a minute")
}
