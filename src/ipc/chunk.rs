//! The chunk of items or bytes that `read` returns.

use tauri::ipc::{InvokeResponseBody, IpcResponse};

use tauri_plugin_tasks_engine::delivery::Chunk;

/// The size in bytes of the trailer after the data of a chunk of bytes: `sequence` and `missed` as little-endian
/// `u64`s, then `done` as one byte, 0 or 1.
const TRAILER: usize = 17;

/// The response of `read`: items as JSON, bytes raw with a trailer, or `null` if there is nothing yet.
pub(crate) struct ReadResponse(pub(crate) Option<Chunk>);

impl IpcResponse for ReadResponse {
    fn body(self) -> tauri::Result<InvokeResponseBody> {
        Ok(match &self.0 {
            None => InvokeResponseBody::Json("null".into()),
            Some(chunk) if chunk.is_bytes() => InvokeResponseBody::Raw(bytes(chunk)),
            Some(chunk) => InvokeResponseBody::Json(json(chunk)?),
        })
    }
}

fn bytes(chunk: &Chunk) -> Vec<u8> {
    let data = chunk.data();
    let mut body = Vec::with_capacity(data.len() + TRAILER);
    body.extend_from_slice(data);
    body.extend_from_slice(&chunk.sequence.to_le_bytes());
    body.extend_from_slice(&chunk.missed.to_le_bytes());
    body.push(u8::from(chunk.done));
    body
}

fn json(chunk: &Chunk) -> Result<String, serde_json::Error> {
    let Chunk { sequence, missed, done, .. } = chunk;
    let items = std::str::from_utf8(chunk.data()).map_err(serde::ser::Error::custom)?;
    Ok(format!(r#"{{"sequence":{sequence},"missed":{missed},"done":{done},"items":[{items}]}}"#))
}

#[cfg(test)]
mod wire {
    //! Defines the response's type for the bindings.

    use specta::{Type, Types, datatype::DataType};

    /// A chunk of items.
    #[derive(Type)]
    #[allow(dead_code)]
    struct Chunk {
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

    impl Type for super::ReadResponse {
        fn definition(types: &mut Types) -> DataType {
            Option::<Chunk>::definition(types)
        }
    }
}
