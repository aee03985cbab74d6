//! Tests that a page is not given up because the app's main thread is blocked, through which it speaks.

use super::*;
use crate::session::push_channel::RunOnMainThread;

type Run = Box<dyn FnOnce() + Send>;

/// The app's main thread, which answers when the test lets it.
#[derive(Clone, Default)]
struct MainThread {
    blocked: Arc<Mutex<bool>>,
    queue: Arc<Mutex<Vec<Run>>>,
    asked: Arc<Mutex<usize>>,
}

impl MainThread {
    fn blocked() -> Self {
        let main_thread = Self::default();
        *main_thread.blocked.lock() = true;
        main_thread
    }

    fn run(&self, run: Run) {
        *self.asked.lock() += 1;
        self.queue.lock().push(run);
        if !*self.blocked.lock() {
            self.answer();
        }
    }

    fn answer(&self) {
        *self.blocked.lock() = false;
        let queue = std::mem::take(&mut *self.queue.lock());
        for run in queue {
            run();
        }
    }

    fn asked(&self) -> usize {
        *self.asked.lock()
    }

    fn sessions(&self) -> Arc<Sessions> {
        let main_thread = self.clone();
        sessions_with(Box::new(move |run| main_thread.run(run)))
    }
}

fn sessions_with(run_on_main_thread: RunOnMainThread) -> Arc<Sessions> {
    Arc::new(Sessions::new(HIDDEN_LIMIT, Box::new(|_| true), run_on_main_thread))
}

impl Owning {
    /// A page of these sessions that follows its task and has acknowledged what it was sent.
    async fn following_in(sessions: Arc<Sessions>) -> Self {
        let (tasks, [_, task]) = owned();
        let page = Self { opened: Opened::of(sessions, tasks), task };
        page.opened.follow(task);
        sleep(FRAME).await;
        page.answers().await;
        page
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_not_gone_while_the_main_thread_is_blocked() {
    for hidden in [false, true] {
        let main_thread = MainThread::blocked();
        let page = Owning::following_in(main_thread.sessions()).await;
        if hidden {
            page.sees(HIDDEN);
        }
        for _ in 0..24 {
            sleep(secs(3_600)).await;
            assert!(page.is_there(), "hidden: {hidden}");
        }
        assert_eq!(main_thread.asked(), 1, "it is asked once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_well_goes_on_when_the_main_thread_does() {
    // It answers so long after the main thread.
    for answer in [Duration::ZERO, secs(1), secs(3), CATCH_UP.saturating_sub(FRAME)] {
        for blocked in [35, 36, 37, 40, 45, 600].map(secs) {
            let main_thread = MainThread::blocked();
            let page = Owning::following_in(main_thread.sessions()).await;
            sleep(blocked).await;
            main_thread.answer();
            sleep(answer).await;
            assert!(page.is_there(), "blocked for {blocked:?}, and answers after {answer:?}");
            page.answers().await;
            page.opened.stay(2 * VISIBLE_LIMIT).await;
            assert!(page.is_there());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_gone_is_noticed_soon_after_the_main_thread_goes_on() {
    for blocked in [42, 43, 44, 45, 600].map(secs) {
        let main_thread = MainThread::blocked();
        let page = Owning::following_in(main_thread.sessions()).await;
        sleep(blocked).await;
        main_thread.answer();
        sleep(CATCH_UP.saturating_sub(FRAME)).await;
        assert!(page.is_there(), "blocked for {blocked:?}");
        sleep(2 * FRAME).await;
        assert!(!page.is_there(), "blocked for {blocked:?}");
    }
}

/// Two dialogs, one right after the other: the page has no time to be heard in between.
#[tokio::test(start_paused = true)]
async fn a_main_thread_that_is_blocked_again_is_noticed_too() {
    for first in [30, 36, 37, 39, 40].map(secs) {
        let main_thread = MainThread::blocked();
        let page = Owning::following_in(main_thread.sessions()).await;
        sleep(first).await;
        main_thread.answer();
        sleep(FRAME).await;
        *main_thread.blocked.lock() = true;
        sleep(secs(100)).await;
        assert!(page.is_there(), "blocked for {first:?} first");
        main_thread.answer();
        sleep(CATCH_UP.saturating_sub(FRAME)).await;
        assert!(page.is_there());
        page.answers().await;
        page.opened.stay(VISIBLE_LIMIT).await;
        assert!(page.is_there());
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_gone_after_its_time_if_the_main_thread_answers_as_fast_as_main_threads_do() {
    for (hidden, limit) in [(false, VISIBLE_LIMIT), (true, HIDDEN_LIMIT)] {
        for latency in [1, 5, 50, 200].map(Duration::from_millis) {
            let page = Owning::following_in(sessions_with(Box::new(move |run| {
                tokio::spawn(async move {
                    sleep(latency).await;
                    run();
                });
            })))
            .await;
            if hidden {
                page.sees(HIDDEN);
            }
            sleep(limit.saturating_sub(FRAME)).await;
            assert!(page.is_there());
            sleep(FRAME + STEP).await;
            assert!(!page.is_there(), "hidden: {hidden}, {latency:?}");
        }
    }
}

/// The page was heard and owes an acknowledgement when the main thread is blocked.
#[tokio::test(start_paused = true)]
async fn a_message_is_not_lost_while_the_main_thread_is_blocked() {
    let main_thread = MainThread::blocked();
    let (tasks, [_, task]) = owned();
    let page = Owning { opened: Opened::of(main_thread.sessions(), tasks), task };
    page.opened.follow(task);
    sleep(FRAME).await;
    page.opened.session().unwrap().acknowledge(0).await.unwrap();
    sleep(secs(600)).await;
    assert!(page.is_there());
    assert_eq!(main_thread.asked(), 1);
    main_thread.answer();
    sleep(CATCH_UP.saturating_sub(FRAME)).await;
    page.answers().await;
    page.opened.stay(VISIBLE_LIMIT).await;
    assert!(page.is_there());
}

#[tokio::test(start_paused = true)]
async fn the_main_thread_is_asked_only_before_a_page_is_given_up() {
    let main_thread = MainThread::default();
    let page = Owning::following_in(main_thread.sessions()).await;
    page.opened.stay(secs(3_600)).await;
    page.sees(HIDDEN);
    sleep(secs(3_000)).await;
    page.answers().await;
    page.sees(Visibility { hidden: false, change: 2 });
    sleep(secs(35)).await;
    assert_eq!(main_thread.asked(), 0, "it has time left");
    sleep(secs(8)).await;
    assert!(!page.is_there());
    assert!((1..=3).contains(&main_thread.asked()), "asked {} times", main_thread.asked());
}

/// The event loop is closed, so what should run on the main thread is dropped.
#[tokio::test(start_paused = true)]
async fn a_page_is_not_gone_because_the_app_is_ending() {
    let asked = Arc::new(Mutex::new(0));
    let counts = Arc::clone(&asked);
    let page = Owning::following_in(sessions_with(Box::new(move |_| *counts.lock() += 1))).await;
    sleep(secs(600)).await;
    assert!(page.is_there());
    assert!((2..=200).contains(&*asked.lock()), "asked {} times", asked.lock());
    page.opened.sessions.close_all();
    settle().await;
    assert!(page.opened.session().is_err());
}

/// Tauri runs it inline on the main thread, where the plugin's own hooks take its locks, too.
#[tokio::test(start_paused = true)]
async fn the_main_thread_is_asked_without_a_lock() {
    let all = Arc::new(Mutex::new(None::<Arc<Sessions>>));
    let of_hook = Arc::clone(&all);
    let sessions = sessions_with(Box::new(move |run| {
        let sessions = of_hook.lock().clone().unwrap();
        sessions.get("s", &page("main")).unwrap().sees(Visibility { hidden: false, change: 0 });
        run();
    }));
    *all.lock() = Some(Arc::clone(&sessions));
    let page = Owning::following_in(sessions).await;
    sleep(secs(600)).await;
    assert!(page.is_there(), "it is heard each time");
    all.lock().take();
}
