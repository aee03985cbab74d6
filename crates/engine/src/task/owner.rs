use std::sync::Arc;

/// Whose a task is.
///
/// The engine compares owners and shows their labels. Who they are, and what that lets them do, is known to the delivery layer
/// that makes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The app: what was started in Rust, and what an owner that has gone left behind.
    App,
    /// Somebody else.
    Other {
        /// What others are shown.
        label: Arc<str>,
        /// Tells owners of one label apart.
        token: u64,
    },
}

impl Owner {
    /// The owner's label; `None` for the app.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::Other { label, .. } => Some(label),
        }
    }
}
