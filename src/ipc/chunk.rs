//! The chunk of items or bytes that `read` returns.

use tauri::ipc::{InvokeResponseBody, IpcResponse};

use tauri_plugin_tasks_engine::delivery::Chunk;

/// The size in bytes of the header before the data of a chunk of bytes. All numbers are little-endian:
///
/// | offset | type     | what it is                                                        |
/// | ------ | -------- | ----------------------------------------------------------------- |
/// | 0      | `u8`     | the size of this header: the data begins there                    |
/// | 1      | `u8`     | `done`, 0 or 1                                                    |
/// | 2      | 2 × `u8` | 0                                                                 |
/// | 4      | `u32`    | `attempt`                                                         |
/// | 8      | `u64`    | `sequence`                                                        |
/// | 16     | `u64`    | `missed`                                                          |
///
/// A later version may have a longer header, whose additional fields a reader skips.
const HEADER: u8 = 24;

/// The response of `read`: items as JSON, bytes raw after a header, or `null` if there is nothing yet.
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
    let mut body = Vec::with_capacity(usize::from(HEADER) + data.len());
    body.extend([HEADER, u8::from(chunk.done), 0, 0]);
    body.extend(chunk.attempt.to_le_bytes());
    body.extend(chunk.sequence.to_le_bytes());
    body.extend(chunk.missed.to_le_bytes());
    debug_assert_eq!(body.len(), usize::from(HEADER));
    body.extend_from_slice(data);
    body
}

fn json(chunk: &Chunk) -> Result<String, serde_json::Error> {
    let Chunk { sequence, missed, done, attempt, .. } = chunk;
    let items = std::str::from_utf8(chunk.data()).map_err(serde::ser::Error::custom)?;
    Ok(format!(r#"{{"sequence":{sequence},"missed":{missed},"done":{done},"attempt":{attempt},"items":[{items}]}}"#))
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
        /// The number of the attempt that has emitted the items: all of them. If there are none, that of the last item
        /// before; 0 if there is none.
        attempt: u32,
        /// The items.
        items: Vec<crate::Json>,
    }

    impl Type for super::ReadResponse {
        fn definition(types: &mut Types) -> DataType {
            Option::<Chunk>::definition(types)
        }
    }
}
