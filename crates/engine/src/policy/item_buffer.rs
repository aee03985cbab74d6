/// How many unread items a task's item buffer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most items. Ignored for tasks that emit bytes.
    pub items: usize,
    /// The most bytes. The size of an item is its size as JSON.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { items: 64 * 1024, bytes: 8 * 1024 * 1024 }
    }
}
