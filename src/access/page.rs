use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::{Account, Owner};

/// A page as an owner of tasks.
///
/// The label alone does not identify a page: a webview that is opened again under the same label is another page, and
/// so is a document of another origin in the same webview.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Page {
    /// The label of its webview.
    pub(crate) label: Arc<str>,
    /// Distinguishes successive webviews with the same label.
    pub(crate) incarnation: u32,
    /// The number of its origin in this webview, which is [`LOCAL`](super::origins::LOCAL) for the documents of the app.
    pub(crate) origin: u32,
}

impl Page {
    /// Returns the page as an owner for the engine.
    pub(crate) fn owner(&self) -> Owner {
        let token = u64::from(self.incarnation) << 32 | u64::from(self.origin);
        Owner::Other { label: Arc::clone(&self.label), token }
    }

    /// Returns the account whose quotas hold for the page. All pages of a webview share one.
    pub(crate) fn account(&self) -> Account {
        Account(self.incarnation.into())
    }

    /// Whether both are pages of the same webview.
    pub(crate) fn shares_webview_with(&self, other: &Self) -> bool {
        self.label == other.label && self.incarnation == other.incarnation
    }

    /// Whether this owner is a page of its webview.
    pub(crate) fn shares_webview_with_owner(&self, owner: &Owner) -> bool {
        self.origin_of(owner).is_some()
    }

    /// Returns the origin of this owner, if it is a page of the same webview.
    pub(crate) fn origin_of(&self, owner: &Owner) -> Option<u32> {
        match owner {
            Owner::Other { label, token } if *label == self.label && *token >> 32 == u64::from(self.incarnation) => {
                u32::try_from(*token & u64::from(u32::MAX)).ok()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::origins::LOCAL, *};

    #[test]
    fn pages_that_differ_in_any_field_are_different_owners() {
        let page = Page { label: "main".into(), incarnation: 1, origin: LOCAL };
        let others = [
            Page { label: "other".into(), ..page.clone() },
            Page { incarnation: 2, ..page.clone() },
            Page { incarnation: 0, ..page.clone() },
            Page { origin: 1, ..page.clone() },
            Page { origin: 2, ..page.clone() },
            Page { origin: u32::MAX, ..page.clone() },
            Page { incarnation: 0, origin: 1, ..page.clone() },
        ];
        assert_eq!(page.owner(), page.clone().owner());
        for (place, other) in others.iter().enumerate() {
            assert_ne!(page.owner(), other.owner(), "{other:?}");
            assert!(others[..place].iter().all(|earlier| earlier.owner() != other.owner()), "{other:?}");
        }
    }

    #[test]
    fn the_pages_of_a_webview_share_an_account_and_the_next_webview_has_another() {
        let page = Page { label: "main".into(), incarnation: 1, origin: LOCAL };
        assert_eq!(page.account(), Page { origin: 7, ..page.clone() }.account());
        assert_ne!(page.account(), Page { incarnation: 2, ..page.clone() }.account());
    }

    #[test]
    fn a_webview_has_the_pages_of_all_origins_of_one_incarnation() {
        for incarnation in [0, 1, u32::MAX] {
            let page = Page { label: "main".into(), incarnation, origin: LOCAL };
            for (other, shares) in [
                (page.clone(), true),
                (Page { origin: 1, ..page.clone() }, true),
                (Page { origin: u32::MAX, ..page.clone() }, true),
                (Page { incarnation: 7, ..page.clone() }, false),
                (Page { incarnation: 7, origin: u32::MAX, ..page.clone() }, false),
                (Page { label: "other".into(), ..page.clone() }, false),
            ] {
                assert_eq!(page.shares_webview_with(&other), shares, "{other:?}");
                assert_eq!(page.shares_webview_with_owner(&other.owner()), shares, "{other:?}");
                assert_eq!(page.origin_of(&other.owner()), shares.then_some(other.origin), "{other:?}");
            }
            assert!(!page.shares_webview_with_owner(&Owner::App));
        }
    }
}
