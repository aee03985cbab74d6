//! The batch of items or bytes that `read` returns.

use tauri::ipc::{InvokeResponseBody, IpcResponse};

use tauri_plugin_tasks_engine::delivery::Batch;

/// The size of the trailer after the data of a batch of bytes: its sequence and the number of missed ones, as
/// little-endian `u64`s, and whether it is the last batch, as 0 or 1.
const TRAILER: usize = 17;

/// The response of `read`: items as JSON, bytes as they are, or `null` if there is nothing yet.
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
    //! The types of the response in the bindings.

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
