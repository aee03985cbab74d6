use tauri_plugin_tasks_engine::delivery;

/// What each webview may have at once, so that a page that starts too much harms no other one. See
/// [`Builder::quotas`](crate::Builder::quotas).
///
/// The documents that follow each other in a webview share its quotas, whatever their origin. Code in Rust has none. A call
/// beyond a quota is refused as a whole with [`ErrorKind::QuotaExceeded`](crate::ErrorKind::QuotaExceeded), and in the page
/// with a `TaskQuotaError`. A repeat of a start that was accepted, as after a reload, is never refused.
///
/// Each method takes a number from 1, or `None` for no limit. With 0, the app does not start: to keep a window from starting
/// tasks, give it no permission.
///
/// ```
/// use tauri_plugin_tasks::{Builder, Quotas};
///
/// fn tasks<R: tauri::Runtime>() -> Builder<R> {
///     Builder::new().quotas(Quotas::new().live_tasks(500).starts_per_second(20).starts_at_once(100).bytes_per_call(None))
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "pass it to `Builder::quotas`"]
pub struct Quotas(pub(crate) delivery::Quotas);

impl Quotas {
    /// Returns the default quotas: 20,000 tasks that have not ended, 2,000 starts a second and 10,000 at once, 256 MiB on
    /// hand and 64 MiB in one call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many tasks that have not ended a webview may have. A batch counts as its members. The runs of schedules that
    /// its pages trigger count as well. A start that replaces others needs room beside them, until they have ended. What has
    /// passed to the app or to another page, since the page that has started it is gone, counts for nobody.
    pub fn live_tasks(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.0.live_tasks = limit.into();
        self
    }

    /// Sets how many tasks a second a webview may start in the long run. A start that joins an existing task counts as well. A
    /// batch counts as its members. With `None`, [`starts_at_once`](Self::starts_at_once) isn't limited either.
    pub fn starts_per_second(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.0.starts_per_second = limit.into();
        self
    }

    /// Sets how many tasks a webview may start at once, after it has started none for a while. It is also the size of the
    /// largest batch. With `None`, [`starts_per_second`](Self::starts_per_second) isn't limited either.
    pub fn starts_at_once(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.0.starts_at_once = limit.into();
        self
    }

    /// Sets how many bytes the tasks of a webview may have on hand, as JSON: their inputs, their items that have not been
    /// read, and their outcomes; their keys, labels and tags count as text. All of this counts for ended tasks, too, for as long as they are kept (see
    /// [`Builder::retention`](crate::Builder::retention)).
    ///
    /// Only starts are refused. What a handler emits or returns is always taken and may exceed the quota: an
    /// [`item_buffer`](crate::Task::item_buffer) is what limits the items of one task. The items of a running task are
    /// counted to within 4 KiB.
    pub fn bytes_on_hand(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.0.bytes_on_hand = limit.into();
        self
    }

    /// Sets how many bytes of JSON the input of one start may have, or the inputs of one batch together.
    pub fn bytes_per_call(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.0.bytes_per_call = limit.into();
        self
    }

    /// Replaces what the app's configuration sets.
    pub(crate) fn set(&mut self, quota: Quota, limit: Option<u64>) {
        *quota.of(&mut self.0) = limit;
    }

    /// Fails if a quota is 0.
    pub(crate) fn check(mut self) -> Result<(), String> {
        match Quota::ALL.into_iter().find(|quota| *quota.of(&mut self.0) == Some(0)) {
            Some(quota) => Err(format!(
                "Quotas::{} is 0: pass a number from 1, or None for no limit; to keep a window from starting tasks, give it no \
                 permission to",
                quota.method()
            )),
            None => Ok(()),
        }
    }
}

/// One of the [`Quotas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    LiveTasks,
    StartsPerSecond,
    StartsAtOnce,
    BytesOnHand,
    BytesPerCall,
}

impl Quota {
    pub(crate) const ALL: [Self; 5] =
        [Self::LiveTasks, Self::StartsPerSecond, Self::StartsAtOnce, Self::BytesOnHand, Self::BytesPerCall];

    /// Returns the quota with this name, which is its key in `tauri.conf.json` and its name in errors.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quota| quota.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LiveTasks => "liveTasks",
            Self::StartsPerSecond => "startsPerSecond",
            Self::StartsAtOnce => "startsAtOnce",
            Self::BytesOnHand => "bytesOnHand",
            Self::BytesPerCall => "bytesPerCall",
        }
    }

    /// Returns the name of the method of [`Quotas`] that sets it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::LiveTasks => "live_tasks",
            Self::StartsPerSecond => "starts_per_second",
            Self::StartsAtOnce => "starts_at_once",
            Self::BytesOnHand => "bytes_on_hand",
            Self::BytesPerCall => "bytes_per_call",
        }
    }

    fn of(self, quotas: &mut delivery::Quotas) -> &mut Option<u64> {
        match self {
            Self::LiveTasks => &mut quotas.live_tasks,
            Self::StartsPerSecond => &mut quotas.starts_per_second,
            Self::StartsAtOnce => &mut quotas.starts_at_once,
            Self::BytesOnHand => &mut quotas.bytes_on_hand,
            Self::BytesPerCall => &mut quotas.bytes_per_call,
        }
    }
}
