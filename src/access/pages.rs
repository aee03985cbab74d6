//! Which webviews there are, and which of those that had a label is there now.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::page::Page;

/// A window that was about to close so recently is taken for gone: an app may close all of them in one go. It may also have
/// prevented that, and then the window counts again.
const IN_ONE_GO: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(crate) struct Pages {
    webviews: Mutex<HashMap<Arc<str>, Webview>>,
    created: AtomicU64,
}

struct Webview {
    window: String,
    incarnation: u64,
    /// When its window was about to close.
    closing: Option<Instant>,
}

impl Pages {
    /// A webview was made. Answers whether it takes the label of one whose end was not heard of.
    pub(crate) fn created(&self, label: &str, window: &str) -> bool {
        let incarnation = self.created.fetch_add(1, Relaxed);
        self.webviews
            .lock()
            .insert(label.into(), Webview { window: window.to_owned(), incarnation, closing: None })
            .is_some()
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

    /// A window is about to close; answers whether there is no other one.
    pub(crate) fn last_is_closing(&self, window: &str, now: Instant) -> bool {
        let mut webviews = self.webviews.lock();
        for webview in webviews.values_mut().filter(|webview| webview.window == window) {
            webview.closing = Some(now);
        }
        let is_closing = |webview: &Webview| webview.closing.is_some_and(|at| now.duration_since(at) < IN_ONE_GO);
        !webviews.is_empty() && webviews.values().all(is_closing)
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
        let now = Instant::now();
        assert!(!pages.has_window() && !pages.last_is_closing("main", now));
        pages.created("left", "main");
        pages.created("right", "main");
        assert!(pages.has_window() && !pages.last_is_closing("other", now) && pages.last_is_closing("main", now));
        pages.created("other", "other");
        assert!(!pages.last_is_closing("main", now));
    }

    #[test]
    fn of_windows_that_close_in_one_go_the_last_is_the_last() {
        let (pages, now) = (Pages::default(), Instant::now());
        pages.created("main", "main");
        pages.created("other", "other");
        assert!(!pages.last_is_closing("main", now) && pages.last_is_closing("other", now));
        // The app has prevented both, or the first is still there after its time.
        assert!(!pages.last_is_closing("other", now + IN_ONE_GO));
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
