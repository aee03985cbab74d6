use std::sync::Arc;

/// Whose a task is.
///
/// The engine only compares owners and shows their labels. The delivery layer makes them, and decides what each may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The app. It owns what was started in Rust, and what owners that have gone left behind.
    App,
    /// An owner beside the app.
    Other {
        /// The name that others are shown.
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
