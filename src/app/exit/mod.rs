//! Ends the tasks when the app exits.
//!
//! An exit that can be held is held ([`Answer::Drain`]): the tasks end as their kinds say, and then the app exits with
//! the requested code. If an exit can't be held, the plugin learns of it only when the process is about to end. The
//! main thread then waits for a bounded time ([`Core::last_chance`]). [`phase`] decides what happens to each request, and
//! [`session_end`] how long the main thread may wait at a log-off.
//!
//! Tauri calls these functions on its main thread and under a lock that commands need too, so only the last chance
//! blocks.

mod awake_wait;
mod core;
mod drain;
mod last_chance;
mod phase;
mod quit;
mod session_end;
mod signals;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tauri::{AppHandle, CloseRequestApi, ExitRequestApi, RESTART_EXIT_CODE, Runtime};

use tauri_plugin_tasks_engine::delivery::engine;

use crate::TaskManager;
use core::{Core, Drain};
use drain::Leave;
use last_chance::Sentinel;
use phase::{Answer, Request};
use session_end::SESSION_END;

pub use quit::Quit;

/// What the app does when its last window has closed: see
/// [`Builder::on_last_window_closed`](crate::Builder::on_last_window_closed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LastWindowClosed {
    /// The app exits once its tasks have ended as their kinds say.
    #[default]
    Drain,
    /// The app and its tasks keep running without a window, for example in the tray.
    KeepRunning,
}

pub(crate) type Hook<R> = Arc<dyn Fn(Quit<R>) + Send + Sync>;

/// How the host app wants to exit.
pub(crate) struct Rules<R: Runtime> {
    pub(crate) grace: Duration,
    pub(crate) last_window_closed: LastWindowClosed,
    pub(crate) handle_signals: bool,
    pub(crate) on_quit: Option<Hook<R>>,
    /// Requests the exit again once it is held no more: [`AppHandle::exit`], unless it is a test.
    pub(crate) leave: Leave<R>,
}

impl<R: Runtime> Default for Rules<R> {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            last_window_closed: LastWindowClosed::default(),
            handle_signals: false,
            on_quit: None,
            leave: AppHandle::exit,
        }
    }
}

pub(crate) struct Exit<R: Runtime> {
    core: Arc<Core>,
    rules: Rules<R>,
}

impl<R: Runtime> Exit<R> {
    pub(crate) fn new(tasks: TaskManager, rules: Rules<R>) -> Self {
        Self { core: Arc::new(Core::new(tasks, rules.grace, SESSION_END)), rules }
    }

    /// Starts watching for the end of the process and, if the host app wants it, for signals.
    pub(crate) fn watch(&self, app: &AppHandle<R>) {
        Sentinel::put(app, &self.core);
        if self.rules.handle_signals {
            signals::listen(app, &self.core);
        }
    }

    /// Handles the last window before it closes.
    pub(crate) fn close_requested(&self, app: &AppHandle<R>, api: &CloseRequestApi) {
        if self.rules.last_window_closed == LastWindowClosed::KeepRunning {
            return;
        }
        if self.answer(app, Request::CloseLastWindow, None, true) {
            api.prevent_close();
        }
    }

    /// Handles a request to exit with `code`, or the close of the last window if that is `None`. `has_window` is
    /// whether there is a window to show a question in.
    pub(crate) fn exit_requested(&self, app: &AppHandle<R>, code: Option<i32>, has_window: bool, api: &ExitRequestApi) {
        if self.holds_exit(app, code, has_window) {
            api.prevent_exit();
        }
    }

    /// Does the same for a caller that holds the exit if this returns `true`.
    pub(crate) fn holds_exit(&self, app: &AppHandle<R>, code: Option<i32>, has_window: bool) -> bool {
        let holds = match code {
            // A restart can't be held. `RunEvent::Exit` follows when the process is about to end.
            Some(RESTART_EXIT_CODE) => false,
            Some(_) => self.answer(app, Request::Exit, code, has_window),
            None if self.rules.last_window_closed == LastWindowClosed::KeepRunning => {
                self.core.nobody_is_left_to_ask();
                true
            }
            None => self.answer(app, Request::LastWindowClosed, None, false),
        };
        if !holds {
            self.core.request_passed();
        }
        holds
    }

    /// Handles that the event loop has come round.
    pub(crate) fn loop_came_round(&self) {
        self.core.loop_came_round();
    }

    /// Handles the end of the process.
    pub(crate) fn exiting(&self) {
        self.core.last_chance();
    }

    /// Decides on a request and acts on the answer. Returns whether the request is held.
    fn answer(&self, app: &AppHandle<R>, request: Request, code: Option<i32>, has_window: bool) -> bool {
        let hook = self.rules.on_quit.as_ref().filter(|_| has_window);
        match self.core.on(request, code, hook.is_some()) {
            Answer::Pass => return false,
            Answer::Hold => {}
            Answer::Ask(question) => {
                if let Some(hook) = hook {
                    self.ask(app, question, Arc::clone(hook));
                }
            }
            Answer::Drain => self.core.begin(app, self.rules.leave, Drain::ByKind),
        }
        true
    }

    /// Runs the hook on a blocking thread: the hook may need the lock that is held here, and it may block.
    fn ask(&self, app: &AppHandle<R>, question: u64, hook: Hook<R>) {
        let quit = Quit::new(app, &self.core, self.rules.leave, question);
        engine(&self.core.tasks).control().spawn_blocking(move || hook(quit));
    }
}
