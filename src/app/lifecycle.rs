//! Updates pages, sessions and owners as webviews come and go. Tauri calls these functions on its main thread and holds
//! a lock of its own meanwhile, so they must not block.

use std::sync::Arc;

use tauri_plugin_tasks_engine::delivery::engine;

use crate::{session::sessions::Departure, state::PluginState};

impl PluginState {
    pub(crate) fn webview_created(&self, label: &str, window: &str) {
        // Tauri does not report a webview that closes before its window. A session notices it while something hangs on
        // the page; otherwise it is noticed when its label is used again, or when a window is destroyed.
        if self.pages.created(label, window) {
            self.sessions.close_page(label, Departure::ForGood);
            engine(&self.tasks).disown(|owner| owner.label() == Some(label));
        }
    }

    /// Returns the label and the incarnation of the webview in `window` whose page calls.
    pub(crate) fn page_calls(&self, label: &str, window: impl Fn() -> String) -> (Arc<str>, u64) {
        let (label, incarnation, is_added) = self.pages.of_caller(label, window);
        if is_added {
            // It may have closed, and then nothing else would remove it.
            let (pages, sessions, tasks) = (Arc::clone(&self.pages), Arc::clone(&self.sessions), self.tasks.clone());
            self.sessions.look_for_webviews(&self.tasks, move |exists| {
                for page in pages.retain(exists) {
                    sessions.webview_closed(&page, &tasks);
                }
            });
        }
        (label, incarnation)
    }

    /// Closes the sessions of a document that has left its webview. The webview itself still exists.
    pub(crate) fn page_left(&self, label: &str) {
        self.sessions.close_page(label, Departure::Reloads);
    }

    /// Closes the pages of the webviews that no longer exist, since a window is destroyed.
    pub(crate) fn window_destroyed(&self, exists: impl Fn(&str) -> bool) {
        for page in self.pages.retain(exists) {
            self.sessions.webview_closed(&page, &self.tasks);
        }
    }

    /// Closes the sessions of a page whose process has ended, and cancels those of its tasks that are cancelled when it is
    /// gone. The webview itself still exists and keeps the others: the app may load a page in it again.
    pub(crate) fn page_process_ended(&self, label: &str) {
        self.sessions.close_page(label, Departure::Silent);
        engine(&self.tasks).owners_are_silent(|owner| owner.label() == Some(label));
    }

    /// Closes all sessions, since the process is about to end.
    pub(crate) fn exiting(&self) {
        self.sessions.close_all();
    }
}

#[cfg(test)]
mod tests {
    use tauri::ipc::Channel;
    use tokio::runtime::Handle;

    use super::*;
    use crate::{
        Failure, Json, StartOptions, TaskContext, TaskId,
        access::page::Page,
        session::{message::PROTOCOL, protocol::timing::HIDDEN_LIMIT, push_channel::PushChannel, sessions::Exists},
    };
    use tauri_plugin_tasks_engine::delivery::{Clocks, Errors, Kind, Policy, Runtimes, Settings, Start, manager};

    struct Opened {
        plugin: PluginState,
        page: Page,
        id: TaskId,
    }

    /// Opens a window `main` whose page has a session and a task.
    fn opened() -> Opened {
        opened_by(|plugin| {
            plugin.webview_created("main", "main");
            plugin.pages.current("main")
        })
    }

    fn opened_by(open: impl FnOnce(&PluginState) -> (Arc<str>, u64)) -> Opened {
        opened_in(Box::new(|_| true), open)
    }

    fn opened_in(exists: Exists, open: impl FnOnce(&PluginState) -> (Arc<str>, u64)) -> Opened {
        let hang = Kind::new("hang", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        });
        let kinds = [(Arc::from("hang"), Arc::new(hang))].into();
        let tasks = manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_tokio(|| 0));
        let plugin = PluginState::new(tasks, HIDDEN_LIMIT, exists, Box::new(|run| run()));
        let (label, incarnation) = open(&plugin);
        let page = Page { label, incarnation, remote: false };
        plugin
            .sessions
            .open("s", PROTOCOL, &page, &plugin.tasks, PushChannel::at_once(Channel::new(|_| Ok(()))))
            .unwrap();
        let start = Start {
            id: TaskId::new(),
            task: "hang",
            input: Json::new(&()).unwrap(),
            owner: page.owner(),
            options: StartOptions::new(),
            sees: &|_| true,
        };
        let id = engine(&plugin.tasks).start(start).unwrap().record().id;
        Opened { plugin, page, id }
    }

    impl Opened {
        fn has_session(&self) -> bool {
            self.plugin.sessions.get("s", &self.page).is_ok()
        }

        fn owner(&self) -> Option<String> {
            self.plugin.tasks.get(self.id).unwrap().owner
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_navigates_loses_its_session_and_keeps_its_tasks() {
        let main = opened();
        main.plugin.page_left("other");
        assert!(main.has_session());
        main.plugin.page_left("main");
        assert!(!main.has_session());
        assert_eq!(main.owner().as_deref(), Some("main"));
        assert!(main.plugin.pages.is_current(&main.page));
    }

    #[tokio::test(start_paused = true)]
    async fn the_app_owns_the_tasks_of_a_window_that_closed() {
        let main = opened();
        main.plugin.window_destroyed(|label| label == "main");
        assert!(main.has_session());
        main.plugin.window_destroyed(|_| false);
        assert!(!main.has_session());
        assert_eq!(main.owner(), None);
        assert!(!main.plugin.pages.is_current(&main.page));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_webview_inherits_nothing_from_one_with_the_same_label() {
        let main = opened();
        main.plugin.webview_created("main", "main");
        assert!(!main.has_session());
        assert_eq!(main.owner(), None, "the app owns it now, not the new page");
        assert!(!main.plugin.pages.is_current(&main.page));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_whose_process_ends_loses_its_session_and_its_webview_keeps_the_tasks() {
        let main = opened();
        main.plugin.page_process_ended("other");
        assert!(main.has_session());
        main.plugin.page_process_ended("main");
        assert!(!main.has_session());
        assert_eq!(main.owner().as_deref(), Some("main"), "the app may load the page again");
        assert!(main.plugin.pages.is_current(&main.page));
    }

    /// Tauri reports a webview a moment after its page can call.
    #[tokio::test(start_paused = true)]
    async fn a_page_that_calls_before_its_webview_is_reported_keeps_what_it_has_until_that_closes() {
        for is_reported in [true, false] {
            let main = opened_by(|plugin| plugin.page_calls("main", || "main".into()));
            if is_reported {
                main.plugin.webview_created("main", "main");
            }
            assert!(main.has_session() && main.plugin.pages.is_current(&main.page));
            assert_eq!(main.plugin.page_calls("main", || "main".into()).1, main.page.incarnation);
            assert_eq!(main.owner().as_deref(), Some("main"));
            main.plugin.window_destroyed(|_| false);
            assert!(!main.has_session() && !main.plugin.pages.is_current(&main.page));
            assert_eq!(main.owner(), None, "reported: {is_reported}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_webview_that_closes_while_its_page_calls_is_forgotten_with_all_that_the_page_has() {
        let (answer, answers) = std::sync::mpsc::channel();
        let answers = parking_lot::Mutex::new(answers);
        // It waits, as Tauri may.
        let exists = Box::new(move |_: &str| answers.lock().recv().unwrap());
        let main = opened_in(exists, |plugin| plugin.page_calls("main", || "main".into()));
        assert!(main.has_session() && main.plugin.pages.is_current(&main.page), "it has not been found yet");
        answer.send(false).unwrap();
        while main.plugin.pages.has_window() || main.has_session() || main.owner().is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_exit_closes_all_sessions() {
        let main = opened();
        main.plugin.exiting();
        assert!(!main.has_session());
    }
}
