/// How much a task's item buffer keeps until it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many items. For bytes only the other bound counts.
    pub items: usize,
    /// How many bytes. Items are counted as JSON.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { items: 64 * 1024, bytes: 8 * 1024 * 1024 }
    }
}
