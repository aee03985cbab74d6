//! What a window manager does: there is none under Xvfb.

use anyhow::{Context as _, Result};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask};

/// Asks a window to close, as a click on the cross in its title bar does. The driver can't: it destroys the page and
/// leaves the window.
pub fn close_window(title: &str) -> Result<()> {
    let (x11, screen) = x11rb::connect(None)?;
    let root = x11.setup().roots[screen].root;
    let named = |name: &str| -> Result<u32> { Ok(x11.intern_atom(false, name.as_bytes())?.reply()?.atom) };
    let (protocols, delete, title_atom) = (named("WM_PROTOCOLS")?, named("WM_DELETE_WINDOW")?, named("_NET_WM_NAME")?);
    let has_title = |window: u32| -> Result<bool> {
        let property = x11.get_property(false, window, title_atom, AtomEnum::ANY, 0, 1024)?.reply()?;
        Ok(property.value == title.as_bytes())
    };
    let windows = x11.query_tree(root)?.reply()?.children;
    let window = windows.into_iter().find(|window| has_title(*window).unwrap_or_default());
    let window = window.with_context(|| format!("no window has the title {title:?}"))?;
    let message = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
    x11.send_event(false, window, EventMask::NO_EVENT, message)?.check()?;
    Ok(())
}
