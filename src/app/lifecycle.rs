//! Updates pages, sessions and owners as webviews come and go. Tauri calls these functions on its main thread and holds
//! a lock of its own meanwhile, so they must not block.

use std::{collections::HashSet, sync::Arc};

use tauri_plugin_tasks_engine::delivery::engine;

use crate::{
    TaskFilter,
    access::{
        document::{Call, Document},
        page::Page,
        pages::Stranger,
    },
    session::sessions::Departure,
    state::PluginState,
};

impl PluginState {
    pub(crate) fn webview_created(&self, label: &str) {
        // Tauri does not report a webview that closes before its window. A session notices it while something depends on
        // the page; otherwise it is noticed when its label is used again, or when a window is destroyed.
        if self.pages.created(label) {
            self.sessions.close_page(label, Departure::ForGood);
            engine(&self.tasks).disown(|owner| owner.label() == Some(label));
        }
    }

    /// Returns the page that makes a `call` in the webview `label`. Tauri may report a webview only after its page has called,
    /// and never reports one that is older than the plugin.
    pub(crate) fn page_calls(&self, label: &str, call: Call<'_>) -> Result<Page, Stranger> {
        if self.pages.found(label) {
            self.remove_the_closed();
        }
        self.pages.of_caller(label, call, |page| self.origins_in_use(page))
    }

    /// Removes the webviews that have closed. Soon after this, since it asks Tauri, which may wait.
    fn remove_the_closed(&self) {
        let (pages, sessions, tasks) = (Arc::clone(&self.pages), Arc::clone(&self.sessions), self.tasks.clone());
        self.sessions.look_for_webviews(&self.tasks, move |exists| {
            for page in pages.retain(exists) {
                sessions.webview_closed(&page, &tasks);
            }
        });
    }

    /// Returns the origins of the webview of `page` that own a task, have a share in one or have a session.
    fn origins_in_use(&self, page: &Page) -> HashSet<u32> {
        let tasks = engine(&self.tasks).records(&TaskFilter::default());
        let owners = tasks.iter().flat_map(|record| record.all_told()).chain(self.sessions.owners());
        owners.filter_map(|owner| page.origin_of(&owner)).collect()
    }

    /// Records that the webview shows another `document` from now on.
    pub(crate) fn page_loads(&self, label: &str, document: Document) {
        self.pages.shows(label, document);
        self.page_left(label);
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
    use std::sync::Arc;

    use tauri::{
        Url,
        ipc::Channel,
        test::{MockRuntime, mock_context, noop_assets},
    };
    use tokio::runtime::Handle;

    use super::*;
    use crate::{
        Failure, Json, OnConflict, StartOptions, TaskContext, TaskId,
        access::{origins::LIMIT, page::Page},
        session::{message::PROTOCOL, protocol::timing::HIDDEN_LIMIT, push_channel::PushChannel, sessions::Exists},
    };
    use tauri_plugin_tasks_engine::delivery::{
        Clocks, Errors, Kind, Owner, Policy, Runtimes, Settings, Start, manager,
    };

    const LOCAL_CALL: Call<'_> = Call { is_remote: false, header: None };
    const REMOTE_CALL: Call<'_> = Call { is_remote: true, header: None };

    fn document(url: &str) -> Document {
        let context = mock_context::<MockRuntime, _>(noop_assets());
        Document::at(&Url::parse(url).unwrap(), context.config())
    }

    struct Opened {
        plugin: PluginState,
        page: Page,
        id: TaskId,
    }

    /// Opens a window `main` whose page has a session and a task.
    fn opened() -> Opened {
        opened_by(|plugin| {
            plugin.webview_created("main");
            plugin.pages.current("main")
        })
    }

    fn opened_by(open: impl FnOnce(&PluginState) -> Page) -> Opened {
        opened_with(StartOptions::new(), Box::new(|_| true), open)
    }

    fn opened_with(options: StartOptions, exists: Exists, open: impl FnOnce(&PluginState) -> Page) -> Opened {
        let hang = Kind::new("hang", Policy::default(), Errors::default(), async |_: TaskContext, (): ()| {
            std::future::pending::<Result<(), Failure>>().await
        });
        let kinds = [(Arc::from("hang"), Arc::new(hang))].into();
        let tasks = manager(Runtimes::one(Handle::current()), kinds, Settings::default(), Clocks::of_tokio(|| 0));
        let plugin = PluginState::new(tasks, HIDDEN_LIMIT, exists, Box::new(|run| run()));
        let page = open(&plugin);
        plugin
            .sessions
            .open("s", PROTOCOL, &page, &plugin.tasks, PushChannel::at_once(Channel::new(|_| Ok(()))))
            .unwrap();
        let id = start_with(&plugin, &page, options);
        Opened { plugin, page, id }
    }

    impl Opened {
        /// Makes this owner join the task. Returns its id.
        fn join(&self, owner: &Owner) -> TaskId {
            let start = Start {
                id: TaskId::new(),
                task: "hang",
                input: Json::new(&()).unwrap(),
                owner: owner.clone(),
                options: StartOptions::new().key("k", OnConflict::Join),
                sees: &|_| true,
            };
            engine(&self.plugin.tasks).start(start).unwrap().record().id
        }

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
        main.plugin.page_loads("other", document("https://example.com"));
        assert!(main.has_session());
        main.plugin.page_loads("main", document("https://example.com"));
        assert!(!main.has_session());
        assert_eq!(main.owner().as_deref(), Some("main"));
        assert!(main.plugin.pages.is_current(&main.page));
    }

    /// Starts a task that `page` owns.
    fn start(plugin: &PluginState, page: &Page) -> TaskId {
        start_with(plugin, page, StartOptions::new())
    }

    fn start_with(plugin: &PluginState, page: &Page, options: StartOptions) -> TaskId {
        let start = Start {
            id: TaskId::new(),
            task: "hang",
            input: Json::new(&()).unwrap(),
            owner: page.owner(),
            options,
            sees: &|_| true,
        };
        engine(&plugin.tasks).start(start).unwrap().record().id
    }

    #[tokio::test(start_paused = true)]
    async fn an_origin_is_known_as_long_as_it_has_tasks_or_a_session_and_others_make_room() {
        let main = opened();
        let plugin = &main.plugin;
        let goes_to = |site: &str| {
            plugin.page_loads("main", document(&format!("https://{site}.example")));
            plugin.page_calls("main", REMOTE_CALL)
        };
        let pages: Vec<_> = (0..LIMIT).map(|at| goes_to(&format!("site-{at}")).unwrap()).collect();
        let with_task = start(plugin, &pages[0]);
        plugin
            .sessions
            .open("t", PROTOCOL, &pages[1], &plugin.tasks, PushChannel::at_once(Channel::new(|_| Ok(()))))
            .unwrap();
        assert_eq!(plugin.origins_in_use(&main.page), HashSet::from([0, pages[0].origin, pages[1].origin]));
        // Its session ends with the next load.
        assert!(goes_to("more").is_ok());
        assert_eq!(goes_to("site-0").as_ref(), Ok(&pages[0]));
        assert_ne!(goes_to("site-1").as_ref(), Ok(&pages[1]));
        assert_eq!(plugin.tasks.get(with_task).unwrap().owner.as_deref(), Some("main"));

        let kept: Vec<_> = (1..LIMIT).map(|at| start(plugin, &goes_to(&format!("kept-{at}")).unwrap())).collect();
        assert_eq!(goes_to("refused"), Err(Stranger::TooManyOrigins));
        assert!(plugin.page_calls("main", Call { is_remote: true, header: Some("https://site-0.example") }).is_err());
        assert_eq!(goes_to("site-0").as_ref(), Ok(&pages[0]), "those that are known go on");
        plugin.tasks.cancel(kept[0]).unwrap();
        plugin.tasks.attach("hang", kept[0]).unwrap().outcome().await;
        plugin.tasks.remove(kept[0]).unwrap();
        assert!(goes_to("refused").is_ok());

        plugin.window_destroyed(|_| false);
        assert!(plugin.tasks.list(&TaskFilter::default()).iter().all(|task| task.owner.is_none()), "of all origins");
    }

    #[tokio::test(start_paused = true)]
    async fn an_origin_is_known_as_long_as_it_has_a_share_in_a_task_of_another() {
        let keyed = StartOptions::new().key("k", OnConflict::Join);
        let main = opened_with(keyed, Box::new(|_| true), |plugin| {
            plugin.webview_created("main");
            plugin.pages.current("main")
        });
        let goes_to = |site: &str| {
            main.plugin.page_loads("main", document(&format!("https://{site}.example")));
            main.plugin.page_calls("main", REMOTE_CALL)
        };
        let guest = goes_to("guest").unwrap();
        assert_eq!(main.join(&guest.owner()), main.id);
        assert_eq!(main.plugin.origins_in_use(&main.page), HashSet::from([0, guest.origin]));
        for at in 0..2 * LIMIT {
            assert!(goes_to(&format!("site-{at}")).is_ok());
        }
        assert_eq!(goes_to("guest").as_ref(), Ok(&guest));
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
    async fn a_window_that_joined_the_task_of_one_that_closed_owns_it() {
        let main = opened_with(StartOptions::new().key("k", OnConflict::Join), Box::new(|_| true), |plugin| {
            plugin.webview_created("main");
            plugin.pages.current("main")
        });
        main.plugin.webview_created("other");
        let other = main.plugin.pages.current("other");
        let joined = main.join(&other.owner());
        assert_eq!(joined, main.id);
        main.plugin.page_left("main");
        assert_eq!(main.owner().as_deref(), Some("main"), "a reload gives nothing back");
        main.plugin.window_destroyed(|label| label == "other");
        assert_eq!(main.owner().as_deref(), Some("other"));
        main.plugin.window_destroyed(|_| false);
        assert_eq!(main.owner(), None);
        assert!(!main.plugin.tasks.get(main.id).unwrap().status.is_final());
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_webview_inherits_nothing_from_one_with_the_same_label() {
        let main = opened();
        main.plugin.webview_created("main");
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
            let main = opened_by(|plugin| plugin.page_calls("main", LOCAL_CALL).unwrap());
            if is_reported {
                main.plugin.webview_created("main");
            }
            assert!(main.has_session() && main.plugin.pages.is_current(&main.page));
            assert_eq!(main.plugin.page_calls("main", LOCAL_CALL), Ok(main.page.clone()));
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
        let main = opened_with(StartOptions::new(), exists, |plugin| plugin.page_calls("main", LOCAL_CALL).unwrap());
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
