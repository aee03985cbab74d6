//! `noise`: bytes that look random, but can be computed by anyone who checks them. Like `numbers`, it is for the console and
//! the end-to-end tests.

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{Bytes, Failure, TaskContext, Unit};

/// What to emit.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct NoiseInput {
    /// How many bytes.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub bytes: u64,
    /// How many bytes a chunk has.
    #[cfg_attr(test, specta(type = tauri_plugin_tasks_specta::Number))]
    pub chunk: usize,
    /// The seed: another one gives other bytes.
    pub seed: u32,
}

/// Emits bytes that look random, and returns their BLAKE3 hash.
pub async fn noise(ctx: TaskContext<(), Bytes>, input: NoiseInput) -> Result<String, Failure> {
    ctx.progress().unit(Unit::Bytes).total(input.bytes);
    let mut source = Noise { state: input.seed | 1 };
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; input.chunk.max(1)];
    let mut left = input.bytes;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        let chunk = chunk.get_mut(..size).unwrap_or_default();
        source.fill(chunk);
        hasher.update(chunk);
        ctx.emit_bytes(&chunk).await;
        ctx.progress().inc(size as u64);
        left -= size as u64;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Marsaglia's 32-bit xorshift: a page can do the same in one line.
struct Noise {
    state: u32,
}

impl Noise {
    /// Fills `bytes`, with one step for each byte.
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            *byte = self.state.to_le_bytes()[0];
        }
    }
}
