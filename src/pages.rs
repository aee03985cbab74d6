//! Which webviews there are, and which of those that had a label is there now.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use crate::engine::Page;

#[derive(Default)]
pub(crate) struct Pages {
    webviews: Mutex<HashMap<Arc<str>, Webview>>,
    created: AtomicU64,
}

struct Webview {
    window: String,
    incarnation: u64,
}

impl Pages {
    /// A webview was made. Answers whether it takes the label of one whose end was not heard of.
    pub(crate) fn created(&self, label: &str, window: &str) -> bool {
        let incarnation = self.created.fetch_add(1, Relaxed);
        self.webviews.lock().insert(label.into(), Webview { window: window.to_owned(), incarnation }).is_some()
    }

    /// Whether this page's webview is still there.
    pub(crate) fn is_current(&self, page: &Page) -> bool {
        self.current(&page.label).1 == page.incarnation
    }

    /// A window is gone; answers which webviews went with it.
    pub(crate) fn window_destroyed(&self, window: &str) -> Vec<Arc<str>> {
        let mut webviews = self.webviews.lock();
        let gone: Vec<_> = webviews
            .iter()
            .filter(|(_, webview)| webview.window == window)
            .map(|(label, _)| Arc::clone(label))
            .collect();
        for label in &gone {
            webviews.remove(label);
        }
        gone
    }

    /// Whether any window is there.
    pub(crate) fn has_window(&self) -> bool {
        !self.webviews.lock().is_empty()
    }

    /// Whether this window is there, and no other one.
    pub(crate) fn is_last_window(&self, window: &str) -> bool {
        let webviews = self.webviews.lock();
        !webviews.is_empty() && webviews.values().all(|webview| webview.window == window)
    }

    /// The label and the incarnation of the webview that has it now.
    pub(crate) fn current(&self, label: &str) -> (Arc<str>, u64) {
        match self.webviews.lock().get_key_value(label) {
            Some((label, webview)) => (Arc::clone(label), webview.incarnation),
            // Not announced, or gone.
            None => (label.into(), u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_opened_again_is_another_page() {
        let pages = Pages::default();
        pages.created("main", "main");
        let first = pages.current("main");
        assert_eq!(first, pages.current("main"));
        assert_eq!(pages.window_destroyed("main"), ["main".into()]);
        pages.created("main", "main");
        assert_ne!(first, pages.current("main"));
    }

    #[test]
    fn the_last_window_is_the_one_beside_which_there_is_no_other() {
        let pages = Pages::default();
        assert!(!pages.has_window() && !pages.is_last_window("main"));
        pages.created("left", "main");
        pages.created("right", "main");
        assert!(pages.has_window() && pages.is_last_window("main") && !pages.is_last_window("other"));
        pages.created("other", "other");
        assert!(!pages.is_last_window("main") && !pages.is_last_window("other"));
    }

    #[test]
    fn a_window_takes_all_its_webviews_with_it() {
        let pages = Pages::default();
        pages.created("left", "window");
        pages.created("right", "window");
        pages.created("other", "other");
        let mut gone = pages.window_destroyed("window");
        gone.sort();
        assert_eq!(gone, ["left".into(), "right".into()]);
    }
}
