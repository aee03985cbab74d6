use std::sync::Arc;

/// Whose a task is: who may see and control it without being given more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The app: started in Rust, or left behind by a page that closed.
    App,
    /// A page.
    Page(Page),
}

/// A page that can own tasks.
///
/// Pages are told apart by more than their label: a label that is closed and opened again is another
/// page, and so is a remote document in the same webview.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    /// The label of its webview.
    pub label: Arc<str>,
    /// Which of the webviews that had this label one after the other.
    pub incarnation: u64,
    /// Whether its document comes from outside the app.
    pub remote: bool,
}

impl Owner {
    /// The label of the owning webview; `None` for the app.
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::Page(page) => Some(&page.label),
        }
    }
}
