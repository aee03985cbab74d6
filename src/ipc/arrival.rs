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

/// Looks up the page that has made this call, for [`caller`], and lets `command` handle it. Refuses a call that does not
/// come from the document that its webview shows.
pub(super) fn handle<R: Runtime>(mut invoke: Invoke<R>, command: impl FnOnce(Invoke<R>) -> bool) -> bool {
    match page(&invoke) {
        Ok(page) => {
            invoke.acl.get_or_insert_default().push(note(&page));
            command(invoke)
        }
        Err(error) => {
            // Not here: Tauri holds a lock, and an answer may wait for the main thread.
            invoke.resolver.respond_async_serialized(async { Err(error.into()) });
            true
        }
    }
}

fn page<R: Runtime>(invoke: &Invoke<R>) -> Result<Page, Error> {
    let webview = invoke.message.webview_ref();
    let is_remote = |command: &ResolvedCommand| matches!(command.context, ExecutionContext::Remote { .. });
    // Something that is no text names no origin.
    let header = invoke.message.headers().get(ORIGIN).map(|header| header.to_str().unwrap_or_default());
    let call = Call { is_remote: invoke.acl.iter().flatten().any(is_remote), header };
    webview
        .state::<PluginState>()
        .page_calls(webview.label(), call)
        .map_err(|stranger| refusals::of_stranger(stranger, webview.label()))
}

/// A call has no room for anything of a plugin's but this list, of which Tauri reads only the scopes from here on.
fn note(page: &Page) -> ResolvedCommand {
    let numbers = Pattern::new(&format!("{}.{}", page.incarnation, page.origin));
    ResolvedCommand { webviews: numbers.into_iter().collect(), ..ResolvedCommand::default() }
}

/// Returns the page that has made this call.
pub(super) fn caller<R: Runtime>(command: &CommandItem<'_, R>) -> Result<Page, InvokeError> {
    let note = command.acl.as_ref().and_then(|acl| acl.last()?.webviews.first());
    let numbers = note.and_then(|numbers| numbers.as_str().split_once('.'));
    let page = numbers.and_then(|(incarnation, origin)| {
        let label = command.message.webview_ref().label().into();
        Some(Page { label, incarnation: incarnation.parse().ok()?, origin: origin.parse().ok()? })
    });
    page.ok_or_else(|| InvokeError::from("the call did not pass through the handler of the tasks plugin"))
}
