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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tauri::{
        Url, WebviewWindow,
        http::HeaderMap,
        ipc::{CallbackFn, InvokeBody},
        test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
        utils::acl::{
            manifest::{Manifest, PermissionFile},
            resolved::Resolved,
        },
        webview::InvokeRequest,
    };

    use super::*;
    use crate::{Builder, access::document::Document};

    const ONE: &str = "https://one.example/page";
    const OTHER: &str = "https://other.example/page";
    const LOOK: &str = "[[permission]]\nidentifier = \"allow-look\"\ncommands.allow = [\"look\"]";
    const PROBE: &str = r#"{ "identifier": "probe", "windows": ["main"], "remote": { "urls": ["https://*.example"] },
        "permissions": ["probe:allow-look"] }"#;

    /// Opens a window of an app with a plugin of the test's own, whose command tells the origin of its caller. So the kit, with
    /// its pages that call this plugin, is no help. If the window `navigates`, it does so while a call is on its way.
    fn window(navigates: bool) -> (tauri::App<MockRuntime>, WebviewWindow<MockRuntime>) {
        let mut context = mock_context(noop_assets());
        let look: PermissionFile = toml::from_str(LOOK).unwrap();
        let acl = BTreeMap::from([("probe".to_owned(), Manifest::new(vec![look], None))]);
        *context.runtime_authority_mut() = tauri::runtime_authority!(acl, Resolved::default());
        let probe = tauri::plugin::Builder::<MockRuntime>::new("probe").invoke_handler(move |invoke| {
            handle(invoke, |invoke| {
                if navigates {
                    shows(&invoke.message.webview_ref().get_webview_window("main").unwrap(), OTHER);
                }
                let item = CommandItem {
                    plugin: Some("probe"),
                    name: "look",
                    key: "caller",
                    message: &invoke.message,
                    acl: &invoke.acl,
                };
                let origin = caller(&item).map(|arrival| arrival.page.origin).map_err(|error| error.0).unwrap();
                invoke.resolver.resolve(origin);
                true
            })
        });
        let app = mock_builder().plugin(Builder::new().build()).plugin(probe.build()).build(context).unwrap();
        app.add_capability(PROBE).unwrap();
        let window = tauri::WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        (app, window)
    }

    /// Loads a document, as the webview tells of it.
    fn shows(window: &WebviewWindow<MockRuntime>, url: &str) {
        let document = Document::at(&Url::parse(url).unwrap(), window.config());
        window.state::<PluginState>().page_loads(window.label(), document);
    }

    /// Returns the number of the origin that a call of the first document comes from.
    fn look(window: &WebviewWindow<MockRuntime>) -> serde_json::Value {
        let request = InvokeRequest {
            cmd: "plugin:probe|look".to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: ONE.parse().unwrap(),
            body: InvokeBody::default(),
            headers: HeaderMap::new(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        get_ipc_response(window, request).unwrap().deserialize().unwrap()
    }

    #[test]
    fn a_call_belongs_to_the_document_that_was_shown_when_it_came_in() {
        let [stays, navigates] = [false, true].map(|navigates| {
            let (_app, window) = window(navigates);
            shows(&window, ONE);
            let seen = look(&window);
            if navigates {
                assert_ne!(look(&window), seen, "the webview shows another document by now");
            }
            seen
        });
        assert_eq!(stays, navigates);
    }
}
