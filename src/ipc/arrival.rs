//! Finds out whose a call is when it comes in.
//!
//! A command is parsed on a runtime thread, and by then the webview may show another document. So the page is looked up
//! before that, and travels with the call.

use glob::Pattern;
use tauri::{
    Manager, Runtime,
    http::header::ORIGIN,
    ipc::{CommandItem, Invoke, InvokeError},
    utils::acl::{ExecutionContext, resolved::ResolvedCommand},
};

use super::refusals;
use crate::{
    Error,
    access::{document::Call, page::Page},
    state::PluginState,
};

/// Who has made a call.
pub(super) struct Arrival {
    pub(super) page: Page,
    /// The number of the document among those that its webview has loaded.
    pub(super) load: u64,
}

/// Looks up the page that has made this call, for [`caller`], and lets `command` handle it. Refuses a call that does not
/// come from the document that its webview shows.
pub(super) fn handle<R: Runtime>(mut invoke: Invoke<R>, command: impl FnOnce(Invoke<R>) -> bool) -> bool {
    match arrival(&invoke) {
        Ok(arrival) => {
            invoke.acl.get_or_insert_default().push(note(&arrival));
            command(invoke)
        }
        Err(error) => {
            // Not here: Tauri holds a lock, and an answer may wait for the main thread.
            invoke.resolver.respond_async_serialized(async { Err(error.into()) });
            true
        }
    }
}

fn arrival<R: Runtime>(invoke: &Invoke<R>) -> Result<Arrival, Error> {
    let webview = invoke.message.webview_ref();
    let is_remote = |command: &ResolvedCommand| matches!(command.context, ExecutionContext::Remote { .. });
    // Something that is no text names no origin.
    let header = invoke.message.headers().get(ORIGIN).map(|header| header.to_str().unwrap_or_default());
    let call = Call { is_remote: invoke.acl.iter().flatten().any(is_remote), header };
    let plugin = webview.state::<PluginState>();
    // Before the page: if another document is loaded in between, this one counts as gone.
    let load = plugin.pages.loads(webview.label());
    let page = plugin.page_calls(webview.label(), call);
    let page = page.map_err(|stranger| refusals::of_stranger(stranger, webview.label()))?;
    Ok(Arrival { page, load })
}

/// A call has no room for anything of a plugin's but this list, of which Tauri reads only the scopes from here on.
fn note(Arrival { page, load }: &Arrival) -> ResolvedCommand {
    let numbers = Pattern::new(&format!("{}.{}.{load}", page.incarnation, page.origin));
    ResolvedCommand { webviews: numbers.into_iter().collect(), ..ResolvedCommand::default() }
}

/// Returns who has made this call.
pub(super) fn caller<R: Runtime>(command: &CommandItem<'_, R>) -> Result<Arrival, InvokeError> {
    let note = command.acl.as_ref().and_then(|acl| acl.last()?.webviews.first());
    let arrival = note.and_then(|numbers| {
        let mut numbers = numbers.as_str().split('.');
        let label = command.message.webview_ref().label().into();
        let (incarnation, origin) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some(Arrival { page: Page { label, incarnation, origin }, load: numbers.next()?.parse().ok()? })
    });
    arrival.ok_or_else(|| InvokeError::from("the call did not pass through the handler of the tasks plugin"))
}
