//! The batch of items or bytes that `read` returns.

use tauri::ipc::{InvokeResponseBody, IpcResponse};

use tauri_plugin_tasks_engine::delivery::Batch;

/// The size in bytes of the trailer after the data of a batch of bytes: `sequence` and `missed` as little-endian
/// `u64`s, then `done` as one byte, 0 or 1.
const TRAILER: usize = 17;

/// The response of `read`: items as JSON, bytes raw with a trailer, or `null` if there is nothing yet.
pub(crate) struct ItemBatch(pub(crate) Option<Batch>);

impl IpcResponse for ItemBatch {
    fn body(self) -> tauri::Result<InvokeResponseBody> {
        Ok(match &self.0 {
            None => InvokeResponseBody::Json("null".into()),
            Some(batch) if batch.is_bytes() => InvokeResponseBody::Raw(bytes(batch)),
            Some(batch) => InvokeResponseBody::Json(json(batch)?),
        })
    }
}

fn bytes(batch: &Batch) -> Vec<u8> {
    let data = batch.data();
    let mut body = Vec::with_capacity(data.len() + TRAILER);
    body.extend_from_slice(data);
    body.extend_from_slice(&batch.sequence.to_le_bytes());
    body.extend_from_slice(&batch.missed.to_le_bytes());
    body.push(u8::from(batch.done));
    body
}

fn json(batch: &Batch) -> Result<String, serde_json::Error> {
    let Batch { sequence, missed, done, .. } = batch;
    let items = std::str::from_utf8(batch.data()).map_err(serde::ser::Error::custom)?;
    Ok(format!(r#"{{"sequence":{sequence},"missed":{missed},"done":{done},"items":[{items}]}}"#))
}

#[cfg(test)]
mod wire {
    //! Defines the response's type for the bindings.

    use specta::{Type, Types, datatype::DataType};

    /// A batch of items.
    #[derive(Type)]
    #[allow(dead_code)]
    struct ItemBatch {
        /// The number of the first item, counted from 0.
        #[specta(type = specta_typescript::Number)]
        sequence: u64,
        /// How many items right before the first one were dropped unread.
        #[specta(type = specta_typescript::Number)]
        missed: u64,
        /// Whether the task has ended and no more items follow.
        done: bool,
        /// The items.
        items: Vec<crate::Json>,
    }

    impl Type for super::ItemBatch {
        fn definition(types: &mut Types) -> DataType {
            Option::<ItemBatch>::definition(types)
        }
    }
}
