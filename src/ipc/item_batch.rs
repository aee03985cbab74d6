//! A batch of items, or of bytes, as `read` answers it.

use tauri::ipc::{InvokeResponseBody, IpcResponse};

use tauri_plugin_tasks_engine::delivery::Batch;

/// How many bytes follow those of a batch of bytes: its sequence and how many were missed, 8 bytes each with the lowest
/// first, and whether it is the last one, as 0 or 1.
const TRAILER: usize = 17;

/// What there is to read: a batch of items as JSON, one of bytes as they are, or nothing yet.
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
    //! What the bindings say of it.

    use specta::{Type, Types, datatype::DataType};

    /// Items that were read together.
    #[derive(Type)]
    #[allow(dead_code)]
    struct ItemBatch {
        /// The number of the first one, from 0.
        #[specta(type = specta_typescript::Number)]
        sequence: u64,
        /// How many before it were dropped that should have come first.
        #[specta(type = specta_typescript::Number)]
        missed: u64,
        /// Whether the task has ended and nothing follows.
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
