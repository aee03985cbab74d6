/// What each [`Account`](super::accounts::Account) may have. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// How many tasks that have not ended.
    pub live_tasks: Option<u64>,
    /// How many starts a second, in the long run. If either this or `starts_at_once` is `None`, neither is limited.
    pub starts_per_second: Option<u64>,
    /// How many starts at once, after a while without any.
    pub starts_at_once: Option<u64>,
    /// How many bytes of inputs, items and outcomes that are kept, as JSON, and of the keys, labels and tags of tasks.
    pub bytes_on_hand: Option<u64>,
    /// How many bytes of JSON in the inputs of one call.
    pub bytes_per_call: Option<u64>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            live_tasks: Some(20_000),
            starts_per_second: Some(2_000),
            starts_at_once: Some(10_000),
            bytes_on_hand: Some(256 * 1024 * 1024),
            bytes_per_call: Some(64 * 1024 * 1024),
        }
    }
}
