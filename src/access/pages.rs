//! Tracks the open webviews, and which one currently has each label.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::page::Page;
use crate::lock::{Lock, PAGES};

/// How long a window counts as closed after its close was requested, since an app may close all its windows at once.
/// After that it counts as open again, since the app may have prevented the close.
const IN_ONE_GO: Duration = Duration::from_millis(500);

/// The incarnation of a page whose webview has closed.
const GONE: u64 = u64::MAX;

#[derive(Default)]
pub(crate) struct Pages {
    webviews: Lock<HashMap<Arc<str>, Webview>, PAGES>,
    created: AtomicU64,
}

struct Webview {
    window: String,
    incarnation: u64,
    /// Whether Tauri has reported it. Its page may have called before.
    reported: bool,
    /// When the close of its window was last requested.
    closing: Option<Instant>,
}

impl Pages {
    /// Adds a webview, unless its page has called before. Returns whether it replaces one with the same label that closed
    /// without an event.
    pub(crate) fn created(&self, label: &str, window: &str) -> bool {
        let mut webviews = self.webviews.lock();
        if let Some(known) = webviews.get_mut(label).filter(|known| !known.reported) {
            known.reported = true;
            return false;
        }
        webviews.insert(label.into(), self.webview(window, true)).is_some()
    }

    fn webview(&self, window: &str, reported: bool) -> Webview {
        let incarnation = self.created.fetch_add(1, Relaxed);
        Webview { window: window.to_owned(), incarnation, reported, closing: None }
    }

    /// Returns the label and the incarnation of the webview in `window` whose page calls, and whether it was added by that:
    /// Tauri may report a webview only after its page has called, and never reports one that is older than the plugin. One
    /// that was added may have closed already.
    pub(crate) fn of_caller(&self, label: &str, window: impl Fn() -> String) -> (Arc<str>, u64, bool) {
        let (known, incarnation) = self.current(label);
        if incarnation != GONE {
            return (known, incarnation, false);
        }
        // Without the lock, since this asks Tauri.
        let window = window();
        self.webviews.lock().entry(label.into()).or_insert_with(|| self.webview(&window, false));
        let (added, incarnation) = self.current(label);
        (added, incarnation, true)
    }

    /// Returns whether the webview of this page still exists.
    pub(crate) fn is_current(&self, page: &Page) -> bool {
        page.incarnation != GONE && self.current(&page.label).1 == page.incarnation
    }

    /// Removes the webviews that no longer exist. Returns a page of each. One that gets a label meanwhile stays.
    ///
    /// It does not go by windows: a webview may close before its window, or be moved to another one.
    pub(crate) fn retain(&self, exists: impl Fn(&str) -> bool) -> Vec<Page> {
        let page = |(label, webview): (&Arc<str>, &Webview)| Page {
            label: Arc::clone(label),
            incarnation: webview.incarnation,
            remote: false,
        };
        let mut gone: Vec<_> = self.webviews.lock().iter().map(page).collect();
        // Without the lock, since this asks Tauri.
        gone.retain(|page| !exists(&page.label));
        let mut webviews = self.webviews.lock();
        gone.retain(|page| {
            let is_same = webviews.get(&page.label).is_some_and(|webview| webview.incarnation == page.incarnation);
            is_same && webviews.remove(&page.label).is_some()
        });
        gone
    }

    /// Returns whether any window exists.
    pub(crate) fn has_window(&self) -> bool {
        !self.webviews.lock().is_empty()
    }

    /// Records that a window is about to close. Returns whether it is the last one.
    pub(crate) fn last_is_closing(&self, window: &str, now: Instant) -> bool {
        let mut webviews = self.webviews.lock();
        for webview in webviews.values_mut().filter(|webview| webview.window == window) {
            webview.closing = Some(now);
        }
        let is_closing = |webview: &Webview| webview.closing.is_some_and(|at| now.duration_since(at) < IN_ONE_GO);
        !webviews.is_empty() && webviews.values().all(is_closing)
    }

    /// Returns the label and the incarnation of the webview that has this label now, or [`GONE`].
    pub(crate) fn current(&self, label: &str) -> (Arc<str>, u64) {
        match self.webviews.lock().get_key_value(label) {
            Some((label, webview)) => (Arc::clone(label), webview.incarnation),
            None => (label.into(), GONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pages: Vec<Page>) -> Vec<Arc<str>> {
        let mut labels: Vec<_> = pages.into_iter().map(|page| page.label).collect();
        labels.sort();
        labels
    }

    #[test]
    fn a_new_webview_with_the_same_label_is_another_page() {
        let pages = Pages::default();
        pages.created("main", "main");
        let first = pages.current("main");
        assert_eq!(first, pages.current("main"));
        assert_eq!(labels(pages.retain(|_| false)), ["main".into()]);
        pages.created("main", "main");
        assert_ne!(first, pages.current("main"));
    }

    #[test]
    fn a_webview_whose_page_calls_before_it_is_reported_is_the_same_afterwards() {
        let pages = Pages::default();
        let calls = || {
            let (label, incarnation, is_added) = pages.of_caller("main", || "window".into());
            (Page { label, incarnation, remote: false }, is_added)
        };
        let (page, is_added) = calls();
        assert!(is_added && pages.is_current(&page));
        assert!(pages.last_is_closing("window", Instant::now()));
        assert!(!pages.created("main", "window"), "it replaces none");
        assert_eq!(calls(), (page.clone(), false));
        assert!(pages.created("main", "window") && !pages.is_current(&page), "another one");
    }

    #[test]
    fn a_window_is_the_last_if_there_is_no_other() {
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
    fn a_window_is_the_last_if_all_others_are_about_to_close() {
        let (pages, now) = (Pages::default(), Instant::now());
        pages.created("main", "main");
        pages.created("other", "other");
        assert!(!pages.last_is_closing("main", now) && pages.last_is_closing("other", now));
        // The app has prevented the close of the first window.
        assert!(!pages.last_is_closing("other", now + IN_ONE_GO));
    }

    #[test]
    fn webviews_that_no_longer_exist_are_removed_whatever_their_window() {
        let pages = Pages::default();
        pages.created("left", "window");
        pages.created("right", "window");
        pages.created("moved", "window");
        pages.created("other", "other");
        let gone = pages.retain(|label| ["moved", "other"].contains(&label));
        assert_eq!(labels(gone), ["left".into(), "right".into()]);
        assert_eq!(labels(pages.retain(|label| label == "moved")), ["other".into()]);
        assert!(pages.has_window());
    }

    #[test]
    fn a_webview_that_takes_over_the_label_of_one_that_is_about_to_be_removed_stays() {
        let pages = Pages::default();
        pages.created("main", "main");
        let gone = pages.retain(|label| {
            pages.created(label, "main");
            false
        });
        assert!(gone.is_empty() && pages.has_window());
    }
}
