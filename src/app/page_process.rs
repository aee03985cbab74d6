//! Notices that the process of a page has ended.

use tauri::{AppHandle, Manager, Runtime, Webview};

use crate::state::PluginState;

/// Tells the plugin that the web content process of `webview` has ended, so that the tasks of its page are treated as
/// [`Task::on_owner_closed`](crate::Task::on_owner_closed) says at once, not after 42 seconds of silence.
///
/// On macOS and iOS, pass it to `tauri::Builder::on_web_content_process_terminate`, which takes only one hook and does not
/// exist elsewhere. On Linux, the plugin notices by itself. On Windows and Android, nothing tells.
///
/// The tasks of kinds with [`OnOwnerClosed::Cancel`](crate::OnOwnerClosed::Cancel) are cancelled with the reason
/// [`OwnerClosed`](crate::CancelReason::OwnerClosed). The webview still exists and keeps its other tasks: if the app
/// reloads it, the new page finds them. Does nothing if the plugin is not registered. May be called more than once.
///
/// ```no_run
/// # fn add_to<R: tauri::Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
/// // builder: tauri::Builder::default()
/// #[cfg(any(target_os = "macos", target_os = "ios"))]
/// let builder = builder.on_web_content_process_terminate(tauri_plugin_tasks::web_content_process_terminated);
/// # builder
/// # }
/// ```
///
/// An app that also does something itself calls it first:
///
/// ```no_run
/// # fn add_to<R: tauri::Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
/// #[cfg(any(target_os = "macos", target_os = "ios"))]
/// let builder = builder.on_web_content_process_terminate(|webview| {
///     tauri_plugin_tasks::web_content_process_terminated(webview);
///     let _ = webview.reload();
/// });
/// # builder
/// # }
/// ```
pub fn web_content_process_terminated<R: Runtime>(webview: &Webview<R>) {
    has_ended(webview.app_handle(), webview.label());
}

fn has_ended<R: Runtime>(app: &AppHandle<R>, label: &str) {
    if let Some(plugin) = app.try_state::<PluginState>() {
        plugin.page_process_ended(label);
    }
}

/// Watches the process of a page on WebKitGTK. Each webview tells of the end of its process, even if it shares that with
/// others.
#[cfg(target_os = "linux")]
pub(crate) fn watch<R: Runtime>(webview: &Webview<R>) {
    use std::any::TypeId;

    use tauri_plugin_tasks_engine::delivery::{assert_holds_no_lock, logged};
    use webkit2gtk::WebViewExt as _;

    // `with_webview` panics on the webview of another runtime.
    if TypeId::of::<R>() != TypeId::of::<tauri::Wry>() {
        return;
    }
    let (app, label) = (webview.app_handle().clone(), webview.label().to_owned());
    assert_holds_no_lock();
    let watching = webview.with_webview(move |platform| {
        platform.inner().connect_web_process_terminated(move |_, _| has_ended(&app, &label));
    });
    if let Err(error) = watching {
        tracing::warn!(label = logged(webview.label()), "the process of the page can't be watched: {}", logged(error));
    }
}

#[cfg(test)]
mod tests {
    use tauri::{
        WebviewWindowBuilder,
        ipc::Channel,
        test::{mock_builder, mock_context, noop_assets},
    };

    use super::*;
    use crate::{
        Builder,
        access::page::Page,
        session::{message::PROTOCOL, push_channel::PushChannel},
    };

    #[test]
    fn the_end_of_a_process_is_told_for_its_webview_alone() {
        // Without the kit, which has no process to end.
        let app = mock_builder().plugin(Builder::new().build()).build(mock_context(noop_assets())).unwrap();
        let plugin = app.state::<PluginState>();
        let pages = ["main", "other"].map(|label| {
            let window = WebviewWindowBuilder::new(&app, label, Default::default()).build().unwrap();
            (window, plugin.pages.current(label))
        });
        let open = |name: &str, page: &Page| {
            let channel = PushChannel::at_once(Channel::new(|_| Ok(())));
            plugin.sessions.open(name, PROTOCOL, page, &plugin.tasks, channel).unwrap();
        };
        let [(main, page), (_, other)] = &pages;
        open("main", page);
        open("other", other);
        for _ in 0..2 {
            web_content_process_terminated(main.as_ref());
            assert!(plugin.sessions.get("main", page).is_err());
            assert!(plugin.sessions.get("other", other).is_ok());
        }
        // The app has reloaded it.
        open("again", page);
        assert!(plugin.pages.is_current(page));
    }

    #[test]
    fn nothing_happens_in_an_app_without_the_plugin() {
        let app = mock_builder().build(mock_context(noop_assets())).unwrap();
        let main = WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        web_content_process_terminated(main.as_ref());
    }
}
