use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{Account, Owner};

/// A page as an owner of tasks.
///
/// The label alone does not identify a page: a webview that is opened again under the same label is another page, and
/// so is a remote document in the same webview.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Page {
    /// The label of its webview.
    pub(crate) label: Arc<str>,
    /// Distinguishes successive webviews with the same label.
    pub(crate) incarnation: u64,
    /// Whether the document comes from outside the app.
    pub(crate) remote: bool,
}

impl Page {
    /// Returns the page as an owner for the engine.
    pub(crate) fn owner(&self) -> Owner {
        Owner::Other { label: Arc::clone(&self.label), token: self.incarnation << 1 | u64::from(self.remote) }
    }

    /// Returns the account whose quotas hold for the page. All pages of a webview share one.
    pub(crate) fn account(&self) -> Account {
        Account(self.incarnation)
    }

    /// Whether both are pages of the same webview.
    pub(crate) fn shares_webview_with(&self, other: &Self) -> bool {
        self.label == other.label && self.incarnation == other.incarnation
    }

    /// Whether this owner is a page of its webview.
    pub(crate) fn shares_webview_with_owner(&self, owner: &Owner) -> bool {
        [false, true].into_iter().any(|remote| Self { remote, ..self.clone() }.owner() == *owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_differ_in_any_field_are_different_owners() {
        let page = Page { label: "main".into(), incarnation: 1, remote: false };
        let others = [
            Page { label: "other".into(), ..page.clone() },
            Page { incarnation: 2, ..page.clone() },
            Page { incarnation: 0, ..page.clone() },
            Page { remote: true, ..page.clone() },
        ];
        assert_eq!(page.owner(), page.clone().owner());
        for other in others {
            assert_ne!(page.owner(), other.owner(), "{other:?}");
        }
    }

    #[test]
    fn the_pages_of_a_webview_share_an_account_and_the_next_webview_has_another() {
        let page = Page { label: "main".into(), incarnation: 1, remote: false };
        assert_eq!(page.account(), Page { remote: true, ..page.clone() }.account());
        assert_ne!(page.account(), Page { incarnation: 2, ..page.clone() }.account());
    }

    #[test]
    fn a_webview_has_the_local_and_the_remote_pages_of_one_incarnation() {
        for incarnation in [0, 1, u64::MAX] {
            let page = Page { label: "main".into(), incarnation, remote: false };
            for (other, shares) in [
                (page.clone(), true),
                (Page { remote: true, ..page.clone() }, true),
                (Page { incarnation: 7, ..page.clone() }, false),
                (Page { label: "other".into(), ..page.clone() }, false),
            ] {
                assert_eq!(page.shares_webview_with(&other), shares, "{other:?}");
                assert_eq!(page.shares_webview_with_owner(&other.owner()), shares, "{other:?}");
            }
            assert!(!page.shares_webview_with_owner(&Owner::App));
        }
    }
}
