/// How much of what a task has emitted is kept until it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many items; for bytes only the other bound counts.
    pub items: usize,
    /// How many bytes, of items as JSON.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { items: 64 * 1024, bytes: 8 * 1024 * 1024 }
    }
}
