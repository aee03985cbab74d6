//! The windows besides the main one.

use serde::Deserialize;
use tauri::{AppHandle, Manager, Runtime, WebviewUrl, WebviewWindowBuilder};

/// A window that the page may open. It is an enum, not a label: labels decide which capabilities apply, so a page must not
/// choose them freely.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Extra {
    /// Has the same capability as the main window.
    Second,
    /// Sees and controls the tasks of all windows.
    Observer,
}

impl Extra {
    /// Returns the label that `capabilities/*.json` refer to, and the title.
    const fn label_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::Second => ("second", "Workbench: second window"),
            Self::Observer => ("observer", "Workbench: observer"),
        }
    }
}

/// Opens a window, or brings it to the front if it is open already.
///
/// It is `async` because building a window in a synchronous command deadlocks on Windows.
#[tauri::command]
pub(crate) async fn open_window<R: Runtime>(app: AppHandle<R>, window: Extra) -> Result<(), String> {
    let (label, title) = window.label_and_title();
    if let Some(open) = app.get_webview_window(label) {
        return open.unminimize().and_then(|()| open.set_focus()).map_err(|error| error.to_string());
    }
    WebviewWindowBuilder::new(&app, label, WebviewUrl::default())
        .title(title)
        .inner_size(900.0, 700.0)
        .min_inner_size(480.0, 480.0)
        .build()
        .map(drop)
        .map_err(|error| error.to_string())
}
