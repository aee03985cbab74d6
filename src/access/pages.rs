//! Tracks the open webviews, which one currently has each label, and which document each one shows.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    document::{Call, Document, Elsewhere, Party},
    origins::{LOCAL, Origins},
    page::Page,
};
use crate::lock::{Lock, PAGES};

/// How long a window counts as closed after its close was requested, since an app may close all its windows at once.
/// After that it counts as open again, since the app may have prevented the close.
const IN_ONE_GO: Duration = Duration::from_millis(500);

/// The incarnation of a page whose webview has closed.
const GONE: u32 = u32::MAX;

#[derive(Default)]
pub(crate) struct Pages {
    known: Lock<Known, PAGES>,
    created: AtomicU32,
}

#[derive(Default)]
struct Known {
    webviews: HashMap<Arc<str>, Webview>,
    /// The windows whose close was requested, and when.
    closing: HashMap<String, Instant>,
}

struct Webview {
    incarnation: u32,
    report: Report,
    /// `None` until the webview tells of one: the document is older than the plugin, or Tauri did not know the webview
    /// yet when it was loaded. This is so for one document at most, since the webview tells of the next one.
    document: Option<Document>,
    /// How many documents it has told of.
    loads: u64,
    origins: Origins,
}

/// Whether Tauri has reported a webview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    Came,
    /// Its page has called before.
    ToCome,
    /// It was there when the plugin was registered: it may have been reported before, or its report is under way.
    MayCome,
}

impl Webview {
    /// Returns whose a `call` of its page is.
    fn party(&self, call: Call<'_>) -> Result<Party, Elsewhere> {
        match &self.document {
            Some(document) => document.party(call),
            None if call.is_remote => Ok(Party::Alone),
            None => Ok(Party::Local),
        }
    }
}

/// Why a call of a page is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// It does not come from the document that the webview shows.
    Elsewhere,
    /// The webview has had documents of too many other origins, whose tasks are still there.
    TooManyOrigins,
}

impl Pages {
    /// Adds a webview, unless its page has called before. Returns whether it replaces one with the same label that closed
    /// without an event.
    pub(crate) fn created(&self, label: &str) -> bool {
        let webviews = &mut self.known.lock().webviews;
        if let Some(known) = webviews.get_mut(label).filter(|known| known.report != Report::Came) {
            known.report = Report::Came;
            return false;
        }
        webviews.insert(label.into(), self.webview(Report::Came)).is_some()
    }

    /// Adds a webview that may not have been reported, unless it is known. Returns whether it was added.
    pub(crate) fn found(&self, label: &str) -> bool {
        self.add(label, Report::ToCome)
    }

    /// Adds a webview that was there when the plugin was registered, unless it is known.
    pub(crate) fn was_there(&self, label: &str) {
        self.add(label, Report::MayCome);
    }

    fn add(&self, label: &str, report: Report) -> bool {
        let webviews = &mut self.known.lock().webviews;
        let is_new = !webviews.contains_key(label);
        if is_new {
            webviews.insert(label.into(), self.webview(report));
        }
        is_new
    }

    /// Records that the reports of the webviews that [were there](Self::was_there) have come, if they come at all.
    pub(crate) fn all_are_reported(&self) {
        let webviews = &mut self.known.lock().webviews;
        let unclear = webviews.values_mut().filter(|webview| webview.report == Report::MayCome);
        unclear.for_each(|webview| webview.report = Report::Came);
    }

    /// Returns whether a webview with this label is known.
    pub(crate) fn knows(&self, label: &str) -> bool {
        self.known.lock().webviews.contains_key(label)
    }

    fn webview(&self, report: Report) -> Webview {
        let incarnation = self.created.fetch_add(1, Relaxed);
        Webview { incarnation, report, document: None, loads: 0, origins: Origins::default() }
    }

    /// Records that a webview shows another document from now on.
    pub(crate) fn shows(&self, label: &str, document: Document) {
        let mut known = self.known.lock();
        // Tauri may report a webview only after its first document has begun to load.
        let webview = known.webviews.entry(label.into()).or_insert_with(|| self.webview(Report::ToCome));
        webview.document = Some(document);
        webview.loads += 1;
    }

    /// Returns the page that makes a `call` in this webview. `in_use` returns the origins of this webview that own
    /// something.
    pub(crate) fn of_caller(
        &self,
        label: &str,
        call: Call<'_>,
        in_use: impl FnOnce(&Page) -> HashSet<u32>,
    ) -> Result<Page, Stranger> {
        if let Some(page) = self.number(label, call, None)? {
            return Ok(page);
        }
        // Without the lock, since this looks at all tasks.
        let in_use = in_use(&self.current(label));
        self.number(label, call, Some(&in_use))?.ok_or(Stranger::TooManyOrigins)
    }

    /// Returns the page that makes a `call`, or `None` if there is no room for its origin.
    fn number(&self, label: &str, call: Call<'_>, in_use: Option<&HashSet<u32>>) -> Result<Option<Page>, Stranger> {
        let mut known = self.known.lock();
        let Some(label) = known.webviews.get_key_value(label).map(|(label, _)| Arc::clone(label)) else {
            return Ok(Some(Page { label: label.into(), incarnation: GONE, origin: LOCAL }));
        };
        let Some(webview) = known.webviews.get_mut(&label) else { return Ok(None) };
        let party = webview.party(call).map_err(|Elsewhere| Stranger::Elsewhere)?;
        let number = webview.origins.number(&party, webview.loads, in_use);
        Ok(number.ok().map(|origin| Page { label, incarnation: webview.incarnation, origin }))
    }

    /// Returns how many documents the webview with this label has told of: a document is gone once this has changed.
    pub(crate) fn loads(&self, label: &str) -> u64 {
        self.known.lock().webviews.get(label).map_or(0, |webview| webview.loads)
    }

    /// Returns whether the webview of this page still shows the document that was loaded as number `load`.
    pub(crate) fn still_shows(&self, page: &Page, load: u64) -> bool {
        let known = self.known.lock();
        let webview = known.webviews.get(&page.label);
        webview.is_some_and(|webview| webview.incarnation == page.incarnation && webview.loads == load)
    }

    /// Returns whether the webview of this page still exists.
    pub(crate) fn is_current(&self, page: &Page) -> bool {
        page.incarnation != GONE && self.current(&page.label).incarnation == page.incarnation
    }

    /// Removes the webviews that no longer exist. Returns the local page of each. One that gets a label meanwhile stays.
    ///
    /// It does not go by windows: a webview may close before its window, or be moved to another one.
    pub(crate) fn retain(&self, exists: impl Fn(&str) -> bool) -> Vec<Page> {
        let page = |(label, webview): (&Arc<str>, &Webview)| Page {
            label: Arc::clone(label),
            incarnation: webview.incarnation,
            origin: LOCAL,
        };
        let mut gone: Vec<_> = self.known.lock().webviews.iter().map(page).collect();
        // Without the lock, since this asks Tauri.
        gone.retain(|page| !exists(&page.label));
        let webviews = &mut self.known.lock().webviews;
        gone.retain(|page| {
            let is_same = webviews.get(&page.label).is_some_and(|webview| webview.incarnation == page.incarnation);
            is_same && webviews.remove(&page.label).is_some()
        });
        gone
    }

    /// Returns whether any window exists.
    pub(crate) fn has_window(&self) -> bool {
        !self.known.lock().webviews.is_empty()
    }

    /// Records that a window is about to close. Returns whether it is the last one. `window_of` returns the window that
    /// a webview is in now: it may have been moved.
    pub(crate) fn last_is_closing(
        &self,
        window: &str,
        now: Instant,
        window_of: impl Fn(&str) -> Option<String>,
    ) -> bool {
        let labels: Vec<_> = self.known.lock().webviews.keys().cloned().collect();
        // Without the lock, since this asks Tauri.
        let windows: Vec<_> = labels.iter().filter_map(|label| window_of(label)).collect();
        let closing = &mut self.known.lock().closing;
        closing.retain(|_, at| now.duration_since(*at) < IN_ONE_GO);
        closing.insert(window.to_owned(), now);
        !windows.is_empty() && windows.iter().all(|window| closing.contains_key(window))
    }

    /// Returns the local page of the webview that has this label now.
    pub(crate) fn current(&self, label: &str) -> Page {
        match self.known.lock().webviews.get_key_value(label) {
            Some((label, webview)) => {
                Page { label: Arc::clone(label), incarnation: webview.incarnation, origin: LOCAL }
            }
            None => Page { label: label.into(), incarnation: GONE, origin: LOCAL },
        }
    }
}

#[cfg(test)]
mod tests {
    use tauri::{
        Url,
        test::{MockRuntime, mock_context, noop_assets},
    };

    use super::{super::origins::LIMIT, *};

    const LOCAL_CALL: Call<'_> = Call { is_remote: false, header: None };
    const REMOTE_CALL: Call<'_> = Call { is_remote: true, header: None };

    fn labels(pages: Vec<Page>) -> Vec<Arc<str>> {
        let mut labels: Vec<_> = pages.into_iter().map(|page| page.label).collect();
        labels.sort();
        labels
    }

    fn document(url: &str) -> Document {
        let context = mock_context::<MockRuntime, _>(noop_assets());
        Document::at(&Url::parse(url).unwrap(), context.config())
    }

    /// Returns the page that calls from `main`, while no other origin owns anything.
    fn caller(pages: &Pages, call: Call<'_>) -> Result<Page, Stranger> {
        pages.of_caller("main", call, |_| HashSet::new())
    }

    #[test]
    fn a_new_webview_with_the_same_label_is_another_page() {
        let pages = Pages::default();
        pages.created("main");
        let first = pages.current("main");
        assert_eq!(first, pages.current("main"));
        assert_eq!(labels(pages.retain(|_| false)), ["main".into()]);
        pages.created("main");
        assert_ne!(first, pages.current("main"));
    }

    #[test]
    fn a_webview_whose_page_calls_before_it_is_reported_is_the_same_afterwards() {
        let pages = Pages::default();
        let calls = || {
            let is_added = pages.found("main");
            (caller(&pages, LOCAL_CALL).unwrap(), is_added)
        };
        let gone = caller(&pages, LOCAL_CALL).unwrap();
        assert!(!pages.is_current(&gone) && !pages.has_window());
        let (page, is_added) = calls();
        assert!(is_added && page != gone && pages.is_current(&page));
        assert!(pages.last_is_closing("window", Instant::now(), |_| Some("window".into())));
        assert!(!pages.created("main"), "it replaces none");
        assert_eq!(calls(), (page.clone(), false));
        assert!(pages.created("main") && !pages.is_current(&page), "another one");
    }

    #[test]
    fn a_webview_that_was_there_is_reported_once_at_most() {
        for is_reported_later in [true, false] {
            let pages = Pages::default();
            pages.was_there("main");
            let page = pages.current("main");
            pages.was_there("main");
            assert!(pages.is_current(&page) && pages.has_window());
            if is_reported_later {
                assert!(!pages.created("main") && pages.is_current(&page));
            } else {
                pages.all_are_reported();
            }
            assert!(pages.created("main") && !pages.is_current(&page), "another webview with the same label");
        }
    }

    #[test]
    fn the_page_that_calls_is_the_document_that_the_webview_has_told_of_last() {
        let pages = Pages::default();
        pages.created("main");
        let local = caller(&pages, LOCAL_CALL).unwrap();
        let untold = caller(&pages, REMOTE_CALL).unwrap();
        assert_ne!(local, untold);
        let goes_to = |url: &str| {
            pages.shows("main", document(url));
            caller(&pages, REMOTE_CALL).unwrap()
        };
        let (one, other) = (goes_to("https://one.example/a"), goes_to("https://other.example/a"));
        let (alone, alone_again) = (goes_to("about:blank"), goes_to("about:blank"));
        let all = [local.clone(), untold, one.clone(), other.clone(), alone, alone_again];
        for (place, page) in all.iter().enumerate() {
            assert!(pages.is_current(page) && page.shares_webview_with(&local));
            assert!(all[..place].iter().all(|earlier| earlier.owner() != page.owner()), "{page:?}");
        }
        assert_eq!(goes_to("https://one.example/b"), one);
        let late = Call { is_remote: true, header: Some("https://other.example") };
        assert_eq!(caller(&pages, late), Err(Stranger::Elsewhere), "of the document before, or of a frame");
        assert_eq!(caller(&pages, LOCAL_CALL), Err(Stranger::Elsewhere));
        assert_eq!(goes_to("https://other.example/b"), other);
    }

    #[test]
    fn a_new_webview_with_the_same_label_knows_no_document_or_owner_of_the_one_before() {
        let pages = Pages::default();
        pages.created("main");
        pages.shows("main", document("https://one.example"));
        let before = caller(&pages, REMOTE_CALL).unwrap();
        assert!(pages.created("main"));
        assert!(caller(&pages, LOCAL_CALL).is_ok(), "its document has not been told of");
        pages.shows("main", document("https://one.example"));
        assert_ne!(caller(&pages, REMOTE_CALL).unwrap().owner(), before.owner());
    }

    #[test]
    fn a_webview_that_tells_of_a_document_before_it_is_reported_is_the_same_afterwards() {
        let pages = Pages::default();
        pages.shows("main", document("https://one.example"));
        let page = caller(&pages, REMOTE_CALL).unwrap();
        assert!(!pages.created("main"));
        assert_eq!(caller(&pages, REMOTE_CALL).unwrap(), page);
    }

    #[test]
    fn a_page_of_one_origin_too_many_is_refused_until_another_owns_nothing() {
        let pages = Pages::default();
        pages.created("main");
        let used: HashSet<_> = (0..LIMIT)
            .map(|at| {
                pages.shows("main", document(&format!("https://site-{at}.example")));
                caller(&pages, REMOTE_CALL).unwrap().origin
            })
            .collect();
        pages.shows("main", document("https://one.more.example"));
        let calls = |in_use: &HashSet<u32>| pages.of_caller("main", REMOTE_CALL, |_| in_use.clone());
        assert_eq!(calls(&used), Err(Stranger::TooManyOrigins));
        let fewer = used.iter().copied().skip(1).collect();
        let page = calls(&fewer).unwrap();
        assert!(!used.contains(&page.origin));
        assert_eq!(calls(&used), Ok(page), "now it is known");
    }

    /// Says in which window each webview is, as Tauri does.
    fn in_windows(windows: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |label: &str| windows.iter().find(|(webview, _)| *webview == label).map(|(_, window)| (*window).to_owned())
    }

    #[test]
    fn a_window_is_the_last_if_there_is_no_other() {
        let (pages, now) = (Pages::default(), Instant::now());
        let windows = [("left", "main"), ("right", "main"), ("other", "other")];
        let is_last = |window| pages.last_is_closing(window, now, in_windows(&windows));
        assert!(!pages.has_window() && !is_last("main"));
        pages.created("left");
        pages.created("right");
        assert!(pages.has_window() && is_last("main"));
        pages.created("other");
        assert!(!is_last("main"));
    }

    #[test]
    fn a_window_is_the_last_if_all_others_are_about_to_close() {
        let (pages, now) = (Pages::default(), Instant::now());
        let windows = [("main", "main"), ("other", "other")];
        let is_last = |window, now| pages.last_is_closing(window, now, in_windows(&windows));
        pages.created("main");
        pages.created("other");
        assert!(!is_last("main", now) && is_last("other", now));
        // The app has prevented the close of the first window.
        assert!(!is_last("other", now + IN_ONE_GO));
    }

    #[test]
    fn a_webview_counts_for_the_window_that_it_was_moved_to() {
        let (pages, now) = (Pages::default(), Instant::now());
        pages.created("moved");
        pages.created("other");
        let page = pages.current("moved");
        let moved = [("moved", "second"), ("other", "second")];
        assert!(!pages.last_is_closing("first", now, in_windows(&moved)), "it has no webview any more");
        assert!(pages.last_is_closing("second", now, in_windows(&moved)));
        // The first window is destroyed, and the webview is still there.
        assert!(pages.retain(|label| ["moved", "other"].contains(&label)).is_empty());
        assert!(pages.is_current(&page) && pages.has_window());
        let back = [("moved", "third"), ("other", "second")];
        let later = now + IN_ONE_GO;
        assert!(!pages.last_is_closing("second", later, in_windows(&back)));
        assert!(pages.last_is_closing("third", later, in_windows(&back)));
    }

    #[test]
    fn webviews_that_no_longer_exist_are_removed_whatever_their_window() {
        let pages = Pages::default();
        for label in ["left", "right", "moved", "other"] {
            pages.created(label);
        }
        let gone = pages.retain(|label| ["moved", "other"].contains(&label));
        assert_eq!(labels(gone), ["left".into(), "right".into()]);
        assert_eq!(labels(pages.retain(|label| label == "moved")), ["other".into()]);
        assert!(pages.has_window());
    }

    #[test]
    fn a_webview_that_takes_over_the_label_of_one_that_is_about_to_be_removed_stays() {
        let pages = Pages::default();
        pages.created("main");
        let gone = pages.retain(|label| {
            pages.created(label);
            false
        });
        assert!(gone.is_empty() && pages.has_window());
    }
}
