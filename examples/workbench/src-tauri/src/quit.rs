//! The question to the user before the app quits while tasks run, and the answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Emitter, Manager, Runtime, State};
use tauri_plugin_tasks::{Quit, TaskSnapshot, TasksExt};

/// The event that the pages listen to.
const ASKED: &str = "quit-asked";

/// Whether the app is about to quit.
pub(crate) struct Question<R: Runtime>(Mutex<Stage<R>>);

enum Stage<R: Runtime> {
    Working,
    /// The user has been asked and has not answered.
    Asked(Quit<R>),
    /// The user has decided to quit.
    Leaving,
}

impl<R: Runtime> Default for Question<R> {
    fn default() -> Self {
        Self(Mutex::new(Stage::Working))
    }
}

impl<R: Runtime> Question<R> {
    fn stage(&self) -> MutexGuard<'_, Stage<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answers that the user may choose.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Choice {
    Wait,
    Cancel,
    Stay,
}

/// The question as a page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct QuitQuestion {
    /// Whether the user has decided to quit.
    decided: bool,
    /// The tasks that would be cut short, or that the quit waits for.
    tasks: Vec<TaskSnapshot>,
}

/// Makes the pages ask the user. A page that is still loading finds the question with `quit_waits_for`.
pub(crate) fn ask<R: Runtime>(quit: Quit<R>) {
    let app = quit.app().clone();
    *app.state::<Question<R>>().stage() = Stage::Asked(quit);
    if let Err(error) = app.emit(ASKED, ()) {
        // No page can ask, and the user would be left with a window that doesn't close.
        eprintln!("the pages can't be asked, so the app quits: {error}");
        decide(&app, Choice::Cancel);
    }
}

/// Returns the open question, or `None` if the app is not about to quit.
#[tauri::command]
pub(crate) async fn quit_waits_for<R: Runtime>(
    app: AppHandle<R>,
    question: State<'_, Question<R>>,
) -> Result<Option<QuitQuestion>, ()> {
    Ok(match &*question.stage() {
        Stage::Working => None,
        Stage::Asked(quit) => Some(QuitQuestion { decided: false, tasks: quit.tasks() }),
        Stage::Leaving => Some(QuitQuestion { decided: true, tasks: app.tasks().guard().would_be_lost() }),
    })
}

/// Takes the user's answer.
#[tauri::command]
pub(crate) async fn answer_quit<R: Runtime>(app: AppHandle<R>, choice: Choice) {
    decide(&app, choice);
}

/// Quits as a menu item would, while all windows are open.
#[tauri::command]
pub(crate) async fn quit<R: Runtime>(app: AppHandle<R>) {
    app.exit(0);
}

fn decide<R: Runtime>(app: &AppHandle<R>, choice: Choice) {
    let question = app.state::<Question<R>>();
    let mut stage = question.stage();
    let next = if matches!(choice, Choice::Stay) { Stage::Working } else { Stage::Leaving };
    match std::mem::replace(&mut *stage, next) {
        Stage::Asked(quit) => match choice {
            Choice::Wait => quit.wait(),
            Choice::Cancel => quit.cancel(),
            Choice::Stay => quit.stay(),
        },
        // Another window has answered.
        before => *stage = before,
    }
}
