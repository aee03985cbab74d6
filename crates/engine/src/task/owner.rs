use std::sync::Arc;

/// Whose a task is.
///
/// The engine only compares owners and shows their labels. The delivery layer makes them, and decides what each may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The app. It owns the tasks that were started from Rust, and those whose owner has gone.
    App,
    /// An owner other than the app.
    Other {
        /// The name that others see.
        label: Arc<str>,
        /// Tells owners with the same label apart.
        token: u64,
    },
}

impl Owner {
    /// Returns the owner's label; `None` for the app.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::Other { label, .. } => Some(label),
        }
    }
}
