use std::sync::{Arc, Mutex};

use tauri::{AppHandle, Manager, test::MockRuntime};
use tauri_plugin_tasks_engine::delivery::{engine, is_awaited};
use tokio::sync::Notify;

use super::{patience::patiently, pushed::lock, running::Running};
use crate::{
    Outcome, TaskFilter, TaskSnapshot,
    app::{exit::Exit, hooks},
    state::PluginState,
};

/// How an app has exited: see [`TestApp::exit`](super::TestApp::exit).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExitReport {
    /// The code that the process would end with.
    pub code: i32,
    /// The tasks that had not ended when the exit was requested, oldest first.
    pub tasks: Vec<TaskAtExit>,
}

/// What an exit has made of a task.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskAtExit {
    /// The task when the app was gone.
    pub snapshot: TaskSnapshot,
    /// How it has ended. `None` if it is lost: the process would have ended while it ran or waited.
    pub outcome: Option<Outcome>,
    /// Whether the exit waits for tasks of its kind: see [`OnExit`](crate::OnExit).
    pub is_waited_for: bool,
}

impl ExitReport {
    /// Returns the tasks that the exit has waited for.
    pub fn waited_for(&self) -> impl Iterator<Item = &TaskAtExit> {
        self.tasks.iter().filter(|task| task.is_waited_for)
    }

    /// Returns the tasks that had not ended when the process would have ended.
    pub fn lost(&self) -> impl Iterator<Item = &TaskAtExit> {
        self.tasks.iter().filter(|task| task.outcome.is_none())
    }
}

/// The code with which the plugin has let the app exit.
#[derive(Default)]
pub(super) struct Left {
    code: Mutex<Option<i32>>,
    told: Notify,
}

/// Takes the place of [`AppHandle::exit`], which panics on the mock runtime.
pub(super) fn leave(app: &AppHandle<MockRuntime>, code: i32) {
    let left = app.state::<Arc<Left>>();
    *lock(&left.code) = Some(code);
    left.told.notify_waiters();
}

/// Requests the exit of the app, and waits until it may end.
pub(super) async fn exit(running: &Running, code: i32) -> ExitReport {
    let (app, tasks) = (running.handle(), running.tasks());
    let live: Vec<_> = engine(tasks).records(&TaskFilter::default());
    let live = live.into_iter().filter(|record| !record.status().is_final());
    let live: Vec<_> = live.map(|record| (is_awaited(&record), record)).collect();
    let code = if holds(app, code) {
        let left = Arc::clone(&app.state::<Arc<Left>>());
        let what = || {
            "the exit: does the hook of Builder::on_quit decide to stay, or is the grace of the exit longer?".to_owned()
        };
        let code = patiently(what, async move { left.code().await }).await;
        // As with a real exit, the plugin is asked once more.
        holds(app, code);
        code
    } else {
        code
    };
    let mut ended = Vec::new();
    for (is_waited_for, record) in live {
        let snapshot = record.snapshot();
        let outcome = if snapshot.status.is_final() { Some(record.ended().await) } else { None };
        ended.push(TaskAtExit { snapshot, outcome, is_waited_for });
    }
    // Only now, since what is left on the runtime of the handlers ends with it, and with it the process.
    hooks::exiting(app);
    ExitReport { code, tasks: ended }
}

fn holds(app: &AppHandle<MockRuntime>, code: i32) -> bool {
    let has_window = app.state::<PluginState>().pages.has_window();
    app.state::<Exit<MockRuntime>>().holds_exit(app, Some(code), has_window)
}

impl Left {
    async fn code(&self) -> i32 {
        loop {
            let told = self.told.notified();
            if let Some(code) = *lock(&self.code) {
                return code;
            }
            told.await;
        }
    }
}
