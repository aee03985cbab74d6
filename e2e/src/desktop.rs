//! What a window manager would do. Xvfb has none.

use anyhow::{Context as _, Result};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask};

/// Asks a window of `process` to close, as its close button would. The driver can't do that: it destroys the page and leaves the
/// window open.
pub fn close_window(display: &str, process: u32, title: &str) -> Result<()> {
    let (x11, screen) = x11rb::connect(Some(display))?;
    let root = x11.setup().roots[screen].root;
    let named = |name: &str| -> Result<u32> { Ok(x11.intern_atom(false, name.as_bytes())?.reply()?.atom) };
    let (protocols, delete) = (named("WM_PROTOCOLS")?, named("WM_DELETE_WINDOW")?);
    let (title_atom, process_atom) = (named("_NET_WM_NAME")?, named("_NET_WM_PID")?);
    let property = |window: u32, atom: u32| x11.get_property(false, window, atom, AtomEnum::ANY, 0, 1024);
    let is_it = |window: u32| -> Result<bool> {
        let (has_title, has_process) =
            (property(window, title_atom)?.reply()?, property(window, process_atom)?.reply()?);
        let process_is = has_process.value32().and_then(|mut values| values.next());
        Ok(has_title.value == title.as_bytes() && process_is == Some(process))
    };
    let windows = x11.query_tree(root)?.reply()?.children;
    let window = windows.into_iter().find(|window| is_it(*window).unwrap_or_default());
    let window = window.with_context(|| format!("no window of process {process} has the title {title:?}"))?;
    let message = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
    x11.send_event(false, window, EventMask::NO_EVENT, message)?.check()?;
    Ok(())
}
