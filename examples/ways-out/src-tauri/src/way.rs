//! The ways to exit, by name.

use std::{thread, time::Duration};

use tauri::{AppHandle, Manager, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_tasks::{Builder, Held, LastWindowClosed, Quit, TaskFilter, TasksExt};
use tokio::time::sleep;

use crate::plan::{Plan, plan};

/// After this time, another exit counts as a new request: see `Builder::exit_grace`.
const LATER: Duration = Duration::from_millis(800);

/// Longer than a visible page may be silent.
const BLOCKED: Duration = Duration::from_secs(60);

/// Keeps a question that nobody answers: dropping it would answer it.
struct Undecided<R: Runtime>(Quit<R>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Exit,
    ExitTwice,
    Close,
    CloseInTheTray,
    RequestRestart,
    Restart,
    RestartOnMainThread,
    Wait,
    AskToWait,
    AskToCancel,
    AskToStay,
    AskForEver,
    AskWhenAllClose,
    Guard,
    Stay,
    StayHidden,
    StayBlocked,
}

impl Way {
    const ALL: [(&'static str, Self); 17] = [
        ("exit", Self::Exit),
        ("exit-twice", Self::ExitTwice),
        ("close", Self::Close),
        ("close-in-the-tray", Self::CloseInTheTray),
        ("request-restart", Self::RequestRestart),
        ("restart", Self::Restart),
        ("restart-on-main-thread", Self::RestartOnMainThread),
        // Waits until a signal comes.
        ("wait", Self::Wait),
        ("ask-to-wait", Self::AskToWait),
        ("ask-to-cancel", Self::AskToCancel),
        ("ask-to-stay", Self::AskToStay),
        // Waits until a signal comes.
        ("ask-for-ever", Self::AskForEver),
        ("ask-when-all-close", Self::AskWhenAllClose),
        ("guard", Self::Guard),
        // Runs until it is killed, with a page that has started tasks.
        ("stay", Self::Stay),
        // The same in a hidden window.
        ("stay-hidden", Self::StayHidden),
        // The same, and its main thread is blocked for a time.
        ("stay-blocked", Self::StayBlocked),
    ];
    pub(crate) const NAMES: [&'static str; 17] = {
        let mut names = [""; 17];
        let mut index = 0;
        while index < names.len() {
            names[index] = Self::ALL[index].0;
            index += 1;
        }
        names
    };

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, way)| (known == name).then_some(way))
    }

    pub(crate) fn configure<R: Runtime>(self, tasks: Builder<R>) -> Builder<R> {
        match self {
            Self::CloseInTheTray => tasks.on_last_window_closed(LastWindowClosed::KeepRunning),
            Self::Wait => tasks.handle_signals(),
            Self::AskToWait => tasks.handle_signals().on_quit(|quit| {
                let app = quit.app().clone();
                quit.wait();
                plan(&app).note("waits");
            }),
            Self::AskForEver => tasks.handle_signals().on_quit(|quit| {
                let app = quit.app().clone();
                app.manage(Undecided(quit));
                plan(&app).note("asked");
            }),
            Self::AskToCancel | Self::AskWhenAllClose => tasks.on_quit(|quit| {
                plan(quit.app()).note("asked");
                quit.cancel();
            }),
            Self::AskToStay => tasks.on_quit(|quit| {
                let plan = plan(quit.app());
                if plan.has_noted("asked") {
                    quit.cancel();
                } else {
                    plan.note("asked");
                    quit.stay();
                }
            }),
            _ => tasks,
        }
    }

    pub(crate) fn open_window<R: Runtime>(self, app: &AppHandle<R>) -> tauri::Result<WebviewWindow<R>> {
        if self == Self::AskWhenAllClose {
            WebviewWindowBuilder::new(app, "other", WebviewUrl::default()).build()?;
        }
        let stays = matches!(self, Self::Stay | Self::StayHidden | Self::StayBlocked);
        let page = if stays { "index.html#start" } else { "index.html" };
        WebviewWindowBuilder::new(app, "main", WebviewUrl::App(page.into())).title("Ways out").build()
    }

    pub(crate) async fn go<R: Runtime>(self, app: &AppHandle<R>, plan: &Plan) {
        match self {
            Self::Exit | Self::AskToWait | Self::AskForEver => app.exit(3),
            Self::AskToStay => {
                app.exit(3);
                plan.until_noted("asked").await;
                sleep(LATER).await;
                plan.note("still-here");
                plan.until_noted("go").await;
                app.exit(5);
            }
            Self::ExitTwice => {
                app.exit(3);
                // This still belongs to the same request.
                app.exit(9);
                plan.until_noted("exit-requested").await;
                sleep(LATER).await;
                app.exit(4);
            }
            // As a user closes it, with the window's button.
            Self::Close | Self::AskToCancel => close(app),
            Self::AskWhenAllClose => {
                for window in app.webview_windows().values() {
                    let _ = window.close();
                }
            }
            Self::CloseInTheTray => {
                close(app);
                plan.until_noted("exit-requested").await;
                plan.note("still-here");
                plan.until_noted("go").await;
                app.exit(5);
            }
            Self::RequestRestart => {
                plan.note("restarts");
                app.request_restart();
            }
            Self::Restart => {
                plan.note("restarts");
                app.restart();
            }
            Self::RestartOnMainThread => {
                plan.note("restarts");
                let main = app.clone();
                let _ = app.run_on_main_thread(move || main.restart());
            }
            Self::Guard => {
                let guard = app.tasks().guard();
                let lost = guard.would_be_lost();
                plan.note(&format!("would-lose-{}", lost.len()));
                if app.tasks().start("cancel", ()).is_err() {
                    plan.note("held-off");
                }
                std::process::exit(6);
            }
            Self::Wait => {}
            Self::Stay => record_what_is_held(app, plan).await,
            Self::StayHidden => {
                plan.until_noted("page-started").await;
                if let Some(window) = app.get_webview_window("main") {
                    let _ = window.hide();
                }
                record_what_is_held(app, plan).await;
            }
            Self::StayBlocked => {
                tokio::join!(record_what_is_held(app, plan), block_main_thread(app, plan));
            }
        }
    }
}

/// Blocks the main thread, as a command that is not async or a dialog may do.
async fn block_main_thread<R: Runtime>(app: &AppHandle<R>, plan: &Plan) {
    plan.until_noted("go").await;
    let blocked = plan.clone();
    let _ = app.run_on_main_thread(move || {
        blocked.note("blocked");
        thread::sleep(BLOCKED);
        blocked.note("free");
    });
}

/// Records what the engine holds for the page, again and again.
async fn record_what_is_held<R: Runtime>(app: &AppHandle<R>, plan: &Plan) {
    loop {
        let held = Held::of(app);
        let tasks = app.tasks().list(&TaskFilter::default());
        let of =
            |name| tasks.iter().find(|task| task.task == name).map(|task| (task.status, task.cancel_reason.clone()));
        let [goes_on, goes_along, streams] = ["goes-on", "goes-along", "streams"].map(of);
        plan.write("held", &format!("{} {goes_on:?} {goes_along:?} {streams:?}", held.sessions));
        sleep(Duration::from_millis(200)).await;
    }
}

fn close<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.close();
    }
}
